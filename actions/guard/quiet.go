package guard

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// quietStates are the states of attention that silence a slot, in order of their reason codes.
var quietStates = [...]struct {
	name   string
	reason catalog.Reason
}{
	{catalog.StateDriving, catalog.AtTheWheel},
	{catalog.StateInCall, catalog.InCall},
	{catalog.StateDoNotDisturb, catalog.DoNotDisturb},
	{catalog.StateAlarm, catalog.AlarmActive},
	{catalog.StateBusy, catalog.BusyScreen},
}

// Quiet says whether the slot is in a quiet state at all, whatever the candidate:
// unknown attention counts as taken. (Distraction at the wheel: what is not
// certainly standing is driving.)
func Quiet(v *View) Verdict {
	for _, q := range quietStates {
		for k := range v.Bundle.States {
			s := &v.Bundle.States[k]
			if s.Name != q.name || !concerns(s, v.Channel) || v.State == nil {
				continue
			}
			if truth, because := v.State(k); truth != rule.False {
				if d := refuse(q.reason, because...); v.Holds(d) {
					return d
				}
			}
		}
	}
	if d := deviceQuietHours(v); v.Holds(d) {
		return d
	}
	return Verdict{}
}

// Passes says whether an intent may speak in a quiet state: safety, unless the policy says otherwise.
func Passes(b *catalog.Bundle, i catalog.Intent) bool {
	if len(b.Quiet.Pass) == 0 {
		return i == catalog.Safety
	}
	return slices.Contains(b.Quiet.Pass, i)
}

func concerns(s *catalog.State, channel string) bool {
	return len(s.Channels) == 0 || slices.Contains(s.Channels, channel)
}

func deviceQuietHours(v *View) Verdict {
	z := v.Bundle.Zone
	minute := z.DayMinute(v.Now)
	for _, h := range v.Bundle.Quiet.Hours {
		in := h.From <= minute && minute < h.To
		if h.From > h.To {
			in = minute >= h.From || minute < h.To
		}
		if !in && v.Clock != sense.ClockUnknown {
			continue
		}
		d := refuse(catalog.DeviceQuietHours, named("quiet.hours"))
		day := z.Day(v.Now)
		if minute >= h.To {
			day++
		}
		d.Until = z.At(day, h.To)
		return d
	}
	return Verdict{}
}

// NextQuietTurn returns when the device's quiet hours next begin or end, Never where there are none.
func NextQuietTurn(b *catalog.Bundle, now sense.Instant) sense.Instant {
	next := sense.Never
	for _, h := range b.Quiet.Hours {
		for _, minute := range [...]int{h.From, h.To} {
			t := b.Zone.At(b.Zone.Day(now), minute)
			if t <= now {
				t = b.Zone.At(b.Zone.Day(now)+1, minute)
			}
			next = min(next, t)
		}
	}
	return next
}
