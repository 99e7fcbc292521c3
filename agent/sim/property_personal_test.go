package sim_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// eachStanding looks at everything that stands on a screen at the end of each step.
func eachStanding(p *pair, look func(o *oracle, c *contact) error) error {
	return watch(p.bundle, p.base, func(o *oracle, _ *step, _ []*contact) error {
		for _, c := range o.standing {
			if err := look(o, c); err != nil {
				return fmt.Errorf("%s stands: %w", c, err)
			}
		}
		return nil
	})
}

// oneThingInASlot: what is there is cleared before anything else comes, and an unasked
// showing waits until its slot is free.
func oneThingInASlot(p *pair) error {
	occupied := map[string]string{}
	return watch(p.bundle, p.base, func(o *oracle, s *step, shown []*contact) error {
		for k := range s.out.Clear {
			delete(occupied, s.out.Clear[k].Session+" "+s.out.Clear[k].Slot)
		}
		for at, d := range occupied {
			if c := o.standing[at]; c == nil || c.d.ID != d && !slices.Contains(shown, c) {
				delete(occupied, at) // answered
			}
		}
		for _, d := range s.out.Show {
			at := d.Session + " " + d.Slot
			if there := occupied[at]; there != "" {
				if c := o.contacts[there]; len(c.outcomes) == 0 || !slices.ContainsFunc(c.outcomes, func(a answer) bool { return a.outcome != "shown" }) {
					return fmt.Errorf("%s comes to %s, where %s stands", d.ID, at, there)
				}
				delete(occupied, at)
			}
			if d.Action != "silence" {
				occupied[at] = d.ID
			}
		}
		return nil
	})
}

// nothingPersonalSurvives: what is said to one person stands only while she does.
func nothingPersonalSurvives(p *pair) error {
	end := p.bundle.SessionEnd
	return watch(p.bundle, p.base, func(o *oracle, s *step, shown []*contact) error {
		for k := range s.out.Clear {
			if x := &s.out.Clear[k]; x.Cause == "session" {
				for _, c := range o.standing {
					if c.d.Session == x.Session && !slices.Contains(shown, c) {
						return fmt.Errorf("%s stands after its session's end", c)
					}
				}
			}
		}
		for _, c := range o.standing {
			if c.who == nil || c.ambient {
				continue
			}
			st := o.sessions[c.d.Session]
			if st == nil || st.who != c.who {
				return fmt.Errorf("%s stands, and she does not", c)
			}
			if end.AtMost != sense.Forever && o.now >= st.since.Add(end.AtMost) {
				return fmt.Errorf("%s stands %s after she came", c, o.now.Sub(st.since))
			}
			if end.Ends < 0 { // at_most alone
				continue
			}
			if sure := o.present(); o.now > max(st.since, sure).Add(end.After) {
				return fmt.Errorf("%s stands, and nobody was seen since %s", c, sure)
			}
		}
		return nil
	})
}

// present returns until when the sensor was sure that somebody is there.
func (o *oracle) present() sense.Instant {
	all := o.device["presence"]
	sure := sense.Instant(0)
	for k, r := range all {
		if r.value.Kind() != sense.Bool || !r.value.Bool() {
			continue
		}
		until := r.at.Add(5 * sense.Second) // its max_age in every random policy
		if k+1 < len(all) {
			until = min(until, all[k+1].came)
		}
		sure = max(sure, min(until, o.now))
	}
	return sure
}

// basisAtEveryInstant: what is not ambient has a legal basis, with each consent that it wants,
// when it is shown and as long as it stands; mandatory or not.
func basisAtEveryInstant(p *pair) error {
	return eachStanding(p, func(o *oracle, c *contact) error {
		if c.ambient {
			return nil
		}
		return o.lawful(c)
	})
}

func (o *oracle) lawful(c *contact) error {
	if c.a.Purpose < 0 {
		return fmt.Errorf("it has no purpose")
	}
	p := &o.b.Purposes[c.a.Purpose]
	who := c.who
	if who == nil {
		who = &person{}
	}
	want := slices.Clone(c.a.NeedGrants)
	if p.Basis == catalog.BasisConsent {
		want = append(want, c.a.Purpose)
	}
	if !c.d.Asked && p.Unasked >= 0 {
		want = append(want, p.Unasked)
	}
	if c.a.Partner >= 0 {
		want = append(want, o.b.Partners[c.a.Partner].Consent)
	}
	for _, n := range want {
		if name := o.b.Purposes[n].Name; !o.granted(who, name) {
			return fmt.Errorf("consent to %s is not granted", name)
		}
	}
	objected := who.objections[p.Name] != nil && who.objections[p.Name].yes
	switch {
	case p.Basis == catalog.BasisNone:
		return fmt.Errorf("%s has no basis", p.Name)
	case objected && (p.Basis == catalog.BasisLegitimateInterest || p.Basis == catalog.BasisPublicTask):
		return fmt.Errorf("she objected to %s", p.Name)
	case who.restricted.yes && p.Basis != catalog.BasisVitalInterest && p.Basis != catalog.BasisLegalObligation:
		return fmt.Errorf("she restricted the use of her data")
	case c.a.Special != "" && who.consents[p.Name].text == "":
		return fmt.Errorf("nobody knows to which text she agreed")
	case c.d.Customer != "" && o.erased[c.d.Customer]:
		return fmt.Errorf("she was erased")
	case c.d.Treatment == "say_personal" && c.who == nil && c.a.Intent != catalog.Safety:
		return fmt.Errorf("nobody is there")
	}
	if st := o.sessions[c.d.Session]; st != nil && c.who != nil {
		if least := max(c.a.LeastID, c.slot.LeastIdentity); st.by < least {
			return fmt.Errorf("%s is not %s", st.by, least)
		}
		if st.by == event.ByPassive && !o.granted(who, "recognise") {
			return fmt.Errorf("she was only seen")
		}
		if st.shared && !c.a.Household {
			return fmt.Errorf("several people use that identity")
		}
	}
	return nil
}

// aloneAtSharedScreens: on a shared screen stands something personal only while the sensors say that one person is there.
func aloneAtSharedScreens(p *pair) error {
	return eachStanding(p, func(o *oracle, c *contact) error {
		if c.ambient || !c.slot.SharedScreen {
			return nil
		}
		if v, known := o.at(c.d.Session, "people"); !known || v.Int() != 1 {
			return fmt.Errorf("people: %s, known %v", v, known)
		}
		return nil
	})
}

// wheelOnlyPasses: in a quiet state, or where it is not certain that there is none, only
// what the policy lets pass is shown, and nothing else stands.
func wheelOnlyPasses(p *pair) error {
	return eachStanding(p, func(o *oracle, c *contact) error {
		if slices.Contains(p.bundle.Quiet.Pass, c.a.Intent) {
			return nil
		}
		for k := range p.bundle.States {
			s := &p.bundle.States[k]
			signal := map[string]string{"driving": "speed", "in_call": "call", "do_not_disturb": "do_not", "alarm": "alarm_on", "busy": "screen_busy"}[s.Name]
			if signal == "" || len(s.Channels) > 0 && !slices.Contains(s.Channels, c.channel) || s.AbsentAllow && slices.Contains(o.absent, signal) {
				continue
			}
			v, known := o.at(c.d.Session, signal)
			switch {
			case !known:
				return fmt.Errorf("%s is not known", signal)
			case s.Name != "driving" && v.Bool():
				return fmt.Errorf("%s is on", signal)
			case s.Name == "driving" && !o.standsStill(c.d.Session):
				return fmt.Errorf("it has not stood still for 30 s: %v", o.sessions[c.d.Session].own["speed"])
			}
		}
		return o.awake()
	})
}

// standsStill says whether speed was known, and below 7, for 30 s at some time, and since then neither
// unknown nor above 5 for 3 s.
func (o *oracle) standsStill(session string) bool {
	all := o.sessions[session].own["speed"]
	still, slow, fast := false, sense.Instant(-1), sense.Instant(-1)
	for k, r := range all {
		until := min(r.at.Add(3*sense.Second)+1, o.now) // when it is stale: its max_age in every random policy
		stale := o.now > r.at.Add(3*sense.Second)
		if k+1 < len(all) {
			until = min(r.at.Add(3*sense.Second)+1, all[k+1].came)
			stale = all[k+1].came > r.at.Add(3*sense.Second)
		}
		if r.value.IsNull() {
			still, slow, fast = false, -1, -1
			continue
		}
		v := number64(r.value)
		if v >= 7 {
			slow = -1
		} else if slow < 0 {
			slow = r.came
		}
		if v <= 5 {
			fast = -1
		} else if fast < 0 {
			fast = r.came
		}
		if slow >= 0 && until.Sub(slow) >= 30*sense.Second {
			still = true
		}
		if fast >= 0 && until.Sub(fast) >= 3*sense.Second {
			still = false
		}
		if stale {
			still, slow, fast = false, -1, -1
		}
	}
	return still
}

func number64(v sense.Value) float64 {
	if v.Kind() == sense.Int {
		return float64(v.Int())
	}
	return v.Double()
}

// awake says whether the device's own quiet hours let anything through, by the calendar of Go's library.
func (o *oracle) awake() error {
	if len(o.b.Quiet.Hours) == 0 {
		return nil
	}
	if o.clock == sense.ClockUnknown {
		return fmt.Errorf("nobody knows what time it is")
	}
	local := time.UnixMilli(int64(o.now)).In(location(o.b.Zone.Name))
	minute := local.Hour()*60 + local.Minute()
	for _, h := range o.b.Quiet.Hours {
		if h.From < h.To && h.From <= minute && minute < h.To || h.From > h.To && (minute >= h.From || minute < h.To) {
			return fmt.Errorf("it is %s, in the device's quiet hours", local.Format("15:04"))
		}
	}
	return nil
}

func location(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the policy compiled with it
	}
	return l
}
