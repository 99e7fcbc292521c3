package policy

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/actions/policy/reach"
)

// reach reports what reasoning over the compiled conditions finds: what can never be
// true, never be shown, never bite. It is for a policy without errors, whose bundle is whole.
func (c *compiler) reach() {
	if slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Severity == Error }) {
		return
	}
	for _, x := range reach.Find(&c.b) {
		at, ok := c.placeOf(x)
		if !ok {
			continue
		}
		severity := Warning
		if x.Error {
			severity = Error
		}
		c.report(at.pos(), severity, x.Code, x.Message, x.Hint)
	}
}

// placeOf returns the key that something found is about; ok is false where another finding
// says it already.
func (c *compiler) placeOf(x reach.Found) (at value, ok bool) {
	switch x.Section {
	case reach.Session:
		for _, e := range c.sections["session"] {
			if e.name == x.Key {
				return e.key, true
			}
		}
		return c.keys["session"], true
	case reach.Limits, reach.Pauses, reach.Waits, reach.Volume:
		return c.inContact(x), true
	}
	entries := c.sections[x.Section]
	if x.Index >= len(entries) {
		return value{}, true
	}
	e := entries[x.Index]
	if key, found := keyIn(e.val, x.Key); found {
		return key, x.Key != reach.Slots // an empty list of slots is reported where it is read
	}
	if key, found := keyIn(e.val, "when"); found && x.Key == "is" {
		return key, true
	}
	return e.key, true
}

// keyIn finds a key of a map.
func keyIn(v value, name string) (key value, ok bool) {
	if v.node == nil || name == "" || !v.isMap() {
		return value{}, false
	}
	for k := 0; k+1 < len(v.node.Content); k += 2 {
		if v.node.Content[k].Value == name {
			return value{v.file, v.node.Content[k]}, true
		}
	}
	return value{}, false
}

// inContact finds one entry of a list of the contact policy, or the list where it is none.
func (c *compiler) inContact(x reach.Found) value {
	for _, e := range c.sections["contact"] {
		if e.name != x.Section {
			continue
		}
		if e.val.node != nil && e.val.node.Kind == yaml.SequenceNode && x.Index < len(e.val.node.Content) {
			return value{e.val.file, e.val.node.Content[x.Index]}
		}
		return e.key
	}
	return c.keys["contact"]
}
