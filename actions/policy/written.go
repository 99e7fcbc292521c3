package policy

import (
	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// Written is a condition, or a price, where its author wrote it.
type Written struct {
	Section string // actions, groups, states, derived or session
	Name    string // of the action, group, state or derived value; empty for the session
	Key     string // eligible, applicable, suitable, weights, price, when, is or ends
	Node    rule.Node
	File    string
	Line    int // from 1
	Column  int // from 1, in code points
}

// CompileWritten is Compile, and says where each condition of the bundle stands: those of actions, then of groups,
// states, derived values and the session, each in order of name.
func CompileWritten(dir string) (*catalog.Bundle, []Written, []Finding, error) {
	c, findings, err := compileFolder(dir)
	if c == nil || err != nil {
		return nil, nil, findings, err
	}
	return &c.b, c.written(), findings, nil
}

// written finds the conditions of a bundle without errors in the files: entries of a section stand as its names in the
// bundle do.
func (c *compiler) written() (all []Written) {
	add := func(section, name string, e entry, node rule.Node, keys ...string) {
		if node == rule.None {
			return
		}
		at := e.key
		key := keys[0]
		for _, k := range keys {
			if v, ok := keyIn(e.val, k); ok {
				at, key = v, k
				break
			}
		}
		p := at.pos()
		all = append(all, Written{section, name, key, node, p.file.name, p.line, p.column})
	}
	weights := func(section string, e entry, list []catalog.Weight) {
		items := itemsIn(e.val, "weights")
		for k, w := range list {
			at := e
			if k < len(items) {
				at = entry{e.name, value{e.val.file, items[k]}, value{}}
			}
			add(section, e.name, at, w.When, "weights")
		}
	}
	for k, e := range c.sections["actions"] {
		a := &c.b.Actions[k]
		add("actions", a.Name, e, a.Eligible, "eligible")
		add("actions", a.Name, e, a.Applicable, "applicable")
		add("actions", a.Name, e, a.Suitable, "suitable")
		weights("actions", e, a.Weights)
		if a.Price != nil {
			add("actions", a.Name, e, a.Price.Node, "price")
		}
	}
	for k, e := range c.sections["groups"] {
		g := &c.b.Groups[k]
		add("groups", g.Name, e, g.Eligible, "eligible")
		add("groups", g.Name, e, g.Applicable, "applicable")
		add("groups", g.Name, e, g.Suitable, "suitable")
		weights("groups", e, g.Weights)
	}
	for k, e := range c.sections["states"] {
		add("states", c.b.States[k].Name, e, c.b.States[k].Node, "when")
	}
	for k, e := range c.sections["derived"] {
		add("derived", c.b.Derived[k].Name, e, c.b.Derived[k].Node, "is", "when")
	}
	for _, e := range c.sections["session"] {
		if c.b.SessionEnd != nil && e.name == "ends" {
			add("session", "", e, c.b.SessionEnd.Ends, "ends")
		}
	}
	return all
}

// itemsIn returns the items of a list under a key.
func itemsIn(v value, key string) []*yaml.Node {
	if v.node == nil || !v.isMap() {
		return nil
	}
	for k := 0; k+1 < len(v.node.Content); k += 2 {
		if list := v.node.Content[k+1]; v.node.Content[k].Value == key && list.Kind == yaml.SequenceNode {
			return list.Content
		}
	}
	return nil
}
