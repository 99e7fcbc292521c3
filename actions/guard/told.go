package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// notTold (inferred_not_told, third_party_not_told): what was inferred, or came from somebody else,
// gives no one the right to act on it, or to speak of it, until the customer has declared it. A pattern in her
// behaviour may become a question, once, after she asked for something like it herself.
func notTold(v *View, c Candidate) Verdict {
	if c.Ambient || v.Slice == nil {
		return Verdict{}
	}
	a := c.Action
	third := Verdict{}
	for _, k := range a.Reads {
		switch d := hearsay(v, a, k); {
		case d.Reason == catalog.InferredNotTold:
			return d
		case third.OK():
			third = d
		}
	}
	if k := confirmsFact(v.Bundle, a); k >= 0 {
		switch d := hearsay(v, a, k); {
		case d.Reason == catalog.InferredNotTold:
			return d
		case third.OK():
			third = d
		}
	}
	t := a.Say
	if c.Personal {
		t = a.SayPersonal
	}
	if t != nil {
		for _, texts := range [...][]catalog.Rendered{t.Title, t.Text, t.Button} {
			if d := spoken(v, a, texts, &third); !d.OK() {
				return d
			}
		}
	}
	return third
}

// spoken judges the facts in texts.
func spoken(v *View, a *catalog.Action, texts []catalog.Rendered, third *Verdict) Verdict {
	for _, text := range texts {
		for n := range text {
			if text[n].Name == "" || text[n].Fact < 0 || int(text[n].Fact) >= len(v.Bundle.Facts) {
				continue
			}
			switch d := hearsay(v, a, text[n].Fact); {
			case d.Reason == catalog.InferredNotTold:
				return d
			case third.OK():
				*third = d
			}
		}
	}
	return Verdict{}
}

// hearsay refuses fact number k where it was inferred, or comes from others.
func hearsay(v *View, a *catalog.Action, k int32) Verdict {
	r := v.Room
	if r != nil && int(k) < len(r.told) && r.told[k] {
		return Verdict{}
	}
	h := v.Slice.Held(v.Bundle, k, v.Owners, v.Now)
	if !h.Present || told(h.Provenance) {
		if r != nil && int(k) < len(r.told) {
			r.told[k] = true
		}
		return Verdict{}
	}
	because := catalog.Because{Name: v.Bundle.Facts[k].Name, Value: sense.StringValue(h.Provenance.String()), Age: h.Age}
	if h.Provenance == event.ThirdParty {
		return v.refuse(catalog.ThirdPartyNotTold, because)
	}
	if confirmsFact(v.Bundle, a) == k && v.requested(a) {
		return Verdict{}
	}
	return v.refuse(catalog.InferredNotTold, because)
}

// requested says whether the customer asked in this visit about what an action, or the one that it
// serves, is about.
func (v *View) requested(a *catalog.Action) bool {
	about := a.About
	if about == "" && a.Serves >= 0 && int(a.Serves) < len(v.Bundle.Actions) {
		about = v.Bundle.Actions[a.Serves].About
	}
	if about == "" {
		return false
	}
	for _, r := range v.Requests {
		if r.Touches(about) {
			return true
		}
	}
	return v.Asked && v.AskAbout.Touches(about)
}

// behaviourElsewhere (behaviour_elsewhere): who looked at something on the website did not choose to
// be greeted with it in the shop. It needs her choice to be recognised, or that she looked here.
func behaviourElsewhere(v *View, c Candidate) Verdict {
	if c.Ambient || len(c.Action.Seen) == 0 || v.Slice == nil {
		return Verdict{}
	}
	if state, _ := v.Slice.Consent(Recognise, v.Now); state == profile.ConsentGranted {
		return Verdict{}
	}
	for _, seen := range c.Action.Seen {
		var elsewhere *profile.Interaction
		here := false
		v.each(func(k *catalog.Kind) bool { return k.Means == catalog.MeansViewed }, func(k *catalog.Kind, i *profile.Interaction) {
			if here || seen.Subject != "" && !seen.Subject.Touches(i.About) || v.Now >= i.Happened.Add(seen.Window) {
				return
			}
			if undone, _ := v.Slice.Undone(v.Bundle, k, i, v.Now); undone {
				return
			}
			if here = i.Channel != "" && i.Channel == v.Channel; !here {
				elsewhere = i
			}
		})
		if elsewhere != nil && !here {
			because := v.dated(elsewhere)
			because.Needed = v.Room.Text("on ", v.Channel)
			return v.refuse(catalog.BehaviourElsewhere, because)
		}
	}
	return Verdict{}
}
