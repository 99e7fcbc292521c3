package scenario

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// knows looks whether a fact or an interaction of a customer is held: on a device, on
// every device, or at the hub.
func (r *runner) knows(e *expectation) outcome {
	if e.name == "the hub" {
		return r.hubKnows(e)
	}
	for _, v := range r.stage.views {
		if e.name != "the device" && e.name != v.name {
			continue
		}
		held := false
		for _, c := range v.mind().Snapshot().Customers {
			if c.Customer == e.may.customer || c.Person == e.may.customer || slices.Contains(c.Aliases, e.may.customer) {
				held = held || holds(&c.Slice, e.text)
				for _, p := range c.Pending {
					held = held || p.Event != nil && speaksOf(p.Event.Body, e.text)
				}
			}
		}
		if held != e.yes {
			return outcome{happened: known(e.name, held, e), update: known(e.name, held, e)}
		}
	}
	return outcome{ok: true}
}

func (r *runner) hubKnows(e *expectation) outcome {
	c, err := r.stage.customer(e.may.customer)
	held := err == nil && holds(&c.Slice, e.text)
	if err != nil && e.yes {
		return outcome{happened: err.Error()}
	}
	return outcome{ok: held == e.yes, happened: known(e.name, held, e), update: known(e.name, held, e)}
}

func known(who string, held bool, e *expectation) string {
	no := "no "
	if held {
		no = ""
	}
	return fmt.Sprintf("%s knows %s%s of %s", who, no, e.text, e.may.customer)
}

// holds says whether a slice holds a fact or an interaction of that name.
func holds(s *profile.Slice, name string) bool {
	return slices.ContainsFunc(s.Facts, func(f profile.Fact) bool { return f.Name == name && !f.Value.IsNull() }) ||
		slices.ContainsFunc(s.Interactions, func(i profile.Interaction) bool { return i.Kind == name })
}

// speaksOf says whether what was told of a customer is about that fact or kind.
func speaksOf(b event.Body, name string) bool {
	switch b := b.(type) {
	case *event.Fact:
		return b.Name == name && !b.Value.IsNull()
	case *event.Interaction:
		return b.Kind == name
	}
	return false
}
