package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// conversationOpenElsewhere (conversation_open_elsewhere): while she is talking about something in another
// channel, nobody else starts about it. A warning does not wait.
func conversationOpenElsewhere(v *View, c Candidate) Verdict {
	a := c.Action
	if v.Asked || v.Slice == nil || a.About == "" || a.Intent == catalog.Safety {
		return Verdict{}
	}
	var last *profile.Interaction
	for n := range v.Slice.Interactions { // in order of time
		if i := &v.Slice.Interactions[n]; i.Ref != "" && i.Happened <= v.Now && i.About.Touches(a.About) {
			last = i
		}
	}
	if last == nil || last.Channel == v.Channel && v.Channel != "" || v.Now >= last.Happened.Add(v.Bundle.VisitEnds) {
		return Verdict{}
	}
	d := v.refuse(catalog.ConversationOpenElsewhere, catalog.Because{
		Name: last.Kind, Value: sense.StringValue(last.Channel), Age: v.Now.Sub(last.Happened), Needed: v.Room.Age("age >= ", v.Bundle.VisitEnds)})
	d.Until = last.Happened.Add(v.Bundle.VisitEnds)
	return d
}
