package engine

import (
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// readSignal is a signal that was taken in a step, with the value that it had then: of several
// readings of one instant each is told.
type readSignal struct {
	session string
	index   int32
	value   sense.Value
	unread  bool // its consent may yet come within the step
}

// noteReading notes the reading that the moment has just taken.
func (m *Mind) noteReading(session, name string) {
	if k := m.bundle.SignalIndex(name); k >= 0 {
		v, _, cause := m.moment.Reading(session, k)
		m.read = append(m.read, readSignal{session: session, index: k, value: v, unread: cause == rule.NotRead})
	}
}

// derivedKey names a derived value of a session.
type derivedKey struct {
	session string
	index   int
}

// tellReadings lists the signals of this step as they were decoded, and the derived values that
// are another than when last told.
func (m *Mind) tellReadings() {
	for _, r := range m.read {
		v, _, cause := m.moment.Reading(r.session, r.index)
		if cause != rule.NotRead && !r.unread {
			v = r.value
		}
		m.out.Readings = append(m.out.Readings, Reading{At: m.now, Signal: m.bundle.Signals[r.index].Name, Value: v})
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
