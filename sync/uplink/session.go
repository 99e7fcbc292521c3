package uplink

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

type phase uint8

const (
	waiting phase = iota
	opening
	joining
	proving
	greeting
	delivering
	leaving // offline is out, its publication is awaited
	ended
)

// Session is the machine. See the package comment.
type Session struct {
	cfg    Config
	path   wire.Path
	packer *wire.Packer
	out    Output
	now    sense.Instant

	phase     phase
	due       sense.Instant // when the phase does something by itself
	tries     int           // within the phase: connects that failed, echoes unanswered
	draws     uint64
	ids       uint64
	counter   uint64 // of the present connection
	farewell  uint64 // id of the offline message
	brokenAt  sense.Instant
	wasOpen   bool // the last connection had been open
	unproved  int  // connections in a row that broke between echo and answer
	takeovers []sense.Instant
	readable  bool          // the device may read its own presence
	openings  int           // connections of this life
	other     bool          // another life's presence was seen in this connection
	vain      int           // connections in a row that broke within vainTime, and before anything was acknowledged
	openedAt  sense.Instant // the present connection, or the last
	twins     int           // how often the device kept away in a row, since another one has its identity
	awayAt    sense.Instant // when it did so last

	hub   wire.Conn // newest presence; zero where none came
	held  bool      // the hub said that it is offline
	echo  string    // id awaited
	self  Self
	wants map[string]uint64 // newest revision per group; "" is the device's own

	log      Log
	left     uint64       // the epoch that the hub refuses: nothing of it is sent any more
	cursor   uint64       // next number to send
	acked    []wire.Range // acknowledged above Head, as the hub last said
	flights  []flight
	reading  bool
	sent     uint64        // records below it were published in this connection, or acknowledged
	fresh    uint64        // records from here on came after the last look, and may linger
	lingerTo sense.Instant // when they go
	stuckTo  sense.Instant // nothing could be read from cursor until then

	asks  []ask
	sends []Publish

	tallies []tally
}

// New makes a session that waits for its first Tick.
func New(c Config) (*Session, error) {
	if !wire.ValidID(c.Tenant) || !wire.ValidID(c.Device) {
		return nil, fmt.Errorf("make uplink: tenant %.70q and device %.70q must be ids: letters, digits, - and _, at most 64", c.Tenant, c.Device)
	}
	for _, g := range c.Groups {
		if !wire.ValidID(g) {
			return nil, fmt.Errorf("make uplink: group %.70q must be an id", g)
		}
	}
	p, err := wire.NewPacker()
	if err != nil {
		return nil, fmt.Errorf("make uplink: %w", err)
	}
	def := func(v *sense.Duration, d sense.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.Linger, 500*sense.Millisecond)
	def(&c.RTO, 3*sense.Second)
	def(&c.MaxRTO, sense.Minute)
	def(&c.Retry, sense.Second)
	def(&c.MaxRetry, 2*sense.Minute)
	def(&c.TakeoverPause, 5*sense.Minute)
	def(&c.MaxTakeoverPause, sense.Hour)
	if c.Takeovers <= 0 {
		c.Takeovers = 3
	}
	if c.Window <= 0 {
		c.Window = 8
	}
	if c.BatchRecords <= 0 || c.BatchRecords > wire.MaxRecords {
		c.BatchRecords = wire.MaxRecords
	}
	if c.BatchBytes <= 0 || c.BatchBytes > wire.MaxMessage {
		c.BatchBytes = 32 << 10
	}
	return &Session{cfg: c, path: wire.Path{Tenant: c.Tenant, Device: c.Device}, packer: p, wants: map[string]uint64{},
		log: Log{Head: 1, Next: 1}, cursor: 1, fresh: 1, lingerTo: sense.Never}, nil
}

// Will is the last will of a connection opened at an instant.
func (s *Session) Will(at sense.Instant, counter uint64) Publish {
	return s.presence(wire.Offline, at, counter)
}

// Filters are the topic filters of the device, for routes made before connecting.
func (s *Session) Filters() []string {
	f := []string{s.path.Below(), s.path.Of(wire.State, wire.ClassConn), wire.HubConn(s.cfg.Tenant)}
	for _, g := range s.cfg.Groups {
		f = append(f, wire.GroupWant(s.cfg.Tenant, g))
	}
	return f
}

// Step takes in one thing that happened at an instant and says what to do.
func (s *Session) Step(at sense.Instant, in Input) Output {
	s.now = max(s.now, at)
	s.out = Output{}
	if s.phase == ended {
		return Output{Stopped: true, Wake: sense.Never}
	}
	switch in := in.(type) {
	case Connected:
		s.connected(in)
	case Disconnected:
		s.disconnected()
	case Subscribed:
		s.subscribed(in)
	case Published:
		if s.phase == leaving && in.ID == s.farewell {
			s.end()
		}
	case Arrived:
		s.arrived(in)
	case Log:
		s.logged(in)
	case Records:
		s.pack(in)
	case Self:
		s.describe(in)
	case Ask:
		s.ask(in)
	case Cancel:
		s.cancel(in.ID)
	case Send:
		s.send(in)
	case Greet:
		if s.phase == delivering {
			s.sayHello()
		}
	case Stop:
		s.leave()
	}
	s.pass()
	s.out.Wake = s.wake()
	return s.out
}

// pass does what is due.
func (s *Session) pass() {
	if s.now >= s.due {
		switch s.phase {
		case waiting:
			s.phase, s.due = opening, sense.Never // the body's connect has its own time limit
			s.out.Connect = true
		case joining:
			s.fall("subscriptions were not answered")
		case proving:
			s.prove()
		case greeting:
			s.greet()
		case leaving:
			s.end()
		}
	}
	if s.phase == greeting || s.phase == delivering {
		s.resendAsks()
	}
	if s.flowing() {
		s.resend()
		s.fill()
	}
	s.tellRest()
}

// flowing says whether batches may go out: the hub is there, and has not refused the epoch.
func (s *Session) flowing() bool {
	return s.phase == delivering && !s.held && (s.left == 0 || s.left != s.log.Epoch)
}

// wake is the next instant at which something is due.
func (s *Session) wake() sense.Instant {
	w := s.due
	if s.phase == ended || s.phase == leaving {
		return w
	}
	for _, t := range s.tallies {
		if t.count > 0 {
			w = min(w, t.next)
		}
	}
	if s.phase == greeting || s.phase == delivering {
		for _, a := range s.asks {
			w = min(w, a.due)
		}
	}
	if s.flowing() {
		for _, f := range s.flights {
			w = min(w, f.due)
		}
		if s.cursor < s.log.Next && len(s.flights) < s.cfg.Window && !s.reading {
			w = min(w, max(s.stuckTo, s.lingerTo))
		}
	}
	return w
}

func (s *Session) connected(in Connected) {
	if s.phase != opening {
		return
	}
	if !s.readable && s.wasOpen && s.tries == 0 && s.noteTakeover(s.brokenAt) {
		s.keepAway("%d connections broke within a minute with the broker there: does another device use the id %s?")
		return
	}
	s.counter, s.tries, s.wasOpen, s.other = in.Counter, 0, true, false
	s.openings++
	s.openedAt = s.now
	s.phase, s.due = joining, s.now.Add(10*sense.Second)
	s.out.Subscribe = s.Filters()
}

// disconnected falls back to waiting. The first try after an open connection
// comes soon; whole fleets fall at once, so it has jitter as well.
func (s *Session) disconnected() {
	if s.phase == leaving {
		s.end()
		return
	}
	if s.phase == waiting {
		return
	}
	switch {
	case s.phase == opening:
		s.tries++
	case s.phase == proving && s.tries > 0:
		// The echo was out: a broker that cuts off whoever writes what it may not.
		s.unproved++
		if s.unproved%echoTries == 0 {
			s.problem(ProblemNoEcho, fmt.Sprintf("%d connections in a row broke after the echo in up/req: may this device write up/#?", s.unproved))
		}
		s.tries, s.wasOpen = s.unproved, false
	default:
		s.brokenAt = s.now
		s.tries = 0
		if s.vain++; s.now.Sub(s.openedAt) >= vainTime {
			s.vain = 0
		}
	}
	s.down()
	s.phase, s.due = waiting, s.now.Add(s.jitter(grown(s.cfg.Retry, s.cfg.MaxRetry, max(s.tries, s.vain-vainFree))))
}

// A broker that cuts the device off each time that it is used is asked less and less often; links that
// break are not told apart from that at the first few times.
const (
	vainTime = sense.Minute
	vainFree = 4
)

// fall closes the connection by ourselves, and waits longer each time.
func (s *Session) fall(why string) {
	s.problem(ProblemRefused, why)
	s.down()
	s.out.Disconnect = true
	s.wasOpen = false
	s.phase, s.due = waiting, s.now.Add(s.jitter(s.cfg.MaxRetry))
}

// down forgets what belonged to a connection.
func (s *Session) down() {
	if s.phase == greeting || s.phase == delivering {
		s.out.Up = append(s.out.Up, Link{Up: false})
	}
	s.flights, s.reading, s.held, s.sent = nil, false, false, 0
	s.hub, s.echo = wire.Conn{}, ""
}

func (s *Session) subscribed(in Subscribed) {
	if s.phase != joining {
		return
	}
	// Brokers of the version before do not let a device read its own presence: it delivers all the same.
	in.Refused = slices.DeleteFunc(in.Refused, func(f string) bool { return f == s.path.Of(wire.State, wire.ClassConn) })
	if len(in.Refused) > 0 {
		s.fall("the broker refuses " + strings.Join(in.Refused, ", "))
		return
	}
	s.publish(s.presence(wire.Online, s.now, s.counter))
	s.birth()
	s.restart(s.now)
}

// restart begins anew with the echo: after a connection, and when the hub has come back.
func (s *Session) restart(at sense.Instant) {
	if s.phase == greeting || s.phase == delivering {
		s.out.Up = append(s.out.Up, Link{Up: false})
	}
	s.flights, s.reading, s.acked = nil, false, nil
	s.phase, s.due, s.tries = proving, at, 0
	s.echo = ""
}

// echoTries is after how many echoes or hellos a silent hub is a problem to tell.
const echoTries = 3

func (s *Session) prove() {
	if s.held {
		s.due = sense.Never // until its presence says otherwise
		return
	}
	if s.tries == echoTries {
		s.problem(ProblemNoEcho, fmt.Sprintf("%d echoes in up/req were not answered: is the hub there, and may this device write up/# and read dn/#?", s.tries))
	}
	s.echo = s.newID("echo")
	s.request(&wire.Echo{ID: s.echo})
	s.due = s.now.Add(s.jitter(2 * grown(s.cfg.RTO, s.cfg.MaxRTO, s.tries)))
	s.tries++
}

// proved: the echo came back.
func (s *Session) proved() {
	s.phase, s.tries, s.echo = greeting, 0, ""
	s.unproved = 0
	s.due = s.now
	s.out.Up = append(s.out.Up, Link{Up: true})
	for k := range s.asks {
		s.asks[k].due = s.now
	}
	waiting := s.sends
	s.sends = nil
	for _, p := range waiting {
		s.publish(p)
	}
}

// greet sends hello until it is answered: nothing is sent before the hub has said what it has. A hub
// with much to do is not given the same records once more, and a copy of this device, which gives the
// same numbers, is found before its records could be taken for this one's.
func (s *Session) greet() {
	if s.tries == echoTries {
		s.problem(ProblemNoEcho, fmt.Sprintf("%d hellos in up/req were not answered with what the hub has, and yet the echo was: see the hub's log", s.tries))
	}
	s.sayHello()
	s.due = s.now.Add(s.jitter(2 * grown(s.cfg.RTO, s.cfg.MaxRTO, s.tries)))
	s.tries++
}

// helloHandles is how many handles one hello names: with a few thousand slices it takes several.
const helloHandles = 512

// sayHello says all that is held.
func (s *Session) sayHello() {
	for held := s.self.Handles; ; held = held[helloHandles:] {
		part := append([]wire.Held{}, held[:min(helloHandles, len(held))]...)
		s.request(&wire.Hello{ID: s.newID(hello), Epoch: s.log.Epoch, First: s.log.Head, Next: s.log.Next, Handles: part, Want: s.self.Want})
		if len(held) <= helloHandles {
			return
		}
	}
}

func (s *Session) deliver() {
	s.phase, s.due, s.tries = delivering, sense.Never, 0
	s.cursor = s.log.Head
	s.fresh = s.log.Next // what is there has waited long enough
	s.lingerTo = s.now
	if s.cursor >= s.log.Next {
		s.lingerTo = sense.Never
	}
	s.stuckTo = s.now
}

// leave says goodbye: brokers send no will on a clean disconnect.
func (s *Session) leave() {
	switch s.phase {
	case proving, greeting, delivering:
		p := s.presence(wire.Offline, s.now, s.counter)
		s.publish(p)
		s.farewell = s.ids
		s.phase, s.due = leaving, s.now.Add(2*sense.Second)
	case leaving:
	default:
		s.end()
	}
}

func (s *Session) end() {
	s.phase, s.due = ended, sense.Never
	s.out.Disconnect, s.out.Stopped = true, true
}

func (s *Session) describe(in Self) {
	old := s.self
	s.self = in
	s.wants[""] = max(s.wants[""], in.Want)
	if s.phase >= proving && s.phase <= delivering && birthOf(old) != birthOf(in) {
		s.birth()
	}
}

// birthOf is what a birth says, for comparing.
func birthOf(s Self) string {
	b := s.Birth
	return strings.Join([]string{b.Version, b.Arch, b.Bundle.Name, b.Bundle.Version, b.Bundle.SHA256, b.Clock, strings.Join(b.Sources, ",")}, "\n")
}

func (s *Session) birth() {
	b := s.self.Birth
	b.Epoch, b.First, b.Next, b.Boot = s.log.Epoch, s.log.Head, s.log.Next, s.cfg.Boot
	s.document(wire.State, wire.ClassBirth, b)
}

// document publishes a retained JSON document.
func (s *Session) document(plane wire.Plane, class string, v any) {
	payload, err := wire.EncodeJSON(v)
	if err != nil {
		s.problem(ProblemMessage, err.Error())
		return
	}
	s.publish(Publish{Topic: s.path.Of(plane, class), Payload: payload, Retain: true, QoS: 1})
}

func (s *Session) presence(state string, at sense.Instant, counter uint64) Publish {
	payload, _ := wire.EncodeJSON(wire.Conn{State: state, Boot: s.cfg.Boot, Counter: counter, Since: int64(at), Life: s.life()}) // plain fields always encode
	return Publish{Topic: s.path.Of(wire.State, wire.ClassConn), Payload: payload, Retain: true, QoS: 1}
}

func (s *Session) publish(p Publish) {
	s.ids++
	p.ID = s.ids
	s.out.Publish = append(s.out.Publish, p)
}

// life names this process among those that may have its identity.
func (s *Session) life() string { return strconv.FormatUint(s.cfg.Seed, 36) }

// hello begins the ids of hellos.
const hello = "hello"

// newID names a request, of this connection of this life.
func (s *Session) newID(what string) string {
	s.ids++
	return s.idsOf(what) + strconv.FormatUint(s.ids, 10)
}

// idsOf is how the ids of this connection begin, for one kind of request.
func (s *Session) idsOf(what string) string {
	return what + "-" + s.life() + "-" + strconv.FormatUint(s.counter, 10) + "-"
}
