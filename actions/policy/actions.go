package policy

import (
	"fmt"
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
		for _, m := range got.reads {
			j.reads = append(j.reads, placed{m, v.file.inside(v.node, m.at)})
		}
	}
	return j
}

func (c *compiler) groups() {
	for _, e := range c.sections["groups"] {
		f := c.fields(e.key, e.val, "group "+e.name, "issue", "lever", "eligible", "applicable", "suitable")
		g := catalog.Group{Name: e.name, Lever: catalog.One}
		if v, ok := f.get("issue"); ok {
			g.Issue, _ = c.text(v, "issue")
		}
		if v, ok := f.get("lever"); ok {
			g.Lever = c.lever(v, "lever")
		}
		j := c.conditions(f)
		g.Eligible, g.Applicable, g.Suitable = j.eligible, j.applicable, j.suitable
		c.b.Groups = append(c.b.Groups, g)
		c.groupReads = append(c.groupReads, j.reads)
	}
}

var actionKeys = []string{
	"intent", "purpose", "group", "slots", "about", "goal", "before", "eligible", "applicable", "suitable", "value", "propensity", "bother", "lever",
	"mandatory", "exempt", "repeat_after", "keep_armed", "measure", "least_identity", "say", "say_personal",
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
		c.actionShowing(&a, e, f)
		j := c.conditions(f)
		a.Eligible, a.Applicable, a.Suitable = j.eligible, j.applicable, j.suitable
		reads := j.reads
		if a.Group >= 0 {
			reads = append(slices.Clone(reads), c.groupReads[a.Group]...)
		}
		c.judgeReads(&a, e, reads)
		c.actionTexts(&a, e, f)
		c.b.Actions = append(c.b.Actions, a)
	}
}

// actionKind reads what an action is for and about.
func (c *compiler) actionKind(a *catalog.Action, e entry, f *fields) {
	if v, ok := f.get("intent"); ok {
		a.Intent, _ = c.intent(v)
	} else {
		c.fail(e.key, "missing_key", "sales, service, information, question, safety, recovery, handoff or entertainment", "action %s has no intent", e.name)
	}
	if a.Intent == catalog.Question {
		v, _ := f.get("intent")
		c.fail(v, "not_supported", "leave it out for now", "questions are not supported yet")
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
			c.fail(f.key("measure"), "no_control_group", "leave it out", "%s is never held out from anybody", a.Intent)
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
	if v, ok := f.get("exempt"); ok {
		words, at := c.words(v, "exempt")
		for k, w := range words {
			switch w {
			case "caps":
				a.ExemptCaps = true
			case "pressure":
				a.ExemptPressure = true
			default:
				c.fail(at[k], "unknown_word", "caps or pressure", "exempt cannot be %s", w)
			}
		}
		if len(words) > 0 && a.Intent != catalog.Safety && a.Intent != catalog.Service && a.Intent != catalog.Recovery && a.Intent != 0 {
			c.fail(f.key("exempt"), "exempt_not_allowed", "only safety, service and recovery may be exempt", "%s cannot be exempt from the contact policy", a.Intent)
		}
	}
	if v, ok := f.get("repeat_after"); ok {
		a.Repeat = c.duration(v, "repeat_after")
	}
	if v, ok := f.get("keep_armed"); ok {
		a.KeepArmed = c.duration(v, "keep_armed")
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

// judgeReads checks what an action's conditions read against what it is for, and
// says what follows: whether they are personal, which grants its signals want.
func (c *compiler) judgeReads(a *catalog.Action, e entry, reads []placed) {
	uses := []string{}
	seen := map[string]bool{}
	for _, r := range reads {
		if r.symbol != nil && r.through == nil {
			uses = append(uses, r.symbol.name)
		}
		if r.symbol != nil && r.symbol.what == aSignal {
			if p := c.b.Signals[r.symbol.index].Consent; p >= 0 && !slices.Contains(a.NeedGrants, p) {
				a.NeedGrants = append(a.NeedGrants, p)
			}
		}
		if _, personal := c.purposesOf(r.mention); personal {
			a.ConditionsPersonal = true
			c.permitted(a, e, r, "reads", seen)
		}
	}
	slices.Sort(a.NeedGrants)
	slices.Sort(uses)
	a.Uses = slices.Compact(uses)
}

// permitted checks that something personal is held for the action's purpose.
func (c *compiler) permitted(a *catalog.Action, e entry, r placed, verb string, seen map[string]bool) {
	held, _ := c.purposesOf(r.mention)
	name := r.means
	if r.symbol != nil {
		name = r.symbol.name
	}
	key := fmt.Sprintf("%s %s %v", verb, name, r.pos)
	if seen[key] {
		return
	}
	seen[key] = true
	if a.Purpose < 0 {
		if _, said := c.actionHas(e, "purpose"); said {
			return // an unknown purpose, which is reported
		}
		c.report(r.pos, Error, "purpose_missing", fmt.Sprintf("action %s %s %s, which is about a person, and has no purpose", e.name, verb, name), "give the action a purpose: that it is held for")
		return
	}
	p := &c.b.Purposes[a.Purpose]
	if r.through != nil && r.through.what == aDerived {
		return // judged by the purposes of the derived value itself
	}
	if !held.Has(a.Purpose) {
		c.report(r.pos, Error, "purpose_not_held", fmt.Sprintf("action %s is for %s, and %s %s, which is not held for it", e.name, p.Name, verb, name), fmt.Sprintf("add %s to the purposes of %s, if people are told so", p.Name, name))
	}
	if r.symbol == nil || r.symbol.what != aFact {
		return
	}
	if special := c.b.Facts[r.symbol.index].Special; special != "" && !(p.Explicit && p.Basis == catalog.BasisConsent) {
		c.report(r.pos, Error, "special_without_consent", fmt.Sprintf("%s is special (%s), and %s does not rest on explicit consent", name, special, p.Name), "give the purpose basis: consent and explicit: true")
	}
}

func (c *compiler) actionHas(e entry, key string) (value, bool) {
	if !e.val.isMap() {
		return value{}, false
	}
	for k := 0; k+1 < len(e.val.node.Content); k += 2 {
		if e.val.node.Content[k].Value == key {
			return value{e.val.file, e.val.node.Content[k+1]}, true
		}
	}
	return value{}, false
}

// actionTexts reads how an action is said.
func (c *compiler) actionTexts(a *catalog.Action, e entry, f *fields) {
	seen := map[string]bool{}
	say, hasSay := f.get("say")
	personal, hasPersonal := f.get("say_personal")
	if hasSay {
		t, reads := c.treatment(f.key("say"), say, "say")
		t.Ambient = !a.ConditionsPersonal
		for _, r := range reads {
			if _, p := c.purposesOf(r.mention); p {
				t.Ambient = false
				c.permitted(a, e, r, "says", seen)
			}
		}
		c.grants(a, reads)
		a.Say = t
	}
	if hasPersonal {
		t, reads := c.treatment(f.key("say_personal"), personal, "say_personal")
		for _, r := range reads {
			if _, p := c.purposesOf(r.mention); p {
				c.permitted(a, e, r, "says", seen)
			}
		}
		c.grants(a, reads)
		a.SayPersonal = t
		if _, said := f.get("purpose"); !said {
			c.fail(f.key("say_personal"), "purpose_missing", "give the action a purpose", "action %s speaks to a person, and has no purpose", e.name)
		}
	}
	if !hasSay && !hasPersonal && a.Intent != catalog.Question { // which was refused already
		c.warn(e.key, "no_text", `as in say: {en: "..."}`, "action %s has no text, so that it can never be shown", e.name)
	}
}

// grants adds the consents that the signals in a text want.
func (c *compiler) grants(a *catalog.Action, reads []placed) {
	for _, r := range reads {
		if r.symbol.what != aSignal {
			continue
		}
		if p := c.b.Signals[r.symbol.index].Consent; p >= 0 && !slices.Contains(a.NeedGrants, p) {
			a.NeedGrants = append(a.NeedGrants, p)
			slices.Sort(a.NeedGrants)
		}
	}
}

// finish closes the program and points everything at its final nodes.
func (c *compiler) finish() {
	program, index := c.language.graph.program()
	c.b.Program = program
	move := func(n *rule.Node) {
		if *n != rule.None {
			*n = index[*n]
		}
	}
	for k := range c.b.Derived {
		move(&c.b.Derived[k].Node)
	}
	for k := range c.b.States {
		move(&c.b.States[k].Node)
	}
	if c.b.SessionEnd != nil {
		move(&c.b.SessionEnd.Ends)
	}
	for k := range c.b.Groups {
		g := &c.b.Groups[k]
		move(&g.Eligible)
		move(&g.Applicable)
		move(&g.Suitable)
	}
	for k := range c.b.Actions {
		a := &c.b.Actions[k]
		move(&a.Eligible)
		move(&a.Applicable)
		move(&a.Suitable)
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
