package guard

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Quiet says whether the slot is in a quiet state at all, whatever the candidate:
// unknown attention counts as taken. (Distraction at the wheel: what is not
// certainly standing is driving.)
func Quiet(v *View) Verdict {
	for _, q := range catalog.QuietStates() {
		k := v.Bundle.StateIndex(q.State)
		if k < 0 || !concerns(&v.Bundle.States[k], v.Channel) || v.State == nil {
			continue
		}
		if truth, because := v.State(int(k)); truth != rule.False {
			if d := v.refuse(q.Reason, because...); v.Holds(d) {
				return d
			}
		}
	}
	if d := customerQuietHours(v); v.Holds(d) {
		return d
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

// deviceQuietHours (device_quiet_hours): the hours in which this device is silent, in the policy's zone.
func deviceQuietHours(v *View) Verdict {
	for _, h := range v.Bundle.Quiet.Hours {
		if d := inHours(v, &v.Bundle.Zone, h, catalog.DeviceQuietHours, named("quiet.hours")); !d.OK() {
			return d
		}
	}
	return Verdict{}
}

// inHours refuses within a range of hours, and while nobody knows whether it is.
func inHours(v *View, z *sense.Zone, h catalog.HourRange, r catalog.Reason, because catalog.Because) Verdict {
	switch {
	case v.Clock == sense.ClockUnknown:
		return v.byClock(r, because.Name)
	case !h.Holds(z.DayMinute(v.Now)):
		return Verdict{}
	}
	d := v.refuse(r, because)
	d.Until = endOfRange(z, h, v.Now)
	return d
}

// NextQuietTurn returns when the device's quiet hours next begin or end, Never where there are none.
func NextQuietTurn(b *catalog.Bundle, now sense.Instant) sense.Instant {
	next := sense.Never
	for _, h := range b.Quiet.Hours {
		next = min(next, nextOfRange(&b.Zone, h, now))
	}
	return next
}
