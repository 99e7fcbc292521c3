package guard

import (
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// threeStrikes (three_strikes): who was disappointed again and again is not sold to, nor entertained
// unasked; people see to it first.
func threeStrikes(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Intent != catalog.Sales && (a.Intent != catalog.Entertainment || v.Asked) {
		return Verdict{}
	}
	count, effect, until := Strikes(v)
	if effect < catalog.StrikeNoSales {
		return Verdict{}
	}
	least := count
	for _, s := range v.Bundle.Strikes.At {
		if s.Then >= catalog.StrikeNoSales {
			least = min(least, s.Count)
		}
	}
	d := v.refuse(catalog.ThreeStrikes, catalog.Because{Name: "negative", Value: sense.IntValue(count), Age: catalog.NoAge, Needed: v.Room.Text("< ", strconv.FormatInt(least, 10))})
	d.Until = until
	return d
}

// Strikes returns how many negative experiences count now, the strongest effect that this has come to
// (0 for none), and when the count next falls by itself, Never where it does not.
//
// What counts is an interaction of a negative kind that was not undone, and an outcome `negative`, each
// within the policy's window, and one per ref: the decision of an outcome is its ref.
func Strikes(v *View) (count int64, effect catalog.StrikeEffect, until sense.Instant) {
	until = sense.Never
	s := v.Bundle.Strikes
	if s == nil || v.Slice == nil {
		return 0, 0, until
	}
	v.each(func(k *catalog.Kind) bool { return k.Negative }, func(k *catalog.Kind, i *profile.Interaction) {
		end := min(i.Happened.Add(s.In), i.Happened.Add(k.Keep))
		if v.Now >= end {
			return
		}
		undone, next := v.Slice.Undone(v.Bundle, k, i, v.Now)
		if undone {
			return
		}
		until = min(until, end, next)
		if !v.counted(s, k, i) {
			count++
		}
	})
	for n := range v.Slice.Exposures {
		x := &v.Slice.Exposures[n]
		end, negative := v.strike(s, x)
		if !negative {
			continue
		}
		until = min(until, end)
		if !v.complained(s, x.Decision) {
			count++
		}
	}
	for _, one := range s.At {
		if count >= one.Count {
			effect = max(effect, one.Then)
		}
	}
	return count, effect, until
}

// strike says whether a contact was found negative within the window, and when it ceases to count.
func (v *View) strike(s *catalog.Strikes, x *profile.Exposure) (end sense.Instant, negative bool) {
	for _, o := range x.Outcomes {
		if o.Outcome == "negative" && o.At <= v.Now && v.Now < o.At.Add(s.In) {
			end, negative = max(end, o.At.Add(s.In)), true
		}
	}
	return end, negative
}

// counted says whether a negative interaction is one that was counted before: another with its ref, of
// an earlier kind, or of its own and earlier.
func (v *View) counted(s *catalog.Strikes, kind *catalog.Kind, i *profile.Interaction) bool {
	if i.Ref == "" {
		return false
	}
	found, reached := false, false
	v.each(func(k *catalog.Kind) bool { return k.Negative }, func(k *catalog.Kind, j *profile.Interaction) {
		reached = reached || k == kind && j == i
		if !reached && !found && j.Ref == i.Ref && v.Now < j.Happened.Add(s.In) {
			undone, _ := v.Slice.Undone(v.Bundle, k, j, v.Now)
			found = !undone
		}
	})
	return found
}

// complained says whether a negative interaction that counts has that ref.
func (v *View) complained(s *catalog.Strikes, ref string) bool {
	found := false
	v.each(func(k *catalog.Kind) bool { return k.Negative }, func(k *catalog.Kind, j *profile.Interaction) {
		if ref != "" && !found && j.Ref == ref && v.Now < j.Happened.Add(s.In) {
			undone, _ := v.Slice.Undone(v.Bundle, k, j, v.Now)
			found = !undone
		}
	})
	return found
}

// Foremost says whether an action goes before even what is mandatory: where a person takes over, that
// is the hand-over, and a warning beside it, whatever a recovery would be worth.
func Foremost(v *View, a *catalog.Action) bool {
	if a.Intent != catalog.Handoff && !(a.Intent == catalog.Safety && a.Mandatory) {
		return false
	}
	_, effect, _ := Strikes(v)
	return effect == catalog.StrikeHandOver
}

// Mandatory says whether an action goes before all others: because its author says so, or by what
// the customer went through. It is never ahead of consent, nor of any other stage before ranking.
func Mandatory(v *View, a *catalog.Action) bool {
	if a.Mandatory || a.Intent != catalog.Recovery && a.Intent != catalog.Handoff {
		return a.Mandatory
	}
	_, effect, _ := Strikes(v)
	return a.Intent == catalog.Recovery && effect >= catalog.StrikeRecovery || a.Intent == catalog.Handoff && effect >= catalog.StrikeHandOver
}
