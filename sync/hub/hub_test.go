package hub_test

import (
	"context"
	"crypto/ecdh"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

const t0 = sense.Instant(1_772_442_000_000) // 2026-03-02T09:00:00Z

// dealer is a policy as the journeys have it.
func dealer() *catalog.Bundle {
	const none = rule.None
	b := &catalog.Bundle{Name: "dealer", Version: 1, Currency: "EUR", Languages: []string{"en"}, Zone: sense.UTC, VisitEnds: 10 * sense.Minute,
		Purposes: []catalog.Purpose{{Name: "offers", Basis: catalog.BasisConsent, Unasked: -1, Born: -1}, {Name: "service", Basis: catalog.BasisContract, Unasked: -1, Born: -1}},
		Facts: []catalog.Fact{
			{Name: "interests", Kind: sense.List, Elem: sense.String, Purposes: 1, Keep: sense.Year, Fresh: sense.Forever},
			{Name: "name", Kind: sense.String, Purposes: 3, From: []event.Provenance{event.Declared}, Keep: sense.Year, Fresh: sense.Forever},
			{Name: "pregnant", Kind: sense.Bool, Purposes: 2, Special: "health", Keep: sense.Year, Fresh: sense.Forever},
			{Name: "tyres", Kind: sense.String, Owner: "vehicle", OneOf: []string{"summer", "winter"}, Purposes: 2, Keep: sense.Year, Fresh: sense.Forever},
		},
		Kinds: []catalog.Kind{
			kind("booking", func(k *catalog.Kind) {
				k.Means, k.ReachesGoal, k.Undo = catalog.MeansBooked, true, []catalog.UndoneBy{{Kind: 1, After: 24 * sense.Hour}}
			}),
			kind("cancelled", nil),
			kind("complaint", func(k *catalog.Kind) {
				k.Means, k.Negative, k.OpenUntil, k.CoolOff = catalog.MeansComplained, true, 5, 14*sense.Day
			}),
			kind("contact", func(k *catalog.Kind) { k.Means = catalog.MeansContacted }),
			kind("purchase", func(k *catalog.Kind) {
				k.Means, k.BlocksOffers, k.Again, k.Undo = catalog.MeansBought, true, []catalog.AgainAfter{{Type: "grocery", After: 7 * sense.Day}}, []catalog.UndoneBy{{Kind: 6}}
			}),
			kind("resolved", nil),
			kind("returned", nil),
			kind("visit", func(k *catalog.Kind) { k.Keep = sense.Day }),
		},
		Derived: []catalog.Derived{
			{Name: "inner", Node: none, Kind: sense.Int, Purposes: 2, Keep: sense.Year},
			{Name: "score", Node: none, Kind: sense.Int, Purposes: 2, Leaves: true, Keep: sense.Year},
		},
		Slots: []catalog.Slot{{Name: "home", Channel: "kiosk", Fallback: -1, ShowFor: 30 * sense.Second}},
	}
	b.Actions = []catalog.Action{{Name: "stay", Intent: catalog.Sales, Purpose: 0, Group: -1, Slots: []int32{0}, About: "hotel:rome", Goal: "hotel:rome",
		Before: -1, Measure: -1, Partner: -1, Asks: -1, Confirms: -1, Serves: -1, Eligible: none, Applicable: none, Suitable: none, Lever: catalog.One, Propensity: 1000, Repeat: sense.Forever}}
	return b
}

func kind(name string, f func(*catalog.Kind)) catalog.Kind {
	k := catalog.Kind{Name: name, Keep: 2 * sense.Year, Purposes: 2, OpenUntil: -1, ClosedBy: -1}
	if f != nil {
		f(&k)
	}
	return k
}

// world is a hub over a ledger in memory, and what it published.
type world struct {
	clock  sense.ClockState // of the devices
	t      testing.TB
	mind   *hub.Mind
	l      ledger.Ledger
	key    *ecdh.PrivateKey
	now    sense.Instant
	sent   []hub.Message
	seq    map[string]uint64
	pack   *wire.Packer
	held   map[string]*wire.Slice // what the devices hold, by device and handle
	away   map[string]bool        // devices that hear nothing
	epoch  uint64                 // of the batches
	bundle wire.BundleID          // under which they were made
	silent bool                   // nothing of what is published is kept
}

func newWorld(t testing.TB) *world { return newWorldOver(t, ledger.NewMemory()) }

func newWorldOver(t testing.TB, l ledger.Ledger) *world {
	t.Helper()
	key, err := ecdh.X25519().NewPrivateKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := hub.New(hub.Config{Tenant: "shop", Open: key, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, mind: m, l: l, key: key, now: t0, seq: map[string]uint64{}, pack: p, held: map[string]*wire.Slice{}, away: map[string]bool{}, epoch: 7}
	w.must(hub.Publish{File: catalog.Encode(dealer()), Signature: []byte("sig")})
	return w
}

// do passes inputs in one round and returns the answers.
func (w *world) do(inputs ...hub.Input) []hub.Answer {
	w.t.Helper()
	tx, err := w.l.Begin(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.mind.Round(tx, w.now, inputs)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		w.t.Fatal(err)
	}
	var answers []hub.Answer
	for k, o := range out {
		if w.silent {
			break
		}
		w.sent = append(w.sent, o.Messages...)
		for _, m := range o.Messages {
			w.deliver(m)
		}
		if k < len(inputs) {
			answers = append(answers, o.Answer)
		}
	}
	return answers
}

func (w *world) must(in hub.Input) hub.Answer {
	w.t.Helper()
	a := w.do(in)[0]
	if a.Err != nil {
		w.t.Fatalf("%T: %v", in, a.Err)
	}
	return a
}

// line feeds an event line of the CRM and returns the refusal.
func (w *world) line(text string) error {
	w.t.Helper()
	e, err := event.ParseLine([]byte(text))
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return w.do(hub.FromSource{Source: "crm", Event: e})[0].Err
}

func (w *world) given(lines ...string) {
	w.t.Helper()
	for _, l := range lines {
		if err := w.line(l); err != nil {
			w.t.Fatalf("%s: %v", l, err)
		}
	}
}

func (w *world) may(customer, about string) hub.Verdict {
	w.t.Helper()
	return *w.must(hub.Ask{Question: hub.Question{Customer: customer, About: event.Subject(about), Intent: catalog.Sales, Channel: "mail"}}).May
}

// request sends a request of a device.
func (w *world) request(device string, r wire.Request) error {
	w.t.Helper()
	b, err := wire.EncodeRequest(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: device}.Of(wire.Up, wire.ClassReq), Payload: b})[0].Err
}

func (w *world) sealed(h wire.Handle, customer string) []byte {
	w.t.Helper()
	s, err := wire.SealToHub(w.key.PublicKey().Bytes(), [32]byte{h[0], 9}, h, customer)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// hold has a device ask for a customer's slice, and returns it.
func (w *world) hold(device string, h wire.Handle, customer string, owners ...wire.Owner) *wire.Slice {
	w.t.Helper()
	w.sent = nil
	if err := w.request(device, &wire.SliceRequest{ID: "s1", Handle: h, Customer: w.sealed(h, customer), Owners: owners}); err != nil {
		w.t.Fatal(err)
	}
	s, ok := w.last(device, wire.ClassSlice).(*wire.Slice)
	if !ok {
		w.t.Fatalf("device %s heard no slice: %v", device, w.topics())
	}
	return s
}

// last returns the newest msgp message of a class to a device, nil where there is none.
func (w *world) last(device, class string) wire.DownMessage {
	w.t.Helper()
	for k := len(w.sent) - 1; k >= 0; k-- {
		topic, err := wire.ParseTopic(w.sent[k].Topic)
		if err != nil {
			w.t.Fatal(err)
		}
		if topic.Device == device && topic.Class == class {
			m, err := wire.DecodeDown(class, w.sent[k].Payload)
			if err != nil {
				w.t.Fatal(err)
			}
			return m
		}
	}
	return nil
}

func (w *world) topics() (list []string) {
	for _, m := range w.sent {
		list = append(list, m.Topic)
	}
	return list
}

// log sends records as the next ones of the device's log.
func (w *world) log(device string, records ...wire.Record) error {
	w.t.Helper()
	first := w.seq[device] + 1
	err := w.logAt(device, first, records...)
	w.seq[device] += uint64(len(records))
	return err
}

func (w *world) logAt(device string, first uint64, records ...wire.Record) error {
	w.t.Helper()
	return w.do(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: device}.Of(wire.Up, wire.ClassLog), Payload: w.batch(device, first, records...)})[0].Err
}

func (w *world) batch(device string, first uint64, records ...wire.Record) []byte {
	w.t.Helper()
	b := &wire.Batch{Device: device, Epoch: w.epoch, First: first, Clock: w.clock, Bundle: w.bundle}
	for _, r := range records {
		raw, err := wire.AppendRecord(nil, r)
		if err != nil {
			w.t.Fatal(err)
		}
		b.Records = append(b.Records, raw)
	}
	msg, err := w.pack.Encode(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return msg
}

func (w *world) view(f func(hub.View) error) {
	w.t.Helper()
	tx, err := w.l.Begin(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := errors.Join(f(tx), tx.Rollback()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) expect(v hub.Verdict, may bool, reason string, until sense.Instant) {
	w.t.Helper()
	if v.May != may || v.Reason.String() != reason || v.Until != until {
		w.t.Errorf("may is %v %q until %d, want %v %q until %d", v.May, v.Reason, v.Until, may, reason, until)
	}
}

func TestMay(t *testing.T) {
	at := func(d sense.Duration) string { return `"at":"` + t0.Add(d).String() + `"` }
	anna := `"customer":"crm:77"`
	for _, c := range []struct {
		name   string
		lines  []string
		after  sense.Duration // when it is asked
		about  string
		may    bool
		reason string
		until  sense.Duration // from t0; 0 none
	}{
		{"nobody knows her", nil, 0, "product:model-x", true, "", 0},
		{"bought", []string{`{"interaction":"purchase","about":"product:model-x",` + anna + `,` + at(-21*sense.Day) + `}`}, 0, "product:model-x", false, "already_bought", 2*sense.Year - 21*sense.Day}, // when it is no longer known
		{"bought something else", []string{`{"interaction":"purchase","about":"product:model-y",` + anna + `,` + at(-sense.Day) + `}`}, 0, "product:model-x", true, "", 0},
		{"returned", []string{`{"interaction":"purchase","about":"product:model-x",` + anna + `,` + at(-21*sense.Day) + `}`,
			`{"interaction":"returned","about":"product:model-x",` + anna + `,` + at(-sense.Day) + `}`}, 0, "product:model-x", true, "", 0},
		{"milk of six days ago", []string{`{"interaction":"purchase","about":"grocery:milk",` + anna + `,` + at(-6*sense.Day) + `}`}, 0, "grocery:milk", false, "already_bought", sense.Day},
		{"milk of eight days ago", []string{`{"interaction":"purchase","about":"grocery:milk",` + anna + `,` + at(-8*sense.Day) + `}`}, 0, "grocery:milk", true, "", 0},
		{"complaint", []string{`{"interaction":"complaint","ref":"c1",` + anna + `,` + at(0) + `}`}, 14 * sense.Day, "product:model-x", false, "open_complaint", 0},
		{"another customer's complaint", []string{`{"interaction":"complaint","ref":"c1","customer":"crm:78",` + at(0) + `}`}, 0, "product:model-x", true, "", 0},
		{"resolved, cooling off", []string{`{"interaction":"complaint","ref":"c1",` + anna + `,` + at(0) + `}`,
			`{"interaction":"resolved","ref":"c1",` + anna + `,` + at(3*sense.Day) + `}`}, 4 * sense.Day, "product:model-x", false, "complaint_cool_off", 17 * sense.Day},
		{"resolved, cooled off", []string{`{"interaction":"complaint","ref":"c1",` + anna + `,` + at(0) + `}`,
			`{"interaction":"resolved","ref":"c1",` + anna + `,` + at(3*sense.Day) + `}`}, 17 * sense.Day, "product:model-x", true, "", 0},
		{"booked", []string{`{"interaction":"booking","about":"hotel:rome",` + anna + `,` + at(0) + `}`}, 0, "hotel:rome", false, "goal_reached", 2 * sense.Year},
		{"booked elsewhere", []string{`{"interaction":"booking","about":"hotel:milan",` + anna + `,` + at(0) + `}`}, 0, "hotel:rome", true, "", 0},
		{"cancelled an hour ago", []string{`{"interaction":"booking","about":"hotel:rome",` + anna + `,` + at(0) + `}`,
			`{"interaction":"cancelled","about":"hotel:rome",` + anna + `,` + at(0) + `}`}, sense.Hour, "hotel:rome", false, "goal_reached", 24 * sense.Hour},
		{"cancelled a day ago", []string{`{"interaction":"booking","about":"hotel:rome",` + anna + `,` + at(0) + `}`,
			`{"interaction":"cancelled","about":"hotel:rome",` + anna + `,` + at(0) + `}`}, 24 * sense.Hour, "hotel:rome", true, "", 0},
		{"restricted", []string{`{"restrict":"crm:77","on":true}`}, 0, "product:model-x", false, "restricted", 0},
		{"restriction lifted", []string{`{"restrict":"crm:77","on":true,` + at(-sense.Hour) + `}`, `{"restrict":"crm:77","on":false,` + at(0) + `}`}, 0, "product:model-x", true, "", 0},
		{"consent withdrawn", []string{`{"consent":"offers","granted":true,` + anna + `,` + at(-sense.Hour) + `}`,
			`{"consent":"offers","granted":false,` + anna + `,` + at(0) + `}`}, 0, "product:model-x", false, "consent_withdrawn", 0},
		{"forgotten", []string{`{"interaction":"visit",` + anna + `}`, `{"forget":"crm:77"}`}, 0, "product:model-x", false, "erased", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.now = t0.Add(c.after)
			w.given(c.lines...)
			until := sense.Instant(0)
			if c.until != 0 {
				until = t0.Add(c.until)
			}
			w.expect(w.may("crm:77", c.about), c.may, c.reason, until)
		})
	}
}

func TestMayWithPurposeIsJudgedInFull(t *testing.T) {
	w := newWorld(t)
	q := hub.Question{Customer: "crm:77", About: "product:model-x", Intent: catalog.Sales, Channel: "mail", Purpose: "offers"}
	w.expect(*w.must(hub.Ask{Question: q}).May, false, "consent_unknown", 0)
	w.given(`{"consent":"offers","customer":"crm:77","granted":true}`)
	w.expect(*w.must(hub.Ask{Question: q}).May, true, "", 0)
	q.Purpose = "nothing"
	if err := w.do(hub.Ask{Question: q})[0].Err; !errors.Is(err, hub.ErrInvalid) {
		t.Errorf("an undeclared purpose: %v", err)
	}
}

// Journey 02 from the hub's side: every device that holds her hears of the complaint.
func TestComplaintReachesEveryDevice(t *testing.T) {
	w := newWorld(t)
	w.given(`{"merge":["crm:77","card:123"]}`, `{"interaction":"visit","customer":"crm:78"}`)
	devices := []string{"kiosk-1", "car-1", "wrist-1"}
	for k, d := range devices {
		w.hold(d, wire.Handle{byte(k + 1)}, []string{"crm:77", "card:123", "card:123"}[k])
	}
	w.hold("kiosk-2", wire.Handle{9}, "crm:78")
	w.sent = nil
	w.given(`{"interaction":"complaint","customer":"crm:77","ref":"c1","id":"1"}`)
	for k, d := range devices {
		s, ok := w.holds(d, wire.Handle{byte(k + 1)}), w.last(d, wire.ClassSlice) != nil
		if !ok || len(s.Interactions) != 1 || s.Interactions[0].Kind != "complaint" || s.Handle != (wire.Handle{byte(k + 1)}) || s.Revision != 2 || s.Customer != "crm:77" {
			t.Errorf("%s: %+v", d, s)
		}
	}
	if w.last("kiosk-2", wire.ClassSlice) != nil {
		t.Error("a device that holds somebody else heard of it")
	}
	w.sent = nil
	w.given(`{"interaction":"complaint","customer":"crm:77","ref":"c1","id":"1"}`) // the source sends again
	if len(w.sent) != 0 {
		t.Errorf("the same event twice: %v", w.topics())
	}
	w.now = w.now.Add(8 * sense.Day) // the leases have ended
	w.given(`{"interaction":"resolved","customer":"crm:77","ref":"c1"}`)
	if len(w.sent) != 0 {
		t.Errorf("after the lease: %v", w.topics())
	}
}

func TestSliceHoldsWhatTheBundleUses(t *testing.T) {
	w := newWorld(t)
	w.given(`{"consent":"offers","customer":"a","granted":false}`, `{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`,
		`{"fact":"interests","customer":"a","value":["garden"],"provenance":"declared"}`, `{"fact":"tyres","owner":"v1","value":"winter","provenance":"observed"}`,
		`{"fact":"tyres","owner":"v2","value":"summer","provenance":"observed"}`, `{"interaction":"visit","customer":"a"}`)
	names := func(s *wire.Slice) (list []string) {
		for _, f := range s.Facts {
			list = append(list, f.Name+f.Owner)
		}
		return list
	}
	s := w.hold("k1", wire.Handle{1}, "a", wire.Owner{Kind: "vehicle", ID: "v1"})
	// interests is held for offers alone, to which she said no.
	if got := names(s); !slices.Equal(got, []string{"name", "tyresv1"}) {
		t.Errorf("facts are %v", got)
	}
	if s.Until != int64(t0.Add(7*sense.Day)) || len(s.Consents) != 1 || len(s.Interactions) != 1 || s.Re != "s1" {
		t.Errorf("slice is %+v", s)
	}
	w.sent = nil
	w.given(`{"consent":"offers","customer":"a","granted":true}`)
	// Of one instant the no holds, and the device knows it: only that it once was granted is new.
	if s := w.holds("k1", wire.Handle{1}); s.Consents[0].Granted || len(s.Facts) != 2 {
		t.Error("a yes of the same instant won over the no")
	}
	w.now++
	w.given(`{"consent":"offers","customer":"a","granted":true}`)
	if got := names(w.holds("k1", wire.Handle{1})); !slices.Equal(got, []string{"interests", "name", "tyresv1"}) {
		t.Errorf("with consent facts are %v", got)
	}
	w.sent = nil
	w.given(`{"fact":"tyres","owner":"v1","value":"summer","provenance":"observed"}`)
	if got := w.holds("k1", wire.Handle{1}).Facts[2].Value.Str(); got != "summer" {
		t.Errorf("tyres are %q", got)
	}
	w.sent = nil
	w.now = t0.Add(sense.Day)
	w.do(hub.Tick{}) // the visit is past its retention
	if w.sent != nil {
		t.Errorf("that something expired was told: %v", w.topics())
	}
	w.view(func(v hub.View) error {
		entries, err := v.Entries([]string{"a"})
		if slices.ContainsFunc(entries, func(e hub.Entry) bool { return e.Name == "visit" }) {
			t.Error("the visit is still kept")
		}
		return err
	})
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.given(`{"fact":"name","customer":"gone","value":"x","provenance":"declared"}`, `{"forget":"gone"}`)
	for _, c := range []struct {
		line string
		err  error
		says string
	}{
		{`{"fact":"hair","customer":"a","value":"red","provenance":"declared"}`, hub.ErrInvalid, `fact "hair" is not declared in policy dealer@1`},
		{`{"interaction":"dance","customer":"a"}`, hub.ErrInvalid, `"dance"`},
		{`{"consent":"fun","customer":"a","granted":true}`, hub.ErrInvalid, `"fun"`},
		{`{"fact":"name","customer":"a","value":5,"provenance":"declared"}`, hub.ErrInvalid, "is of type int, not string"},
		{`{"fact":"name","customer":"a","value":"x","provenance":"inferred"}`, hub.ErrInvalid, "inferred"},
		{`{"fact":"pregnant","customer":"a","value":true,"provenance":"inferred"}`, hub.ErrInferred, "special"},
		{`{"fact":"tyres","owner":"v","value":"bald","provenance":"observed"}`, hub.ErrInvalid, "[summer winter]"},
		{`{"fact":"tyres","customer":"a","value":"winter","provenance":"observed"}`, hub.ErrInvalid, "`owner`"},
		{`{"fact":"name","owner":"v","value":"x","provenance":"declared"}`, hub.ErrInvalid, "customer's"},
		{`{"fact":"name","customer":"gone","value":"x","provenance":"declared"}`, hub.ErrErased, "forgotten"},
		{`{"merge":["a","gone"]}`, hub.ErrErased, "forgotten"},
		{`{"split":["a","b"]}`, hub.ErrInvalid, "not merged"},
		{`{"identify":"gone","by":"code"}`, hub.ErrErased, "card or login"},
		{`{"signal":"speed","value":3}`, hub.ErrNotForHub, "signal line"},
		{`{"interaction":"visit","customer":"a","source":"shop"}`, hub.ErrInvalid, `may not speak as "shop"`},
		{`{"interaction":"visit","customer":"` + strings.Repeat("a", 300) + `"}`, hub.ErrInvalid, "300 bytes"},
		{`{"interaction":"visit","customer":"a\u0007b"}`, hub.ErrInvalid, "does not print"},
	} {
		if err := w.line(c.line); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s\n got %v\nwant %v, saying %q", c.line, err, c.err, c.says)
		}
	}
	if n, err := w.l.Count(context.Background()); err != nil || n.Entries != 0 {
		t.Errorf("%+v, %v: something refused was kept", n, err)
	}
}

func TestMergeAndSplit(t *testing.T) {
	w := newWorld(t)
	w.given(`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T10:00:00Z"}`,
		`{"consent":"offers","customer":"b","granted":false,"at":"2026-03-01T09:00:00Z"}`,
		`{"interaction":"visit","customer":"b"}`, `{"merge":["a","b"]}`)
	look := func(id string) *hub.Customer { t.Helper(); return w.must(hub.Look{Customer: id}).View }
	c := look("b")
	// The stricter word holds, though the yes is newer.
	if c.Customer != "a" || !slices.Equal(c.IDs, []string{"a", "b"}) || c.Slice.Consents[0].Granted || len(c.Slice.Interactions) != 1 {
		t.Errorf("merged: %+v", c)
	}
	w.now++
	w.given(`{"consent":"offers","customer":"b","granted":true}`)
	if !look("a").Slice.Consents[0].Granted {
		t.Error("a yes after the merge does not hold")
	}
	w.given(`{"merge":["c","a"]}`)
	if c := look("b"); c.Customer != "c" || len(c.IDs) != 3 {
		t.Errorf("merged again: %+v", c)
	}
	w.given(`{"split":["a","b"]}`)
	if c := look("a"); c.Customer != "c" || !slices.Equal(c.IDs, []string{"a", "c"}) || len(c.Slice.Interactions) != 0 {
		t.Errorf("after the split a is %+v", c)
	}
	if c := look("b"); c.Customer != "b" || len(c.Slice.Interactions) != 1 || !c.Slice.Consents[0].Granted {
		t.Errorf("after the split b is %+v", c)
	}
}

// Journey 02 N3: a phone call answers the mail it refers to.
func TestContactAnsweredInAnotherChannel(t *testing.T) {
	w := newWorld(t)
	w.given(`{"interaction":"contact","customer":"a","channel":"mail","ref":"m1","at":"2026-03-01T10:00:00Z"}`,
		`{"interaction":"contact","customer":"a","channel":"mail","ref":"m2","at":"2026-03-01T11:00:00Z"}`,
		`{"interaction":"visit","customer":"a","channel":"phone","ref":"m1","at":"2026-03-02T08:00:00Z"}`)
	c := w.must(hub.Look{Customer: "a"}).View.Contacts
	if len(c) != 2 || c[0].Ref != "m1" || c[0].By != "visit (phone)" || c[0].Answered != t0.Add(-sense.Hour) || c[1].Answered != 0 {
		t.Errorf("contacts are %+v", c)
	}
	// The same for a decision of a device: its id is the ref.
	if err := w.log("k1", decision(1)); err != nil {
		t.Fatal(err)
	}
	w.given(`{"interaction":"visit","customer":"a","channel":"phone","ref":"k1-7-1"}`)
	d, err := w.l.Decisions(context.Background(), ledger.Filter{Limit: 10})
	if err != nil || len(d) != 1 || len(d[0].Outcomes) != 1 || d[0].Outcomes[0].Outcome != hub.Answered {
		t.Errorf("%+v, %v", d, err)
	}
}

func decision(n uint64) *wire.Decision {
	return &wire.Decision{N: n, At: int64(t0), Session: wire.Named("main"), Slot: wire.Named("home"), Action: wire.Named("stay"), Handle: wire.Handle{1}, Propensity: 5}
}
