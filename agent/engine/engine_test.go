package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// shop compiles the policy of these tests.
func shop(t testing.TB) *catalog.Bundle {
	t.Helper()
	b, findings, err := policy.Compile("testdata/shop")
	if err != nil || b == nil {
		t.Fatalf("compile: %v %+v", err, findings)
	}
	return b
}

// desk drives a mind as a replay does, and keeps what it said.
type desk struct {
	t    testing.TB
	mind *Mind
	outs []Output
	now  sense.Instant
}

func newDesk(t testing.TB, cfg Config) *desk {
	d := &desk{t: t, mind: New(cfg)}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: shop(t)}})))
	return d
}

var replayed = Config{Device: "replay", Leased: true}

// kept is what a step said, to be looked at later.
func kept(o Output) Output { return o.Keep() }

// at moves the clock, firing what is due on the way.
func (d *desk) at(after sense.Duration) {
	d.now = d.now.Add(after)
	d.mind.Advance(d.now, func(o Output) { d.outs = append(d.outs, kept(o)) })
}

// tell takes lines of this instant; each that closes a step is a step.
func (d *desk) tell(lines ...string) {
	d.t.Helper()
	var events []event.Event
	for _, l := range lines {
		e, err := event.ParseLine([]byte(l))
		if err != nil {
			d.t.Fatal(err)
		}
		e.At, e.HasAt = d.now, true
		if !strings.Contains(l, `"happened"`) {
			e.Happened = d.now
		}
		events = append(events, e)
	}
	for _, step := range event.Steps(events) {
		o := kept(d.mind.Step(Input{At: d.now, Events: step}))
		for _, r := range o.Refused {
			d.t.Errorf("refused: %v", r.Err)
		}
		d.outs = append(d.outs, o)
	}
}

// log is all lines so far.
func (d *desk) log() string {
	var b []byte
	for _, o := range d.outs {
		for k := range o.Clear {
			b = append(o.Clear[k].AppendJSON(b), '\n')
		}
		for _, x := range o.Show {
			b = append(x.AppendJSON(b, -1), '\n')
		}
	}
	return string(b)
}

// madeAgain makes each decision again from its moment, and returns how many there were.
func (d *desk) madeAgain() (n int) {
	d.t.Helper()
	for _, o := range d.outs {
		for _, m := range o.Moments {
			past, err := Thaw(&BundleUpdate{Bundle: d.mind.bundle}, m.Bytes)
			if err != nil {
				d.t.Fatal(err)
			}
			made := past.Decision()
			made.ID, made.N, made.Moment, made.Ages, made.Policy = m.Decision.ID, m.Decision.N, m.Decision.Moment, m.Decision.Ages, m.Decision.Policy
			if a, b := string(made.AppendJSON(nil, -1)), string(m.Decision.AppendJSON(nil, -1)); a != b {
				d.t.Errorf("made again as\n%s\nwas\n%s", a, b)
			}
			n++
		}
	}
	return n
}

// last is the last decision.
func (d *desk) last() *Decision {
	d.t.Helper()
	for k := len(d.outs) - 1; k >= 0; k-- {
		if n := len(d.outs[k].Show); n > 0 {
			return d.outs[k].Show[n-1]
		}
	}
	d.t.Fatal("nothing was decided")
	return nil
}

func (d *desk) wants(action, cause string, rejected ...string) {
	d.t.Helper()
	x := d.last()
	if x.Action != action || x.Cause != cause {
		d.t.Errorf("decided %s (%s), want %s (%s):\n%s", x.Action, x.Cause, action, cause, x.AppendJSON(nil, -1))
	}
	for _, want := range rejected {
		found := false
		for _, r := range x.Rejected {
			found = found || want == fmt.Sprintf("%s %s %s", r.Action, r.Stage, r.Reason)
		}
		if !found {
			d.t.Errorf("not among the rejected: %s:\n%s", want, x.AppendJSON(nil, -1))
		}
	}
}

const (
	annaTaps  = `{"identify":"anna","by":"card"}`
	agrees    = `{"consent":"offers","customer":"anna","granted":true}`
	here      = `{"signal":"presence","value":true}`
	alone     = `{"signal":"people","value":1}`
	asks      = `{"ask":"kiosk.home"}`
	complains = `{"interaction":"complaint","customer":"anna","about":"product:y","ref":"c1"}`
)

func TestDecisionLine(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(agrees, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, here, alone, annaTaps, asks)
	const want = `{"at":"2026-03-02T09:00:00.000Z","decision":"replay-0-1","session":"main","slot":"kiosk.home","customer":"anna","asked":true,` +
		`"action":"model-x","treatment":"say_personal","text":"Anna, EUR 1,000 off.","language":"en","list":null,"cause":null,` +
		`"value":39.95,"propensity":0.1,"probability":1,"uses":["name.first"],"rejected":[` +
		`{"action":"recovery-call","stage":"eligible","reason":"not_eligible","because":[{"name":"complaint","value":false,"age":null,"needed":"open(complaint)"}]},` +
		`{"action":"trailer","stage":"value","reason":"not_worth_bother","because":[{"name":"trailer","value":-0.01,"age":null,"needed":"> 0"}]}],` +
		`"policy":"shop@3"}`
	if got := string(d.last().AppendJSON(nil, -1)); got != want {
		t.Errorf("decision line\n%s\nwant\n%s", got, want)
	}
}

// Two lives of one device that decide the same at the same instant, as a copy of it may, are told apart
// by the hash in their records, and by nothing else; one life always makes the same.
func TestLivesAreToldApart(t *testing.T) {
	decision := func(life uint64) (string, [8]byte) {
		c := replayed
		c.Life = life
		d := newDesk(t, c)
		d.tell(agrees, here, alone, annaTaps, asks)
		return string(d.last().AppendJSON(nil, -1)), d.last().Moment
	}
	line, hash := decision(1)
	if again, same := decision(1); again != line || same != hash {
		t.Error("one life decides differently when it is played again")
	}
	if other, another := decision(2); other != line || another == hash {
		t.Errorf("another life: same hash %v\n%s\n%s", another == hash, line, other)
	}
}

func TestTreatments(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(here, alone, annaTaps, asks)
	// No consent: what is personal falls, what is ambient may be said to anyone.
	d.wants("model-x", "")
	if x := d.last(); x.Treatment != "say" || *x.Text != (Text{Text: "EUR 1,000 off."}) {
		t.Errorf("treatment %s, text %+v", x.Treatment, x.Text)
	}
	d.tell(agrees, asks) // the name is not known, so the personal treatment does not fit
	if x := d.last(); x.Treatment != "say" {
		t.Errorf("treatment %s without the name", x.Treatment)
	}
	d.tell(`{"ask":"kiosk.home","language":"nl"}`)
	if x := d.last(); x.Language != "nl" || x.Text.Text != "EUR 1.000 korting." {
		t.Errorf("asked in Dutch, answered %+v in %s", *x.Text, x.Language)
	}
	d.tell(asks)
	if x := d.last(); x.Language != "en" {
		t.Errorf("the language of one ask stayed: %s", x.Language)
	}
}

func TestClear(t *testing.T) {
	cause := func(d *desk) string {
		for k := len(d.outs) - 1; k >= 0; k-- {
			if n := len(d.outs[k].Clear); n > 0 {
				return d.outs[k].Clear[n-1].Cause
			}
		}
		return "nothing"
	}
	setUp := func() *desk {
		d := newDesk(t, replayed)
		d.tell(agrees, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, here, alone, annaTaps, asks)
		return d
	}
	for _, c := range []struct {
		want string
		then func(*desk)
	}{
		{"open_complaint", func(d *desk) { d.tell(complains) }},
		{"consent_withdrawn", func(d *desk) { d.tell(`{"consent":"offers","customer":"anna","granted":false}`) }},
		{"not_alone", func(d *desk) { d.tell(`{"signal":"people","value":2}`) }},
		{"bystander_unknown", func(d *desk) { d.at(5001) }},
		{"erased", func(d *desk) { d.tell(`{"forget":"anna"}`) }},
		{"session", func(d *desk) { d.tell(`{"identify":null}`) }},
		{"session", func(d *desk) { d.tell(`{"identify":"bert","by":"card"}`) }},
		{"replaced", func(d *desk) { d.tell(asks) }},
		{"nothing", func(d *desk) { d.tell(annaTaps) }},
		{"nothing", func(d *desk) { d.tell(`{"outcome":"dismissed","decision":"last"}`, complains) }},
		{"already_bought", func(d *desk) { d.tell(`{"interaction":"purchase","customer":"anna","about":"product:model-x"}`) }},
		{"expired", func(d *desk) {
			for range 30 {
				d.at(sense.Second)
				d.tell(here, alone)
			}
		}},
	} {
		d := setUp()
		c.then(d)
		if got := cause(d); got != c.want {
			t.Errorf("cleared because %s, want %s", got, c.want)
		}
	}
}

func TestSessionEndsByItself(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(agrees, here, alone, annaTaps, asks)
	d.tell(`{"signal":"presence","value":false}`)
	d.at(20*sense.Second - 1)
	if k, _ := d.mind.Known("main"); k.Customer != "anna" {
		t.Fatal("the session ended before its time")
	}
	d.at(1)
	if k, _ := d.mind.Known("main"); k.Customer != "" {
		t.Error("the session did not end 20 s after she left")
	}
}

// TestSessionEndsOnce: a session ends at its instant, whether or not anything stood there: what is shown
// to whoever comes later, unseen by the sensor, is not taken down for it by the next step.
func TestSessionEndsOnce(t *testing.T) {
	for _, ended := range []bool{false, true} {
		d := newDesk(t, replayed)
		d.tell(`{"signal":"presence","value":false}`)
		if ended {
			d.at(20 * sense.Second)
		}
		d.tell(asks)
		if d.last().Action == silence {
			t.Fatal("nothing is shown")
		}
		d.at(20 * sense.Second)
		d.tell(`{"tick":true}`)
		if stands := len(d.mind.Shown()) == 1; stands != ended {
			t.Errorf("ended before %v: it stands %v:\n%s", ended, stands, d.log())
		}
	}
}

func TestSlowDown(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(annaTaps, `{"fact":"vehicle.tyres","owner":"vin1","value":"winter","provenance":"observed"}`, `{"signal":"temperature","value":-3}`)
	drive := func(seconds int, speed string) (shown int) {
		before := len(d.outs)
		for range seconds {
			d.at(sense.Second)
			d.tell(here, `{"signal":"speed","value":`+speed+`}`)
		}
		for _, o := range d.outs[before:] {
			for _, x := range o.Show {
				if x.Action == "slow-down" {
					shown++
				}
			}
		}
		return shown
	}
	if n := drive(10, "118"); n != 0 {
		t.Errorf("warned before 10 s were held")
	}
	// The reading at 10 s after the first is due at the very instant at which the hold is complete.
	if n := drive(1, "118"); n != 1 {
		t.Errorf("%d warnings at 10 s, want 1:\n%s", n, d.log())
	}
	if n := drive(1, "99") + drive(60, "118"); n != 0 {
		t.Errorf("warned again within 30 min")
	}
	d.tell(`{"signal":"temperature","value":-3}`)
	if n := drive(30*60, "118"); n != 1 {
		t.Errorf("%d warnings in the next half hour, want 1", n)
	}
	drive(2, "118")
	d.tell(`{"ask":"dash.card"}`)
	d.wants("silence", "signal_stale", "slow-down applicable signal_stale")
	if name := d.last().Rejected[0].Because[0].Name; name != "temperature" {
		t.Errorf("because of %s, want temperature", name)
	}
}

// random tells a long story of many things, and returns its log.
func random(t testing.TB, seed uint64, between func(d *desk)) *desk {
	d := newDesk(t, replayed)
	r := rand.New(rand.NewPCG(seed, 7))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	for range 300 {
		d.at(sense.Duration(r.IntN(4000)))
		who := pick("anna", "bert")
		line := ""
		switch r.IntN(11) {
		case 0:
			line = fmt.Sprintf(`{"identify":%q,"by":%q}`, who, pick("card", "login", "passive"))
		case 1:
			line = fmt.Sprintf(`{"consent":"offers","customer":%q,"granted":%v}`, who, r.IntN(3) > 0)
		case 2:
			line = fmt.Sprintf(`{"interaction":%q,"customer":%q,"about":%q,"ref":"r"}`, pick("purchase", "complaint", "resolved", "returned"), who, pick("product:model-x", "product:trailer"))
		case 3:
			line = fmt.Sprintf(`{"signal":"people","value":%d}`, r.IntN(3))
		case 4, 5:
			line = fmt.Sprintf(`{"signal":"speed","value":%d}`, r.IntN(150))
		case 6:
			line = fmt.Sprintf(`{"signal":"temperature","value":%d}`, r.IntN(6)-4)
		case 7:
			line = fmt.Sprintf(`{"fact":"name.first","customer":%q,"value":"N","provenance":"declared"}`, who)
		case 8:
			line = here
		default:
			line = asks
		}
		d.tell(line)
		if between != nil {
			between(d)
		}
	}
	return d
}

func TestSameInputsSameBytes(t *testing.T) {
	for seed := range uint64(10) {
		if a, b := random(t, seed, nil).log(), random(t, seed, nil).log(); a != b {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	for seed := range uint64(20) {
		asked, actions, silences, unasked := 0, 0, 0, 0
		d := random(t, seed, nil)
		ids := map[string]bool{}
		for _, o := range d.outs {
			for _, x := range o.Show {
				if ids[x.ID] {
					t.Fatalf("seed %d: decision %s twice", seed, x.ID)
				}
				ids[x.ID] = true
				switch {
				case !x.Asked:
					unasked++
				case x.Action == silence:
					silences++
				default:
					actions++
				}
				if x.Asked {
					asked++
				}
				if x.Action == silence && (x.Cause == "" || x.Asked == false) || x.Action != silence && x.Cause != "" {
					t.Errorf("seed %d: %s", seed, x.AppendJSON(nil, 0))
				}
			}
		}
		if asked == 0 || actions+silences != asked || len(ids) != asked+unasked || uint64(len(ids)) != d.mind.decided {
			t.Errorf("seed %d: %d asks, %d actions, %d silences, %d unasked, %d ids", seed, asked, actions, silences, unasked, len(ids))
		}
	}
}

// TestRestore cuts a story in two: a mind restored from a snapshot and the records above it holds
// of every customer what the first one held.
func TestRestore(t *testing.T) {
	for seed := range uint64(10) {
		var snap Snapshot
		var above []Record
		r := rand.New(rand.NewPCG(seed, 11))
		n := 0
		first := random(t, seed, func(d *desk) {
			if n++; n == 100+r.IntN(100) {
				snap = clone(d.mind.Snapshot())
			}
		})
		for _, o := range first.outs {
			above = append(above, o.Persist...)
		}
		for _, from := range []Snapshot{{}, snap} {
			again, err := Restore(replayed, from, above)
			if err != nil {
				t.Fatal(err)
			}
			again.Step(Input{At: first.now, Bundle: &BundleUpdate{Bundle: shop(t)}})
			if again.seq != first.mind.seq || again.decided != first.mind.decided {
				t.Errorf("seed %d: restored to record %d, decision %d; want %d, %d", seed, again.seq, again.decided, first.mind.seq, first.mind.decided)
			}
			if a, b := fmt.Sprintf("%+v", again.volume), fmt.Sprintf("%+v", first.mind.volume); a != b {
				t.Errorf("seed %d: volume\n%s\nwant\n%s", seed, a, b)
			}
			for _, c := range first.mind.customers {
				got := again.byHandle[c.Handle]
				if got == nil {
					t.Errorf("seed %d: %s is lost", seed, c.Customer)
					continue
				}
				if a, b := fmt.Sprintf("%+v", got.Slice.Interactions), fmt.Sprintf("%+v", c.Slice.Interactions); a != b {
					t.Errorf("seed %d: interactions of %s\n%s\nwant\n%s", seed, c.Customer, a, b)
				}
				if a, b := fmt.Sprintf("%+v", got.Slice.Consents), fmt.Sprintf("%+v", c.Slice.Consents); a != b {
					t.Errorf("seed %d: consents of %s\n%s\nwant\n%s", seed, c.Customer, a, b)
				}
				if a, b := fmt.Sprintf("%+v", got.Slice.Exposures), fmt.Sprintf("%+v", c.Slice.Exposures); a != b {
					t.Errorf("seed %d: exposures of %s\n%s\nwant\n%s", seed, c.Customer, a, b)
				}
				if a, b := fmt.Sprintf("%+v", got.Slice.Facts), fmt.Sprintf("%+v", c.Slice.Facts); a != b {
					t.Errorf("seed %d: facts of %s\n%s\nwant\n%s", seed, c.Customer, a, b)
				}
				if a, b := fmt.Sprintf("%+v", got.Decided), fmt.Sprintf("%+v", c.Decided); a != b {
					t.Errorf("seed %d: last decisions for %s\n%s\nwant\n%s", seed, c.Customer, a, b)
				}
			}
		}
	}
}

func clone(s Snapshot) Snapshot {
	customers := s.Customers
	s.Customers = nil
	for _, c := range customers {
		c.Slice.Facts = append(c.Slice.Facts[:0:0], c.Slice.Facts...)
		c.Slice.Consents = append(c.Slice.Consents[:0:0], c.Slice.Consents...)
		c.Slice.Objections = append(c.Slice.Objections[:0:0], c.Slice.Objections...)
		c.Slice.Interactions = append(c.Slice.Interactions[:0:0], c.Slice.Interactions...)
		c.Slice.Folded = append(c.Slice.Folded[:0:0], c.Slice.Folded...)
		exposures := c.Slice.Exposures
		c.Slice.Exposures = nil
		for _, x := range exposures {
			x.Outcomes = append(x.Outcomes[:0:0], x.Outcomes...)
			c.Slice.Exposures = append(c.Slice.Exposures, x)
		}
		c.Told, c.Decided = append(c.Told[:0:0], c.Told...), append(c.Decided[:0:0], c.Decided...)
		c.Pending = append(c.Pending[:0:0], c.Pending...)
		s.Customers = append(s.Customers, c)
	}
	s.Seen = append(s.Seen[:0:0], s.Seen...)
	volume := s.Volume
	s.Volume = nil
	for _, v := range volume {
		v.Shown = append(v.Shown[:0:0], v.Shown...)
		s.Volume = append(s.Volume, v)
	}
	return s
}

// TestPermutation shuffles lines within a step that touch different names: no byte changes.
func TestPermutation(t *testing.T) {
	lines := []string{here, alone, agrees, `{"signal":"temperature","value":-2}`, `{"signal":"speed","value":0}`,
		`{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, `{"fact":"vehicle.tyres","owner":"v","value":"winter","provenance":"observed"}`,
		`{"interaction":"purchase","customer":"bert","about":"product:trailer"}`}
	r := rand.New(rand.NewPCG(5, 6))
	want := ""
	for k := range 50 {
		d := newDesk(t, replayed)
		d.tell(annaTaps)
		d.tell(lines...)
		d.tell(asks, `{"ask":"dash.card"}`)
		if got := d.log(); k == 0 {
			want = got
		} else if got != want {
			t.Fatalf("another order of lines gives\n%s\nwant\n%s", got, want)
		}
		r.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
	}
}

func TestPurposeOffIsAsIfNotKnown(t *testing.T) {
	// Anna without consent decides as somebody of whom nothing held for offers is known.
	known, unknown := newDesk(t, replayed), newDesk(t, replayed)
	known.tell(`{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`)
	for _, d := range []*desk{known, unknown} {
		d.tell(here, alone, annaTaps, asks)
	}
	a, b := known.last(), unknown.last()
	if x, y := a.AppendJSON(nil, -1), b.AppendJSON(nil, -1); !bytes.Equal(x, y) {
		t.Errorf("without consent:\n%s\nwith nothing known:\n%s", x, y)
	}
}

func TestRefused(t *testing.T) {
	d := newDesk(t, replayed)
	for line, want := range map[string]string{
		`{"signal":"nonsense","value":1}`:                                               "nonsense",
		`{"signal":"people","value":"many"}`:                                            "people",
		`{"fact":"shoe.size","customer":"anna","value":1,"provenance":"declared"}`:      "shoe.size",
		`{"fact":"vehicle.tyres","owner":"v","value":"Winter","provenance":"observed"}`: "one_of",
		`{"fact":"name.first","customer":"anna","value":"A","provenance":"inferred"}`:   "inferred",
		`{"interaction":"dance","customer":"anna"}`:                                     "dance",
		`{"consent":"world","customer":"anna","granted":true}`:                          "world",
		`{"ask":"nowhere"}`: "nowhere",
		`{"outcome":"accepted","decision":"replay-0-99"}`: "replay-0-99",
		`{"outcome":"accepted","decision":"last"}`:        "nothing was decided",
		`{"policy":"other@1"}`:                            "other@1",
	} {
		e, err := event.ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		e.Happened = d.now
		o := kept(d.mind.Step(Input{At: d.now, Events: []event.Event{e}}))
		if len(o.Refused) != 1 || !strings.Contains(o.Refused[0].Err.Error(), want) && want != "one_of" || len(o.Persist) > 0 {
			t.Errorf("%s: refused %v, persisted %d; want a refusal that names %s", line, o.Refused, len(o.Persist), want)
		}
	}
	d.tell(`{"forget":"anna"}`)
	e, _ := event.ParseLine([]byte(agrees))
	if o := kept(d.mind.Step(Input{At: d.now, Events: []event.Event{e}})); len(o.Refused) != 1 {
		t.Error("a fact about an erased customer was taken")
	}
	d.tell(annaTaps, agrees) // she acts again by card, and starts with nothing
}

func TestAnIDIsTakenOnce(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(`{"id":"1","source":"crm","interaction":"complaint","customer":"anna","ref":"c1"}`,
		`{"id":"1","source":"crm","interaction":"complaint","customer":"anna","ref":"c1"}`,
		`{"id":"1","source":"shop","interaction":"complaint","customer":"anna","ref":"c1"}`)
	if n := len(d.mind.byID["anna"].Slice.Interactions); n != 2 {
		t.Errorf("%d complaints, want one of each source", n)
	}
}

func TestSliceFromHub(t *testing.T) {
	d := newDesk(t, Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}})
	d.tell(`{"link":"up"}`, here, alone, annaTaps)
	want := d.outs[len(d.outs)-1].Want
	if want == nil || len(want.Slices) != 1 || want.Slices[0].Customer != "anna" {
		t.Fatalf("want %+v", want)
	}
	handle := want.Slices[0].Handle
	d.tell(asks)
	d.wants("silence", "stale_profile") // sales wait for the slice, ambient ones as well
	slice := d.mind.byHandle[handle].Slice
	d.tell(agrees)
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: handle, Revision: 1, Until: d.now.Add(sense.Hour), Slice: &slice}}})))
	d.tell(asks)
	d.wants("model-x", "")
	if state, _ := d.mind.byHandle[handle].Slice.Consent("offers", d.now); state != 1 {
		t.Error("what was agreed to here is lost under the hub's slice, which does not know it yet")
	}
	// The lease ends: what was lent goes.
	d.at(sense.Hour)
	if c := d.mind.byHandle[handle]; c.here(d.now) || len(c.Slice.Consents) != 0 {
		t.Error("the slice outlives its lease")
	}
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: handle, Forget: true}}})))
	o := d.outs[len(d.outs)-1]
	if len(o.Destroy) != 1 || o.Destroy[0] != handle || d.mind.byHandle[handle] != nil {
		t.Errorf("forgetting left something: %+v", o)
	}
}

func TestPassiveSightingAsksForNoSlice(t *testing.T) {
	d := newDesk(t, Config{Device: "k1", Epoch: 5})
	d.tell(`{"link":"up"}`, `{"identify":"anna","by":"passive"}`)
	for _, o := range d.outs {
		if o.Want != nil && len(o.Want.Slices) > 0 {
			t.Errorf("a passive sighting asked for a slice: %+v", o.Want.Slices)
		}
	}
}

func TestWithHoldsForOneRequest(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(agrees, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, here, alone, annaTaps)
	d.tell(`{"ask":"kiosk.home","with":{"people":2}}`)
	if x := d.last(); x.Treatment != "say" {
		t.Errorf("two people, as the request says, and it shows %s", x.Treatment)
	}
	d.tell(asks)
	if x := d.last(); x.Treatment != "say_personal" {
		t.Errorf("what one request said holds for the next: %s", x.Treatment)
	}
}

func TestAskWithoutPolicy(t *testing.T) {
	m := New(replayed)
	e, _ := event.ParseLine([]byte(asks))
	if o := kept(m.Step(Input{At: 1, Events: []event.Event{e}})); len(o.Show) != 1 || o.Show[0].Cause != "no_policy" {
		t.Errorf("without a policy: %+v", o)
	}
}

// BenchmarkSignal is a signal that flips nothing.
func BenchmarkSignal(b *testing.B) {
	d := newDesk(b, replayed)
	d.tell(here, alone, annaTaps)
	in := Input{At: d.now, Events: []event.Event{{Session: event.MainSession, HasAt: true, Body: &event.Signal{Name: "temperature", Value: sense.DoubleValue(20)}}}}
	d.mind.Step(in)
	b.ReportAllocs()
	for b.Loop() {
		in.At++
		in.Events[0].At, in.Events[0].Happened = in.At, in.At
		d.mind.Step(in)
	}
	b.ReportMetric(perOp(b), "signal.step:ns")
}

func perOp(b *testing.B) float64 { return float64(b.Elapsed().Nanoseconds()) / float64(b.N) }

// BenchmarkDecision is from a card tap's ask to its decision.
func BenchmarkDecision(b *testing.B) {
	d := newDesk(b, replayed)
	plain := shop(b)
	plain.Contact.Volume = nil
	d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: plain}})
	d.tell(agrees, here, alone, annaTaps)
	e, _ := event.ParseLine([]byte(asks))
	e.Happened = d.now
	in := Input{At: d.now, Events: []event.Event{e}}
	b.ReportAllocs()
	for b.Loop() {
		o := d.mind.Step(in)
		d.mind.byID["anna"].Slice.Exposures = nil
		if len(o.Show) != 1 {
			b.Fatal("nothing decided")
		}
	}
	b.ReportMetric(perOp(b), "signal.decision:ns")
}

func TestASignalThatFlipsNothingAllocatesNothing(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(here, alone, annaTaps)
	in := Input{At: d.now, Events: []event.Event{{Session: event.MainSession, HasAt: true, Body: &event.Signal{Name: "temperature", Value: sense.DoubleValue(20)}}}}
	d.mind.Step(in)
	if n := testing.AllocsPerRun(1000, func() {
		in.At++
		in.Events[0].At, in.Events[0].Happened = in.At, in.At
		d.mind.Step(in)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
