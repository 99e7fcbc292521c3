package engine

import (
	"fmt"
	"slices"
	"sort"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// session is who is served at one place now.
type session struct {
	name     string
	view     *profile.Slice // what may be used of the customer's slice, see held
	customer *customer      // nil for nobody
	by       event.By
	shared   bool
	language string
	owners   []event.Owner
	since    sense.Instant // identified since

	endsSince sense.Instant // since when the policy's end is not certainly false; Never while it is
	ended     bool

	shown   []*shown           // per slot of the bundle; nil where free
	memory  map[int32]unasked  // per action that was shown or is armed
	served  []int32            // actions in memory that wait for their conditions to be false
	last    sense.Instant      // last unasked showing of any action
	recent  []contact.Showing  // unasked showings that a wait may count, oldest first
	silence []string           // per slot: cause of the last unasked silence
	latest  []lately           // per slot: what was shown there last to whom is served now
	used    sense.Instant      // last event
	own     visit              // of whoever stands here while nobody is identified
	hisGoal bool               // came for service or information, not answered yet
	stale   bool               // the moment must be given the profile again
	agreed  catalog.PurposeSet // what who is served has granted, of what signals ask for

	attended bool     // the step looks at it
	fresh    bool     // something happened in it, or concerns it, in this step
	overdue  bool     // something in it was due and is still
	gone     bool     // it is not open any more
	present  bool     // the policy's end of session is certainly false: its visit goes on
	staying  bool     // among those that wait for the end of a visit that goes on
	due      [2]entry // when it happens by itself, and when it is looked at

	again     bool          // something happened that this session must be judged again for
	quietTurn sense.Instant // when quiet hours of who is served next begin or end; 0 where not worked out
	lapse     sense.Instant // when time alone may let something through in an unasked slot
	restless  bool          // any step may

	state func(k int) (rule.Truth, []catalog.Because) // truth of the bundle's states here; nil before it is asked for
	spare *shown                                      // that nothing stands in any more
}

// unasked is what the session remembers of one action.
type unasked struct {
	last  sense.Instant // last shown
	serve bool          // shown since its conditions last became true together
	right bool          // its applicable was true in the last step
	armed sense.Instant // until when it is right though its moment has passed; 0 where not
}

// lately is a decision that was shown; the zero lately is none.
type lately struct {
	decision string
	n        uint64
}

// shown is what stands in a slot.
type shown struct {
	decision string
	action   int32
	personal bool
	ambient  bool
	asked    bool
	intent   catalog.Intent
	about    event.Subject
	delivery string
	language string
	owner    *customer // whom it was said to; nil for nobody
	at       sense.Instant
	until    sense.Instant // end of show_for
}

// newSession returns one in which nothing has happened.
func newSession(name string) *session {
	return &session{name: name, endsSince: sense.Never, due: [2]entry{{at: sense.Never}, {at: sense.Never}}}
}

func (s *session) reset(slots int) {
	s.shown = make([]*shown, slots)
	s.silence = make([]string, slots)
	s.latest = make([]lately, slots)
	s.memory = map[int32]unasked{}
	s.served, s.recent = nil, nil
	s.last = 0
	s.stale = true
	s.again, s.lapse, s.restless = true, sense.Never, false
}

// session returns the session of that name; it exists from its first event. The error is ErrSessions.
func (m *Mind) session(name string) (*session, error) {
	if s := m.open(name); s != nil {
		s.used = m.now
		return s, nil
	}
	if err := m.roomForSession(); err != nil {
		return nil, fmt.Errorf("open session %q: %w", name, err)
	}
	k := sort.Search(len(m.sessions), func(k int) bool { return m.sessions[k].name >= name })
	s := newSession(name)
	s.used = m.now
	slots := 0
	if m.bundle != nil {
		slots = len(m.bundle.Slots)
		m.moment.Open(name, m.now)
	}
	s.reset(slots)
	m.sessions = append(m.sessions, nil)
	copy(m.sessions[k+1:], m.sessions[k:])
	m.sessions[k] = s
	m.judgeAgain(s)
	return s, nil
}

// open returns the session of that name, nil where there is none.
func (m *Mind) open(name string) *session {
	k := sort.Search(len(m.sessions), func(k int) bool { return m.sessions[k].name >= name })
	if k < len(m.sessions) && m.sessions[k].name == name {
		return m.sessions[k]
	}
	return nil
}

// identify puts a customer before the session, or nobody. Of whoever was there nothing stays, also
// where there is no room for who comes.
func (m *Mind) identify(e *event.Event, b *event.Identify) error {
	s, err := m.session(e.Session)
	if err != nil {
		return err
	}
	if b.Customer == "" {
		m.tellLeaving(s, true)
		m.leave(s, "session")
		return nil
	}
	stays := s.customer != nil && s.customer == m.byID[b.Customer]
	if !stays {
		m.tellLeaving(s, true)
	}
	switch {
	case stays:
	case s.customer != nil:
		m.leave(s, "session")
	default:
		m.clearAll(s, "session")
	}
	c, err := m.customer(b.Customer, b.By)
	if err != nil {
		return err
	}
	s.stale = true
	m.judgeAgain(s)
	if stays {
		m.visited(s)
		// Her own card says that it is she, whatever card was shown before.
		s.shared = b.Shared || s.shared && b.By < s.by
		s.by = max(s.by, b.By)
		s.tell(b)
		return nil
	}
	m.serve(s, c)
	s.by, s.shared, s.since = b.By, b.Shared, m.now
	m.meetVisit(s)
	s.forgetShown()
	s.endsSince, s.ended, s.hisGoal = sense.Never, false, false
	s.owners, s.language = m.cfg.Owners, ""
	s.tell(b)
	return nil
}

func (s *session) tell(b *event.Identify) {
	if len(b.Owners) > 0 {
		s.owners = b.Owners
	}
	s.customer.owners = s.owners
	if b.Language != "" {
		s.language = b.Language
	}
}

// leave ends who is served: every slot is cleared first, and nothing personal stays.
func (m *Mind) leave(s *session, cause string) {
	m.attend(s)
	m.clearAll(s, cause)
	s.hisGoal, s.own = false, visit{}
	clear(s.latest)
	if s.customer == nil {
		return
	}
	m.serve(s, nil)
	s.by, s.shared, s.owners, s.language = event.ByNobody, false, nil, ""
	s.forgetShown()
	s.stale = true
	m.judgeAgain(s)
	if m.moment != nil {
		m.moment.Close(s.name)
		m.moment.Open(s.name, m.now)
	}
}

// serve puts a customer before a session, or nobody. Of whom no session serves any more the budgets go back.
func (m *Mind) serve(s *session, c *customer) {
	m.stay(s, false)
	if old := s.customer; old != nil {
		old.in = slices.DeleteFunc(old.in, func(o *session) bool { return o == s })
		m.note(old)
		if len(old.in) == 0 {
			m.dropBudgets(old)
		}
		m.reckon(old)
	}
	if s.customer = c; c != nil {
		c.in = append(c.in, s)
		m.note(c)
		m.reckon(c)
	}
}

// dropBudgets gives back the shares of limits that were leased for a customer.
func (m *Mind) dropBudgets(c *customer) {
	if c.Budgets.Until != 0 {
		c.Budgets = profile.Budgets{}
		c.Changed++
		m.note(c)
	}
}

// forgetShown forgets what was shown to one when another is served.
func (s *session) forgetShown() {
	s.memory, s.served, s.recent, s.last = map[int32]unasked{}, nil, nil, 0
	clear(s.latest)
	clear(s.silence)
}

func (m *Mind) clearAll(s *session, cause string) {
	for k, x := range s.shown {
		if x != nil {
			m.clear(s, k, cause, true)
		}
	}
}

func (m *Mind) clear(s *session, slot int, cause string, protects bool) {
	m.out.Clear = append(m.out.Clear, Clear{
		At: m.now, Decision: s.shown[slot].decision, Session: s.name, Slot: m.bundle.Slots[slot].Name, Cause: cause, Protects: protects,
	})
	s.shown[slot] = nil
	m.judgeAgain(s)
}

// endSessions lets sessions end by the policy's rule: from the moment that its end is no longer
// certainly false. It says whether one ended.
func (m *Mind) endSessions() (ended bool) {
	rules := m.bundle.SessionEnd
	if rules == nil {
		return false
	}
	for _, s := range m.attended {
		if rules.Ends != rule.None {
			switch {
			case m.moment.Truth(s.name, rules.Ends) == rule.False:
				s.endsSince, s.ended = sense.Never, false
			case s.endsSince == sense.Never:
				s.endsSince = m.now
			}
		}
		gone := !s.ended && m.now >= s.endsSince.Add(rules.After)
		if s.customer == nil && !s.showsSomething() {
			s.ended = s.ended || gone // what is shown from now on is not of the session that ended
			continue
		}
		if tooLong := s.customer != nil && m.now >= s.since.Add(rules.AtMost); gone || tooLong {
			m.tellLeaving(s, true)
			m.leave(s, "session")
			s.ended, ended = true, true
		}
	}
	return ended
}

func (s *session) showsSomething() bool {
	for _, x := range s.shown {
		if x != nil {
			return true
		}
	}
	return false
}

// presence says whether there is a customer, and the slice.
func (m *Mind) presence(s *session) guard.Presence {
	switch {
	case s.customer == nil:
		return guard.Nobody
	case s.customer.here(m.now):
		return guard.Here
	}
	return guard.Awaited
}

// tellMoment gives the moment the profiles and grants that changed.
func (m *Mind) tellMoment() {
	for _, s := range m.attended {
		if !s.stale {
			continue
		}
		s.stale, s.quietTurn = false, 0
		p := m.presence(s)
		v := guard.View{Bundle: m.bundle, Now: m.now, Presence: p, Owners: s.owners, Clock: m.clock}
		switch p {
		case guard.Here:
			v.Slice = &s.customer.Slice
		case guard.Awaited:
			v.Heard = &s.customer.Slice
		}
		granted, next := m.usable(&v)
		if c := s.customer; c != nil {
			c.consentTurn = next
			m.reckon(c)
		}
		s.view = v.Slice
		m.tellConsents(s, m.consents(s))
		m.moment.Grant(s.name, granted, m.now)
		m.moment.Profile(s.name, s.view, s.owners, moment.Presence(p), m.now)
	}
}
