package hub_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

// held returns the names of what the hub holds of anna, in order.
func held(w *world) string {
	w.t.Helper()
	c := w.must(hub.Look{Customer: "anna"}).View
	var names []string
	for _, f := range c.Slice.Facts {
		names = append(names, f.Name)
	}
	for _, i := range c.Slice.Interactions {
		names = append(names, i.Kind)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Where the law takes the basis of a purpose away, what is held for it alone goes from the hub, and no
// more of it is taken; where another bundle in charge still has a basis for it, it stays.
func TestNoBasisHoldsNothing(t *testing.T) {
	for _, c := range []struct {
		group bool // another bundle, for a group of devices, keeps its bases
		want  string
	}{{false, "complaint name"}, {true, "complaint interests name"}} {
		w := newWorld(t)
		if c.group {
			w.must(hub.Publish{Scope: "g/old", File: catalog.Encode(dealer())})
		}
		w.given(`{"consent":"offers","customer":"anna","granted":true}`,
			`{"fact":"interests","customer":"anna","value":["garden"],"provenance":"declared"}`,
			`{"fact":"name","customer":"anna","value":"Anna","provenance":"declared"}`,
			`{"interaction":"complaint","customer":"anna","ref":"c1"}`)
		if got := held(w); got != "complaint interests name" {
			t.Fatalf("the hub holds %q", got)
		}
		next := dealer()
		next.Version = 2
		next.Purposes[0].Basis = catalog.BasisNone
		w.must(hub.Publish{File: catalog.Encode(next)})
		w.now += sense.Instant(sense.Minute)
		w.must(hub.Tick{})
		if got := held(w); got != c.want {
			t.Errorf("with a group %v the hub holds %q, want %q", c.group, got, c.want)
		}
		w.given(`{"fact":"interests","customer":"anna","value":["kitchen"],"provenance":"declared"}`)
		if got := held(w); got != c.want {
			t.Errorf("with a group %v the hub takes more: %q", c.group, got)
		}
	}
}

// A derived value that devices told under a consent goes with it, unless another purpose permits it, or
// a later word granted the consent again.
func TestWithdrawnConsentLetsGoOfDerivedValues(t *testing.T) {
	for name, c := range map[string]struct {
		purposes catalog.PurposeSet
		lines    []string
		want     string
	}{
		"its only purpose": {1, []string{`{"consent":"offers","customer":"anna","granted":false}`}, "name"},
		"one of two":       {3, []string{`{"consent":"offers","customer":"anna","granted":false}`}, "name score"},
		"another":          {1, []string{`{"consent":"service","customer":"anna","granted":false}`}, "name score"},
		"a word of before": {1, []string{`{"consent":"offers","customer":"anna","granted":false,"happened":"2026-03-01T09:00:00Z"}`}, "name score"},
	} {
		w := newWorld(t)
		b := dealer()
		b.Version, b.Derived[1].Purposes = 2, c.purposes
		w.must(hub.Publish{File: catalog.Encode(b)})
		w.given(`{"consent":"offers","customer":"anna","granted":true}`,
			`{"fact":"name","customer":"anna","value":"Anna","provenance":"declared"}`,
			`{"fact":"score","customer":"anna","value":70,"provenance":"observed"}`)
		if got := held(w); got != "name score" {
			t.Fatalf("%s: the hub holds %q", name, got)
		}
		w.now += sense.Instant(sense.Minute)
		w.given(c.lines...)
		if got := held(w); got != c.want {
			t.Errorf("%s: the hub holds %q, want %q", name, got, c.want)
		}
	}
}
