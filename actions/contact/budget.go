package contact

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// budgetNotLeased: of every limit that concerns the action the device must hold a unit, under a lease that
// runs by a clock that is right. So caps hold over the fleet, whoever is cut off. Where no hub leases
// (replay, scenarios of one mind, a device that stands alone) there is no such rule: what is known is all there is.
func budgetNotLeased(v *guard.View, a *catalog.Action) guard.Verdict {
	if v.Budgets == nil || v.Slice == nil || a.ExemptCaps {
		return guard.Verdict{}
	}
	runs := v.Clock == sense.ClockSynced && v.Now < v.Budgets.Until
	for k := range v.Bundle.Contact.Limits {
		l := &v.Bundle.Contact.Limits[k]
		if l.AtMost <= 0 || !concerns(v.Bundle, l, a, v.Channel) {
			continue
		}
		left := int64(0)
		if runs {
			left = unitsLeft(v.Bundle, v.Slice, v.Budgets, l, Unit(l, a))
		}
		if left > 0 {
			continue
		}
		because := catalog.Because{Name: l.Name, Value: sense.IntValue(left), Age: catalog.NoAge, Needed: "> 0"}
		d := guard.Verdict{Reason: catalog.BudgetNotLeased}
		switch {
		case v.Clock != sense.ClockSynced:
			d.Because = v.Room.Because(because, catalog.Because{Name: guard.Clock, Value: sense.StringValue(v.Clock.String()), Age: catalog.NoAge, Needed: sense.ClockSynced.String()})
		case v.Budgets.Until != 0:
			until := catalog.Because{Name: "until", Value: sense.TimestampValue(v.Budgets.Until), Age: catalog.NoAge}
			if !runs {
				until.Age = v.Now.Sub(v.Budgets.Until)
			}
			d.Because = v.Room.Because(because, until)
		default:
			d.Because = v.Room.Because(because)
		}
		return d
	}
	return guard.Verdict{}
}

// Unit returns about what a unit of a limit is leased for showing an action: nothing in particular,
// unless the limit counts per subject: then the action's subject, else its name.
func Unit(l *catalog.Limit, a *catalog.Action) string {
	switch {
	case !l.About:
		return ""
	case a.About != "":
		return string(a.About)
	}
	return a.Name
}

// Takes says whether a contact takes a unit of a limit about something (see Unit): it falls under the
// limit, has not failed, and has the outcome that the limit counts, or none yet that ends it.
func Takes(b *catalog.Bundle, l *catalog.Limit, about string, x *profile.Exposure) bool {
	if x.Failed || !fallsUnder(b, l, x) || l.About && !ofUnit(about, x) {
		return false
	}
	return l.Counting == "shown" || !x.Final() || has(x, l.Counting)
}

// ofUnit says whether a contact is about what a unit is leased for.
func ofUnit(about string, x *profile.Exposure) bool {
	if strings.IndexByte(about, ':') >= 0 {
		return x.About != "" && event.Subject(about).Touches(x.About)
	}
	return x.Action == about
}

func has(x *profile.Exposure, outcome string) bool {
	for k := range x.Outcomes {
		if x.Outcomes[k].Outcome == outcome {
			return true
		}
	}
	return false
}

// UnitsLeased returns how many units of a limit about something this device was leased: those that are named, else
// what there is of each that is not.
func UnitsLeased(leased *profile.Budgets, l *catalog.Limit, about string) int64 {
	for k := range leased.List {
		if x := &leased.List[k]; x.Limit == l.Name && x.About == about {
			return x.Units
		}
	}
	for k := range leased.Each {
		if x := &leased.Each[k]; l.About && x.Limit == l.Name {
			if _, none := slices.BinarySearch(x.But, about); none {
				return 0
			}
			return x.Units
		}
	}
	return 0
}

// unitsLeft returns how many units of a limit are left to this device, never below 0.
func unitsLeft(b *catalog.Bundle, s *profile.Slice, leased *profile.Budgets, l *catalog.Limit, about string) (left int64) {
	left = UnitsLeased(leased, l, about)
	for k := range s.Exposures {
		if left <= 0 {
			return 0
		}
		if x := &s.Exposures[k]; x.Seq > leased.Above && Takes(b, l, about, x) {
			left--
		}
	}
	return max(left, 0)
}
