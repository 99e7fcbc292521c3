package agent

import (
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// retime says which instant one is that a wrong clock had stamped. It keeps their order.
type retime func(sense.Instant) sense.Instant

// notAfter takes what carries a later instant to have happened at that one: what is said from now on
// must not lose against it as older, and it must be past its retention some day.
func notAfter(now sense.Instant) retime {
	return func(t sense.Instant) sense.Instant { return min(t, now) }
}

// shifted moves what was stamped after an instant by off, never beyond now.
func shifted(after sense.Instant, off sense.Duration, now sense.Instant) retime {
	return func(t sense.Instant) sense.Instant {
		if t > after {
			t = max(t.Add(off), after)
		}
		return min(t, now)
	}
}

func (f retime) set(list ...*sense.Instant) {
	for _, t := range list {
		if *t != 0 && *t != sense.Never { // none
			*t = f(*t)
		}
	}
}

// snapshot puts right all that this device has stamped, and what is held of before. Ends that somebody
// else has set (of leases, consents, appointments) are not its to move.
func (f retime) snapshot(s *engine.Snapshot) {
	f.set(&s.At)
	for k := range s.Customers {
		c := &s.Customers[k]
		f.slice(&c.Slice)
		f.records(c.Pending)
		for n := range c.Told {
			f.set(&c.Told[n].At)
		}
		for n := range c.Decided {
			f.set(&c.Decided[n].At)
		}
		c.Changed++
	}
	f.facts(s.Owned)
	for k := range s.Volume {
		for n := range s.Volume[k].Shown {
			f.set(&s.Volume[k].Shown[n].At)
		}
	}
}

func (f retime) slice(s *profile.Slice) {
	f.facts(s.Facts)
	for k := range s.Consents {
		f.set(&s.Consents[k].Happened)
	}
	for k := range s.Objections {
		f.set(&s.Objections[k].Happened)
	}
	f.set(&s.RestrictedAt)
	for k := range s.Interactions {
		f.set(&s.Interactions[k].Happened)
	}
	for k := range s.Exposures {
		f.exposure(&s.Exposures[k])
	}
}

func (f retime) facts(list []profile.Fact) {
	for k := range list {
		f.set(&list[k].Happened)
		for n := range list[k].Claims {
			f.set(&list[k].Claims[n].Happened)
		}
	}
}

func (f retime) exposure(x *profile.Exposure) {
	f.set(&x.At, &x.Shown)
	for n := range x.Outcomes {
		f.set(&x.Outcomes[n].At)
	}
}

func (f retime) records(list []engine.Record) {
	for k := range list {
		r := &list[k]
		f.set(&r.At)
		if r.Event != nil {
			e := *r.Event // others may hold it
			f.event(&e)
			r.Event = &e
		}
		if r.Decision != nil {
			d := *r.Decision
			f.set(&d.At)
			r.Decision = &d
		}
		if r.Exposure != nil {
			x := *r.Exposure
			x.Outcomes = append([]profile.Outcome(nil), x.Outcomes...)
			f.exposure(&x)
			r.Exposure = &x
		}
	}
}

func (f retime) event(e *event.Event) { f.set(&e.At, &e.Happened) }
