package engine

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Mind is the deciding part of one device. It is not safe for concurrent use.
type Mind struct {
	cfg    Config
	now    sense.Instant
	booted sense.Instant
	clock  sense.ClockState
	link   link

	bundle *catalog.Bundle
	hash   [32]byte
	policy string
	plan   plan
	moment *moment.State

	sessions  []*session  // in order of name
	customers []*customer // in order of first sight
	byID      map[string]*customer
	byHandle  map[Handle]*customer
	owned     profile.Slice // facts of vehicles, households and sites
	erased    map[[32]byte]bool
	seen      seen
	restored  bool            // from a snapshot: windows and holds begin unknown
	fences    moment.Snapshot // of that snapshot, until a policy is loaded

	seq     uint64 // of the next record
	decided uint64 // decisions so far
	drawn   uint64 // handles so far

	zones map[string]*sense.Zone // by name; nil for one that does not exist

	wake      sense.Instant
	quietTurn sense.Instant // when the device's quiet hours next begin or end
	due       sense.Instant // when something of a customer ends by itself; 0 where not worked out
	wanted    Want
	wantStale bool   // the want may be another
	out       Output // of the step that is being made
	asks      []pendingAsk
	read      []readSignal               // signals taken in this step, where readings are wanted
	derived   map[derivedKey]sense.Value // last told
	again     bool                       // something happened that every session must be judged again for
	past      *Past                      // whose mind this is; nil for one that lives
}

// link is what is known of the connection to the hub.
type link struct {
	up        bool
	since     sense.Instant // since when it is up
	downSince sense.Instant
}

// New returns a mind that knows no policy and nobody.
func New(cfg Config) *Mind {
	if cfg.From == 0 {
		cfg.From = 1
	}
	if cfg.Sessions == 0 && !cfg.Leased {
		cfg.Sessions = DefaultSessions
	}
	if cfg.Customers == 0 && !cfg.Leased {
		cfg.Customers = DefaultCustomers
	}
	m := &Mind{
		cfg:      cfg,
		clock:    sense.ClockSynced,
		link:     link{up: cfg.Leased},
		byID:     map[string]*customer{},
		byHandle: map[Handle]*customer{},
		erased:   map[[32]byte]bool{},
		derived:  map[derivedKey]sense.Value{},
		zones:    map[string]*sense.Zone{},
		seq:      1,
		wake:     sense.Never,
	}
	m.decided = cfg.From - 1
	return m
}

// Wake returns the next instant at which something changes by itself.
func (m *Mind) Wake() sense.Instant { return m.wake }

// Now returns the instant of the last step.
func (m *Mind) Now() sense.Instant { return m.now }

// Bundle returns the policy in charge, nil where there is none.
func (m *Mind) Bundle() *catalog.Bundle { return m.bundle }

// Advance fires every timer that is due at or before at, each at its own instant.
func (m *Mind) Advance(at sense.Instant, yield func(Output)) {
	for m.wake <= at && m.wake != sense.Never {
		yield(m.Step(Input{At: m.wake}))
	}
}

// Step takes one step. Timers that were due before in.At and were not fired are
// taken in as if they were due at in.At.
func (m *Mind) Step(in Input) Output {
	m.out, m.asks, m.read, m.again = Output{At: in.At}, m.asks[:0], m.read[:0], false
	m.now = max(m.now, in.At)
	if m.booted == 0 {
		m.booted = m.now
	}
	if m.moment != nil {
		m.moment.Begin(m.now)
	}
	if in.Bundle != nil {
		m.load(in.Bundle)
	}
	for k := range in.Slices {
		m.takeSlice(&in.Slices[k])
	}
	for k := range in.Events {
		if err := m.apply(&in.Events[k]); err != nil {
			m.out.Refused = append(m.out.Refused, Refusal{Index: k, Err: err})
		}
	}
	m.settle()
	return m.out
}

// load puts a bundle in charge: latest readings go over to the new moment, what
// is shown is judged anew by the new policy.
func (m *Mind) load(u *BundleUpdate) {
	for _, s := range m.sessions {
		m.clearAll(s, "replaced") // its slots are those of the policy that showed it
	}
	old, oldBundle := m.moment, m.bundle
	m.bundle, m.hash = u.Bundle, u.Hash
	m.policy = u.Bundle.Name + "@" + strconv.FormatInt(u.Bundle.Version, 10)
	m.plan = planOf(u.Bundle, m.cfg.Slots)
	m.moment = moment.New(u.Bundle, m.cfg.Absent)
	for _, s := range m.sessions {
		s.reset(len(u.Bundle.Slots))
		m.moment.Open(s.name, m.now)
	}
	switch {
	case old != nil:
		m.moment.Restore(old.Snapshot(), m.now)
		m.inherit(old, oldBundle)
	case m.restored:
		m.moment.Restore(m.fences, m.now)
	}
	for _, c := range m.customers {
		m.withhold(c)
		c.prune = 0
	}
	m.again, m.wantStale, m.due, m.quietTurn = true, true, 0, 0
}

// inherit reads the latest readings again under a new policy, as far as it declares them.
func (m *Mind) inherit(old *moment.State, b *catalog.Bundle) {
	for _, s := range m.sessions {
		for k := range b.Signals {
			if v, age, cause := old.Reading(s.name, int32(k)); cause == rule.Known {
				// What the new policy does not declare, or types otherwise, it has no use for.
				_ = m.moment.Signal(s.name, &event.Signal{Name: b.Signals[k].Name, Value: v, Age: age}, m.now, m.now)
			}
		}
	}
}

// plan is what is worked out once for a bundle.
type plan struct {
	slots      []int32   // that this device has, in order
	has        []bool    // per slot of the bundle
	candidates [][]int32 // per slot: the actions that name it, in order
	unasked    []int32   // slots that are filled unasked
	armed      []armed   // actions that stay right for keep_armed
	roots      []bool    // per node: an action, a group, a state or the end of a session rests on it
}

func planOf(b *catalog.Bundle, slots []string) plan {
	p := plan{has: make([]bool, len(b.Slots)), candidates: make([][]int32, len(b.Slots))}
	for k := range b.Slots {
		if slots != nil && !slices.Contains(slots, b.Slots[k].Name) {
			continue
		}
		p.has[k] = true
		p.slots = append(p.slots, int32(k))
		if b.Slots[k].Unasked {
			p.unasked = append(p.unasked, int32(k))
		}
	}
	for a := range b.Actions {
		for _, s := range b.Actions[a].Slots {
			p.candidates[s] = append(p.candidates[s], int32(a))
		}
	}
	p.armed = armedOf(b)
	p.roots = rootsOf(b)
	return p
}

// rootsOf marks the nodes whose truth decides something.
func rootsOf(b *catalog.Bundle) []bool {
	roots := make([]bool, len(b.Program.Nodes))
	mark := func(nodes ...rule.Node) {
		for _, n := range nodes {
			if n >= 0 && int(n) < len(roots) {
				roots[n] = true
			}
		}
	}
	for k := range b.Actions {
		mark(b.Actions[k].Eligible, b.Actions[k].Applicable, b.Actions[k].Suitable)
	}
	for k := range b.Groups {
		mark(b.Groups[k].Eligible, b.Groups[k].Applicable, b.Groups[k].Suitable)
	}
	for k := range b.States {
		mark(b.States[k].Node)
	}
	if b.SessionEnd != nil {
		mark(b.SessionEnd.Ends)
	}
	return roots
}

// rests says whether something rests on one of the nodes.
func (p *plan) rests(nodes []rule.Node) bool {
	for _, n := range nodes {
		if p.roots[n] {
			return true
		}
	}
	return false
}
