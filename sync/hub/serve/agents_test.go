package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// fleet is a hub with real devices.
type fleet struct {
	t       *testing.T
	h       *Hub
	dir     string // of the hub
	broker  string
	trusted update.PublicKey
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	bundle, findings, err := policy.Compile("../../../testdata/policies/dealer")
	if err != nil || bundle == nil {
		t.Fatal(err, findings)
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	f := &fleet{t: t, dir: t.TempDir(), broker: b.Address(), trusted: public}
	f.h = start(t, f.dir, f.broker, public)
	until(t, "the hub to hear itself", f.h.counts.heard.Load)
	file := catalog.Encode(bundle)
	signature, err := update.Sign(file, secret, "dealer")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.h.Publish(context.Background(), file, signature, ""); err != nil {
		t.Fatal(err)
	}
	return f
}

// device starts a device over a store of its own.
func (f *fleet) device(name, dir string) *agent.Agent {
	f.t.Helper()
	a, err := agent.Start(context.Background(), agent.Config{Tenant: "shop", Device: name, Dir: dir, DeviceKey: [32]byte{7},
		Broker: &mqtt.Broker{Address: f.broker}, HubKeys: wire.Keys{wire.KeyID(f.h.SignKey()): f.h.SignKey()}, Trusted: []update.PublicKey{f.trusted},
		Session: uplink.Config{Linger: -1}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { a.Close() })
	until(f.t, name+" to have its policy", func() bool { return strings.HasPrefix(a.Status().Bundle, "dealer@") })
	return a
}

func (f *fleet) say(a *agent.Agent, text ...string) agent.Answer {
	f.t.Helper()
	var list []event.Event
	for _, l := range text {
		e, err := event.ParseLine([]byte(l))
		if err != nil {
			f.t.Fatal(err)
		}
		list = append(list, e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := a.Submit(ctx, list)
	if err != nil || len(answer.Rejected) > 0 {
		f.t.Fatalf("%v, %+v", err, answer.Rejected)
	}
	return answer
}

// served waits until a customer's slice is on a device.
func (f *fleet) served(a *agent.Agent, customer string) {
	f.t.Helper()
	f.say(a, `{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"identify":"`+customer+`","by":"card"}`)
	until(f.t, "the slice of "+customer, func() bool {
		k, ok, err := a.Known(context.Background(), "main")
		return err == nil && ok && k.Here
	})
}

func (f *fleet) sent(a *agent.Agent) {
	f.t.Helper()
	until(f.t, "acknowledgement of all", func() bool { s := a.Status().Outbox; return s.Head == s.Next })
}

// Journey 30 with real devices: after a forget at the hub no file of the hub and of no device has a byte of
// what was known, though one of them was away meanwhile and has it all in its outbox.
func TestForgottenOnRealDevices(t *testing.T) {
	f := newFleet(t)
	const name, phone, mail = "Rumpelstiltskin", "+4915112345678", "rapunzel@example.com"
	secrets := []string{name, phone, mail, "card:snow-white"}
	f.h.post(t, `{"fact":"name.first","customer":"card:snow-white","value":"`+name+`","provenance":"declared"}`,
		`{"interaction":"purchase","customer":"card:snow-white","about":"product:model-x"}`)
	here, away := t.TempDir(), t.TempDir()
	kiosk, car := f.device("kiosk-1", here), f.device("car-1", away)
	for _, a := range []*agent.Agent{kiosk, car} {
		f.served(a, "card:snow-white")
		f.say(a, `{"ask":"kiosk.home"}`)
	}
	f.say(kiosk, `{"fact":"phone","customer":"card:snow-white","value":"`+phone+`","provenance":"declared"}`)
	f.sent(kiosk)
	f.sent(car)
	if !bytes.Contains(files(t, f.dir), []byte(phone)) {
		t.Fatal("what a device told is not at the hub: the test proves nothing")
	}
	if err := car.Close(); err != nil {
		t.Fatal(err)
	}
	which := f.h.post(t, `{"forget":"card:snow-white"}`).Erasures[0].Erasure
	erasure := func() Erasure {
		t.Helper()
		_, body := call(t, "GET", f.h.URL()+"/v1/erasures/"+which, f.h.OperatorToken(), "", "")
		e, err := VerifyReceipt([]byte(body), f.h.SignKey())
		if err != nil {
			t.Fatal(body, err)
		}
		return e
	}
	how := func() (list []string) {
		for _, d := range erasure().Devices {
			list = append(list, d.Device+" "+d.How)
		}
		return list
	}
	began := time.Now()
	until(t, "the receipt of the kiosk", func() bool { return slices.Contains(how(), "kiosk-1 confirmed") })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the receipt took %v", took)
	}
	if got := how(); !slices.Equal(got, []string{"car-1 waiting", "kiosk-1 confirmed"}) {
		t.Errorf("while one is away: %v", got)
	}
	car = f.device("car-1", away)
	until(t, "the receipt of the car", func() bool { return erasure().Completed != nil })
	until(t, "the files to be scrubbed", func() bool { return !f.h.counts.scrub.Load() })
	f.sent(kiosk)
	f.sent(car)
	for what, dir := range map[string]string{"hub": f.dir, "kiosk": here, "car": away} {
		all := files(t, dir)
		for _, s := range secrets {
			if bytes.Contains(all, []byte(s)) {
				t.Errorf("%q is in the files of the %s", s, what)
			}
		}
	}
	// What was decided stays, anonymous; what comes for her is refused.
	n, err := f.h.Ledger().Count(context.Background())
	if err != nil || n.Decisions < 2 || n.Entries != 0 || n.Customers != 0 {
		t.Errorf("left are %+v, %v", n, err)
	}
	if code, body := call(t, "POST", f.h.URL()+"/v1/events", token, "", `{"fact":"name.first","customer":"card:snow-white","value":"`+name+`","provenance":"declared"}`); code != 200 || !strings.Contains(body, "erased") {
		t.Errorf("%d %s", code, body)
	}
	if r, err := f.h.Ledger().Verify(context.Background()); err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A store is restored from a copy of it: what the device decided before, in the life that was lost, and since
// counts, each once; the device goes on under a new epoch.
func TestRestoredStoreCountsOnce(t *testing.T) {
	f := newFleet(t)
	dir := t.TempDir()
	a := f.device("kiosk-1", dir)
	ask := func(n int) {
		t.Helper()
		for range n {
			f.say(a, `{"ask":"kiosk.home"}`)
		}
	}
	ask(3)
	f.sent(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "x"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	a = f.device("kiosk-1", dir)
	lost := a.Status().Epoch
	ask(4)
	f.sent(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = f.device("kiosk-1", filepath.Join(copied, "x"))
	ask(2)
	until(t, "a new epoch", func() bool { return a.Status().Epoch != lost })
	ask(2)
	f.sent(a)
	r, err := f.h.Ledger().Verify(context.Background())
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	n, err := f.h.Ledger().Count(context.Background())
	if err != nil || n.Decisions != 3+4+2+2 {
		text, _ := json.Marshal(r)
		t.Errorf("%d decisions are counted, 11 were made: %s", n.Decisions, text)
	}
}

// A device without a link is told to forget somebody of whom it knows nothing, or of whom it has not told the hub
// yet: what the hub and the others know of her goes once the link is there.
func TestForgetToldToADeviceWithoutALink(t *testing.T) {
	for name, lines := range map[string][]string{"unknown there": {`{"forget":"card:1"}`}, "not told yet": {`{"identify":"card:1","by":"card"}`, `{"forget":"card:1"}`}} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			dir := t.TempDir()
			f.h.post(t, `{"interaction":"purchase","customer":"card:1","about":"product:model-x"}`)
			other := f.device("car-1", t.TempDir())
			f.served(other, "card:1")
			a := f.device("kiosk-1", dir)
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			there := f.broker
			f.broker = "tcp://127.0.0.1:1" // nobody listens
			a = f.device("kiosk-1", dir)
			f.say(a, lines...)
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			f.broker = there
			a = f.device("kiosk-1", dir)
			f.sent(a)
			var page struct{ Erasures []Erasure }
			until(t, "the erasure to be complete", func() bool {
				_, body := call(t, "GET", f.h.URL()+"/v1/erasures", f.h.OperatorToken(), "", "")
				return json.Unmarshal([]byte(body), &page) == nil && len(page.Erasures) == 1 && page.Erasures[0].Completed != nil
			})
			if e := page.Erasures[0]; e.By != "kiosk-1" || len(e.Devices) != 2 || e.Devices[0].How != "confirmed" || e.Devices[1].How != "confirmed" {
				t.Errorf("erasure is %+v", e)
			}
			if n, err := f.h.Ledger().Count(context.Background()); err != nil || n.Entries != 0 || n.Customers != 0 {
				t.Errorf("left are %+v, %v", n, err)
			}
			if k, _, err := other.Known(context.Background(), "main"); err != nil || k.Customer != "" {
				t.Errorf("the other device still serves %q, %v", k.Customer, err)
			}
		})
	}
}
