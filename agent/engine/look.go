package engine

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Look is what a name that a policy uses stands for now, for explanations and tests.
type Look struct {
	What  string         // signal, derived, state, fact, place, interaction
	Value sense.Value    // null where there is none
	Age   sense.Duration // catalog.NoAge where it has none
	Why   catalog.Reason // why it may not be used, NoReason where it may
}

var lookReasons = [...]catalog.Reason{
	rule.Known: catalog.NoReason, rule.InputUnknown: catalog.InputIsUnknown, rule.SignalStale: catalog.SignalStale,
	rule.FactStale: catalog.FactStale, rule.FactMissing: catalog.FactMissing, rule.Failed: catalog.ConditionError,
	rule.Settling: catalog.InputIsUnknown, rule.NotRead: catalog.InputIsUnknown,
}

// Look returns what a declared name stands for in a session, as of the last step; false where
// no policy is in charge, there is no such session, or nothing of that name.
func (m *Mind) Look(in, name string) (Look, bool) {
	if m.bundle == nil {
		return Look{}, false
	}
	s := m.open(in)
	if s == nil {
		return Look{}, false
	}
	b := m.bundle
	if k := b.SignalIndex(name); k >= 0 {
		v, age, cause := m.moment.Reading(in, k)
		return Look{"signal", v, age, lookReasons[cause]}, true
	}
	if k := b.DerivedIndex(name); k >= 0 {
		return lookAt("derived", m.moment.Derived(in, int(k))), true
	}
	if k := b.StateIndex(name); k >= 0 {
		return lookAt("state", m.moment.Result(in, b.States[k].Node)), true
	}
	if k := b.FactIndex(name); k >= 0 {
		return m.lookAtFact(s, k), true
	}
	for k := range b.Program.Inputs {
		if i := &b.Program.Inputs[k]; i.Name == name && i.From != rule.FromHas {
			what := "interaction"
			if i.From == rule.FromInside || i.From == rule.FromDistance {
				what = "place"
			}
			return lookAt(what, m.moment.Input(in, int32(k))), true
		}
	}
	return Look{}, false
}

func lookAt(what string, r rule.Result) Look {
	l := Look{What: what, Age: catalog.NoAge, Why: lookReasons[r.Cause]}
	if r.Cause == rule.Known {
		l.Value = r.Value
	}
	return l
}

func (m *Mind) lookAtFact(s *session, k int32) Look {
	l := Look{What: "fact", Age: catalog.NoAge, Why: catalog.FactMissing}
	slice := m.slice(s)
	if slice == nil {
		l.Why = catalog.InputIsUnknown
		return l
	}
	switch h := slice.Held(m.bundle, k, s.owners, m.now); {
	case h.Present && h.Fresh:
		l.Value, l.Age, l.Why = h.Value, h.Age, catalog.NoReason
	case h.Present:
		l.Value, l.Age, l.Why = h.Value, h.Age, catalog.FactStale
	}
	return l
}
