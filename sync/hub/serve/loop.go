package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
)

// ErrUnavailable says that nothing was taken, and that trying again helps.
var ErrUnavailable = errors.New("the hub cannot take this now: try again")

// job is one input on its way to the mind. done gets exactly one result, and has room for it.
type job struct {
	input   hub.Input
	done    chan<- result // nil where nobody listens
	opening *opening      // of a batch, once it is to be unpacked; else nil
}

type result struct {
	answer hub.Answer
	err    error // the ledger's
}

// batchSize is how many inputs share a transaction at the most.
const batchSize = 256

// spacing is the least time from the beginning of one round to that of the next,
// where all that waits is a little of devices' logs: each round is a write that the
// disk has to finish, and many small ones hold up everything else that is on it.
const spacing = 3 * time.Millisecond

// patient says whether jobs can wait for more: batches, and few.
func patient(jobs []job, bytes int) bool {
	return bytes < roundBytes/32 && !slices.ContainsFunc(jobs, func(j job) bool { return j.opening == nil })
}

// gather takes from the queue what the next round will hold, and has it unpacked,
// while the present round is committed: until the mind is ready, more may join.
func (h *Hub) gather(ctx context.Context) {
	defer h.turnAway()
	defer close(h.rounds)
	var began time.Time // the last round
	for {
		batch := h.queue.take(ctx, make([]job, 0, batchSize))
		if len(batch) == 0 {
			return
		}
		bytes := h.openAll(ctx, batch)
		due := time.After(spacing - time.Since(began)) // at once after a pause
		for handed := false; !handed; {
			more, ready := h.queue.ready, h.rounds
			if len(batch) == cap(batch) || bytes >= roundBytes {
				more = nil
			}
			if due != nil && patient(batch, bytes) {
				ready = nil
			}
			select {
			case ready <- batch:
				handed, began = true, time.Now()
			case <-due:
				due = nil
			case <-more:
				n := len(batch)
				batch = h.queue.now(batch)
				bytes += h.openAll(ctx, batch[n:])
			case <-ctx.Done():
				turnAway(batch, ErrUnavailable)
				return
			}
		}
	}
}

// turnAway answers what is left when the hub ends.
func (h *Hub) turnAway() { turnAway(h.queue.rest(), ErrUnavailable) }

func turnAway(jobs []job, err error) {
	for _, j := range jobs {
		j.answer(result{err: err})
	}
}

func (j job) answer(r result) {
	if j.done != nil {
		j.done <- r
	}
}

// think is the one goroutine that has the mind.
func (h *Hub) think(ctx context.Context) {
	for batch := range h.rounds {
		if !h.opened(ctx, batch) {
			turnAway(batch, ErrUnavailable)
			continue
		}
		if err := h.away.present(time.Now()); err != nil {
			h.missed(batch, err)
			continue
		}
		h.round(ctx, batch)
	}
}

// round takes a batch in one transaction. Where an input is one that the ledger
// cannot take each is tried alone, so that it spoils no other. Where it is the
// database that fails, nothing is taken: sources hear so, devices hear nothing and
// send again. That holds as well where it is not known whether the transaction is
// there: what devices send is taken once however often it comes.
func (h *Hub) round(ctx context.Context, batch []job) {
	outputs, err := h.commit(ctx, batch)
	switch {
	case err == nil:
		h.found()
	case ctx.Err() != nil:
		turnAway(batch, ErrUnavailable) // the hub ends
		return
	case errors.Is(err, ledger.ErrUnavailable):
		h.lose(err)
		h.missed(batch, err)
		return
	case len(batch) > 1:
		for k := range batch {
			if away := h.away.present(time.Now()); away != nil {
				h.missed(batch[k:], away)
				return
			}
			h.round(ctx, batch[k:k+1])
		}
		return
	default:
		h.counts.ledgerErrors.Add(1)
		h.cfg.Tell.Error("ledger cannot take an input", "error", err)
		turnAway(batch, fmt.Errorf("%w: %w", ErrUnavailable, err))
		return
	}
	h.owesScrub(outputs)
	for k, out := range outputs {
		h.publish(out.Messages)
		if k < len(batch) {
			h.count(batch[k].input, out.Answer.Err)
			batch[k].answer(result{answer: out.Answer})
		}
	}
	h.cfg.Crash(CrashAfterPublish)
	h.scrub(ctx)
}

// missed answers inputs that came while the ledger is away. Devices are asked to say hello once the
// ledger takes again, and with that send what is missing.
func (h *Hub) missed(batch []job, err error) {
	turnAway(batch, fmt.Errorf("%w: %w", ErrUnavailable, err))
	if h.publisher != nil {
		h.publisher.lost.Store(true)
	}
}

func (h *Hub) commit(ctx context.Context, batch []job) ([]hub.Output, error) {
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return nil, err
	}
	inputs := make([]hub.Input, len(batch))
	for k := range batch {
		inputs[k] = batch[k].input
	}
	outputs, err := h.mind.Round(tx, h.cfg.Now(), inputs)
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	h.cfg.Crash(CrashBeforeCommit)
	if err := tx.Commit(); err != nil {
		return outputs, err
	}
	h.cfg.Crash(CrashAfterCommit)
	return outputs, nil
}

// publish queues messages; they may leave, since the commit is done.
func (h *Hub) publish(messages []hub.Message) {
	if h.publisher == nil {
		return
	}
	for _, m := range messages {
		h.publisher.put(m.Topic, m.Payload, m.Retain)
	}
}

// ask passes an input through the mind and waits for the commit.
func (h *Hub) ask(ctx context.Context, in hub.Input) (hub.Answer, error) {
	results, err := h.askAll(ctx, []hub.Input{in})
	if err != nil {
		return hub.Answer{}, err
	}
	return results[0].answer, results[0].err
}

// askAll passes inputs through the mind, in order, and waits for all.
func (h *Hub) askAll(ctx context.Context, inputs []hub.Input) ([]result, error) {
	waiting := make([]chan result, len(inputs))
	for k, in := range inputs {
		waiting[k] = make(chan result, 1)
		if err := h.queue.ask(ctx, job{input: in, done: waiting[k]}); err != nil {
			return nil, err
		}
	}
	results := make([]result, len(inputs))
	for k := range waiting {
		select {
		case results[k] = <-waiting[k]:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	return results, nil
}

// tickEvery is how often time is told to pass.
const tickEvery = 5 * time.Second

func (h *Hub) tick(ctx context.Context) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		inputs := []hub.Input{hub.Tick{}}
		if h.publisher != nil && h.publisher.lost.Swap(false) {
			inputs = append(inputs, hub.Connected{})
		}
		if _, err := h.askAll(ctx, inputs); err != nil {
			return
		}
	}
}
