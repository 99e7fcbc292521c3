package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// usage is what of a policy anything uses. A question that asks for a fact does not use it.
type usage struct {
	symbols  map[*symbol]bool
	means    map[string]bool
	facts    map[int32]bool // by needs and guards
	purposes catalog.PurposeSet
	measures map[int32]bool
	partners map[int32]bool
	groups   map[int32]bool
}

// usage collects what is used, by whom it does not matter.
func (c *compiler) usage() *usage {
	u := &usage{symbols: map[*symbol]bool{}, means: map[string]bool{}, facts: map[int32]bool{}, measures: map[int32]bool{}, partners: map[int32]bool{}, groups: map[int32]bool{}}
	for _, s := range c.symbols {
		for _, m := range s.reads {
			u.mention(m)
		}
	}
	for _, m := range c.sessionReads {
		u.mention(m)
	}
	for _, reads := range c.groupReads {
		u.placed(reads)
	}
	for k := range c.b.Actions {
		a, r := &c.b.Actions[k], c.actionReads[k]
		u.placed(r.tells)
		for _, p := range slices.Concat(r.conditions, r.texts) {
			m := p.mention
			if m.symbol != nil && m.symbol.what == aFact && (m.symbol.index == a.Asks || m.symbol.index == a.Confirms) {
				m.symbol = nil // whether to ask is no use of the answer
			}
			u.mention(m)
		}
		for _, n := range a.Needs {
			for _, f := range n.Facts {
				u.facts[f] = true
			}
			if n.Delivery != "" && c.byName["delivery"] != nil {
				u.symbols[c.byName["delivery"]] = true
			}
		}
		if a.Purpose >= 0 {
			u.purposes |= 1 << uint(a.Purpose)
		}
		u.measures[a.Measure], u.partners[a.Partner], u.groups[a.Group] = true, true, true
	}
	c.guardsUse(u)
	return u
}

func (u *usage) mention(m mention) {
	if m.symbol != nil {
		u.symbols[m.symbol] = true
	}
	if m.through != nil {
		u.symbols[m.through] = true
	}
	if m.means != "" {
		u.means[m.means] = true
	}
}

func (u *usage) placed(list []placed) {
	for _, p := range list {
		u.mention(p.mention)
	}
}

// guardsUse adds what guards and the contact policy use by themselves.
func (c *compiler) guardsUse(u *usage) {
	for k, f := range c.b.Facts {
		if f.Preference || slices.Contains([]string{"quiet_hours", "zone", "language", "birth_date"}, f.Name) {
			u.facts[int32(k)] = true
		}
		u.purposes |= f.Purposes
	}
	for k := range c.b.Signals {
		u.purposes |= c.b.Signals[k].Purposes
		if p := c.b.Signals[k].Consent; p >= 0 {
			u.purposes |= 1 << uint(p)
		}
	}
	for k := range c.b.Kinds {
		u.purposes |= c.b.Kinds[k].Purposes
	}
	for k := range c.b.Derived {
		u.purposes |= c.b.Derived[k].Purposes
		if c.b.Derived[k].Leaves {
			u.symbols[c.symbolAt(aDerived, k)] = true
		}
	}
	for _, p := range c.b.Partners {
		if p.Purpose >= 0 {
			u.purposes |= 1 << uint(p.Purpose)
		}
	}
	for _, l := range c.b.Contact.Limits {
		u.groups[l.Group] = true
	}
	for _, w := range c.b.Contact.Waits {
		u.groups[w.Group] = true
	}
	for _, v := range c.b.Contact.Volume {
		u.groups[v.Group] = true
	}
}

// factUsed says whether anything but a question uses a fact.
func (c *compiler) factUsed(u *usage, k int32) bool {
	return u.facts[k] || u.symbols[c.symbolAt(aFact, int(k))]
}

// checkQuestions reports questions whose answer serves nothing.
func (c *compiler) checkQuestions(u *usage) {
	for k := range c.b.Actions {
		a, f := &c.b.Actions[k], c.actionReads[k].fields
		asked, key := a.Asks, "asks"
		if a.Confirms >= 0 {
			asked, key = a.Confirms, "confirms"
		}
		if asked < 0 {
			continue
		}
		v, _ := f.get(key)
		d := &c.b.Facts[asked]
		if !c.factUsed(u, asked) {
			c.fail(v, "question_unused", "leave the question out, or use the answer", "question %s asks for %s, which no rule, text, price, need or guard uses", a.Name, d.Name)
			continue
		}
		if a.Serves >= 0 && !c.serves(a.Serves, asked) {
			v, _ := f.get("serves")
			c.fail(v, "question_unused", fmt.Sprintf("add %s to needs of %s, or leave serves out", d.Name, c.b.Actions[a.Serves].Name), "question %s serves %s, which neither needs nor uses %s", a.Name, c.b.Actions[a.Serves].Name, d.Name)
		}
		if d.Special != "" && (a.Purpose < 0 || !c.b.Purposes[a.Purpose].Explicit) {
			c.fail(v, "special_without_consent", "give the question a purpose with basis: consent and explicit: true", "%s is special (%s), and question %s does not rest on explicit consent", d.Name, d.Special, a.Name)
		}
	}
}

// serves says whether an action has any use for a fact.
func (c *compiler) serves(action, fact int32) bool {
	for _, n := range c.b.Actions[action].Needs {
		if slices.Contains(n.Facts, fact) {
			return true
		}
	}
	r := c.actionReads[action]
	return slices.ContainsFunc(slices.Concat(r.conditions, r.texts, r.tells), func(p placed) bool {
		return p.symbol != nil && p.symbol.what == aFact && p.symbol.index == fact
	})
}

// boundStates are the names that hold back by themselves.
func boundStates() []string {
	var names []string
	for _, q := range catalog.QuietStates() {
		names = append(names, q.State)
	}
	return append(names, catalog.StateAlone)
}

// checkUnused warns of what nothing uses: it is sensed, asked, held or told of for nothing.
func (c *compiler) checkUnused(u *usage) {
	unused := func(section, what string, k int, hint string) {
		if e := c.sections[section][k]; e.val.node != nil {
			c.warn(e.key, "unused", hint, "nothing uses the %s %s", what, e.name)
		}
	}
	for _, s := range c.symbols {
		if u.symbols[s] || s.broken {
			continue
		}
		k := int(s.index)
		switch s.what {
		case aSignal:
			unused("signals", "signal", k, "leave it out, or read it: what nothing reads need not be sensed")
		case aFact:
			if !u.facts[s.index] {
				unused("facts", "fact", k, "leave it out, or use it: what nothing uses need not be held")
			}
		case aDerived:
			unused("derived", "derived value", k, "leave it out, or use it in a condition, a text or with leaves_device: value")
		case aState:
			if !slices.Contains(boundStates(), s.name) {
				unused("states", "state", k, "leave it out, or read it: of itself a state holds back only as "+strings.Join(boundStates(), " "))
			}
		case aPlace:
			unused("places", "place", k, "leave it out, or use it, as in inside("+s.name+")")
		case aKind:
			if !c.kindUsed(u, s.index) {
				unused("interactions", "interaction", k, "leave it out, or use it: as in blocks, open_until, or in a condition")
			}
		}
	}
	for k, e := range c.sections["purposes"] {
		p, _ := slices.BinarySearch(c.names["purposes"], e.name)
		if e.name != "recognise" && p < len(c.b.Purposes) && !u.purposes.Has(int32(p)) && c.b.Purposes[p].Basis != catalog.BasisNone {
			unused("purposes", "purpose", k, "leave it out: people are asked and told only for what is done")
		}
	}
	for k := range c.sections["measures"] {
		if !u.measures[int32(k)] {
			unused("measures", "measure", k, "leave it out, or name it in an action: measure: "+c.names["measures"][k])
		}
	}
	for k := range c.sections["partners"] {
		if !u.partners[int32(k)] {
			unused("partners", "partner", k, "leave it out, or name it in an action: partner: "+c.names["partners"][k])
		}
	}
	for k := range c.sections["groups"] {
		if !u.groups[int32(k)] {
			unused("groups", "group", k, "leave it out, or name it in an action: group: "+c.names["groups"][k])
		}
	}
}

// kindUsed says whether anything looks at a kind of interaction. Where customers can sleep, where
// actions wait for a response, or appear unasked, every interaction counts.
func (c *compiler) kindUsed(u *usage, n int32) bool {
	if c.b.Sleeping != sense.Forever {
		return true
	}
	if slices.ContainsFunc(c.b.Slots, func(s catalog.Slot) bool { return s.Unasked }) || slices.ContainsFunc(c.b.Actions, func(a catalog.Action) bool { return a.Follows != nil || a.Before == n }) {
		return true
	}
	k := &c.b.Kinds[n]
	if k.BlocksOffers || k.Negative || k.ReachesGoal || k.OpenUntil >= 0 || k.ClosedBy >= 0 || k.Worth != 0 || k.Overdue != sense.Forever || len(k.Undo) > 0 {
		return true
	}
	for word, means := range meanings {
		if k.Means == means && (u.means[word] || means == catalog.MeansAnswered || means == catalog.MeansContacted) {
			return true
		}
	}
	for i := range c.b.Kinds {
		if slices.Contains(closers(&c.b.Kinds[i]), n) {
			return true
		}
	}
	if slices.ContainsFunc(c.b.Measures, func(m catalog.Measure) bool { return m.From == n }) {
		return true
	}
	p := c.b.Contact.Pressure
	return k.Name == "visit" && p != nil && slices.ContainsFunc(p.Amounts, func(o catalog.OutcomeCost) bool { return o.Outcome == "visit" })
}
