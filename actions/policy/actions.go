package policy

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// judged is what the conditions of a group or an action read, with the places.
type judged struct {
	eligible, applicable, suitable rule.Node
	reads                          []placed
}

// conditions compiles the three conditions of a group or an action.
func (c *compiler) conditions(f *fields) judged {
	j := judged{eligible: rule.None, applicable: rule.None, suitable: rule.None}
	for _, one := range []struct {
		key  string
		into *rule.Node
	}{{"eligible", &j.eligible}, {"applicable", &j.applicable}, {"suitable", &j.suitable}} {
		v, ok := f.get(one.key)
		if !ok {
			continue
		}
		got := c.condition(v, one.key)
		*one.into = got.node
		j.reads = append(j.reads, placedIn(v, got.reads)...)
	}
	return j
}

func (c *compiler) groups() {
	for _, e := range c.sections["groups"] {
		f := c.fields(e.key, e.val, "group "+e.name, groupKeys...)
		g := catalog.Group{Name: e.name, Lever: catalog.One}
		if v, ok := f.get("issue"); ok {
			g.Issue, _ = c.text(v, "issue")
		}
		if v, ok := f.get("lever"); ok {
			g.Lever = c.lever(v, "lever")
		}
		j := c.conditions(f)
		g.Eligible, g.Applicable, g.Suitable = j.eligible, j.applicable, j.suitable
		weights, reads := c.weights(f)
		g.Weights = weights
		c.b.Groups = append(c.b.Groups, g)
		c.groupReads = append(c.groupReads, append(j.reads, reads...))
	}
}

func (c *compiler) actions() {
	floor := catalog.Micro(50_000)
	if c.b.Contact.Pressure != nil {
		floor = c.b.Contact.Pressure.Floor
	}
	for _, e := range c.sections["actions"] {
		f := c.fields(e.key, e.val, "action "+e.name, actionKeys...)
		a := catalog.Action{
			Name: e.name, Purpose: -1, Group: -1, Before: -1, Measure: -1, Eligible: rule.None, Applicable: rule.None, Suitable: rule.None,
			Propensity: 50_000, Bother: floor, Lever: catalog.One, Repeat: sense.Forever,
			Until: sense.Never, Partner: -1, Asks: -1, Confirms: -1, Serves: -1,
		}
		c.actionKind(&a, e, f)
		c.actionWorth(&a, f)
		c.exempt(&a, f)
		c.actionTime(&a, f)
		c.actionShowing(&a, e, f)
		c.actionLinks(&a, f)
		c.needs(&a, e, f)
		r := actionReads{fields: f, tells: c.handsOver(&a, e, f), price: c.price(&a, f)}
		r.conditions = c.readsOf(&a, f, r.price)
		c.judgeReads(&a, e, r.conditions)
		r.texts = c.actionTexts(&a, e, f)
		c.b.Actions = append(c.b.Actions, a)
		c.actionReads = append(c.actionReads, r)
	}
}

// readsOf compiles the conditions and weights of an action, and returns what they, its price and
// those of its group read.
func (c *compiler) readsOf(a *catalog.Action, f *fields, price []placed) []placed {
	j := c.conditions(f)
	a.Eligible, a.Applicable, a.Suitable = j.eligible, j.applicable, j.suitable
	weights, weighed := c.weights(f)
	a.Weights = weights
	reads := slices.Concat(j.reads, weighed, price)
	if a.Group < 0 {
		return reads
	}
	if n := len(a.Weights) + len(c.b.Groups[a.Group].Weights); len(a.Weights) > 0 && n > mostWeights {
		c.fail(f.key("weights"), "too_many", "join some", "action %s has %d weights with those of its group, and there are at most %d", a.Name, n, mostWeights)
	}
	return append(reads, c.groupReads[a.Group]...)
}

// actionKind reads what an action is for and about.
func (c *compiler) actionKind(a *catalog.Action, e entry, f *fields) {
	if v, ok := f.get("intent"); ok {
		a.Intent, _ = c.intent(v)
	} else {
		c.fail(e.key, "missing_key", "sales, service, information, question, safety, recovery, handoff or entertainment", "action %s has no intent", e.name)
	}
	if v, ok := f.get("purpose"); ok {
		a.Purpose = c.reference(v, "purpose", "purpose", c.names["purposes"])
	}
	if v, ok := f.get("group"); ok {
		a.Group = c.reference(v, "group", "group", c.names["groups"])
	}
	a.About = c.subject(f, "about")
	a.Goal = c.subject(f, "goal")
	_, hasAbout := f.get("about")
	if a.Intent == catalog.Sales && !hasAbout {
		c.fail(e.key, "about_missing", "as in about: product:model-x, so that guards know what was bought, booked, viewed and refused", "action %s sells, and does not say what it is about", e.name)
	}
	if v, ok := f.get("before"); ok {
		a.Before = c.reference(v, "before", "interaction", c.names["interactions"])
	}
	if v, ok := f.get("measure"); ok {
		a.Measure = c.reference(v, "measure", "measure", c.names["measures"])
		if a.Intent == catalog.Service || a.Intent == catalog.Safety {
			c.warn(f.key("measure"), "no_control_group", "leave it out: nobody is denied it to learn what it is worth", "%s is never held out from anybody, so that measure has no effect here", a.Intent)
		}
	}
}

func (c *compiler) subject(f *fields, key string) event.Subject {
	v, ok := f.get(key)
	if !ok {
		return ""
	}
	s, ok := c.text(v, key)
	if !ok {
		return ""
	}
	if !event.Subject(s).Valid() || !clean(s) {
		c.fail(v, "bad_subject", "as in product:model-x", "%s: %q is not of the form type:id", key, s)
		return ""
	}
	return event.Subject(s)
}

// actionWorth reads what showing an action is worth and costs.
func (c *compiler) actionWorth(a *catalog.Action, f *fields) {
	if v, ok := f.get("value"); ok {
		a.Value = c.micro(v, "value", -mostMoney, mostMoney)
	}
	if v, ok := f.get("propensity"); ok {
		a.Propensity = c.micro(v, "propensity", 0, catalog.One)
	}
	if v, ok := f.get("bother"); ok {
		a.Bother = c.micro(v, "bother", 0, mostMoney)
	}
	if v, ok := f.get("lever"); ok {
		a.Lever = c.lever(v, "lever")
	}
	if v, ok := f.get("mandatory"); ok {
		a.Mandatory = c.boolean(v, "mandatory")
	}
	if v, ok := f.get("repeat_after"); ok {
		a.Repeat = c.duration(v, "repeat_after")
	}
}

// actionShowing reads where and to whom an action may appear.
func (c *compiler) actionShowing(a *catalog.Action, e entry, f *fields) {
	if v, ok := f.get("least_identity"); ok {
		a.LeastID = c.identity(v)
	}
	if v, ok := f.get("slots"); ok {
		for _, x := range c.list(v, "slots") {
			if k := c.reference(x, "slots", "slot", c.names["slots"]); k >= 0 && !slices.Contains(a.Slots, k) {
				a.Slots = append(a.Slots, k)
			}
		}
		if v.node != nil && len(v.node.Content) == 0 && !v.isNull() {
			c.warn(v, "no_slot", "name a slot, or leave the key out for all", "action %s can appear nowhere", e.name)
		}
	} else {
		for k := range c.names["slots"] {
			a.Slots = append(a.Slots, int32(k))
		}
	}
	slices.Sort(a.Slots)
}

// finish closes the program and points everything at its final nodes.
func (c *compiler) finish() {
	roots := c.roots()
	read := make([]rule.Node, len(roots))
	for k, n := range roots {
		read[k] = *n
	}
	program, index := c.language.graph.program(read)
	c.b.Program = program
	for _, n := range roots {
		*n = index[*n]
	}
	for k, in := range program.Inputs {
		if in.From == rule.FromSignal {
			c.b.Signals[in.Index].Input = int32(k)
		}
	}
	if len(c.b.Actions) == 0 && !slices.ContainsFunc(c.files, func(f *file) bool { return f.lost != "" }) {
		c.report(pos{}, Warning, "no_actions", "the policy has no actions, so that it is always silent", "add a section actions")
	}
}

// roots are the places of the bundle where a node of the program stands.
func (c *compiler) roots() (all []*rule.Node) {
	add := func(nodes ...*rule.Node) {
		for _, n := range nodes {
			if *n != rule.None {
				all = append(all, n)
			}
		}
	}
	weights := func(list []catalog.Weight) {
		for k := range list {
			add(&list[k].When)
		}
	}
	for k := range c.b.Derived {
		add(&c.b.Derived[k].Node)
	}
	for k := range c.b.States {
		add(&c.b.States[k].Node)
	}
	if c.b.SessionEnd != nil {
		add(&c.b.SessionEnd.Ends)
	}
	for k := range c.b.Groups {
		g := &c.b.Groups[k]
		add(&g.Eligible, &g.Applicable, &g.Suitable)
		weights(g.Weights)
	}
	for k := range c.b.Actions {
		a := &c.b.Actions[k]
		add(&a.Eligible, &a.Applicable, &a.Suitable)
		weights(a.Weights)
		if a.Price != nil {
			add(&a.Price.Node)
		}
	}
	return all
}
