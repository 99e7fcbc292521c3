package profile

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Claim is what one source said of a fact.
type Claim struct {
	Value      sense.Value
	Provenance event.Provenance
	Source     string
	Happened   sense.Instant
}

// MostClaims is how many claims a fact keeps beside the one that holds.
const MostClaims = 8

// newest is how many claims are kept because they are the newest; one more is the newest that the
// customer or a channel of the company told, one more its last retraction.
const newest = MostClaims - 1

// strong says whether a claim was declared or observed, not inferred or told by others.
func (c *Claim) strong() bool {
	return c.Provenance == event.Declared || c.Provenance == event.Observed
}

// retracts says whether a claim takes the whole fact back: one that is weak takes back its own source's alone.
func (c *Claim) retracts() bool { return c.Value.IsNull() && c.strong() }

// silent says whether a claim says nothing of the fact any more.
func (c *Claim) silent() bool { return c.Value.IsNull() && !c.strong() }

// newerFirst is the order of claims: newest first, of one instant the stronger provenance, then
// nothing before something; the rest is only there so that no order of arrival matters.
func newerFirst(a, b Claim) int {
	if n := cmp.Compare(b.Happened, a.Happened); n != 0 {
		return n
	}
	if n := cmp.Compare(a.Provenance, b.Provenance); n != 0 {
		return n
	}
	if a.Value.IsNull() != b.Value.IsNull() {
		if a.Value.IsNull() {
			return -1
		}
		return 1
	}
	return cmp.Or(strings.Compare(b.Value.String(), a.Value.String()), strings.Compare(a.Source, b.Source))
}

// claim is what holds, as a claim.
func (f *Fact) claim() Claim {
	return Claim{Value: f.Value, Provenance: f.Provenance, Source: f.Source, Happened: f.Happened}
}

// tell takes claims into a fact. The fact is a function of the set of claims ever told:
// what came before its last retraction is gone; of each source the newest remains, told and inferred
// apart; what was inferred or comes from others holds only where nothing was told.
func (f *Fact) tell(told ...Claim) {
	all := append(slices.Clone(f.Claims), told...)
	sort.Slice(all, func(a, b int) bool { return newerFirst(all[a], all[b]) < 0 })
	kept := all[:0]
	told1 := false // the newest strong claim is kept
	for _, c := range all {
		said := slices.ContainsFunc(kept, func(k Claim) bool { return k.Source == c.Source && k.strong() == c.strong() })
		first := c.strong() && !told1
		if c.retracts() || !said && (len(kept) < newest || first) {
			kept = append(kept, c)
			told1 = told1 || first
		}
		if c.retracts() {
			break
		}
	}
	holds := max(slices.IndexFunc(kept, func(c Claim) bool { return c.strong() }), 0)
	if !told1 {
		holds = max(slices.IndexFunc(kept, func(c Claim) bool { return !c.silent() }), 0)
	}
	c := kept[holds]
	f.Value, f.Provenance, f.Source, f.Happened = c.Value, c.Provenance, c.Source, c.Happened
	if f.Claims = slices.Delete(kept, holds, holds+1); len(f.Claims) == 0 {
		f.Claims = nil
	}
}

// holding returns the claim that holds at an instant: what was told while it is fresh, else the
// newest of all.
func (f *Fact) holding(d *catalog.Fact, now sense.Instant) Claim {
	holds := f.claim()
	if len(f.Claims) == 0 || !holds.strong() || now < f.Happened.Add(d.Fresh) {
		return holds
	}
	for _, c := range f.Claims { // newest first
		if c.Happened <= holds.Happened {
			break
		}
		if !c.silent() {
			return c
		}
	}
	return holds
}

// foldFact takes what one source says.
func (s *Slice) foldFact(name, owner string, told ...Claim) {
	k, found := slices.BinarySearchFunc(s.Facts, name, func(f Fact, name string) int {
		return cmp.Or(strings.Compare(f.Name, name), strings.Compare(f.Owner, owner))
	})
	if !found {
		s.Facts = slices.Insert(s.Facts, k, Fact{Name: name, Owner: owner})
		s.Facts[k].tell(told...)
		return
	}
	f := &s.Facts[k]
	f.tell(append(told, f.claim())...)
}

// pruneClaims drops the claims that are past the fact's retention; whether anything is left. The
// first claim to go next lies at least at the oldest's end.
func (f *Fact) pruneClaims(d *catalog.Fact, now sense.Instant, next *sense.Instant) (changed, left bool) {
	all := append(slices.Clone(f.Claims), f.claim())
	kept := slices.DeleteFunc(all, func(c Claim) bool { return now >= c.Happened.Add(d.Keep) })
	for _, c := range kept {
		until(next, c.Happened.Add(d.Keep), now)
	}
	if len(kept) == len(f.Claims)+1 {
		return false, true
	}
	if len(kept) == 0 {
		return true, false
	}
	f.Claims = nil
	f.tell(kept...)
	return true, true
}
