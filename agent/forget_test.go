package agent

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/mqtt"
)

// TestForgetOfWhomTheHubKnowsBetter: the device was never told of her, or has not told the hub of her
// yet; what the hub knows from elsewhere goes all the same.
func TestForgetOfWhomTheHubKnowsBetter(t *testing.T) {
	for name, lines := range map[string][]string{
		"unknown here":      {`{"forget":"crm:7"}`},
		"not told yet":      {`{"identify":"crm:7","by":"card"}`, `{"ask":"home"}`, `{"forget":"crm:7"}`},
		"and said twice":    {`{"forget":"crm:7"}`, `{"forget":"crm:7"}`},
		"after a restart":   {`{"forget":"crm:7"}`, "restart"},
		"after a new epoch": {`{"forget":"crm:7"}`, "move"},
	} {
		t.Run(name, func(t *testing.T) {
			o, dir := newOffice(t), filepath.Join(t.TempDir(), "store")
			tell := func(id string) {
				e := event.Event{At: o.now, HasAt: true, Happened: o.now, Session: event.MainSession, Body: &event.Restrict{Customer: id, On: true}}
				tx, err := o.l.Begin(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				out, err := o.mind.Round(tx, o.now, []hub.Input{hub.FromSource{Source: "crm", Event: e}})
				if err == nil {
					err = tx.Commit()
				}
				if err != nil || out[0].Answer.Err != nil {
					t.Fatal(err, out[0].Answer.Err)
				}
			}
			tell("crm:7")
			tell("crm:8")
			machine := "a"
			with := func(c *Config) {
				talking(t)(c)
				c.Machine, c.Broker = machine, &mqtt.Broker{Address: "tcp://127.0.0.1:1"} // nobody is there: it is carried by hand
			}
			a := start(t, dir, with)
			for _, l := range lines {
				switch l {
				case "move":
					machine = "b"
					fallthrough
				case "restart":
					stop(t, a)
					a = start(t, dir, with)
				default:
					submit(t, a, l)
				}
			}
			for _, h := range a.store.Keys.Handles() {
				if h != ownerHandle {
					t.Errorf("a key of %x is left", h)
				}
			}
			o.visit(a)
			stop(t, a)
			if n, err := o.l.Count(context.Background()); err != nil || n.Entries != 1 || n.Customers > 1 {
				t.Errorf("the hub holds %+v, %v: want what it knows of the other alone", n, err)
			}
			if r, err := o.l.Verify(context.Background()); err != nil || len(r.Findings) > 0 && !strings.Contains(r.Findings[0].Code, "duplicate") {
				t.Errorf("%+v, %v", r, err)
			}
			raw := ledgerBytes(t, o.l)
			if strings.Contains(raw, "crm:7") {
				t.Errorf("the hub still says who it was: %s", raw)
			}
		})
	}
}

// ledgerBytes are the bodies of all records.
func ledgerBytes(t *testing.T, l *ledger.Memory) string {
	t.Helper()
	list, err := l.Decisions(context.Background(), ledger.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, d := range list {
		b.Write(d.Record.Body)
	}
	return b.String()
}

// TestForgetAlone: a device without a hub keeps nothing that says who it was.
func TestForgetAlone(t *testing.T) {
	a := start(t, t.TempDir(), nil)
	submit(t, a, `{"forget":"crm:7"}`)
	if n := len(a.store.Keys.Handles()); n != 0 {
		t.Errorf("%d keys", n)
	}
	if s := a.queue.Status(); s.Next != 2 {
		t.Errorf("%d records, want the receipt alone", s.Next-1)
	}
	stop(t, a)
}
