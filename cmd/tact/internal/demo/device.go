package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/local"
)

// decision is a decision line, as far as the story tells it.
type decision struct {
	Decision   string          `json:"decision"`
	Session    string          `json:"session"`
	Slot       string          `json:"slot"`
	Asked      bool            `json:"asked"`
	Action     string          `json:"action"`
	Text       json.RawMessage `json:"text"`
	Cause      string          `json:"cause"`
	Value      json.Number     `json:"value"`
	Propensity json.Number     `json:"propensity"`
	Rejected   []loser         `json:"rejected"`
	Policy     string          `json:"policy"`
}

const silence = "silence"

// loser is a candidate that was not chosen.
type loser struct {
	Action  string   `json:"action"`
	Stage   string   `json:"stage"`
	Reason  string   `json:"reason"`
	Because []detail `json:"because"`
}

// detail is what decided.
type detail struct {
	Name   string          `json:"name"`
	Value  json.RawMessage `json:"value"`
	Needed *string         `json:"needed"`
}

func (d *decision) rejected(action string) *loser {
	for k := range d.Rejected {
		if d.Rejected[k].Action == action {
			return &d.Rejected[k]
		}
	}
	return nil
}

// lost says whether an action was rejected for a reason.
func (d *decision) lost(action, reason string) bool {
	l := d.rejected(action)
	return l != nil && l.Reason == reason
}

// clear is a line that takes something down.
type clear struct {
	Clear   string `json:"clear"` // the decision
	Session string `json:"session"`
	Slot    string `json:"slot"`
	Cause   string `json:"cause"`
}

// message is one thing that a device's screens were told; one of the two is set.
type message struct {
	heard    time.Time
	decision *decision
	clear    *clear
}

// device is a device as its apps and screens have it: through its local API.
type device struct {
	name  string
	url   string
	agent *agent.Agent
	face  *local.Server
	caller

	mu       sync.Mutex
	messages []message
	more     chan struct{} // closed when a message comes
	done     sync.WaitGroup
}

// post tells the device what happened; it is durable when post returns.
func (d *device) post(ctx context.Context, lines ...string) error {
	var answer taken
	if err := d.call(ctx, http.MethodPost, d.url+"/v1/events", "", strings.Join(lines, "\n"), &answer); err != nil {
		return fmt.Errorf("tell %s: %w", d.name, err)
	}
	return answer.err("tell " + d.name)
}

// taken answers event lines, at a device and at the hub.
type taken struct {
	Accepted int `json:"accepted"`
	Rejected []struct {
		Line  int    `json:"line"`
		Error string `json:"error"`
	} `json:"rejected"`
}

func (t *taken) err(what string) error {
	if len(t.Rejected) > 0 {
		return fmt.Errorf("%s: line %d: %s", what, t.Rejected[0].Line, t.Rejected[0].Error)
	}
	return nil
}

// status is how the device says it is.
type status struct {
	Bundle  string   `json:"bundle"`
	Epoch   string   `json:"epoch"`
	Online  bool     `json:"online"`
	Signals []string `json:"signals"`
	Outbox  struct {
		Next         uint64 `json:"next"`
		Acknowledged uint64 `json:"acknowledged"`
	} `json:"outbox"`
}

// written is how many records the log has got in all.
func (s *status) written() uint64 { return s.Outbox.Next - 1 }

// waiting is how many of them the hub has not acknowledged.
func (s *status) waiting() uint64 { return s.written() - s.Outbox.Acknowledged }

func (d *device) status(ctx context.Context) (s status, err error) {
	if err = d.call(ctx, http.MethodGet, d.url+"/v1/status", "", "", &s); err != nil {
		err = fmt.Errorf("look at %s: %w", d.name, err)
	}
	return s, err
}

// until waits until the device's status is as wanted.
func (d *device) until(ctx context.Context, what string, good func(*status) bool) (status, error) {
	var s status
	err := until(ctx, d.name+" "+what, func() (bool, error) {
		var err error
		s, err = d.status(ctx)
		return err == nil && good(&s), err
	})
	return s, err
}

// follow reads the event stream until ctx ends, and comes back where it is lost.
func (d *device) follow(ctx context.Context) {
	d.more = make(chan struct{})
	d.done.Go(func() {
		last := ""
		for ctx.Err() == nil {
			last = d.stream(ctx, last)
			pause(ctx, 100*time.Millisecond)
		}
	})
}

// stream reads until the stream ends, and returns the id of the last message.
func (d *device) stream(ctx context.Context, last string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/v1/stream", nil)
	if err != nil {
		return last
	}
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	answer, err := d.http.Do(request)
	if err != nil {
		return last
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	kind := ""
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "id":
			last = value
		case "event":
			kind = value
		case "data":
			d.hear(kind, []byte(value))
		}
	}
	return last
}

func (d *device) hear(kind string, line []byte) {
	m := message{heard: time.Now()}
	var err error
	switch kind {
	case agent.KindDecision:
		m.decision = &decision{}
		err = json.Unmarshal(line, m.decision)
	case agent.KindClear:
		m.clear = &clear{}
		err = json.Unmarshal(line, m.clear)
	default:
		return
	}
	if err != nil {
		return // the balance will miss it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = append(d.messages, m)
	close(d.more)
	d.more = make(chan struct{})
}

// mark is the place in the stream after what was heard so far.
func (d *device) mark() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.messages)
}

// await returns the first message from a mark on that is as wanted.
func (d *device) await(ctx context.Context, mark int, what string, good func(*message) bool) (*message, error) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		d.mu.Lock()
		for ; mark < len(d.messages); mark++ {
			if good(&d.messages[mark]) {
				m := d.messages[mark]
				d.mu.Unlock()
				return &m, nil
			}
		}
		more := d.more
		d.mu.Unlock()
		select {
		case <-more:
		case <-limit.C:
			return nil, fmt.Errorf("%s did not decide as it must: %s did not come within %s%s", d.name, what, patience, d.lastHeard())
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// lastHeard names the last decision, for errors.
func (d *device) lastHeard() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k := len(d.messages) - 1; k >= 0; k-- {
		if m := d.messages[k].decision; m != nil {
			return fmt.Sprintf("; the last was %s %s in %s", m.Action, m.Cause, m.Slot)
		}
	}
	return ""
}

// decided awaits a decision for a slot of a session.
func (d *device) decided(ctx context.Context, mark int, session, slot, what string, good func(*decision) bool) (*decision, time.Time, error) {
	m, err := d.await(ctx, mark, what, func(m *message) bool {
		return m.decision != nil && m.decision.Session == session && m.decision.Slot == slot && good(m.decision)
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return m.decision, m.heard, nil
}

// cleared awaits that what stands in a slot of a session is taken down.
func (d *device) cleared(ctx context.Context, mark int, session, slot, cause string) (time.Time, error) {
	m, err := d.await(ctx, mark, "clear of "+slot+" because of "+cause, func(m *message) bool {
		return m.clear != nil && m.clear.Session == session && m.clear.Slot == slot && m.clear.Cause == cause
	})
	if err != nil {
		return time.Time{}, err
	}
	return m.heard, nil
}

// ask asks what to show in a slot, and returns the answer.
func (d *device) ask(ctx context.Context, session, slot string) (*decision, error) {
	mark := d.mark()
	if err := d.post(ctx, line("ask", slot, "session", session)); err != nil {
		return nil, err
	}
	got, _, err := d.decided(ctx, mark, session, slot, "an answer", func(x *decision) bool { return x.Asked })
	return got, err
}

// count counts the decisions from a mark on that are as wanted.
func (d *device) count(mark int, good func(*decision) bool) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.messages[mark:] {
		if m.decision != nil && good(m.decision) {
			n++
		}
	}
	return n
}

// decisions returns the ids of all decisions that the stream told.
func (d *device) decisions() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for k := range d.messages {
		if x := d.messages[k].decision; x != nil {
			list = append(list, x.Decision)
		}
	}
	return list
}

func (d *device) close() error {
	err := d.face.Close()
	d.done.Wait()
	return errors.Join(err, d.agent.Close())
}

// patience is how long a step may take before the demo calls it failed; nothing
// of it is seen where all goes well.
const patience = 30 * time.Second

// until looks now and again until something holds.
func until(ctx context.Context, what string, holds func() (bool, error)) error {
	end := time.Now().Add(patience)
	for {
		ok, err := holds()
		switch {
		case ok:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			return errors.Join(fmt.Errorf("waited %s: %s did not come about", patience, what), err)
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// line prints an event line of names and values; session main goes without saying.
func line(pairs ...any) string {
	b := []byte("{")
	for k := 0; k+1 < len(pairs); k += 2 {
		if pairs[k] == "session" && pairs[k+1] == main {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		value, err := json.Marshal(pairs[k+1])
		if err != nil {
			panic(err) // a value that the demo itself wrote
		}
		b = append(strconv.AppendQuote(b, pairs[k].(string)), ':')
		b = append(b, value...)
	}
	return string(append(b, '}'))
}

// main is the session of a device that serves one person.
const main = "main"

// known is what a device knows of who is there.
type known struct {
	Slice bool `json:"slice"`
	Facts []struct {
		Name string `json:"name"`
	} `json:"facts"`
	Interactions []struct {
		Kind string `json:"interaction"`
	} `json:"interactions"`
}

// has says whether a fact, or an interaction of a kind, is there.
func (k *known) has(name string) bool {
	for _, f := range k.Facts {
		if f.Name == name {
			return true
		}
	}
	for _, i := range k.Interactions {
		if i.Kind == name {
			return true
		}
	}
	return false
}

func (d *device) known(ctx context.Context, session string) (k known, err error) {
	if err = d.call(ctx, http.MethodGet, d.url+"/v1/known?session="+session, "", "", &k); err != nil {
		err = fmt.Errorf("ask %s what it knows: %w", d.name, err)
	}
	return k, err
}
