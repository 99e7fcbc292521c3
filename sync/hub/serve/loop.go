package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// ErrUnavailable says that nothing was taken, and that trying again helps.
var ErrUnavailable = errors.New("the hub cannot take this now: try again")

// job is one input on its way to the mind. done gets exactly one result, and has room for it.
type job struct {
	input hub.Input
	done  chan<- result // nil where nobody listens
}

type result struct {
	answer hub.Answer
	err    error // the ledger's
}

// batchSize is how many inputs share a transaction at the most.
const batchSize = 256

// think is the one goroutine that has the mind.
func (h *Hub) think(ctx context.Context) {
	batch := make([]job, 0, batchSize)
	for {
		batch = h.queue.take(ctx, batch[:0])
		if len(batch) == 0 {
			h.turnAway()
			return
		}
		h.round(ctx, batch)
	}
}

// turnAway answers what is left when the hub ends.
func (h *Hub) turnAway() {
	for _, j := range h.queue.rest() {
		j.answer(result{err: ErrUnavailable})
	}
}

func (j job) answer(r result) {
	if j.done != nil {
		j.done <- r
	}
}

// round takes a batch in one transaction. Where that fails each is tried alone,
// so that one input which the ledger cannot take spoils no other.
func (h *Hub) round(ctx context.Context, batch []job) {
	outputs, err := h.commit(ctx, batch)
	if err != nil && len(batch) > 1 {
		for k := range batch {
			h.round(ctx, batch[k:k+1])
		}
		return
	}
	if err != nil {
		h.counts.ledgerErrors.Add(1)
		h.cfg.Tell.Error("ledger", "error", err)
		batch[0].answer(result{err: fmt.Errorf("%w: %w", ErrUnavailable, err)})
		return
	}
	for k, out := range outputs {
		h.publish(out.Messages)
		if k < len(batch) {
			h.count(batch[k].input, out.Answer.Err)
			batch[k].answer(result{answer: out.Answer})
		}
	}
	h.scrub(ctx, outputs)
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
	return outputs, tx.Commit()
}

// scrub has what a forget deleted taken out of the files.
func (h *Hub) scrub(ctx context.Context, outputs []hub.Output) {
	for _, out := range outputs {
		for _, w := range out.Writes {
			if _, erased := w.(hub.PutErased); erased {
				h.counts.scrub.Store(true)
			}
		}
	}
	s, can := h.ledger.(interface {
		Scrub(context.Context) (bool, error)
	})
	if !can || !h.counts.scrub.Load() {
		return
	}
	done, err := s.Scrub(ctx)
	if err != nil {
		h.cfg.Tell.Error("ledger", "error", err)
	}
	h.counts.scrub.Store(!done) // with each round until it is done; ticks bring rounds
}

// publish signs messages and queues them; they may leave, since the commit is done.
func (h *Hub) publish(messages []hub.Message) {
	if h.publisher == nil {
		return
	}
	for _, m := range messages {
		signed, err := wire.Sign(m.Topic, m.Payload, h.keys.sign)
		if err != nil {
			h.cfg.Tell.Error("message cannot be signed", "topic", m.Topic, "error", err)
			continue
		}
		h.publisher.put(m.Topic, signed, m.Retain)
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
		if err := h.queue.ask(ctx, job{in, waiting[k]}); err != nil {
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
