package profile

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// answered says whether an outcome is an act of the customer.
func answered(outcome string) bool {
	switch outcome {
	case "accepted", "dismissed", "later", "never", "negative", "abandoned":
		return true
	}
	return false
}

// LastContact returns when the customer last did anything: an interaction, but those in which only
// the company spoke, or an answer to a contact. ok is false where nothing is known of any.
func (s *Slice) LastContact(b *catalog.Bundle, now sense.Instant) (at sense.Instant, ok bool) {
	hear := func(t sense.Instant) {
		if t <= now && (!ok || t > at) {
			at, ok = t, true
		}
	}
	for n := len(s.Interactions) - 1; n >= 0 && !ok; n-- { // the latest first
		i := &s.Interactions[n]
		if k := b.Kind(i.Kind); i.Happened <= now && (k == nil || k.Means != catalog.MeansContacted) {
			hear(i.Happened)
		}
	}
	for n := range s.Exposures {
		for _, o := range s.Exposures[n].Outcomes {
			if answered(o.Outcome) {
				hear(o.At)
			}
		}
	}
	return at, ok
}

// MergeExposures takes in what another copy knows of contacts: those that are not here, and of each the answers
// of both. Copies merge in any order, and as often as they come.
func (s *Slice) MergeExposures(list []Exposure) {
	if len(list) < 8 {
		for k := range list {
			s.mergeExposure(list[k])
		}
		return
	}
	place := make(map[string]int, len(s.Exposures)+len(list))
	for k := range s.Exposures {
		place[s.Exposures[k].Decision] = k
	}
	for k := range list {
		n, here := place[list[k].Decision]
		if !here {
			n = len(s.Exposures)
			s.Exposures = append(s.Exposures, list[k])
			place[list[k].Decision] = n
		}
		s.Exposures[n].merge(list[k])
	}
	if !slices.IsSortedFunc(s.Exposures, orderExposures) {
		slices.SortFunc(s.Exposures, orderExposures)
	}
}

func (s *Slice) mergeExposure(x Exposure) {
	if s.Exposure(x.Decision) == nil {
		s.AddExposure(x)
	}
	s.Exposure(x.Decision).merge(x)
}

// merge takes in what another copy knows of a contact. That it was shown, ignored or failed is told once:
// the earliest word of it stays.
func (own *Exposure) merge(x Exposure) {
	for _, name := range [...]struct{ own, told *string }{{&own.Action, &x.Action}, {&own.Intent, &x.Intent}, {&own.Group, &x.Group}, {&own.Channel, &x.Channel}, {&own.Slot, &x.Slot}} {
		*name.own = cmp.Or(*name.own, *name.told)
	}
	own.About, own.Seq = cmp.Or(own.About, x.About), max(own.Seq, x.Seq)
	if x.Shown != 0 {
		x.Shown = max(x.Shown, own.At) // as Answer has it
	}
	if earlier := min(own.Shown, x.Shown); earlier != 0 {
		own.Shown = earlier
	} else {
		own.Shown = max(own.Shown, x.Shown)
	}
	all := append(slices.Clone(own.Outcomes), x.Outcomes...)
	for k := range all {
		all[k].At = max(all[k].At, own.At)
	}
	sort.Slice(all, func(a, b int) bool {
		return cmp.Or(cmp.Compare(all[a].At, all[b].At), strings.Compare(all[a].Outcome, all[b].Outcome)) < 0
	})
	own.Outcomes = toldOnce(slices.Compact(all))
	own.Failed = own.Failed || x.Failed
	if len(all) > 0 {
		own.Failed = all[0].Outcome == "failed" // the first word on a contact is the one that counts
	}
	if k := slices.IndexFunc(all, func(o Outcome) bool { return o.Outcome == "shown" }); k >= 0 {
		own.Shown = all[k].At // told, not assumed
	}
}

// toldOnce leaves of those outcomes that are told once the earliest; list is in order of time.
func toldOnce(list []Outcome) []Outcome {
	kept := list[:0]
	for _, o := range list {
		again := false
		switch o.Outcome {
		case "shown", "ignored", "failed":
			again = slices.ContainsFunc(kept, func(k Outcome) bool { return k.Outcome == o.Outcome })
		}
		if !again {
			kept = append(kept, o)
		}
	}
	return kept
}

// KeepExposures drops the contacts of which keep says no.
func (s *Slice) KeepExposures(keep func(x *Exposure) bool) {
	s.Exposures = slices.DeleteFunc(s.Exposures, func(x Exposure) bool { return !keep(&x) })
}
