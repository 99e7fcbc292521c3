package policy

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
)

// texts and conditions of an action, with what they read: for checks that need all actions.
type actionReads struct {
	fields     *fields
	conditions []placed // with weights and price, and those of its group
	price      []placed // with its disclosure
	texts      []placed
	tells      []placed
}

// checks judges what shows only when everything is read: what points at each other, what people are
// told, what nothing uses.
func (c *compiler) checks() {
	if slices.ContainsFunc(c.files, func(f *file) bool { return f.lost != "" }) {
		return // what is missing may stand in lines that could not be read
	}
	c.checkFollows()
	for k := range c.b.Actions {
		a := &c.b.Actions[k]
		c.checkProvenance(a, c.actionReads[k])
		c.checkSensitive(a, c.actionReads[k])
		c.checkLength(a, c.actionReads[k].fields)
	}
	c.checkSpecial()
	c.checkLeaving()
	c.checkStrikes()
	used := c.usage()
	c.checkQuestions(used)
	if errors, _ := CountFindings(c.findings); errors == 0 { // else a name that is misspelt would make another unused
		c.checkUnused(used)
	}
}

// checkFollows reports actions that wait for each other.
func (c *compiler) checkFollows() {
	for k := range c.b.Actions {
		at, steps := int32(k), 0
		for c.b.Actions[at].Follows != nil && steps <= len(c.b.Actions) {
			at = c.b.Actions[at].Follows.Action
			steps++
			if at == int32(k) {
				v, _ := c.actionReads[k].fields.get("follows")
				c.fail(v, "circular", "one of them has to come first", "action %s comes after itself", c.b.Actions[k].Name)
				break
			}
		}
	}
}

// onlyFrom says whether a fact can come from one provenance alone.
func onlyFrom(f *catalog.Fact, p event.Provenance) bool { return len(f.From) == 1 && f.From[0] == p }

// checkProvenance reports what says, or rests on, facts that nobody told: those that can only be
// inferred are not spoken, those of a third party are never spoken and raise no price. A condition
// may read what is inferred, since the guard then says inferred_not_told; a warning says so.
func (c *compiler) checkProvenance(a *catalog.Action, r actionReads) {
	seen := map[string]bool{}
	say := func(severity string, p placed, code, message, hint string) {
		if key := code + message + fmt.Sprint(p.pos); !seen[key] {
			seen[key] = true
			c.report(p.pos, severity, code, message, hint)
		}
	}
	report := func(p placed, code, message, hint string) { say(Error, p, code, message, hint) }
	inferred := func(p placed) bool {
		return p.symbol != nil && p.symbol.what == aFact && p.symbol.index != a.Confirms && onlyFrom(&c.b.Facts[p.symbol.index], event.Inferred)
	}
	const ask = "add declared to its from, and ask her first: a question with confirms: "
	for _, p := range r.texts {
		if inferred(p) {
			report(p, "text_reveals_inference", fmt.Sprintf("the text says %s, which can only be inferred: nobody told it", p.symbol.name), ask+p.symbol.name)
		} else if p.symbol != nil && p.symbol.what == aFact && onlyFrom(&c.b.Facts[p.symbol.index], event.ThirdParty) {
			report(p, "text_says_third_party", fmt.Sprintf("the text says %s, which only third parties tell", p.symbol.name), "leave it out: what others tell of a customer is never spoken")
		}
	}
	for _, p := range r.conditions {
		if inferred(p) {
			say(Warning, p, "text_reveals_inference", fmt.Sprintf("showing action %s would reveal %s, which can only be inferred: wherever it is held, the action is held back", a.Name, p.symbol.name), ask+p.symbol.name)
		}
	}
	for _, p := range r.price {
		if p.symbol != nil && p.symbol.what == aFact && onlyFrom(&c.b.Facts[p.symbol.index], event.ThirdParty) {
			report(p, "price_third_party", fmt.Sprintf("the price depends on %s, which only third parties tell", p.symbol.name), "what others tell of a customer never raises a price")
		}
	}
}

// checkSensitive reports what would betray somebody to those who share an identity.
func (c *compiler) checkSensitive(a *catalog.Action, r actionReads) {
	if !a.Household {
		return
	}
	if of := c.b.Sensitivity(a.About); of != "" {
		c.fail(r.fields.key("household"), "household_sensitive", "leave household out: it is for one person alone", "action %s is about %s, which is sensitive (%s), and never for an identity that several people share", a.Name, a.About, of)
	} else if a.Special != "" {
		c.fail(r.fields.key("household"), "household_sensitive", "leave household out: it is for one person alone", "action %s uses what is special (%s), and is never for an identity that several people share", a.Name, a.Special)
	}
}

// checkSpecial makes sure that special data is held on explicit consent alone (GDPR art. 9).
func (c *compiler) checkSpecial() {
	check := func(section string, k int, special string, held catalog.PurposeSet) {
		if special == "" {
			return
		}
		e := c.sections[section][k]
		at := e.key
		if v, ok := c.actionHas(e, "purposes"); ok {
			at = v
		}
		for p := range c.b.Purposes {
			if of := &c.b.Purposes[p]; held.Has(int32(p)) && !(of.Explicit && of.Basis == catalog.BasisConsent) {
				c.fail(at, "special_without_consent", "give the purpose basis: consent and explicit: true", "%s is special (%s), and held for %s, which does not rest on explicit consent", e.name, special, of.Name)
			}
		}
	}
	for k := range c.b.Facts {
		check("facts", k, c.b.Facts[k].Special, c.b.Facts[k].Purposes)
	}
	for k := range c.b.Signals {
		check("signals", k, c.b.Signals[k].Special, c.b.Signals[k].Purposes)
	}
	for k := range c.b.Derived {
		check("derived", k, c.b.Derived[k].Special, c.b.Derived[k].Purposes)
	}
}

// checkLeaving makes sure that what never leaves the device does not leave it under another name.
func (c *compiler) checkLeaving() {
	never := func(section string, k int32) bool {
		v, ok := c.actionHas(c.sections[section][k], "leaves_device")
		return ok && v.node != nil && v.node.Value == "never"
	}
	kept := map[rule.Node]string{} // derived values that never leave
	for k := range c.b.Derived {
		if d := &c.b.Derived[k]; d.Node != rule.None && never("derived", int32(k)) {
			kept[d.Node] = d.Name
		}
	}
	for k := range c.b.Derived {
		d := &c.b.Derived[k]
		if !d.Leaves || d.Node == rule.None {
			continue
		}
		e := c.sections["derived"][k]
		at, _ := c.actionHas(e, "leaves_device")
		if name := c.bare(d.Node, kept, func(in rule.Input) bool {
			return in.From == rule.FromSignal && never("signals", in.Index) || in.From == rule.FromFact && never("facts", in.Index)
		}); name != "" {
			c.fail(at, "leaves_never", "let a summary leave, as a count, a mean or a comparison, or leave the key out", "%s says no more than %s does, which never leaves the device", e.name, name)
		}
		if d.Personal && d.Purposes == 0 {
			c.fail(at, "purposes_missing", "say for what it leaves the device: purposes: [...]", "%s leaves the device for no purpose", e.name)
		}
	}
	for k := range c.b.Actions {
		for _, p := range c.actionReads[k].tells {
			if p.symbol.what == aFact && never("facts", p.symbol.index) {
				c.report(p.pos, Error, "leaves_never", fmt.Sprintf("%s never leaves the device, and a hand-over tells it", p.symbol.name), "leave it out, or say leaves_device: value")
			}
		}
	}
}

// bare returns the name of a value that an expression only computes with, so that it can be told from
// the result: no comparison, no window and no time in between. It is one of kept, or an input that is.
func (c *compiler) bare(n rule.Node, kept map[rule.Node]string, is func(rule.Input) bool) string {
	seen := map[rule.Node]bool{}
	var look func(n rule.Node) string
	look = func(n rule.Node) string {
		if name := kept[n]; name != "" || seen[n] {
			return name
		}
		seen[n] = true
		op := &c.language.graph.nodes[n]
		switch op.Code {
		case rule.Load:
			if in := c.language.graph.inputs[op.Input]; is(in) {
				return in.Name
			}
		case rule.Add, rule.Sub, rule.Mul, rule.Div, rule.Neg, rule.Cond, rule.ToDouble:
			for _, a := range op.Args {
				if name := look(a); name != "" {
					return name
				}
			}
		}
		return ""
	}
	return look(n)
}

// checkStrikes makes sure that there is an action for what strikes lead to.
func (c *compiler) checkStrikes() {
	if c.b.Strikes == nil {
		return
	}
	has := func(is func(a catalog.Action) bool) bool { return slices.ContainsFunc(c.b.Actions, is) }
	recovers := has(func(a catalog.Action) bool { return a.Intent == catalog.Recovery })
	offers := has(func(a catalog.Action) bool { return a.Intent == catalog.Handoff || a.HandsOver != nil })
	hands := has(func(a catalog.Action) bool { return a.Intent == catalog.Handoff })
	key := (&fields{at: c.keys["strikes"], entries: c.sections["strikes"]}).key("at")
	for _, s := range c.b.Strikes.At {
		switch {
		case s.Then == catalog.StrikeRecovery && !recovers:
			c.warn(key, "strike_without_action", "add an action with intent: recovery", "from strike %d on recovery comes first, and no action is one", s.Count)
		case s.Then == catalog.StrikeNoSales && !offers:
			c.warn(key, "strike_without_action", "add an action with intent: handoff", "from strike %d on a person is offered, and no action hands over to one", s.Count)
		case s.Then == catalog.StrikeHandOver && !hands:
			c.warn(key, "strike_without_action", "add an action with intent: handoff", "from strike %d on handing over comes first, and no action is a handoff", s.Count)
		}
	}
}

// checkLength warns of texts that can fit nowhere: what they say without their placeholders is longer
// than a slot of theirs has room for.
func (c *compiler) checkLength(a *catalog.Action, f *fields) {
	for key, t := range map[string]*catalog.Treatment{"say": a.Say, "say_personal": a.SayPersonal} {
		if t == nil {
			continue
		}
		for k, language := range c.b.Languages {
			length := 0
			for _, texts := range [][]catalog.Rendered{t.Text, a.Because, a.InReturn} {
				if k < len(texts) && len(texts[k]) > 0 {
					length += 1 + leastLength(texts[k])
				}
			}
			for _, slot := range a.Slots {
				if s := &c.b.Slots[slot]; s.MaxText > 0 && int64(length-1) > s.MaxText {
					c.warn(f.key(key), "text_too_long", "shorten it, or name the slots that have room for it", "%s in %s has at least %d characters, and slot %s has room for %d", key, language, length-1, s.Name, s.MaxText)
				}
			}
		}
	}
}

// leastLength is the number of characters of a text without its placeholders.
func leastLength(r catalog.Rendered) int {
	n := 0
	for _, p := range r {
		n += len([]rune(p.Literal))
	}
	return n
}
