package engine

import (
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// readSignal is a signal that was taken in a step.
type readSignal struct{ session, name string }

// derivedKey names a derived value of a session.
type derivedKey struct {
	session string
	index   int
}

// tellReadings lists the signals of this step as they were decoded, and the derived values that
// are another than when last told.
func (m *Mind) tellReadings() {
	for _, r := range m.read {
		for k := range m.bundle.Signals {
			if m.bundle.Signals[k].Name == r.name {
				v, _, _ := m.moment.Reading(r.session, int32(k))
				m.out.Readings = append(m.out.Readings, Reading{At: m.now, Signal: r.name, Value: v})
			}
		}
	}
	for _, s := range m.sessions {
		for k := range m.bundle.Derived {
			v := sense.Value{}
			if r := m.moment.Derived(s.name, k); r.Cause == rule.Known {
				v = r.Value
			}
			key := derivedKey{session: s.name, index: k}
			if last, told := m.derived[key]; told && (last.Equal(v) || last.IsNull() && v.IsNull()) || !told && v.IsNull() {
				continue
			}
			m.derived[key] = v
			m.out.Readings = append(m.out.Readings, Reading{At: m.now, Signal: m.bundle.Derived[k].Name, Value: v})
		}
	}
}
