package guard

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Active says whether an action is in force at all now and in a language: within its validity
// (not_yet_valid, expired), its hours and its schedule (outside_hours), and with words in the
// language (language_missing). Where nobody knows the time, what depends on it falls because of the clock.
func Active(v *View, a *catalog.Action, language string) Verdict {
	if !Timeless(a) {
		for _, rule := range [...]func(*View, *catalog.Action) Verdict{notYetValid, expired, outsideHours} {
			if d := rule(v, a); v.Holds(d) {
				return d
			}
		}
	}
	if d := languageMissing(v, a, language); v.Holds(d) {
		return d
	}
	return Verdict{}
}

// Timeless says whether an action is in force at any time.
func Timeless(a *catalog.Action) bool {
	return a.From == 0 && !ends(a) && len(a.Hours) == 0 && len(a.At) == 0
}

// notYetValid (not_yet_valid): an offer that begins in March is no promise in February.
func notYetValid(v *View, a *catalog.Action) Verdict {
	switch {
	case a.From == 0:
		return Verdict{}
	case v.Clock == sense.ClockUnknown:
		return v.byClock(catalog.NotYetValid, "valid.from")
	case v.Now >= a.From:
		return Verdict{}
	}
	d := v.refuse(catalog.NotYetValid, catalog.Because{Name: "valid.from", Value: sense.TimestampValue(a.From), Age: catalog.NoAge})
	d.Until = a.From
	return d
}

// expired: what has ended is not offered any more, so that nobody is told of a price that is not kept.
func expired(v *View, a *catalog.Action) Verdict {
	switch {
	case !ends(a):
		return Verdict{}
	case v.Clock == sense.ClockUnknown:
		return v.byClock(catalog.Expired, "valid.until")
	case v.Now < a.Until:
		return Verdict{}
	}
	return v.refuse(catalog.Expired, catalog.Because{Name: "valid.until", Value: sense.TimestampValue(a.Until), Age: catalog.NoAge})
}

// ends says whether an action has an end.
func ends(a *catalog.Action) bool { return a.Until != sense.Never && a.Until != 0 }

// outsideHours (outside_hours): an action has hours of the week in which it makes sense, or times
// from which on it is said for a while; where it has both, both must permit.
func outsideHours(v *View, a *catalog.Action) Verdict {
	if len(a.Hours) == 0 && len(a.At) == 0 {
		return Verdict{}
	}
	needed := "hours"
	if len(a.Hours) == 0 {
		needed = "at"
	}
	if v.Clock == sense.ClockUnknown {
		return v.byClock(catalog.OutsideHours, needed)
	}
	z := &v.Bundle.Zone
	d := Verdict{}
	if len(a.Hours) > 0 && !slices.ContainsFunc(a.Hours, func(h catalog.WeekHours) bool { return inWeek(z, h, v.Now) }) {
		d = v.refuse(catalog.OutsideHours, named("hours"))
		d.Until = sense.Never
		for _, h := range a.Hours {
			d.Until = min(d.Until, nextOfWeek(z, h, v.Now))
		}
	}
	if len(a.At) > 0 && occurrence(z, a, v.Now) == 0 {
		if d.OK() {
			d = v.refuse(catalog.OutsideHours, named("at"))
		}
		d.Until = max(d.Until, nextOccurrence(z, a, v.Now))
	}
	if d.Until == sense.Never {
		d.Until = 0
	}
	return d
}

// languageMissing (language_missing): an action without any words in the language of whoever
// stands there is not said in another.
func languageMissing(v *View, a *catalog.Action, language string) Verdict {
	if Speaks(a, slices.Index(v.Bundle.Languages, language)) {
		return Verdict{}
	}
	return v.refuse(catalog.LanguageMissing, catalog.Because{Name: "language", Value: sense.StringValue(language), Age: catalog.NoAge})
}

// Speaks says whether an action has words in a language, by its place in the policy.
func Speaks(a *catalog.Action, language int) bool {
	for _, t := range [...]*catalog.Treatment{a.SayPersonal, a.Say} {
		if t != nil && language >= 0 && (has(t.Text, language) || t.Structured && (has(t.Title, language) || t.Image != "")) {
			return true
		}
	}
	return a.Say == nil && a.SayPersonal == nil // it has no words at all, which the stage treatment says
}

func has(texts []catalog.Rendered, language int) bool {
	return language < len(texts) && len(texts[language]) > 0
}

// NextActiveTurn returns when the validity, the hours or the schedule of any action next begins or
// ends, Never where none does. It looks at every action: callers keep the answer until then.
func NextActiveTurn(b *catalog.Bundle, now sense.Instant) sense.Instant {
	next := sense.Never
	for k := range b.Actions {
		a := &b.Actions[k]
		if a.From > now {
			next = min(next, a.From)
		}
		if ends(a) && a.Until > now {
			next = min(next, a.Until)
		}
		for _, h := range a.Hours {
			next = min(next, nextOfWeek(&b.Zone, h, now))
		}
		if len(a.At) == 0 {
			continue
		}
		next = min(next, nextOccurrence(&b.Zone, a, now))
		for _, s := range a.At {
			if t, ok := last(&b.Zone, s, now); ok && t.Add(armed(a)) > now {
				next = min(next, t.Add(armed(a)))
			}
		}
	}
	return next
}
