package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// counting counts what a round reads of the ledger.
type counting struct {
	hub.Tx
	calls, rows int
}

func count[T any](c *counting, list []T, err error) ([]T, error) {
	c.calls++
	c.rows += len(list)
	return list, err
}

func (c *counting) PersonOf(id string) (string, bool, error) { c.calls++; return c.Tx.PersonOf(id) }
func (c *counting) IDsOf(p string) ([]string, error) {
	l, err := c.Tx.IDsOf(p)
	return count(c, l, err)
}
func (c *counting) Device(id string) (hub.Device, bool, error) {
	c.calls++
	return c.Tx.Device(id)
}
func (c *counting) Entries(ids []string) ([]hub.Entry, error) {
	l, err := c.Tx.Entries(ids)
	return count(c, l, err)
}
func (c *counting) OwnerEntries(ids []string) ([]hub.Entry, error) {
	l, err := c.Tx.OwnerEntries(ids)
	return count(c, l, err)
}
func (c *counting) HoldingsOf(ids []string) ([]hub.Holding, error) {
	l, err := c.Tx.HoldingsOf(ids)
	return count(c, l, err)
}
func (c *counting) HoldingsWith(owners []string) ([]hub.Holding, error) {
	l, err := c.Tx.HoldingsWith(owners)
	return count(c, l, err)
}
func (c *counting) HoldingsAt(d string, now sense.Instant) ([]hub.Holding, error) {
	l, err := c.Tx.HoldingsAt(d, now)
	return count(c, l, err)
}
func (c *counting) Contacts(ids []string) ([]hub.Contacted, error) {
	l, err := c.Tx.Contacts(ids)
	return count(c, l, err)
}
func (c *counting) Grants(ids []string) ([]hub.Grant, error) {
	l, err := c.Tx.Grants(ids)
	return count(c, l, err)
}

// Ten thousand customers on one device, coming, going, changing: a round reads and tells what it changes, and no
// more the more the device holds.
func TestTenThousandHeldUnderChurn(t *testing.T) {
	const held, rounds, each = 10_000, 40, 50
	w := newWorld(t)
	w.clock = sense.ClockSynced
	round := func(inputs ...hub.Input) (c counting, told, bytes int) {
		t.Helper()
		tx, err := w.l.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		c.Tx = tx
		out, err := w.mind.Round(&c, w.now, inputs)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			if o.Answer.Err != nil {
				t.Fatal(o.Answer.Err)
			}
			for _, m := range o.Messages {
				told, bytes = told+1, bytes+len(m.Payload)
				w.deliver(m)
			}
		}
		return c, told, bytes
	}
	handle := func(k int) wire.Handle { return wire.Handle{byte(k), byte(k >> 8), byte(k >> 16), 1} }
	ask := func(k int) hub.Input {
		b, err := wire.EncodeRequest(&wire.SliceRequest{ID: "s", Handle: handle(k), Customer: w.sealed(handle(k), fmt.Sprint("c", k))})
		if err != nil {
			t.Fatal(err)
		}
		return hub.FromDevice{Topic: "tact/v1/shop/k1/up/req", Payload: b}
	}
	tell := func(text string) hub.Input {
		e, err := event.ParseLine([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return hub.FromSource{Source: "crm", Event: e}
	}
	for k := 0; k < held; k += 100 {
		var inputs []hub.Input
		tx, err := w.l.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for n := k; n < k+100; n++ { // as if they had been asked for, without the sealing
			if err := tx.Apply([]hub.Write{hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: handle(n), ID: fmt.Sprint("c", n), Until: w.now.Add(sense.Day)}}}); err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, tell(fmt.Sprintf(`{"fact":"name","customer":"c%d","value":"Anna","provenance":"declared"}`, n)))
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		round(inputs...)
	}
	if len(w.held) != held {
		t.Fatalf("%d slices are held", len(w.held))
	}
	// A hello names some of them; they are told to be unchanged without being worked out anew.
	hello := &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1}
	for k := range 512 {
		hello.Handles = append(hello.Handles, wire.Held{Handle: handle(k), Revision: w.holds("k1", handle(k)).Revision})
	}
	b, err := wire.EncodeRequest(hello)
	if err != nil {
		t.Fatal(err)
	}
	c, told, bytes := round(hub.FromDevice{Topic: "tact/v1/shop/k1/up/req", Payload: b})
	if told < 512 || told > 520 || bytes > 512*200 || c.rows > 512 {
		t.Errorf("a hello read %d rows in %d calls, and was told %d messages of %d bytes", c.rows, c.calls, told, bytes)
	}
	r, next := rand.New(rand.NewPCG(1, 1)), held
	for n := range rounds {
		w.now = w.now.Add(sense.Minute)
		var inputs []hub.Input
		changed := map[int]bool{}
		for k := range each {
			who := r.IntN(held - 1000) // the others may have been forgotten
			changed[who] = true
			switch k % 5 {
			case 0:
				inputs = append(inputs, ask(next)) // somebody new
				next++
			case 1:
				inputs = append(inputs, ask(who)) // a lease renewed by itself
			case 2:
				inputs = append(inputs, tell(fmt.Sprintf(`{"forget":"c%d"}`, next-1-r.IntN(9))))
			default:
				inputs = append(inputs, tell(fmt.Sprintf(`{"interaction":"complaint","customer":"c%d","ref":"r%d"}`, who, n*each+k)))
			}
		}
		if c, told, bytes := round(inputs...); told > 2*each || bytes > each*2000 || c.calls > 40*each || c.rows > 40*each {
			t.Fatalf("round %d: %d inputs read %d rows in %d calls, and told %d messages of %d bytes", n, each, c.rows, c.calls, told, bytes)
		}
	}
	// And a change of the device's bundle tells those slices only of which it says something else.
	report, err := wire.EncodeJSON(wire.Reported{Bundle: wire.BundleRef{SHA256: "unknown yet"}})
	if err != nil {
		t.Fatal(err)
	}
	if c, told, _ := round(hub.FromDevice{Topic: "tact/v1/shop/k1/st/rep", Payload: report}); told != 0 || c.calls > 12*next {
		t.Errorf("a bundle that says the same was told %d messages, in %d calls", told, c.calls)
	}
}
