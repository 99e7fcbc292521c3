package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// KindHandOver is the kind of interaction that says that a person was asked to take over. A policy
// that hands over declares it.
const KindHandOver = "hand_over"

// sourceTact is the source of what the mind notes by itself.
const sourceTact = "tact"

// MostDecided is how many decisions for a customer are remembered for who takes over.
const MostDecided = 3

// Decided is one decision for a customer, as a person who takes over is told of it.
type Decided struct {
	At       sense.Instant
	Decision string
	Slot     string
	Action   string // "silence" where nothing was said
	Cause    string // of silence, or "fallback"
	Value    catalog.Micro
	Outcome  string // the last word on it; empty where there is none
}

// HandOver is what a person is told who takes over, so that nothing is asked again. It is told as far
// as it is held for the purpose of what was accepted, and no further.
type HandOver struct {
	At           sense.Instant
	Session      string
	Handle       Handle                // zero for nobody
	Customer     string                // empty for nobody
	Decision     string                // that was accepted; empty where strikes made it
	Action       string                // that was accepted; empty where strikes made it
	Strikes      int64                 // negative experiences that made it; 0 where an action was accepted
	Question     *Asked                // what was asked for last in this visit, nil where nothing was
	Answers      []profile.Fact        // what the customer declared in this visit
	Facts        []profile.Fact        // that the policy lets it tell
	Complaints   []profile.Interaction // that are open
	Interactions []profile.Interaction // of the kinds that the policy lets it tell
	Decisions    []Decided             // the last ones, oldest first
}

// Asked is what somebody asked for.
type Asked struct {
	At     sense.Instant
	Slot   string
	Intent string
	About  event.Subject
}

// decided notes a decision for a customer.
func (c *customer) decided(d *Decision) {
	if len(c.Decided) == MostDecided {
		c.Decided = c.Decided[:copy(c.Decided, c.Decided[1:])]
	}
	c.Decided = append(c.Decided, Decided{At: d.At, Decision: d.ID, Slot: d.Slot, Action: d.Action, Cause: d.Cause, Value: d.Value})
	c.Changed++
}

// renumber gives decisions of a step the names that they have now.
func (c *customer) renumber(now map[string]*Decision) {
	for k := range c.Decided {
		if d := now[c.Decided[k].Decision]; d != nil {
			c.Decided[k].Decision = d.ID
		}
	}
	c.visit.question.renumber(now)
}

// handOver tells people what was accepted that a person does, and notes that they were told.
func (m *Mind) handOver(s *session, c *customer, decision string, a *catalog.Action) {
	if a.HandsOver == nil {
		return
	}
	h := HandOver{At: m.now, Session: s.name, Decision: decision, Action: a.Name}
	tells := func(what string) bool { return slices.Contains(a.HandsOver.Tells, what) }
	if v := s.visit(); tells("question") && v.came.at != 0 {
		h.Question = v.came.told()
	}
	if c == nil {
		m.out.HandOver = append(m.out.HandOver, h)
		return
	}
	h.Handle, h.Customer = c.Handle, c.Customer
	if c.here(m.now) {
		m.tellHandOver(&h, s, c, a, tells)
	}
	if tells("last_decisions") {
		h.Decisions = c.lastDecisions()
	}
	m.out.HandOver = append(m.out.HandOver, h)
	channel := "" // hers: it is in the same conversation
	if x := c.Slice.Exposure(decision); x != nil {
		channel = x.Channel
	}
	m.noteHandOver(c, "", &event.Interaction{Ref: decision, About: a.About, Channel: channel})
}

func (r *request) told() *Asked {
	a := &Asked{At: r.at, Slot: r.slot, About: r.about}
	if r.intent != 0 {
		a.Intent = r.intent.String()
	}
	return a
}

// tellHandOver adds what is held of a customer for the purpose of the action.
func (m *Mind) tellHandOver(h *HandOver, s *session, c *customer, a *catalog.Action, tells func(string) bool) {
	granted := m.permitted(c)
	may := func(p catalog.PurposeSet) bool { return a.Purpose >= 0 && p.Has(a.Purpose) && granted.Has(a.Purpose) }
	for k := range m.bundle.Facts {
		d := &m.bundle.Facts[k]
		held := c.Slice.Held(m.bundle, int32(k), s.owners, m.now)
		if !may(d.Purposes) || !held.Present || held.Provenance == event.Inferred || held.Provenance == event.ThirdParty {
			continue
		}
		_, owner := m.factOf(c, d, s)
		f := profile.Fact{Name: d.Name, Owner: owner, Value: held.Value, Provenance: held.Provenance, Happened: m.now.Add(-held.Age)}
		if tells(d.Name) {
			h.Facts = append(h.Facts, f)
		}
		if v := &c.visit; tells("answers") && f.Provenance == event.Declared && v.since != 0 && f.Happened >= v.since {
			h.Answers = append(h.Answers, f)
		}
	}
	for n := range c.Slice.Interactions {
		i := &c.Slice.Interactions[n]
		k := m.bundle.Kind(i.Kind)
		if k == nil || !tells(k.Name) || !may(k.Purposes) || i.Happened > m.now || m.now >= i.Happened.Add(k.Keep) {
			continue
		}
		if k.OpenUntil < 0 {
			h.Interactions = append(h.Interactions, *i)
		} else if _, closed := c.Slice.Closed(m.bundle, k, i); !closed {
			h.Complaints = append(h.Complaints, *i)
		}
	}
}

// lastDecisions returns the last decisions for a customer with what became of them.
func (c *customer) lastDecisions() []Decided {
	all := slices.Clone(c.Decided)
	for k := range all {
		if x := c.Slice.Exposure(all[k].Decision); x != nil && len(x.Outcomes) > 0 {
			all[k].Outcome = x.Outcomes[len(x.Outcomes)-1].Outcome
		}
	}
	return all
}

// noteHandOver makes durable that people were told. An id is given where it must be told once only.
func (m *Mind) noteHandOver(c *customer, id string, i *event.Interaction) {
	if m.bundle.Kind(KindHandOver) == nil {
		return
	}
	if m.sensitive(i.About) {
		i.About = ""
	}
	i.Kind, i.Customer, i.Due = KindHandOver, c.Customer, sense.Never
	e := &event.Event{At: m.now, HasAt: true, Happened: m.now, ID: id, Source: sourceTact, Session: event.MainSession, Body: i}
	_ = m.fold(e, c.Customer) // a customer who is known, and an interaction folds
}

// countStrikes tells staff at the moment at which so much went wrong for somebody that nothing is sold
// any more: once for each count.
func (m *Mind) countStrikes() {
	if m.bundle.Strikes == nil {
		return
	}
	for _, s := range m.attended {
		if c := s.customer; c != nil && c.here(m.now) && (c.struck != c.Changed || m.now >= c.strikeTurn) {
			m.strike(s, c)
			c.struck = c.Changed
		}
	}
}

// strikes are the ids of hand-overs that strikes made.
const strikes = "strikes-"

func (m *Mind) strike(s *session, c *customer) {
	v := guard.View{Bundle: m.bundle, Now: m.now - 1, Presence: guard.Here, Slice: &c.Slice, Clock: m.clock}
	if c.struck == 0 {
		c.strikes = c.strikesTold()
	}
	if m.now >= c.strikeTurn {
		before, _, _ := guard.Strikes(&v)
		c.strikes = min(c.strikes, before) // some are too long ago since
	}
	v.Now = m.now
	count, effect, turn := guard.Strikes(&v)
	c.strikeTurn = turn
	if effect < catalog.StrikeNoSales || count <= c.strikes {
		return
	}
	c.strikes = count
	m.out.HandOver = append(m.out.HandOver, HandOver{At: m.now, Session: s.name, Handle: c.Handle, Customer: c.Customer, Strikes: count, Decisions: c.lastDecisions()})
	m.noteHandOver(c, strikes+strconv.FormatInt(count, 10)+"-"+strconv.FormatInt(int64(m.now), 10), &event.Interaction{})
}

// strikesTold returns for how many strikes staff were told last; 0 where never.
func (c *customer) strikesTold() (count int64) {
	for k := range c.Slice.Interactions {
		if i := &c.Slice.Interactions[k]; i.Kind == KindHandOver {
			if rest, ours := strings.CutPrefix(i.ID, strikes); ours {
				n, _, _ := strings.Cut(rest, "-")
				count, _ = strconv.ParseInt(n, 10, 64) // what is no number is none
			}
		}
	}
	return count
}

// Names returns what a person is told, by the words of the policy's tells, in their order.
func (h *HandOver) Names() (names []string) {
	if h.Question != nil {
		names = append(names, "question")
	}
	if len(h.Answers) > 0 {
		names = append(names, "answers")
	}
	for k := range h.Facts {
		names = append(names, h.Facts[k].Name)
	}
	for _, list := range [...][]profile.Interaction{h.Complaints, h.Interactions} {
		for k := range list {
			if !slices.Contains(names, list[k].Kind) {
				names = append(names, list[k].Kind)
			}
		}
	}
	if len(h.Decisions) > 0 {
		names = append(names, "last_decisions")
	}
	return names
}

// AppendJSON appends the hand-over as one line without its newline, with what there is.
func (h *HandOver) AppendJSON(b []byte) []byte {
	b = appendKey(append(b, '{'), "at", h.At.String())
	b = appendKey(append(b, ','), "session", h.Session)
	b = appendKey(append(b, ','), "customer", h.Customer)
	b = appendKey(append(b, ','), "decision", h.Decision)
	b = appendKey(append(b, ','), "action", h.Action)
	b = strconv.AppendInt(append(b, `,"strikes":`...), h.Strikes, 10)
	b = append(b, `,"question":`...)
	if q := h.Question; q == nil {
		b = append(b, "null"...)
	} else {
		b = appendKey(append(b, '{'), "at", q.At.String())
		b = appendKey(append(b, ','), "slot", q.Slot)
		b = appendKey(append(b, ','), "intent", q.Intent)
		b = append(appendKey(append(b, ','), "about", string(q.About)), '}')
	}
	b = appendEach(b, "answers", h.Answers, appendHandedFact)
	b = appendEach(b, "facts", h.Facts, appendHandedFact)
	b = appendEach(b, "complaints", h.Complaints, appendHandedInteraction)
	b = appendEach(b, "interactions", h.Interactions, appendHandedInteraction)
	b = appendEach(b, "decisions", h.Decisions, func(b []byte, d *Decided) []byte {
		b = appendKey(b, "at", d.At.String())
		b = appendKey(append(b, ','), "decision", d.Decision)
		b = appendKey(append(b, ','), "slot", d.Slot)
		b = appendKey(append(b, ','), "action", d.Action)
		b = appendKey(append(b, ','), "cause", d.Cause)
		b = sense.AppendMicro(append(b, `,"value":`...), d.Value, 6)
		return appendKey(append(b, ','), "outcome", d.Outcome)
	})
	return append(b, '}')
}

func appendHandedFact(b []byte, f *profile.Fact) []byte {
	b = appendKey(b, "name", f.Name)
	b = f.Value.AppendJSON(append(b, `,"value":`...))
	b = appendKey(append(b, ','), "provenance", f.Provenance.String())
	return appendKey(append(b, ','), "happened", f.Happened.String())
}

func appendHandedInteraction(b []byte, i *profile.Interaction) []byte {
	b = appendKey(b, "interaction", i.Kind)
	b = appendKey(append(b, ','), "about", string(i.About))
	b = appendKey(append(b, ','), "channel", i.Channel)
	b = appendKey(append(b, ','), "ref", i.Ref)
	return appendKey(append(b, ','), "happened", i.Happened.String())
}

// appendEach appends ,"key":[{...},{...}].
func appendEach[T any](b []byte, key string, list []T, add func([]byte, *T) []byte) []byte {
	b = append(append(append(b, `,"`...), key...), `":[`...)
	for k := range list {
		if k > 0 {
			b = append(b, ',')
		}
		b = append(add(append(b, '{'), &list[k]), '}')
	}
	return append(b, ']')
}
