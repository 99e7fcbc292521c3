package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto/mosquittotest"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// offers sells one thing to whoever agreed to hear of it, for as long as she looks.
const offers = `policy: offers
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
visit: {ends_after: 10m}
purposes:
  offers: {basis: consent, for: {en: "for personal offers"}}
interactions:
  visit: {keep: 1y, purposes: [offers]}
  complaint: {keep: 2y, purposes: [offers], negative: true, open_until: resolved}
  resolved: {keep: 2y, purposes: [offers]}
slots:
  app.card: {channel: app, show_for: 1d}
actions:
  sale:
    intent: sales
    purpose: offers
    about: product:x
    slots: [app.card]
    value: 400.00
    propensity: 0.10
    bother: 0.05
    say_personal: {en: "EUR 1,000 off for you."}
    say: {en: "EUR 1,000 off the X now."}
`

const (
	fleetSize    = 1000
	sharers      = 100 // devices that hold the same customer
	sharedRounds = 10  // customers that they share, one after the other
	complaints   = 8   // entered at a time
)

// From the moment at which somebody enters a complaint at the hub to the one at which a
// device's mind refuses the sale that it shows: HTTP, ledger, slice, Mosquitto as it is
// shipped (TLS both ways), link, mind. Every device is a whole agent with its store.
func BenchmarkComplaintRefused(b *testing.B) {
	f := newShop(b)
	for b.Loop() {
		each := f.everyone(b)
		shared := f.together(b)
		b.ReportMetric(each[len(each)*99/100], "complaint.refusal.1000:ms")
		b.ReportMetric(250, "complaint.refusal.1000:ms:at-most")
		b.ReportMetric(shared[len(shared)*99/100], "complaint.refusal.shared:ms")
		b.ReportMetric(250, "complaint.refusal.shared:ms:at-most")
		b.ReportMetric(each[len(each)/2], "complaint.refusal.1000.p50:ms")
		b.ReportMetric(shared[len(shared)/2], "complaint.refusal.shared.p50:ms")
	}
}

// kioskOf is one device with its screen.
type kioskOf struct {
	agent  *agent.Agent
	screen *agent.Reader
}

type benchShop struct {
	hub     *Hub
	devices []kioskOf
	round   int
}

// newShop starts broker, hub and devices, and gives each device a customer of its own.
func newShop(b *testing.B) *benchShop {
	b.Helper()
	dir := b.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "policy"), 0o700), os.WriteFile(filepath.Join(dir, "policy", "policy.yaml"), []byte(offers), 0o600)); err != nil {
		b.Fatal(err)
	}
	compiled, findings, err := policy.Compile(filepath.Join(dir, "policy"))
	if err != nil || compiled == nil {
		b.Fatal(err, findings)
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		b.Fatal(err)
	}
	file := catalog.Encode(compiled)
	signature := must(update.Sign(file, secret, "offers@1"))(b)
	bundle := filepath.Join(dir, "offers.bundle")
	if err := errors.Join(os.WriteFile(bundle, file, 0o600), os.WriteFile(bundle+".minisig", signature, 0o600)); err != nil {
		b.Fatal(err)
	}
	authority := certstest.New(b)
	address := "ssl://" + mosquittotest.Start(b, mosquittotest.Options{Tenant: "shop", Server: authority.Server("localhost")})
	as := func(name string) mqtt.Broker {
		return mqtt.Broker{Address: address, ServerName: "localhost", Username: name, ClientID: name, Certs: must(certs.Load(authority.Client(name)))(b)}
	}
	f := &benchShop{devices: make([]kioskOf, fleetSize)}
	f.hub = must(Start(context.Background(), Config{Dir: filepath.Join(dir, "hub"), Tenant: "shop", HTTP: "127.0.0.1:0", Broker: as("tact-hub-shop"),
		Sources: map[string]string{"crm": token}, Trusted: []update.PublicKey{public}}))(b)
	b.Cleanup(func() { f.hub.Close() })
	if err := f.hub.Publish(context.Background(), file, signature, ""); err != nil {
		b.Fatal(err)
	}
	brokers := make([]mqtt.Broker, fleetSize)
	for n := range brokers {
		brokers[n] = as(fmt.Sprint("kiosk-", n))
	}
	inParallel(b, fleetSize, func(n int) error {
		a, err := agent.Start(context.Background(), agent.Config{Tenant: "shop", Device: fmt.Sprint("kiosk-", n), Dir: filepath.Join(dir, fmt.Sprint("kiosk-", n)), DeviceKey: [32]byte{byte(n), byte(n >> 8), 1},
			Broker: &brokers[n], HubKeys: wire.KeysOf(f.hub.SignKey()), Trusted: []update.PublicKey{public}, BundleFile: bundle, Session: uplink.Config{Seed: uint64(n)}})
		if err != nil {
			return err
		}
		screen, _ := a.Feed().Read(0, func(m *agent.Message) bool { return m.Kind == agent.KindClear })
		f.devices[n] = kioskOf{a, screen}
		return nil
	})
	b.Cleanup(func() {
		inParallel(b, fleetSize, func(n int) error { return f.devices[n].agent.Close() })
	})
	return f
}

// everyone has each device show its own customer a sale, enters a complaint for each,
// and returns how long the refusals took, in ms and in order.
func (f *benchShop) everyone(b *testing.B) []float64 {
	f.round++
	who := func(n int) string { return fmt.Sprintf("crm:own-%d-%d", f.round, n) }
	f.meet(b, fleetSize, who)
	took := make([]float64, fleetSize)
	inParallelOf(b, complaints, fleetSize, func(n int) error {
		begin := time.Now()
		if err := f.complain(who(n)); err != nil {
			return err
		}
		err := f.devices[n].refused()
		took[n] = ms(begin)
		return err
	})
	slices.Sort(took)
	return took
}

// together has many devices show the same customer a sale, one customer after the other.
func (f *benchShop) together(b *testing.B) (took []float64) {
	for range sharedRounds {
		f.round++
		who := fmt.Sprintf("crm:shared-%d", f.round)
		f.meet(b, sharers, func(int) string { return who })
		begin := time.Now()
		if err := f.complain(who); err != nil {
			b.Fatal(err)
		}
		each := make([]float64, sharers)
		inParallelOf(b, sharers, sharers, func(n int) error {
			err := f.devices[n].refused()
			each[n] = ms(begin)
			return err
		})
		took = append(took, each...)
	}
	slices.Sort(took)
	return took
}

func ms(begin time.Time) float64 { return float64(time.Since(begin).Microseconds()) / 1000 }

// meet makes customers known at the hub, and has the first devices show each a sale.
func (f *benchShop) meet(b *testing.B, devices int, who func(n int) string) {
	b.Helper()
	known := map[string]bool{}
	for n := range devices {
		if known[who(n)] {
			continue
		}
		known[who(n)] = true
		var lines strings.Builder
		fmt.Fprintf(&lines, "{\"consent\":\"offers\",\"customer\":%q,\"granted\":true}\n", who(n))
		for k := range 10 {
			fmt.Fprintf(&lines, "{\"interaction\":\"visit\",\"customer\":%q,\"id\":\"v%d-%d-%d\"}\n", who(n), f.round, n, k)
		}
		if err := f.post(lines.String(), 11); err != nil {
			b.Fatal(err)
		}
	}
	inParallel(b, devices, func(n int) error { return f.devices[n].sell(who(n)) })
	inParallelOf(b, devices, devices, func(n int) error { return f.devices[n].delivered() })
}

// delivered waits until the hub has all that the device wrote: a complaint comes to people who
// stand there, not to a fleet that all arrived within the same second.
func (k kioskOf) delivered() error {
	for late := time.Now().Add(time.Minute); time.Now().Before(late); {
		if s := k.agent.Status().Outbox; s.Head == s.Next {
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return errors.New("the hub does not acknowledge what the device wrote")
}

// sell identifies somebody and asks until the sale is shown.
func (k kioskOf) sell(customer string) error {
	if _, err := k.submit(`{"identify":` + fmt.Sprintf("%q", customer) + `,"by":"login"}`); err != nil {
		return err
	}
	var last string
	for late := time.Now().Add(2 * time.Minute); time.Now().Before(late); {
		action, why, err := k.ask()
		if err != nil || action == "sale" {
			return err
		}
		last = why
		select {
		case <-k.screen.C: // an answer takes down what was there
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s is never shown the sale: %s", customer, last)
}

func (k kioskOf) ask() (action, line string, err error) {
	got, err := k.submit(`{"ask":"app.card"}`)
	if err != nil || len(got.Decisions) != 1 {
		return "", "", fmt.Errorf("%d decisions: %w", len(got.Decisions), err)
	}
	return got.Decisions[0].Action, string(got.Decisions[0].AppendJSON(nil, -1)), nil
}

// refused waits until the sale is taken down for the complaint, and sees that it is not shown again.
func (k kioskOf) refused() error {
	var seen []string
	late := time.After(20 * time.Second)
	for {
		select {
		case m, ok := <-k.screen.C:
			if !ok {
				return errors.New("the screen was too slow")
			}
			if bytes.Contains(m.Line, []byte(`"cause":"open_complaint"`)) {
				return nil
			}
			seen = append(seen, string(m.Line))
		case <-late:
			_, line, err := k.ask()
			return fmt.Errorf("the sale still stands; asked again: %s, %v; taken down before: %q", line, err, seen)
		}
	}
}

func (k kioskOf) submit(line string) (agent.Answer, error) {
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		return agent.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return k.agent.Submit(ctx, []event.Event{e})
}

func (f *benchShop) complain(customer string) error {
	return f.post(fmt.Sprintf("{\"interaction\":\"complaint\",\"customer\":%q,\"ref\":\"c1\"}\n", customer), 1)
}

// post gives lines to the hub as a source does; all must be taken.
func (f *benchShop) post(lines string, want int) error {
	r, err := http.NewRequest("POST", f.hub.URL()+"/v1/events", strings.NewReader(lines))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	var taken Taken
	raw, err := io.ReadAll(a.Body)
	if err == nil {
		err = json.Unmarshal(raw, &taken)
	}
	if err != nil || taken.Accepted != want {
		return fmt.Errorf("post %d lines: %s, %v", want, raw, err)
	}
	return nil
}

func inParallel(b *testing.B, n int, do func(n int) error) { inParallelOf(b, 16, n, do) }

// inParallelOf does something n times, so many at a time.
func inParallelOf(b *testing.B, at, n int, do func(n int) error) {
	b.Helper()
	var all sync.WaitGroup
	failed := make(chan error, n)
	slots := make(chan struct{}, at)
	for k := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := do(k); err != nil {
				failed <- fmt.Errorf("device %d: %w", k, err)
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
}
