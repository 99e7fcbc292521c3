package agent

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// counter is a screen in a shop: somebody asks, sometimes with a card.
const counterPolicy = `policy: counter
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
visit: {ends_after: 10m}
session: {ends: "!presence", after: 20s, at_most: 10m}
purposes:
  offers: {basis: consent, for: {en: "for personal offers"}}
  service: {basis: contract, for: {en: "to serve you"}}
signals:
  presence: {type: bool, max_age: 5s}
  people: {type: int, max_age: 5s}
facts:
  size: {type: string, purposes: [offers, service], keep: 2y}
interactions:
  visit: {keep: 30d, purposes: [service]}
slots:
  home: {channel: kiosk}
actions:
  bench: {intent: sales, purpose: offers, slots: [home], about: product:bench, eligible: "size == 'M'", value: 15.00, propensity: 0.10, bother: 0.05, say_personal: {en: "The bench in M."}}
  hello: {intent: service, purpose: service, slots: [home], eligible: "has(size)", value: 2.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Welcome back."}}
  hours: {intent: information, slots: [home], value: 0.60, propensity: 0.10, bother: 0.05, say: {en: "Open until eight."}}
  news: {intent: information, slots: [home], value: 0.55, propensity: 0.10, bother: 0.05, say: {en: "New in aisle 4."}}
`

func procIO(b testing.TB) (wchar, pages int64) {
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "wchar":
			wchar = n
		case "write_bytes":
			pages = n
		}
	}
	return wchar, pages
}

// BenchmarkDay lives one day of a shop in virtual time, over a real store: 14 hours open, 2,000 shown
// decisions in 500 visits, a signal a second. Every decision is acknowledged as shown by the app; of 100, 15 are
// accepted, 25 dismissed, 60 not answered. Three visits in ten are of somebody with a card, 120 customers in all, of
// whom a third tell a fact. The hub acknowledges once a minute.
func BenchmarkDay(b *testing.B) {
	const shown, asks, open, people = 2_000, 4, 14 * 3600, 120
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(counterPolicy), 0o600); err != nil {
		b.Fatal(err)
	}
	bundle, findings, err := policy.Compile(dir)
	if err != nil || bundle == nil {
		b.Fatal(err, findings)
	}
	for b.Loop() {
		_, change := provisioned(b, bundle)
		clock := &fakeClock{wall: 1_772_427_600_000, synced: true}
		a := start(b, filepath.Join(b.TempDir(), "store"), func(c *Config) { change(c); c.Clock = clock })
		began := a.Status().Written
		calls, pages := procIO(b)
		dice := rand.New(rand.NewPCG(1, 2))
		decided, answers := 0, map[int][]string{}
		for second := range 24 * 3600 {
			clock.pass(sense.Second)
			lines := append([]string{`{"signal":"presence","value":true}`}, answers[second]...)
			delete(answers, second)
			if visit, ask := decided/asks, decided%asks; decided < shown && second >= visit*asks*open/shown+8*ask {
				if ask == 0 {
					who := `{"identify":null}`
					if dice.IntN(10) < 3 {
						who = fmt.Sprintf(`{"identify":"card:%d","by":"card"}`, dice.IntN(people))
					}
					submit(b, a, `{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, who)
					lease(b, a, clock.Wall())
					if who[12] == '"' && visit%3 == 0 {
						submit(b, a, fmt.Sprintf(`{"fact":"size","customer":%s,"value":"M","provenance":"declared"}`, who[12:strings.IndexByte(who, ',')]))
					}
				}
				for _, d := range submit(b, a, `{"ask":"home"}`).Decisions {
					if d.Action == silence {
						b.Fatalf("silent: %s", d.Cause)
					}
					submit(b, a, `{"outcome":"shown","decision":"`+d.ID+`"}`)
					decided++
					switch n := dice.IntN(100); {
					case n < 15:
						answers[second+8] = append(answers[second+8], `{"outcome":"accepted","decision":"`+d.ID+`"}`)
					case n < 40:
						answers[second+5] = append(answers[second+5], `{"outcome":"dismissed","decision":"`+d.ID+`"}`)
					}
				}
			}
			submit(b, a, lines...)
			if second%60 == 59 {
				s := a.queue.Status()
				if err := a.queue.Acknowledge(s.Epoch, s.Next-1, nil); err != nil {
					b.Fatal(err)
				}
			}
		}
		if decided != shown {
			b.Fatalf("%d were shown, want %d", decided, shown)
		}
		stop(b, a)
		wchar, dirty := procIO(b)
		w := a.Status().Written
		b.ReportMetric(float64(w.Total-began.Total)/1e6, "day.written:MB")
		b.ReportMetric(60, "day.written:MB:at-most")
		b.ReportMetric(float64(wchar-calls)/1e6, "day.written.calls:MB")
		b.ReportMetric(float64(dirty-pages)/1e6, "day.written.blocks:MB")
		for _, file := range []string{"outbox.db", "state.db", "keys", "moments"} {
			b.ReportMetric(float64(w.Files[file]-began.Files[file])/1e6, "day.written."+strings.TrimSuffix(file, ".db")+":MB")
		}
	}
}

// lease gives who stands there a slice for a week, as the hub would.
func lease(b testing.TB, a *Agent, now sense.Instant) {
	snap := snapshotOf(b, a)
	for _, c := range snap.Customers {
		if c.Revision == 0 {
			do(b, a, func() {
				a.inbox.fromHub(uplink.Message{Message: &wire.Slice{Handle: wire.Handle(c.Handle), Revision: 1, Until: int64(now.Add(sense.Week)), Customer: "p-" + c.Customer,
					Consents: []wire.SliceConsent{{Purpose: "offers", Granted: true, Ever: true, Happened: int64(now.Add(-sense.Day))}}}})
			})
		}
	}
}
