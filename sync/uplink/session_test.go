package uplink

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// classes are the topics published so far, without what is the same in all.
func (w *world) classes() string {
	var c []string
	for _, p := range w.log {
		t, err := wire.ParseTopic(p.Topic)
		if err != nil {
			w.t.Fatal(err)
		}
		name := string(t.Plane) + "/" + t.Class
		if t.Class == wire.ClassReq {
			r, err := wire.DecodeRequest(p.Payload)
			if err != nil {
				w.t.Fatal(err)
			}
			switch r.(type) {
			case *wire.Echo:
				name = "echo"
			case *wire.Hello:
				name = "hello"
			case *wire.SliceRequest:
				name = "slice"
			case *wire.BudgetRequest:
				name = "budget"
			}
		}
		c = append(c, name)
	}
	return strings.Join(c, " ")
}

// until runs until the session is in a phase.
func (w *world) until(p phase) {
	w.t.Helper()
	limit := w.now.Add(10 * sense.Minute)
	for w.s.phase != p {
		if w.now >= limit {
			w.t.Fatalf("phase is %d, never %d; %s", w.s.phase, p, w.problems())
		}
		w.run(w.now.Add(10))
	}
}

func TestOrderOfAConnection(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(3)
	w.until(delivering)
	w.run(w.now.Add(100))
	if got := w.classes(); got != "st/conn st/birth echo hello up/log" {
		t.Errorf("published %s", got)
	}
	for _, p := range w.log {
		retained := strings.Contains(p.Topic, "/st/")
		if p.Retain != retained || p.QoS != 1 {
			t.Errorf("%s: retain %v, QoS %d", p.Topic, p.Retain, p.QoS)
		}
	}
	var b wire.Birth
	if err := wire.DecodeJSON(w.log[1].Payload, &b); err != nil || b.Epoch != 2 || b.Next != 4 || b.First != 1 || b.Version != "1" {
		t.Errorf("birth is %+v, %v", b, err)
	}
}

func TestNothingBeforeTheEcho(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.hubUp = false // there by its presence, and yet it does not answer
	w.append(300)
	w.step(Ask{ID: "s", Request: &wire.SliceRequest{ID: "s"}})
	w.step(Send{Plane: wire.State, Class: wire.ClassReport, Payload: []byte("{}")})
	w.run(w.now.Add(5 * sense.Minute))
	for _, c := range strings.Fields(w.classes()) {
		if c != "st/conn" && c != "st/birth" && c != "echo" {
			t.Fatalf("%s was sent into the void", c)
		}
	}
	if n := strings.Count(w.classes(), "echo"); n < 5 || n > 20 {
		t.Errorf("%d echoes in 5 minutes", n)
	}
	if n := strings.Count(w.problems(), ProblemNoEcho); n != 1 {
		t.Errorf("%d times told that the echo stays away", n)
	}
	w.hubUp = true
	w.run(w.now.Add(3 * sense.Minute))
	if err := w.balance(); err != nil {
		t.Error(err)
	}
	if c := w.classes(); !strings.Contains(c, "st/rep") || !strings.Contains(c, "slice") {
		t.Errorf("what waited was forgotten: %s", c)
	}
}

func TestHubAwayHoldsBatches(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.setHub(false)
	n := len(w.log)
	w.append(2000)
	w.run(w.now.Add(sense.Hour))
	if len(w.log) != n {
		t.Errorf("published while the hub is away: %s", w.classes())
	}
	w.setHub(true)
	w.run(w.now.Add(resumeWithin + sense.Second))
	if w.s.phase != delivering {
		t.Errorf("phase %d two seconds after the hub came back", w.s.phase)
	}
	w.run(w.now.Add(5 * sense.Second))
	if err := w.balance(); err != nil {
		t.Error(err)
	}
}

func TestLateDeathOfTheHubIsIgnored(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.setHub(true) // its second connection
	w.until(delivering)
	late, err := wire.EncodeJSON(wire.Conn{State: wire.Offline, Counter: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.step(Arrived{Topic: wire.HubConn(tenant), Payload: late})
	if w.s.phase != delivering || w.s.held {
		t.Error("a will of an older connection took the hub down")
	}
}

func TestLingerAndFullBatches(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	start := len(w.log)
	w.append(1)
	w.run(w.now.Add(499))
	if len(w.log) != start {
		t.Error("a lone record did not wait for company")
	}
	w.append(1)
	w.run(w.now.Add(1))
	if len(w.log) != start+1 {
		t.Errorf("%d messages after the linger, want 1", len(w.log)-start)
	}
	w.append(256)
	w.run(w.now)
	if len(w.log) != start+2 {
		t.Error("a full batch waited")
	}
	w.run(w.now.Add(5 * sense.Second))
	if len(w.log) != start+2 {
		t.Errorf("%d messages, want 2: acknowledged ones are not sent again", len(w.log)-start)
	}
}

func TestWindowAndResend(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.hubUp = false // silent, without a word
	start := len(w.log)
	for range 20 {
		w.append(256)
	}
	w.run(w.now)
	first := w.log[start:]
	if len(first) != 8 {
		t.Fatalf("%d batches in flight, want 8", len(first))
	}
	at := w.now
	w.run(at.Add(3*sense.Second - 1))
	if len(w.log) != start+8 {
		t.Error("sent again before 3 s")
	}
	w.run(at.Add(6 * sense.Second))
	again := w.log[start+8:]
	if len(again) != 8 {
		t.Fatalf("%d sent again within 6 s, want 8", len(again))
	}
	for k := range again {
		match := false
		for j := range first {
			match = match || bytes.Equal(again[k].Payload, first[j].Payload)
		}
		if !match {
			t.Error("sent again with other bytes")
		}
	}
	w.run(at.Add(20 * sense.Minute))
	if n := len(w.log) - start; n > 8*(20+6) { // about once a minute each
		t.Errorf("%d messages in 20 minutes of silence", n)
	}
}

func TestAcknowledgedRangesAreNotSentAgain(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(700)
	for s := uint64(200); s <= 500; s++ {
		w.stored[s] = w.sent[s-1]
	}
	w.s.sent = 701 // in this connection, before its hello
	w.until(delivering)
	w.run(w.now.Add(5 * sense.Second))
	if err := w.balance(); err != nil {
		t.Fatal(err)
	}
	if w.received != 700-301 {
		t.Errorf("%d records were sent, want %d", w.received, 700-301)
	}
}

// What another life sent may be another's under the same number: ranges of it count for nothing.
func TestRangesOfAnotherLifeAreSent(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(700)
	for s := uint64(200); s <= 500; s++ {
		w.stored[s] = w.sent[s-1]
	}
	w.until(delivering)
	w.run(w.now.Add(5 * sense.Second))
	if err := w.balance(); err != nil {
		t.Fatal(err)
	}
	if w.received != 700 {
		t.Errorf("%d records were sent, want all 700", w.received)
	}
}

func TestAcknowledgementsThatCannotBe(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.hubUp = false
	w.append(10)
	topic := path.Of(wire.Down, wire.ClassAck)
	for name, a := range map[string]*wire.Ack{
		"ahead":       {Epoch: 2, Through: 11},
		"range ahead": {Epoch: 2, Ranges: []wire.Range{{First: 5, Last: 11}}},
		"from 0":      {Epoch: 2, Ranges: []wire.Range{{First: 0, Last: 1}}},
		"other epoch": {Epoch: 3, Through: 5},
	} {
		w.run(w.now.Add(problemEvery(ProblemAck))) // one a minute is told
		w.up = nil
		w.down(topic, a)
		w.run(w.now.Add(200))
		if h := w.q.Status().Head; h != 1 {
			t.Fatalf("%s moved the head to %d", name, h)
		}
		if told := w.problems() == ProblemAck; told != (name != "other epoch") {
			t.Errorf("%s: problems %q", name, w.problems())
		}
	}
}

func TestMessagesThatAreNotForUs(t *testing.T) {
	w := newWorld(t, 1, Config{Groups: []string{"shops"}})
	w.until(delivering)
	want, err := wire.EncodeJSON(wire.Want{Revision: 9})
	if err != nil {
		t.Fatal(err)
	}
	own := path.Of(wire.Down, wire.ClassWant)
	other := wire.Path{Tenant: tenant, Device: "kiosk-2"}.Of(wire.Down, wire.ClassWant)
	stranger := wire.Path{Tenant: "evil", Device: device}.Of(wire.Down, wire.ClassWant)
	slice, err := wire.EncodeDown(&wire.Slice{Handle: wire.Handle{1}})
	if err != nil {
		t.Fatal(err)
	}
	wrongHandle := path.Named(wire.Down, wire.ClassSlice, wire.Handle{2}.String())
	for name, m := range map[string]Arrived{
		"signed for another device": {own, w.sign(other, want)},
		"another device's topic":    {other, w.sign(other, want)},
		"another tenant's":          {stranger, w.sign(stranger, want)},
		"a group that is not ours":  {wire.GroupWant(tenant, "cars"), w.sign(wire.GroupWant(tenant, "cars"), want)},
		"not signed":                {own, want},
		"what devices write":        {path.Of(wire.Up, wire.ClassLog), []byte("x")},
		"no topic":                  {"$SYS/x", []byte("x")},
		"hub presence":              {wire.HubConn(tenant), []byte(`{"state":"dead"}`)},
		"slice of another handle":   {wrongHandle, w.sign(wrongHandle, slice)},
		"ack that is none":          {path.Of(wire.Down, wire.ClassAck), w.sign(path.Of(wire.Down, wire.ClassAck), []byte{4, 0x91})},
	} {
		w.run(w.now.Add(problemEvery(ProblemMessage))) // one a minute is told
		w.up = nil
		w.step(m)
		if w.problems() != ProblemMessage || len(w.up) != 1 {
			t.Errorf("%s: %v", name, w.up)
		}
	}
	w.up = nil
	w.step(Arrived{Topic: own}) // a cleared retained document
	if len(w.up) != 0 {
		t.Errorf("an empty document: %v", w.up)
	}
}

func TestWantOnlyMovesForward(t *testing.T) {
	w := newWorld(t, 1, Config{Groups: []string{"shops"}})
	w.step(Self{Want: 4})
	w.until(delivering)
	w.up = nil
	for _, c := range []struct {
		topic    string
		revision uint64
		taken    bool
	}{
		{path.Of(wire.Down, wire.ClassWant), 3, false},
		{path.Of(wire.Down, wire.ClassWant), 4, false},
		{path.Of(wire.Down, wire.ClassWant), 5, true},
		{path.Of(wire.Down, wire.ClassWant), 5, false},
		{wire.GroupWant(tenant, "shops"), 1, true},
		{wire.GroupWant(tenant, "shops"), 1, false},
	} {
		b, err := wire.EncodeJSON(wire.Want{Revision: c.revision})
		if err != nil {
			t.Fatal(err)
		}
		w.up = nil
		w.step(Arrived{Topic: c.topic, Payload: w.sign(c.topic, b)})
		if taken := len(w.up) == 1; taken != c.taken {
			t.Errorf("revision %d on %s: taken %v", c.revision, c.topic, taken)
		}
	}
}

func TestAskUntilAnswered(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	h := wire.Handle{7}
	w.hubUp = false
	w.step(Ask{ID: "s-1", Request: &wire.SliceRequest{ID: "s-1", Handle: h}})
	w.step(Ask{ID: "s-2", Request: &wire.SliceRequest{ID: "s-2", Handle: h}})
	w.step(Cancel{ID: "s-2"})
	w.run(w.now.Add(10 * sense.Second))
	// s-1 at once, after 3 to 6 s, and perhaps after 6 to 12 s more; s-2 once.
	if n := strings.Count(w.classes(), "slice"); n != 3 && n != 4 {
		t.Errorf("asked %d times, want 3 or 4", n)
	}
	w.hubUp = true
	w.run(w.now.Add(30 * sense.Second))
	asked := strings.Count(w.classes(), "slice")
	slices := 0
	for _, e := range w.up {
		if m, ok := e.(Message); ok {
			if s, ok := m.Message.(*wire.Slice); ok && s.Handle == h {
				slices++
			}
		}
	}
	if slices == 0 || len(w.s.asks) != 0 {
		t.Errorf("%d slices came, %d requests wait", slices, len(w.s.asks))
	}
	w.run(w.now.Add(5 * sense.Minute))
	if n := strings.Count(w.classes(), "slice"); n != asked {
		t.Error("asked again after the answer")
	}
}

func TestBackOffGrowsWithJitter(t *testing.T) {
	seen := map[sense.Duration]bool{}
	for seed := range uint64(20) {
		w := newWorld(t, seed, Config{})
		w.brokerUp = false
		w.run(w.now.Add(1))
		for tries := 1; tries <= 10; tries++ {
			w.step(Disconnected{})
			want := min(sense.Second<<tries, 2*sense.Minute)
			got := w.wake.Sub(w.now)
			if got < want/2 || got >= want {
				t.Fatalf("after %d failures: %s, want %s to %s", tries, got, want/2, want)
			}
			if tries == 10 {
				seen[got] = true
			}
			w.events = nil
			w.run(w.wake)
			w.events = nil
		}
	}
	if len(seen) < 15 {
		t.Errorf("20 devices wait %d different times", len(seen))
	}
}

// twinPresence is what a broker retains of another process with the device's identity.
func twinPresence(t *testing.T, counter uint64) []byte {
	b, err := wire.EncodeJSON(wire.Conn{State: wire.Offline, Boot: 7, Counter: counter, Since: 1, Life: "twin"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Another process with the identity throws the device out: it is seen by the presence that it leaves, and
// where that may not be read by connections that break with the broker there.
func TestDuplicateIdentityKeepsAway(t *testing.T) {
	for _, blind := range []bool{false, true} {
		w := newWorld(t, 1, Config{})
		w.blind = blind
		w.until(delivering)
		thrownOut := func() {
			w.cut()
			w.shelf.conn = twinPresence(t, w.counter)
		}
		keptAway := func(pause sense.Duration) {
			t.Helper()
			for n := 1; n <= 3; n++ {
				thrownOut()
				at := w.now
				w.until(delivering)
				if w.now.Sub(at) > 10*sense.Second {
					t.Fatalf("blind %v: kept away after %d", blind, n)
				}
			}
			thrownOut()
			w.run(w.now.Add(5 * sense.Second))
			if got := w.s.due.Sub(w.now); w.s.phase != waiting || got < pause/2-5*sense.Second || got >= pause {
				t.Fatalf("blind %v: phase %d, away for %s, want %s to %s", blind, w.s.phase, got, pause/2, pause)
			}
		}
		pause := 5 * sense.Minute
		keptAway(pause)
		if w.problems() != ProblemDuplicate {
			t.Fatalf("blind %v: told %q", blind, w.problems())
		}
		for range 6 { // twice as long each time, up to an hour
			pause = min(2*pause, sense.Hour)
			w.run(w.s.due)
			w.until(delivering)
			keptAway(pause)
		}
		// Whoever was left alone for long begins anew.
		w.run(w.s.due)
		w.until(delivering)
		w.run(w.now.Add(3 * sense.Hour))
		keptAway(5 * sense.Minute)
	}
}

// A store that is there once, on a link that breaks all the time or with a broker that is always back
// at once, is no twin; also where its own life before has left its presence.
func TestBreaksAreNoDuplicates(t *testing.T) {
	for name, between := range map[string]func(*world){
		"link":                      func(w *world) {},
		"broker that keeps nothing": func(w *world) { w.shelf.conn = nil },
		"hub and broker":            func(w *world) { w.setHub(false); w.shelf.conn = nil; w.setHub(true) },
	} {
		w := newWorld(t, 1, Config{})
		w.shelf.conn = twinPresence(t, 1) // of the life before
		for range 40 {
			w.until(delivering)
			w.cut()
			between(w)
			w.run(w.now.Add(sense.Duration(w.r.IntN(1500))))
		}
		if p := w.problems(); p != "" {
			t.Errorf("%s: told %s", name, p)
		}
	}
}

// Two devices with one identity at one broker: each throws the other out. They do so no more often than
// their pauses allow, and each tells of it once an hour at most.
func TestTwins(t *testing.T) {
	for seed := range uint64(10) {
		a, b := newWorld(t, seed, Config{}), newWorld(t, seed+100, Config{})
		b.shelf = a.shelf
		told := map[*world]sense.Instant{}
		connects, hours := 0, 24
		for now := a.now; now < sense.Instant(hours)*sense.Instant(sense.Hour); now = now.Add(50) {
			for _, w := range []*world{a, b} {
				other := b
				if w == b {
					other = a
				}
				was := w.open
				w.run(now)
				if !was && w.open {
					connects++
					other.cut()
				}
			}
			for _, w := range []*world{a, b} {
				if strings.Contains(w.problems(), ProblemDuplicate) {
					if last, ok := told[w]; ok && now.Sub(last) < sense.Hour {
						t.Fatalf("seed %d: told again after %s", seed, now.Sub(last))
					}
					told[w] = now
				}
				w.up = nil
			}
			if next := min(a.next(), b.next()); next > now {
				now = next.Add(-50)
			}
		}
		if len(told) == 0 {
			t.Fatalf("seed %d: never told", seed)
		}
		// About eight until it is noticed, and then either one keeps away: for 2.5 min at first, for half an hour
		// to an hour in the end. So there are at most two bouts an hour of each, and a few at the beginning.
		if most := 8 * (2*4 + 2*2*hours); connects > most {
			t.Errorf("seed %d: %d connections in %d hours, want at most %d", seed, connects, hours, most)
		}
	}
}

// Bad messages by the thousand fill no log: one is told at once, and one in five seconds with their number.
func TestProblemsAreBounded(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.up = nil
	const every = 10 // ms
	for range 3 * 60_000 / every {
		w.step(Arrived{Topic: path.Of(wire.Down, wire.ClassAck), Payload: []byte("forged")})
		w.run(w.now.Add(every))
	}
	w.run(w.now.Add(sense.Hour))
	told, count := 0, 0
	for _, e := range w.up {
		if p, ok := e.(Problem); ok && p.Code == ProblemMessage {
			told, count = told+1, count+p.Count
		}
	}
	if told < 36 || told > 38 || count != 3*60_000/every {
		t.Errorf("%d problems tell of %d bad messages, want about 37 of %d", told, count, 3*60_000/every)
	}
}

// The hub refuses an epoch: nothing more of it is sent, nor dropped, until the device has another.
func TestRefusedEpochIsLeft(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.hubUp = false // silent
	w.append(3000)
	w.run(w.now.Add(sense.Second))
	if len(w.s.flights) == 0 {
		t.Fatal("nothing is in flight")
	}
	w.command(&wire.NewEpoch{ID: "n", Epoch: w.epoch + 7}) // of another epoch: nothing happens
	w.run(w.now.Add(200))
	if len(w.s.flights) == 0 {
		t.Fatal("a word on another epoch stopped this one")
	}
	w.up = nil
	w.command(&wire.NewEpoch{ID: "n", Epoch: w.epoch})
	w.run(w.now.Add(200))
	if len(w.up) != 1 || w.up[0].(Command).Command.(*wire.NewEpoch).Epoch != w.epoch {
		t.Fatalf("handed up %v", w.up)
	}
	batches := func() (n int) { return strings.Count(w.classes(), "up/log") }
	sent, head := batches(), w.q.Status().Head
	w.append(500)
	w.down(path.Of(wire.Down, wire.ClassAck), &wire.Ack{Epoch: w.epoch, Through: 2000}) // of records that differ there
	w.run(w.now.Add(10 * sense.Minute))
	w.cut() // a hello of the same epoch meets the same answer
	w.hubUp, w.refuse = true, w.epoch
	w.run(w.now.Add(10 * sense.Minute))
	if batches() != sent || w.q.Status().Head != head {
		t.Errorf("%d batches of a refused epoch went out, the head went from %d to %d", batches()-sent, head, w.q.Status().Head)
	}
	var err error
	old := w.sent
	w.epoch, w.sent, w.stored = 99, nil, map[uint64]string{}
	if w.q, err = outbox.Open(&outbox.Memory{}, outbox.Options{Epoch: 99}); err != nil {
		t.Fatal(err)
	}
	w.append(len(old))
	w.run(w.now.Add(sense.Minute))
	if err := w.balance(); err != nil {
		t.Errorf("in the new epoch: %v", err)
	}
}

// A budget request is asked again until a slice, a delta or the word that nothing changed names it; what
// is on the topic of another handle does not count.
func TestBudgetRequestIsAnswered(t *testing.T) {
	h, other := wire.Handle{7}, wire.Handle{8}
	for name, answer := range map[string]func(re string, h wire.Handle) wire.DownMessage{
		"slice": func(re string, h wire.Handle) wire.DownMessage { return &wire.Slice{Handle: h, Revision: 1, Re: re} },
		"delta": func(re string, h wire.Handle) wire.DownMessage {
			return &wire.Delta{Handle: h, Base: 1, Revision: 2, Re: re}
		},
		"unchanged": func(re string, h wire.Handle) wire.DownMessage {
			return &wire.Unchanged{Handle: h, Revision: 1, Re: re}
		},
	} {
		w := newWorld(t, 1, Config{})
		w.until(delivering)
		w.step(Ask{ID: "u-1", Request: &wire.BudgetRequest{ID: "u-1", Handle: h, Revision: 1, Epoch: w.epoch, Through: 5}})
		w.run(w.now.Add(20 * sense.Second))
		asked := strings.Count(w.classes(), "budget")
		if asked < 2 {
			t.Fatalf("%s: asked %d times in 20 s without an answer", name, asked)
		}
		topic := path.Named(wire.Down, wire.ClassSlice, h.String())
		w.up = nil
		w.down(topic, answer("u-1", other))
		w.run(w.now.Add(200))
		if w.problems() != ProblemMessage || len(w.s.asks) != 1 {
			t.Errorf("%s of another handle: %v, %d requests wait", name, w.up, len(w.s.asks))
		}
		w.up = nil
		w.down(topic, answer("", h)) // a push answers nothing
		w.run(w.now.Add(200))
		if len(w.s.asks) != 1 || len(w.up) != 1 {
			t.Errorf("a pushed %s: %v, %d requests wait", name, w.up, len(w.s.asks))
		}
		w.up = nil
		w.down(topic, answer("u-1", h))
		w.run(w.now.Add(200))
		if m, ok := w.up[0].(Message); len(w.up) != 1 || !ok || m.Message == nil || len(w.s.asks) != 0 {
			t.Errorf("%s: %v, %d requests wait", name, w.up, len(w.s.asks))
		}
		asked = strings.Count(w.classes(), "budget")
		w.run(w.now.Add(5 * sense.Minute))
		if n := strings.Count(w.classes(), "budget"); n != asked {
			t.Errorf("%s: asked again after the answer", name)
		}
	}
}

// A device with thousands of slices says so in several hellos, each within a message.
func TestHelloOfManyHandles(t *testing.T) {
	for _, n := range []int{0, 512, 513, 5000} {
		w := newWorld(t, 1, Config{})
		var self Self
		for k := range n {
			self.Handles = append(self.Handles, wire.Held{Handle: wire.Handle{byte(k), byte(k >> 8), 1}, Revision: 1 << 40})
		}
		w.step(self)
		w.until(delivering)
		said := map[wire.Handle]bool{}
		hellos := 0
		for _, p := range w.log {
			if len(p.Payload) > wire.MaxMessage {
				t.Errorf("a message of %d bytes", len(p.Payload))
			}
			if r, err := wire.DecodeRequest(p.Payload); err == nil {
				if h, ok := r.(*wire.Hello); ok {
					hellos++
					for _, held := range h.Handles {
						said[held.Handle] = true
					}
				}
			}
		}
		if len(said) != n || hellos != max(1, (n+511)/512) || w.problems() != "" {
			t.Errorf("of %d handles %d were said, in %d hellos; %s", n, len(said), hellos, w.problems())
		}
	}
}

// However much waits, a message stays within 64 KiB, aims at 32, and holds at most 256 records; one
// record that is larger than the aim goes alone.
func TestSizeOfMessages(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	start := len(w.log)
	w.appendSized(3, wire.MaxRecord-64) // each over the aim
	w.appendSized(200, 2000)
	w.appendSized(2000, 10)
	w.run(w.now.Add(30 * sense.Second))
	if err := w.balance(); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.log[start:] {
		b, err := w.batches.Decode(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Payload) > wire.MaxMessage || len(b.Records) > wire.MaxRecords || len(p.Payload) > 32<<10 && len(b.Records) > 1 {
			t.Errorf("%d records in %d bytes", len(b.Records), len(p.Payload))
		}
	}
}

// Many bytes wait for no company.
func TestManyBytesDoNotLinger(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	start := len(w.log)
	w.appendSized(20, 2000)
	w.run(w.now)
	if len(w.log) == start {
		t.Error("40 KB wait for company")
	}
}

func TestBrokerRestartsAreNoDuplicates(t *testing.T) {
	w := newWorld(t, 1, Config{})
	for range 8 {
		w.until(delivering)
		w.brokerUp = false
		w.cut()
		w.run(w.now.Add(2 * sense.Second))
		w.brokerUp = true
	}
	w.until(delivering)
	if p := w.problems(); p != "" {
		t.Errorf("told %s", p)
	}
}

// Nothing is sent before the hub has said what it has, however long that takes.
func TestNothingBeforeTheHello(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(5)
	w.deaf = true
	w.until(greeting)
	w.run(w.now.Add(20 * sense.Minute))
	hellos := strings.Count(w.classes(), "hello")
	if w.s.phase != greeting || strings.Contains(w.classes(), "up/log") || hellos < 15 || hellos > 50 {
		t.Errorf("phase %d, %d hellos in 20 minutes: %s", w.s.phase, hellos, w.classes())
	}
	if w.problems() != ProblemNoEcho {
		t.Errorf("told %q", w.problems())
	}
	w.deaf = false
	w.run(w.now.Add(3 * sense.Minute))
	if err := w.balance(); err != nil {
		t.Error(err)
	}
}

// A twin's records were taken by the hub just before this device threw it out: their
// acknowledgement is on its way, of numbers that this device has given to others.
func TestAcknowledgementOfATwin(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(5)
	w.until(greeting)
	w.down(path.Of(wire.Down, wire.ClassAck), &wire.Ack{Epoch: 2, Through: 5})
	w.down(path.Of(wire.Down, wire.ClassAck), &wire.Ack{Epoch: 2, Through: 5, Re: "hello-1-3"})
	if s := w.q.Status(); s.Head != 1 || w.s.phase != greeting {
		t.Errorf("head is %d, phase %d", s.Head, w.s.phase)
	}
	w.until(delivering)
	w.run(w.now.Add(5 * sense.Second))
	if err := w.balance(); err != nil {
		t.Error(err)
	}
}

func TestRefusedSubscription(t *testing.T) {
	w := newWorld(t, 1, Config{})
	for w.s.phase != joining {
		w.run(w.now.Add(1))
	}
	w.step(Subscribed{Refused: []string{path.Below()}})
	if w.problems() != ProblemRefused || w.open || w.s.phase != waiting || len(w.log) != 0 {
		t.Errorf("%q, open %v, phase %d, published %s", w.problems(), w.open, w.s.phase, w.classes())
	}
}

func TestStopSaysGoodbye(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	w.step(Stop{})
	last := w.log[len(w.log)-1]
	c, err := wire.DecodeConn(last.Payload)
	if err != nil || c.State != wire.Offline || c.Counter != 1 || !last.Retain {
		t.Fatalf("the last word is %s: %v", last.Payload, err)
	}
	if w.stopped {
		t.Fatal("it hung up before the broker had the goodbye")
	}
	w.run(w.now.Add(100))
	if !w.stopped || w.open {
		t.Error("it did not hang up")
	}

	w = newWorld(t, 1, Config{}) // the broker is silent
	w.until(delivering)
	w.step(Stop{})
	w.events = nil
	w.run(w.now.Add(2 * sense.Second))
	if !w.stopped {
		t.Error("it waits for ever")
	}

	w = newWorld(t, 1, Config{}) // never connected
	w.brokerUp = false
	w.step(Stop{})
	if !w.stopped {
		t.Error("it waits for a connection to say goodbye")
	}
}

func TestWillIsOlderThanOnline(t *testing.T) {
	w := newWorld(t, 1, Config{})
	p := w.s.Will(5, 42)
	c, err := wire.DecodeConn(p.Payload)
	if err != nil || c != (wire.Conn{State: wire.Offline, Boot: 1, Counter: 42, Since: 5, Life: "1"}) || !p.Retain || p.QoS != 1 || p.Topic != path.Of(wire.State, wire.ClassConn) {
		t.Errorf("%s %s: %v", p.Topic, p.Payload, err)
	}
}

func TestAnotherEpochGreetsAgain(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	var err error
	if w.q, err = outbox.Open(&outbox.Memory{}, outbox.Options{Epoch: 99}); err != nil {
		t.Fatal(err)
	}
	w.tellLog()
	w.run(w.now.Add(sense.Second))
	c := strings.Fields(w.classes())
	if got := strings.Join(c[len(c)-3:], " "); got != "st/birth echo hello" {
		t.Errorf("after a new epoch: %s", got)
	}
	h, err := wire.DecodeRequest(w.log[len(w.log)-1].Payload)
	if hello, ok := h.(*wire.Hello); err != nil || !ok || hello.Epoch != 99 {
		t.Errorf("%+v, %v", h, err)
	}
}

// What the hub had of one epoch is nothing to the next, also where the change comes while there is no link
// and the hello is not answered.
func TestAnotherEpochWhileAway(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(300)
	for n := uint64(1); n <= 300; n++ {
		if n%7 != 1 { // many ranges, and not the first
			w.stored[n] = w.sent[n-1]
		}
	}
	w.s.sent = 301 // in this connection, before its hello
	w.until(delivering)
	w.brokerUp = false
	w.cut()
	w.run(w.now.Add(sense.Second))
	if len(w.s.acked) == 0 {
		t.Fatal("no ranges are known")
	}
	var err error
	w.epoch, w.sent, w.stored, w.received = 99, nil, map[uint64]string{}, 0
	if w.q, err = outbox.Open(&outbox.Memory{}, outbox.Options{Epoch: 99}); err != nil {
		t.Fatal(err)
	}
	w.append(100)
	if len(w.s.acked) != 0 || w.s.cursor != 1 {
		t.Errorf("of the old epoch %v are remembered, the next to send is %d", w.s.acked, w.s.cursor)
	}
	w.brokerUp = true
	w.until(delivering)
	w.run(w.now.Add(100))
	b, err := w.batches.Decode(w.log[len(w.log)-1].Payload)
	if err != nil || b.Epoch != 99 || b.First != 1 || len(b.Records) != 100 {
		t.Errorf("the first batch is %+v, %v", b, err)
	}
}

func TestSendIsForDevicesOnly(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.until(delivering)
	for _, s := range []Send{{Plane: wire.Down, Class: wire.ClassWant}, {Plane: wire.Up, Class: "x"}, {Plane: wire.Up, Class: wire.ClassJob, Name: "#"},
		{Plane: wire.Up, Class: wire.ClassLearn, Payload: make([]byte, wire.MaxMessage+1)}} {
		w.run(w.now.Add(problemEvery(ProblemUnsent))) // one a minute is told
		n := len(w.log)
		w.up = nil
		w.step(s)
		if len(w.log) != n || w.problems() != ProblemUnsent {
			t.Errorf("%s/%s was sent", s.Plane, s.Class)
		}
	}
}

func TestWhatWaitsForTheHub(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.step(Send{Plane: wire.State, Class: wire.ClassReport, Payload: []byte("old")})
	w.step(Send{Plane: wire.Up, Class: wire.ClassLearn, Payload: []byte("a")})
	w.step(Send{Plane: wire.State, Class: wire.ClassReport, Payload: []byte("new")})
	w.step(Send{Plane: wire.Up, Class: wire.ClassLearn, Payload: []byte("b")})
	w.until(delivering)
	var got []string
	for _, p := range w.log {
		if strings.HasSuffix(p.Topic, "/rep") || strings.HasSuffix(p.Topic, "/learn") {
			got = append(got, string(p.Payload))
		}
	}
	if s := strings.Join(got, " "); s != "new a b" {
		t.Errorf("sent %q: of a state the newest, of what happened all", s)
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []Config{{}, {Tenant: "a", Device: "b c"}, {Tenant: "a/b", Device: "c"}, {Tenant: "a", Device: "b", Groups: []string{"+"}}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
