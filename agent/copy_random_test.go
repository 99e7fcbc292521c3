package agent

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

const copyPolicy = `policy: copy
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
visit: {ends_after: 10m}
purposes:
  offers: {basis: consent, for: {en: "for offers"}}
  service: {basis: contract, for: {en: "for service"}}
  safety: {basis: legitimate_interest, objection: honoured, for: {en: "to warn you"}}
facts:
  name: {type: string, purposes: [offers, service], keep: 40m}
  size: {type: int, purposes: [service], keep: 3h, fresh: 1h}
  risk: {type: string, purposes: [safety, service], keep: 1d}
  likes: {type: string, purposes: [offers], keep: 1d}
  danger: {type: string, purposes: [safety], keep: 2h}
  tyres: {type: string, owner: vehicle, one_of: [summer, winter], purposes: [service], keep: 2h}
interactions:
  visit: {keep: 30m, purposes: [service]}
  complaint: {keep: 2h, purposes: [service], means: complained, open_until: resolved, cool_off: 1h, negative: true}
  resolved: {keep: 3h, purposes: [service]}
  purchase: {keep: 1d, purposes: [offers, service], means: bought}
slots:
  home: {channel: kiosk}
actions:
  stay:
    intent: sales
    purpose: service
    about: hotel:rome
    slots: [home]
    value: 10.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Stay."}
  use:
    intent: service
    purpose: service
    slots: [home]
    eligible: "name == 'x' || size == 3 || risk == 'y' || tyres == 'winter' || bought('hotel:rome')"
    value: 1.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Used."}
  offer:
    intent: sales
    purpose: offers
    about: product:pan
    slots: [home]
    eligible: "likes == 'x'"
    value: 1.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Offered."}
  warn:
    intent: safety
    purpose: safety
    slots: [home]
    eligible: "danger == 'x'"
    value: 1.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Warned."}
contact:
  limits:
    - {at_most: 50, per: rolling 1h, counting: shown}
`

// copying is a device that holds a customer, and the hub.
type copying struct {
	t      *testing.T
	r      *rand.Rand
	hub    *hub.Mind
	ledger ledger.Ledger
	key    *ecdh.PrivateKey
	now    sense.Instant
	bundle *catalog.Bundle
	pack   *wire.Packer

	mind   *engine.Mind
	codec  codec
	log    [][]byte
	here   uint64 // records of the log that were sent
	up     bool
	inbox  []hub.Message
	handle engine.Handle
	wanted *engine.WantSlice
	probes byte
	deltas int
	said   string // the last decision that said something
}

func newCopying(t *testing.T, seed uint64) *copying {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(copyPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	key, err := ecdh.X25519().NewPrivateKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(hub.Config{Tenant: "shop", Open: key, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	c := &copying{t: t, r: rand.New(rand.NewPCG(seed, 3)), hub: h, ledger: ledger.NewMemory(), key: key, now: 1_772_442_000_000, bundle: b, pack: p, up: true,
		codec: codec{device: "k1", epoch: 5}}
	c.mind = engine.New(engine.Config{Device: "k1", Epoch: 5, Secret: [16]byte{2}, Hub: true, Budgets: true})
	c.do(hub.Publish{File: catalog.Encode(b)})
	c.step(engine.Input{Bundle: &engine.BundleUpdate{Bundle: b}})
	c.step(engine.Input{Events: []event.Event{{Session: "main", Body: &event.Boot{Clock: sense.ClockSynced}}, {Session: "main", Body: &event.Link{Up: true}}}})
	c.hello()
	c.tell(`{"identify":"a","by":"card","owners":{"vehicle":"v1"}}`)
	return c
}

func (c *copying) do(in hub.Input) {
	c.t.Helper()
	tx, err := c.ledger.Begin(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := c.hub.Round(tx, c.now, []hub.Input{in})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		c.t.Fatal(err)
	}
	for _, o := range out {
		c.inbox = append(c.inbox, o.Messages...)
	}
}

func (c *copying) source(source, line string) {
	c.t.Helper()
	if os.Getenv("TRACE") != "" {
		fmt.Println(c.now, c.up, line)
	}
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		c.t.Fatal(line, err)
	}
	c.do(hub.FromSource{Source: source, Event: e})
}

func (c *copying) request(device string, r wire.Request) {
	c.t.Helper()
	b, err := wire.EncodeRequest(r)
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: device}.Of(wire.Up, wire.ClassReq), Payload: b})
}

func (c *copying) sealed(h wire.Handle, id string) []byte {
	s, err := wire.SealToHub(c.key.PublicKey().Bytes(), [32]byte{h[0], h[1], 9}, h, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *copying) hello() {
	held := []wire.Held{}
	if c.wanted != nil && c.wanted.Revision != 0 {
		held = append(held, wire.Held{Handle: wire.Handle(c.handle), Revision: c.wanted.Revision})
	}
	c.request("k1", &wire.Hello{ID: "h", Epoch: 5, First: c.here + 1, Next: uint64(len(c.log)) + 1, Handles: held})
}

// step takes a step of the device's mind.
func (c *copying) step(in engine.Input) {
	in.At = c.now
	take := func(out engine.Output) {
		for k := range out.Persist {
			w, _ := c.codec.toWire(&out.Persist[k], symbolsOf(wire.BundleID{}, nil))
			if x, ok := w.(*wire.Identified); ok {
				x.Sealed = c.sealed(x.Handle, string(x.Sealed))
			}
			raw, err := wire.AppendRecord(nil, w)
			if err != nil {
				c.t.Fatal(err)
			}
			c.log = append(c.log, raw)
		}
		for _, d := range out.Show {
			if d.Action != silence {
				c.said = d.ID
			}
		}
		if out.Want != nil {
			for _, s := range out.Want.Slices {
				if c.handle != (engine.Handle{}) && c.handle != s.Handle {
					c.t.Fatal("another handle")
				}
				c.handle, c.wanted = s.Handle, &s
			}
		}
	}
	c.mind.Advance(c.now, take)
	out := c.mind.Step(in)
	take(out)
	for _, x := range out.Refused {
		c.t.Fatal(x.Err)
	}
}

func (c *copying) tell(line string) {
	c.t.Helper()
	if os.Getenv("TRACE") != "" {
		fmt.Println(c.now, c.up, line)
	}
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		c.t.Fatal(line, err)
	}
	e.At, e.HasAt = c.now, true
	if e.Happened == 0 || e.Happened > c.now {
		e.Happened = c.now
	}
	if e.Session == "" {
		e.Session = event.MainSession
	}
	c.step(engine.Input{Events: []event.Event{e}})
}

// pass delivers what the hub has said; while the link is down it is lost.
func (c *copying) pass() {
	list := c.inbox
	c.inbox = nil
	for _, m := range list {
		topic, err := wire.ParseTopic(m.Topic)
		if err != nil {
			c.t.Fatal(err)
		}
		if !c.up || topic.Device != "k1" || topic.Class != wire.ClassSlice {
			continue
		}
		down, err := wire.DecodeDown(topic.Class, m.Payload)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, is := down.(*wire.Delta); is {
			c.deltas++
		}
		if os.Getenv("TRACE") != "" {
			fmt.Printf("  %s %T %+v\n", c.now, down, down)
		}
		u, _, ok := sliceUpdate(down, 5, c.bundle)
		if !ok {
			c.t.Fatalf("%T", down)
		}
		c.step(engine.Input{Slices: []engine.SliceUpdate{u}})
	}
}

// send sends some of the log, or all.
func (c *copying) send(all bool) {
	to := uint64(len(c.log))
	if !all && to > c.here {
		to = c.here + 1 + c.r.Uint64N(to-c.here)
	}
	if to == c.here || !c.up {
		return
	}
	b := &wire.Batch{Device: "k1", Epoch: 5, First: c.here + 1, Clock: sense.ClockSynced, Records: c.log[c.here:to]}
	msg, err := c.pack.Encode(b)
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: "k1"}.Of(wire.Up, wire.ClassLog), Payload: msg})
	c.here = to
}

// settle lets everything arrive, and the device ask for what it lacks.
func (c *copying) settle() {
	if !c.up {
		c.up = true
		c.step(engine.Input{Events: []event.Event{{Session: "main", Body: &event.Link{Up: true}}}})
		c.inbox = nil
		c.hello()
	}
	for range 4 {
		c.send(true)
		c.pass()
		if c.wanted.Revision == 0 {
			c.request("k1", &wire.SliceRequest{ID: "s", Handle: wire.Handle(c.handle), Customer: c.sealed(wire.Handle(c.handle), "a"), Owners: []wire.Owner{{Kind: "vehicle", ID: "v1"}}, At: int64(c.now)})
			c.pass()
		}
	}
}

// whole is what a device hears that asks for the whole slice now.
func (c *copying) whole() *profile.Slice {
	c.probes++
	h := wire.Handle{c.probes, 7}
	c.inbox = nil
	c.request("probe", &wire.SliceRequest{ID: "s", Handle: h, Customer: c.sealed(h, "a"), Owners: []wire.Owner{{Kind: "vehicle", ID: "v1"}}})
	for _, m := range c.inbox {
		if topic, _ := wire.ParseTopic(m.Topic); topic.Class == wire.ClassSlice && topic.Device == "probe" {
			down, err := wire.DecodeDown(topic.Class, m.Payload)
			if err != nil {
				c.t.Fatal(err)
			}
			u, _, _ := sliceUpdate(down, 5, c.bundle)
			u.Slice.Prune(c.bundle, c.now)
			c.inbox = nil
			return u.Slice
		}
	}
	c.t.Fatal("no slice")
	return nil
}

// content prints what a slice says, without what differs between a device that told something and one that heard it.
func content(b *catalog.Bundle, s *profile.Slice, now sense.Instant) string {
	allowed := catalog.PurposeSet(0)
	for k := range b.Purposes {
		p := &b.Purposes[k]
		state, _ := s.Consent(p.Name, now)
		if (!p.Basis.NeedsGrant() || state == profile.ConsentGranted) && !(p.Basis.YieldsToObjection() && s.Objects(p.Name)) && !(s.Restricted && !p.Basis.HoldsUnderRestriction()) {
			allowed |= 1 << uint(k)
		}
	}
	var lines []string
	put := func(x any) {
		text, err := json.Marshal(x)
		if err != nil {
			panic(err)
		}
		lines = append(lines, fmt.Sprintf("%T %s", x, text))
	}
	for _, f := range s.Facts {
		if d := b.Fact(f.Name); d == nil || d.Purposes&allowed == 0 {
			continue // held, and of no use: the hub does not send it
		}
		lines = append(lines, fmt.Sprintf("fact %s %s %s %v %s %s %v", f.Name, f.Owner, f.Value, f.Provenance, f.Source, f.Happened, f.Claims))
	}
	for _, x := range s.Consents {
		x.Ever = x.Ever && x.Granted // whoever said no here may not know of a grant elsewhere: it is no either way
		put(x)
	}
	for _, x := range s.Objections {
		put(x)
	}
	put(s.Restricted)
	interactions := slices.Clone(s.Interactions)
	slices.SortFunc(interactions, func(a, b profile.Interaction) int {
		return cmp.Or(cmp.Compare(a.Happened, b.Happened), strings.Compare(a.Kind+a.Ref+a.Source, b.Kind+b.Ref+b.Source))
	})
	for _, x := range interactions {
		lines = append(lines, fmt.Sprintf("interaction %s %s %s %s %s", x.Kind, x.Ref, x.Source, x.Happened, x.About))
	}
	for _, x := range s.Exposures {
		x.Seq = 0
		put(x)
	}
	return strings.Join(lines, "\n")
}

// Whatever is said where and in whatever order it comes, once all has arrived the device knows what one knows that
// asks for the whole slice: by deltas, its own words, and what time has taken away on each side at its own instant.
func TestADeviceKnowsWhatTheWholeSliceSays(t *testing.T) {
	runs, first := uint64(12), uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("TACT_RUNS"), 10, 64); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_SEED"), 10, 64); err == nil {
		runs, first = 1, n
	}
	deltas := 0
	for seed := first; seed < first+runs; seed++ {
		c := newCopying(t, seed)
		c.settle()
		merged := false
		for step := range 150 {
			c.now = c.now.Add(sense.Duration(1 + c.r.Int64N(int64(2*sense.Minute))))
			if c.r.IntN(25) == 0 {
				c.now = c.now.Add(sense.Duration(c.r.Int64N(int64(sense.Hour))))
			}
			id := []string{"a", "a", "b"}[c.r.IntN(3)]
			at := `"happened":"` + c.now.Add(-sense.Duration(c.r.Int64N(int64(20*sense.Minute)))).String() + `"`
			provenance := []string{"declared", "observed", "inferred", "third_party"}[c.r.IntN(4)]
			onDevice := c.r.IntN(2) == 0
			say := func(format string, args ...any) {
				line := fmt.Sprintf(format, args...)
				if onDevice {
					c.tell(line)
				} else {
					c.source("crm"+strconv.Itoa(c.r.IntN(3)), line)
				}
			}
			if onDevice {
				id = "a"
			}
			switch c.r.IntN(16) {
			case 0, 1:
				say(`{"fact":"%s","customer":"%s","value":"v%d","provenance":"%s",%s}`, []string{"name", "risk", "likes", "danger"}[c.r.IntN(4)], id, c.r.IntN(3), provenance, at)
			case 2:
				say(`{"fact":"size","customer":"%s","value":%d,"provenance":"%s",%s}`, id, c.r.IntN(4), provenance, at)
			case 3:
				say(`{"fact":"%s","customer":"%s","value":null,"provenance":"%s",%s}`, []string{"name", "size", "risk", "likes", "danger"}[c.r.IntN(5)], id, provenance, at)
			case 4:
				say(`{"fact":"tyres","owner":"v1","value":"%s","provenance":"%s",%s}`, []string{"winter", "summer"}[c.r.IntN(2)], provenance, at)
			case 5:
				say(`{"consent":"offers","customer":"%s","granted":%v,%s}`, id, c.r.IntN(2) == 0, at)
			case 6:
				say(`{"objection":"safety","customer":"%s","raised":%v,%s}`, id, c.r.IntN(2) == 0, at)
			case 7:
				say(`{"restrict":"%s","on":%v,%s}`, id, c.r.IntN(3) == 0, at)
			case 8, 9:
				say(`{"interaction":"%s","customer":"%s","ref":"r%d",%s}`, []string{"visit", "complaint", "resolved", "purchase"}[c.r.IntN(4)], id, c.r.IntN(5), at)
			case 10:
				c.tell(`{"ask":"home"}`)
			case 11:
				if c.said != "" {
					c.tell(fmt.Sprintf(`{"outcome":"%s","decision":"%s"}`, []string{"accepted", "dismissed", "never", "failed"}[c.r.IntN(4)], c.said))
				}
			case 12:
				if c.r.IntN(3) == 0 {
					if merged = !merged; merged {
						c.source("crm", `{"merge":["a","b"]}`)
					} else {
						c.source("crm", `{"split":["a","b"]}`)
					}
				}
			case 13:
				if c.up = !c.up; c.up {
					c.inbox = nil
					c.hello()
				}
				c.step(engine.Input{Events: []event.Event{{Session: "main", Body: &event.Link{Up: c.up}}}})
			default:
				c.send(false)
				c.pass()
			}
			if c.up && c.r.IntN(3) > 0 {
				c.pass()
			}
			if c.r.IntN(4) > 0 {
				continue
			}
			c.tell(`{"tick":true}`)
			c.settle()
			var got *profile.Slice
			snap := c.mind.Snapshot()
			for k := range snap.Customers {
				if snap.Customers[k].Handle == c.handle {
					got = &snap.Customers[k].Slice
				}
			}
			if got == nil || c.wanted.Revision == 0 {
				t.Fatalf("seed %d, step %d: nothing is held", seed, step)
			}
			if a, b := content(c.bundle, got, c.now), content(c.bundle, c.whole(), c.now); a != b {
				t.Fatalf("seed %d, step %d: the device knows\n%s\nand the whole slice says\n%s", seed, step, a, b)
			}
		}
		deltas += c.deltas
	}
	if deltas < int(runs)*5 {
		t.Errorf("%d deltas in %d runs: nothing was put to the test", deltas, runs)
	}
}

// A hub that begins again with an empty ledger hears at the next hello whose the handles are, and pushes what changes.
func TestAHubWithoutItsLedgerHearsOfWhoIsHeld(t *testing.T) {
	c := newCopying(t, 1)
	c.source("crm1", `{"interaction":"visit","customer":"a","ref":"r1"}`)
	c.settle()
	c.now = c.now.Add(sense.Minute)
	c.ledger = ledger.NewMemory()
	c.do(hub.Publish{File: catalog.Encode(c.bundle)})
	c.up = false
	c.settle()
	if c.wanted.Revision == 0 {
		t.Fatal("nothing is held")
	}
	c.source("crm1", `{"interaction":"complaint","customer":"a","ref":"r2"}`)
	c.pass()
	for _, x := range c.mind.Snapshot().Customers {
		if n := len(x.Slice.Interactions); n != 1 || x.Slice.Interactions[0].Kind != "complaint" {
			t.Errorf("the device knows %+v", x.Slice.Interactions)
		}
	}
}
