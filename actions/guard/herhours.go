package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// zone is where the customer lives, as far as it is known; else the policy's.
func (v *View) zone() *sense.Zone {
	if v.Zone != nil {
		return v.Zone
	}
	return &v.Bundle.Zone
}

// customerQuietHours (customer_quiet_hours): the customer's own hours in which nobody speaks to her, in
// her zone, wherever she travels. They are the fact `quiet_hours`, where she or somebody of the company
// told it; words that cannot be read are a wish for quiet all the same, until they are put right. While
// the slice is awaited they are not known, and what may be said then is for staleProfile to judge.
func customerQuietHours(v *View) Verdict {
	value, age := herHours(v)
	switch value.Kind() {
	case sense.String:
		return inHerHours(v, value, value, age)
	case sense.List:
		for _, one := range value.List() {
			if d := inHerHours(v, one, value, age); !d.OK() {
				return d
			}
		}
	}
	return Verdict{}
}

func inHerHours(v *View, one, told sense.Value, age sense.Duration) Verdict {
	because := catalog.Because{Name: catalog.FactQuietHours, Value: told, Age: age}
	h, ok := catalog.ParseHours(one.Str())
	if !ok {
		because.Needed = "22:00-08:00"
		return v.refuse(catalog.CustomerQuietHours, because)
	}
	return inHours(v, v.zone(), h, catalog.CustomerQuietHours, because)
}

// herHours returns what was told of her quiet hours, null where nothing was.
func herHours(v *View) (sense.Value, sense.Duration) {
	if v.Slice == nil {
		return sense.Value{}, 0
	}
	for k := range v.Bundle.Facts {
		if v.Bundle.Facts[k].Name != catalog.FactQuietHours {
			continue
		}
		h := v.Slice.Held(v.Bundle, int32(k), v.Owners, v.Now)
		if h.Present && (h.Provenance == event.Declared || h.Provenance == event.Observed) {
			return h.Value, h.Age
		}
	}
	return sense.Value{}, 0
}

// NextQuietTurnOf returns when quiet hours, the device's or the customer's own, next begin or end;
// Never where there are none.
func NextQuietTurnOf(v *View) sense.Instant {
	next := NextQuietTurn(v.Bundle, v.Now)
	value, _ := herHours(v)
	one := []sense.Value{value}
	if value.Kind() == sense.List {
		one = value.List()
	}
	for _, x := range one {
		if h, ok := catalog.ParseHours(x.Str()); ok {
			next = min(next, nextOfRange(v.zone(), h, v.Now))
		}
	}
	return next
}
