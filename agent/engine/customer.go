package engine

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// ErrErased refuses what is said of a customer who was erased here.
var ErrErased = errors.New("erased: this customer asked to be forgotten; nothing is kept until she acts again by card or login")

// customer is what is held of one customer.
type customer struct {
	CustomerState
	confirmed   sense.Instant // when the slice was last known to be current
	prune       sense.Instant // when something is next past its retention
	consentTurn sense.Instant // when a consent expires by itself
	staleTurn   sense.Instant // when the slice is too old for an intent
	owners      []event.Owner // that the customer was last seen with
	used        sense.Instant // when an event last named the customer
	passive     bool          // only ever seen passively: no slice is asked for
	visit       visit
	strikes     int64         // negative experiences of which staff were told
	strikeTurn  sense.Instant // when fewer of them count by themselves
	struck      uint64        // Changed, when strikes were counted last
	met         bool          // had a visit in this life of the device
	in          []*session    // in which she is served
	keeps       int           // in how many of them the policy's end of session is certainly false
	due         sense.Instant // when something of hers ends next
	looked      sense.Instant // when it was looked last whether she can go
	first       uint64        // order of first sight
	size        int64         // bytes held of her, by estimate
	sized       uint64        // Changed, when that was estimated
	wanted      WantSlice     // as it was told last
	wants       bool          // it is wanted
	unpruned    bool          // is among those whose slices are to be looked through
	noted       bool          // is among those that this step touched
	place       int           // among all
	duePlace    int           // in the queue of what ends
	idlePlace   int           // in the queue of who can go; -1 where not in it
	rank        idleRank      // there
}

// here says whether the slice is here and under lease.
func (c *customer) here(now sense.Instant) bool { return c.Here && now < c.Until }

// person returns the id under which the whole fleet knows the customer.
func (c *customer) person() string {
	if c.Person != "" {
		return c.Person
	}
	return c.Customer
}

// customer returns the one of that id, who is new where nobody has it. The error is ErrCustomers.
func (m *Mind) customer(id string, by event.By) (*customer, error) {
	c, known := m.byID[id]
	if !known {
		if err := m.roomForCustomer(); err != nil {
			return nil, fmt.Errorf("hold customer %q: %w", id, err)
		}
	}
	back := m.lift(id, by)
	switch {
	case !known:
		c = m.draw(id, by)
		c.passive = true
	case back: // she was seen without acting since: that she acted must be in the log as well
		m.persist(Record{Handle: c.Handle, Identified: &Identified{Handle: c.Handle, Customer: id, By: by}})
	}
	if by != event.ByPassive && c.passive {
		c.passive = false
	}
	c.used = m.now
	m.note(c)
	return c, nil
}

// lift ends an erasure where the customer acted again, and says whether there was one.
func (m *Mind) lift(id string, by event.By) bool {
	t := m.tombstone(id)
	if by != event.ByCard && by != event.ByLogin || !m.erased[t] {
		return false
	}
	delete(m.erased, t)
	return true
}

// draw makes a customer with a fresh handle, a function of the device's secret and a counter. The
// epoch is in it too: a log that was lost may have told of more handles than the snapshot counts.
func (m *Mind) draw(id string, by event.By) *customer {
	c := &customer{prune: sense.Never, consentTurn: sense.Never}
	c.Handle = m.freshHandle()
	c.Customer, c.Slice.Customer, c.Slice.Owned = id, id, &m.owned
	if m.cfg.Leased {
		c.Here, c.Until = true, sense.Never
	}
	m.add(c)
	m.persist(Record{Handle: c.Handle, Identified: &Identified{Handle: c.Handle, Customer: id, By: by}})
	return c
}

func (m *Mind) freshHandle() (h Handle) {
	m.drawn++
	b := append([]byte("handle"), m.cfg.Secret[:]...)
	b = binary.BigEndian.AppendUint64(b, m.cfg.Epoch)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, m.drawn))
	copy(h[:], sum[:])
	return h
}

func (m *Mind) add(c *customer) {
	m.sights++
	c.first, c.place, c.idlePlace = m.sights, len(m.customers), -1
	m.customers = append(m.customers, c)
	c.due = sense.Never
	heap.Push(&m.dues, c)
	m.unprune(c)
	m.note(c)
	m.byHandle[c.Handle] = c
	m.byID[c.Customer] = c
	for _, a := range c.Aliases {
		m.byID[a] = c
	}
}

// drop forgets what is held of a customer.
func (m *Mind) drop(c *customer) {
	last := m.customers[len(m.customers)-1]
	m.customers[c.place], last.place = last, c.place
	m.customers[len(m.customers)-1] = nil
	m.customers = m.customers[:len(m.customers)-1]
	heap.Remove(&m.dues, c.duePlace)
	m.idle.remove(c)
	m.bytes -= c.size
	if c.wants {
		m.gone = append(m.gone, c.Handle)
	}
	delete(m.byHandle, c.Handle)
	for _, id := range append([]string{c.Customer}, c.Aliases...) {
		if m.byID[id] == c {
			delete(m.byID, id)
		}
	}
}

// join takes over what was told and decided under another id of the same person, and her visit.
func (c *customer) join(from *customer) {
	for _, t := range from.Told {
		c.told(t.Name, t.Value, t.At)
	}
	c.Decided = append(c.Decided, from.Decided...)
	sort.SliceStable(c.Decided, func(a, b int) bool { return c.Decided[a].At < c.Decided[b].At })
	c.Decided = c.Decided[max(0, len(c.Decided)-MostDecided):]
	if from.visit.since == 0 {
		return
	}
	if c.visit.since == 0 {
		c.visit.since = from.visit.since
	}
	c.visit.since, c.visit.seen = min(c.visit.since, from.visit.since), max(c.visit.seen, from.visit.seen)
	if from.visit.question.at > c.visit.question.at {
		c.visit.question = from.visit.question
	}
	c.met = true
}

// changed notes that a customer's slice has another content.
func (m *Mind) changed(c *customer) {
	m.unprune(c)
	m.touch(c)
	m.reckon(c)
}

// touch notes that what is held of a customer is another.
func (m *Mind) touch(c *customer) {
	c.Changed++
	m.note(c)
	for _, s := range c.in {
		s.stale = true
	}
	m.recall(c)
}

// answeredBy notes that a contact of a customer has an answer. It lets nothing go sooner that is in
// somebody's way: contacts are looked through for it once a day, or when something else changes.
func (m *Mind) answeredBy(c *customer) {
	m.touch(c)
	c.prune = min(c.prune, m.now.Add(sense.Day))
	m.reckon(c)
}

// recall lets the sessions in which a customer stands be judged again.
func (m *Mind) recall(c *customer) {
	for _, s := range c.in {
		m.judgeAgain(s)
	}
}

func (m *Mind) tombstone(id string) [32]byte {
	m.line = append(append(append(m.line[:0], "erased"...), m.cfg.Secret[:]...), id...)
	return sha256.Sum256(m.line)
}

// erase removes a customer: who stands there becomes nobody, the key goes before the receipt.
// That somebody whom nobody knows here is to stay unknown is kept as well. byHub: the hub asked for it;
// else it hears who is meant, unless it has told us of her, since it may know her from elsewhere.
func (m *Mind) erase(id string, byHub bool) {
	c := m.byID[id]
	if c == nil {
		if t := m.tombstone(id); !m.erased[t] {
			m.bury(t)
			m.receipt(m.named(Handle{}, id), [][32]byte{t})
		}
		return
	}
	if !byHub && c.Person == "" {
		m.named(c.Handle, id)
	}
	tombstones := m.tombstones(c)
	for _, t := range tombstones {
		m.bury(t)
	}
	for _, s := range m.sessions {
		if s.customer == c {
			m.leave(s, "erased")
		}
	}
	m.drop(c)
	m.receipt(c.Handle, tombstones)
	m.again = true
}

// named tells the hub whom a receipt is about: under no key of hers, which goes before the record is
// sent. It returns the handle that stands for her, a fresh one where there is none.
func (m *Mind) named(h Handle, id string) Handle {
	if !m.cfg.Hub {
		return h
	}
	if h == (Handle{}) {
		h = m.freshHandle()
	}
	m.persist(Record{Identified: &Identified{Handle: h, Customer: id}})
	return h
}

// tombstones are those of all ids of a customer.
func (m *Mind) tombstones(c *customer) [][32]byte {
	all := [][32]byte{m.tombstone(c.Customer)}
	for _, id := range c.Aliases {
		all = append(all, m.tombstone(id))
	}
	return all
}

// MostErased is how many tombstones one record of a forget carries; further ones follow under no handle.
const MostErased = 256

// receipt says that a customer is forgotten here, once the key is gone.
func (m *Mind) receipt(h Handle, tombstones [][32]byte) {
	if h != (Handle{}) {
		m.out.Destroy = append(m.out.Destroy, h)
	}
	for {
		n := min(len(tombstones), MostErased)
		e := &event.Event{At: m.now, HasAt: true, Happened: m.now, Session: event.MainSession, Body: &event.Forget{}}
		m.persist(Record{Handle: h, Event: e, Erased: tombstones[:n:n]})
		if h, tombstones = (Handle{}), tombstones[n:]; len(tombstones) == 0 {
			return
		}
	}
}

// age returns how long ago the customer's slice was last known to be current.
func (m *Mind) age(c *customer) sense.Duration {
	if m.cfg.Leased && c.confirmed == 0 {
		if m.link.up {
			return 0
		}
		return m.now.Sub(m.link.downSince)
	}
	switch {
	case m.link.up && c.confirmed >= m.link.since:
		return 0
	case c.confirmed == 0:
		return m.now.Sub(m.booted)
	}
	return m.now.Sub(c.confirmed)
}

// setLink takes the connection's state: what was current while it was up was current until it went.
func (m *Mind) setLink(up bool) {
	if up == m.link.up {
		return
	}
	if !up {
		for _, c := range m.customers {
			if c.confirmed >= m.link.since && c.confirmed != 0 {
				c.confirmed = m.now
			}
		}
		m.link = link{downSince: m.now}
	} else {
		m.link = link{up: true, since: m.now, downSince: m.link.downSince}
		if m.cfg.Leased {
			m.link.since = 0
		}
	}
	m.again = true
	for _, c := range m.customers {
		m.reckon(c)
	}
}

// seen remembers the ids of events, so that each is taken once.
type seen struct {
	ids   map[SeenID]bool
	order []SeenID
}

// mostSeen bounds how many ids are remembered.
const mostSeen = 4096

// has says whether an id was taken.
func (s *seen) has(source, id string) bool {
	return id != "" && s.ids[SeenID{Source: source, ID: id}]
}

// first remembers an id, and says whether it comes for the first time.
func (s *seen) first(source, id string) bool {
	if id == "" {
		return true
	}
	key := SeenID{Source: source, ID: id}
	if s.ids[key] {
		return false
	}
	if s.ids == nil {
		s.ids = map[SeenID]bool{}
	}
	if len(s.order) == mostSeen {
		delete(s.ids, s.order[0])
		s.order = s.order[1:]
	}
	s.ids[key] = true
	s.order = append(s.order, key)
	return true
}

// slice returns the customer's slice while it is here.
func (m *Mind) slice(s *session) *profile.Slice {
	if s.customer == nil || !s.customer.here(m.now) {
		return nil
	}
	if s.view == nil || s.stale { // it changed within this step
		v := guard.View{Bundle: m.bundle, Now: m.now, Slice: &s.customer.Slice, Owners: s.owners, Clock: m.clock}
		_, _ = m.usable(&v)
		return v.Slice
	}
	if s.view != &s.customer.Slice {
		s.view.Exposures = s.customer.Slice.Exposures // a contact of this step counts in it
	}
	return s.view
}

// persist appends a record to the step's one transaction.
func (m *Mind) persist(r Record) *Record {
	r.Seq, r.At = m.seq, m.now
	m.seq++
	m.out.Persist = append(m.out.Persist, r)
	return &m.out.Persist[len(m.out.Persist)-1]
}
