package engine

import (
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
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

	sessions  []*session    // in order of name
	attended  []*session    // that this step looks at, in order of name
	wakes     agenda        // sessions by when something in them happens by itself
	looks     agenda        // sessions by when a step must look at them
	staying   int           // sessions that wait for the end of a visit which goes on with every step
	before    sense.Instant // the last step with a policy in charge
	customers []*customer   // in order of first sight
	byID      map[string]*customer
	byHandle  map[Handle]*customer
	owned     profile.Slice     // facts of vehicles, households and sites
	volume    []Volume          // what was shown to anybody, in order of action
	spent     [][]sense.Instant // the same by volume of the policy; nil where not worked out
	graves    [][32]byte        // of erased, oldest first; some may have been lifted
	erased    map[[32]byte]bool
	seen      seen
	restored  bool            // from a snapshot: windows and holds begin unknown
	fences    moment.Snapshot // of that snapshot, until a policy is loaded

	seq     uint64 // of the next record
	decided uint64 // decisions so far
	drawn   uint64 // handles so far

	zones map[string]*sense.Zone // by name; nil for one that does not exist

	wake       sense.Instant
	quietTurn  sense.Instant            // when the device's quiet hours next begin or end
	activeTurn sense.Instant            // when dates, hours or times of an action next begin or end
	dues       dues                     // when something of a customer ends by itself
	unpruned   []*customer              // whose slices are to be looked through
	noted      []*customer              // whose size, use or want may be another since this step began
	gone       []Handle                 // of those that were wanted and are not held any more
	idle       idle                     // customers who can go, the first to go first
	bytes      int64                    // bytes of customers, by estimate
	sights     uint64                   // customers so far
	order      []*customer              // in order of handle, as of the last snapshot
	ordered    uint64                   // sights by then
	through    uint64                   // the hub has this device's records up to this number
	consenting []int                    // per purpose: sessions in which who is served has granted it
	signals    []string                 // that are wanted
	wantStale  bool                     // the signals that are wanted may be others
	readSince  map[string]sense.Instant // of the signals that are wanted: since when
	out        Output                   // of the step that is being made
	asks       []pendingAsk
	factors    []catalog.Micro
	ranked     []*candidate               // of the decision that is being made
	setting    setting                    // of it
	looked     guard.View                 // of it
	room       guard.Room                 // what was said of candidates in this step
	makings    []*making                  // of the decisions of this step; the rest is memory to be used again
	lends      int                        // how many of them
	line       []byte                     // what is being written
	lacks      []catalog.Because          // of a price that is not known
	words      strings.Builder            // texts of decisions are cut from it
	names      strings.Builder            // names of decisions are
	read       []readSignal               // signals taken in this step, where readings are wanted
	derived    map[derivedKey]sense.Value // last told
	again      bool                       // something happened that every session must be judged again for
	past       *Past                      // whose mind this is; nil for one that lives
	plainly    bool                       // every candidate of a decision passes stage by stage: of a past, whose questions may change actions
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
		wakes:    agenda{of: wakes},
		looks:    agenda{of: looks},
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
// taken in as if they were due at in.At. The output is lent until the next step: see Output.
func (m *Mind) Step(in Input) Output {
	m.lend()
	m.out.At, m.asks, m.read, m.again = in.At, m.asks[:0], m.read[:0], false
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
