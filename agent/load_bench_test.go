package agent

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/wire"
)

// loadSeed begins the policies of these figures, the same on every machine.
const loadSeed = 20260302

// bigShop writes a policy of n actions as a shop of that size would have: 40 signals and 20 facts of five types,
// of which a few are asked for by most, 3 to 8 predicates an action (a tenth over two numbers, a tenth over time), and
// texts in two languages, for half of the actions once more by name.
func bigShop(n int) string {
	r := rand.New(rand.NewPCG(loadSeed, uint64(n)))
	zipf := rand.NewZipf(r, 1.2, 4, 59)
	var p strings.Builder
	p.WriteString(`policy: big-shop
version: 1
currency: EUR
languages: [en, nl]
zone: Europe/Amsterdam
visit: {ends_after: 10m}
session: {ends: "!presence", after: 20s}
purposes:
  service: {basis: contract, for: {en: "to help you", nl: "om je te helpen"}}
  offers: {basis: consent, for: {en: "for personal offers", nl: "voor persoonlijke aanbiedingen"}}
signals:
  people: {type: int, max_age: 5s}
  presence: {type: bool, max_age: 5s}
`)
	for k := range 40 {
		fmt.Fprintf(&p, "  sensor%02d: {type: %s, max_age: %dm}\n", k, loadTypes[k%5], 1+k)
	}
	p.WriteString("states:\n  alone: {when: \"people == 1\", unknown: not_alone}\nfacts:\n  name.first: {type: string, purposes: [service, offers], from: [declared], keep: 2y}\n")
	for k := range 20 {
		fmt.Fprintf(&p, "  profile.fact%02d: {type: %s, purposes: [service, offers], keep: 2y, fresh: 1y}\n", k, loadTypes[k%5])
	}
	p.WriteString("interactions:\n  purchase: {keep: 7y, purposes: [service, offers], blocks: {offer_of: same_or_kind}}\nslots:\n")
	for k := range 6 {
		fmt.Fprintf(&p, "  screen.place%d: {channel: kiosk, shared_screen: true}\n", k)
	}
	p.WriteString("groups:\n")
	for k := range 20 {
		fmt.Fprintf(&p, "  department%02d: {issue: growth, lever: %d %%}\n", k, 1+k)
	}
	p.WriteString("actions:\n")
	for k := range n {
		var atoms []string
		asked := map[int]bool{} // one attribute once, so that no action contradicts itself
		for most := 3 + r.IntN(6); len(atoms) < most; {
			if k := int(zipf.Uint64()); !asked[k] {
				asked[k] = true
				atoms = append(atoms, loadAtom(r, k))
			}
		}
		half := 1 + r.IntN(len(atoms)-1)
		thing := loadThings[r.IntN(len(loadThings))]
		fmt.Fprintf(&p, "  offer-%05d-%s:\n    intent: sales\n    purpose: offers\n    group: department%02d\n    about: product:%s-%05d\n", k, thing[0], r.IntN(20), thing[0], k)
		fmt.Fprintf(&p, "    slots: [screen.place%d, screen.place%d]\n    eligible: %q\n    applicable: %q\n", k%3, 3+k%3, strings.Join(atoms[:half], " && "), strings.Join(atoms[half:], " && "))
		fmt.Fprintf(&p, "    value: %d.00\n    propensity: 0.%02d\n    bother: 0.05\n", 1+r.IntN(400), 1+r.IntN(30))
		price := 5 + r.IntN(900)
		fmt.Fprintf(&p, "    say:\n      en: \"Today only: %d euro off every %s on the ground floor.\"\n      nl: \"Alleen vandaag: %d euro korting op elke %s op de begane grond.\"\n", price, thing[0], price, thing[1])
		if r.IntN(2) == 0 {
			fmt.Fprintf(&p, "    say_personal:\n      en: \"{name.first}, as a member you get %d euro off every %s.\"\n      nl: \"{name.first}, als lid krijg je %d euro korting op elke %s.\"\n", price, thing[0], price, thing[1])
		}
	}
	return p.String()
}

var (
	loadTypes  = [...]string{"double", "int", "string", "bool", "double"}
	loadThings = [...][2]string{{"bicycle", "fiets"}, {"raincoat", "regenjas"}, {"kettle", "waterkoker"}, {"garden-chair", "tuinstoel"}, {"lamp", "lamp"}, {"suitcase", "koffer"}}
)

// loadAtom is one predicate over attribute k: the first 40 are signals.
func loadAtom(r *rand.Rand, k int) string {
	name := func(k int) string {
		if k < 40 {
			return fmt.Sprintf("sensor%02d", k)
		}
		return fmt.Sprintf("profile.fact%02d", k-40)
	}
	threshold := 5 * (1 + r.IntN(12))
	what, over := k%5, r.IntN(10)
	if over == 0 && what%4 == 0 && k < 36 {
		return fmt.Sprintf("%s > %s + %d.0", name(k), name(k+4-k%5), threshold)
	}
	sign := [...]string{"<", ">", "<=", ">="}[r.IntN(4)]
	atom := ""
	switch what {
	case 0, 4:
		atom = fmt.Sprintf("%s %s %d.5", name(k), sign, threshold)
	case 1:
		atom = fmt.Sprintf("%s %s %d", name(k), sign, threshold)
	case 2:
		atom = fmt.Sprintf("%s == 'word%02d'", name(k), r.IntN(12))
	default:
		atom = [...]string{"", "!"}[r.IntN(2)] + name(k)
	}
	if over == 1 && k < 40 {
		return fmt.Sprintf("held(%s) >= %ds", atom, threshold)
	}
	return atom
}

// bigBundle is a policy of n actions as a device gets it.
func bigBundle(t testing.TB, n int) (encoded, signature []byte, trusted []update.PublicKey) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(bigShop(n)), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %v", err, findings)
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	encoded = catalog.Encode(b)
	if signature, err = update.Sign(encoded, secret, "big-shop@1"); err != nil {
		t.Fatal(err)
	}
	return encoded, signature, []update.PublicKey{public}
}

// loader is what of an agent reads its bundle.
func loader(bundles *update.Store) *Agent {
	return &Agent{bundles: bundles, body: &Body{}, tables: map[wire.BundleID]*symbols{}, catalogs: map[wire.BundleID]*catalog.Bundle{}}
}

// BenchmarkLoad is what lies between the signed bytes on a disk and a mind that has the bundle in charge.
func BenchmarkLoad(b *testing.B) {
	encoded, signature, trusted := bigBundle(b, 1000)
	folder := update.Folder(b.TempDir())
	staged, err := update.NewStore(folder, trusted, readBundle).Stage(encoded, signature)
	if err == nil {
		err = update.NewStore(folder, trusted, readBundle).Activate(staged)
	}
	if err != nil {
		b.Fatal(err)
	}
	load := func() (*Agent, *engine.Mind) {
		a := loader(update.NewStore(folder, trusted, readBundle))
		u, err := a.loadActive()
		if err != nil {
			b.Fatal(err)
		}
		m := engine.New(engine.Config{Device: "kiosk-1"})
		m.Step(engine.Input{At: 1772442000000, Bundle: u})
		return a, m
	}
	b.Run("1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			load()
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "load.1000:ms")
		b.ReportMetric(20, "load.1000:ms:at-most")
		before := live()
		a, m := load()
		b.ReportMetric(float64(live()-before)/1e6, "load.heap:MB")
		b.ReportMetric(4, "load.heap:MB:at-most")
		runtime.KeepAlive(a)
		runtime.KeepAlive(m)
	})
	bundle, err := catalog.Decode(encoded)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d bytes, %d actions, %d nodes, %d inputs", len(encoded), len(bundle.Actions), len(bundle.Program.Nodes), len(bundle.Program.Inputs))
	for _, part := range []struct {
		name string
		make func() any
	}{
		{"verify", func() any { _, err := update.Verify(encoded, signature, trusted); return err }},
		{"decode", func() any { b, _ := catalog.Decode(encoded); return b }},
		{"check", func() any { return catalog.Check(bundle) }},
		{"sources", func() any { return moment.Check(bundle) }},
		{"symbols", func() any { return symbolsOf(wire.BundleID{}, catalog.Symbols(bundle)) }},
		{"rule", func() any { p, _ := rule.NewPlan(&bundle.Program, moment.Interest(bundle)); return p }},
		{"moment", func() any { return moment.New(bundle, nil) }},
		{"mind", func() any {
			m := engine.New(engine.Config{Device: "kiosk-1"})
			m.Step(engine.Input{At: 1772442000000, Bundle: &engine.BundleUpdate{Bundle: bundle}})
			return m
		}},
	} {
		b.Run("part/"+part.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				part.make()
			}
			before := live()
			kept := part.make()
			b.ReportMetric(float64(live()-before)/1e3, "live-kB")
			runtime.KeepAlive(kept)
		})
	}
}

// live is the heap in bytes that is in use after everything else is gone.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
