package hub_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// shop is a hub with devices that hold customers of whom a little is known.
func shop(b *testing.B, l ledger.Ledger, devices int, customer func(k int) string) *world {
	w := newWorldOver(b, l)
	seen := map[string]bool{}
	for k := range devices {
		id, d := customer(k), fmt.Sprintf("k%d", k)
		if !seen[id] {
			seen[id] = true
			w.given(`{"fact":"name","customer":"`+id+`","value":"Anna","provenance":"declared"}`,
				`{"consent":"offers","customer":"`+id+`","granted":true}`, `{"interaction":"purchase","about":"product:model-x","customer":"`+id+`","ref":"p1"}`)
		}
		h := wire.Handle{byte(k), byte(k >> 8), 1}
		if err := w.request(d, &wire.SliceRequest{ID: "s", Handle: h, Customer: w.sealed(h, id)}); err != nil {
			b.Fatal(err)
		}
	}
	w.silent, w.sent = true, nil
	return w
}

func complaint(b *testing.B, id string, n int) hub.FromSource {
	e, err := event.ParseLine([]byte(fmt.Sprintf(`{"interaction":"complaint","customer":"%s","ref":"c%d","id":"%d"}`, id, n, n)))
	if err != nil {
		b.Fatal(err)
	}
	return hub.FromSource{Source: "crm", Event: e}
}

// What a complaint costs until the devices that hold her can be told, without the commit: alone in its round,
// among a hundred of other customers, and with a hundred devices that hold her.
func BenchmarkComplaint(b *testing.B) {
	ledgers := map[string]func(b *testing.B) ledger.Ledger{
		"memory": func(*testing.B) ledger.Ledger { return ledger.NewMemory() },
		"sqlite": func(b *testing.B) ledger.Ledger {
			l, err := ledger.OpenSQLite(context.Background(), filepath.Join(b.TempDir(), "hub.db"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { l.Close() })
			return l
		},
	}
	for _, name := range []string{"memory", "sqlite"} {
		for _, c := range []struct {
			name           string
			devices, round int
			customer       func(k int) string
		}{
			{"alone", 1000, 1, func(k int) string { return fmt.Sprint("a", k) }},
			{"hundred", 1000, 100, func(k int) string { return fmt.Sprint("a", k) }},
			{"devices", 100, 1, func(int) string { return "a0" }},
		} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				w := shop(b, ledgers[name](b), c.devices, c.customer)
				b.ReportAllocs()
				b.ResetTimer()
				told := 0
				for n := 0; n < b.N; n += c.round {
					b.StopTimer()
					inputs := make([]hub.Input, c.round)
					for k := range inputs {
						inputs[k] = complaint(b, c.customer((n+k)%c.devices), n+k)
					}
					tx, err := w.l.Begin(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					out, err := w.mind.Round(tx, w.now, inputs)
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					for _, o := range out {
						told += len(o.Messages)
					}
					if err := tx.Commit(); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(told)/float64(b.N), "told/op")
			})
		}
	}
}

// What a complaint costs of somebody who was spoken to often, an hour apart, on two devices that hold her.
func BenchmarkLongHistory(b *testing.B) {
	for _, contacts := range []int{0, 100, 1000, 3000} {
		b.Run(fmt.Sprint(contacts), func(b *testing.B) {
			l, err := ledger.OpenSQLite(context.Background(), filepath.Join(b.TempDir(), "hub.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			w := shop(b, l, 2, func(int) string { return "a0" })
			w.silent = false
			for first := 0; first < contacts; first += 100 {
				var list []wire.Record
				for n := first; n < first+100; n++ {
					at := w.now.Add(-sense.Duration(contacts-n) * sense.Hour)
					list = append(list, contactAt(uint64(n+1), wire.Handle{0, 0, 1}, "stay", at), answerTo(0, uint64(n+1), wire.Handle{0, 0, 1}, "ignored", at))
				}
				if err := w.log("k0", list...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				w.sent = nil
				w.given(fmt.Sprintf(`{"interaction":"complaint","customer":"a0","ref":"c%d","id":"%d"}`, n, n))
			}
		})
	}
}
