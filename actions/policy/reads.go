package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
)

// judgeReads checks what an action's conditions, weights and price read against what it is for, and
// says what follows: whether they are personal, which grants its signals want, what was seen.
func (c *compiler) judgeReads(a *catalog.Action, e entry, reads []placed) {
	uses := []string{}
	seen := map[string]bool{}
	for _, r := range reads {
		if r.symbol != nil && r.through == nil {
			uses = append(uses, r.symbol.name)
		}
		if r.symbol != nil && r.symbol.what == aFact && !slices.Contains(a.Reads, r.symbol.index) {
			a.Reads = append(a.Reads, r.symbol.index)
		}
		if s := (catalog.Seen{Subject: event.Subject(r.subject), Window: r.window}); r.means == "viewed" && !slices.Contains(a.Seen, s) {
			a.Seen = append(a.Seen, s)
		}
		if _, personal := c.purposesOf(r.mention); personal {
			a.ConditionsPersonal = true
			c.permitted(a, e, r, "reads", seen)
		}
	}
	c.grants(a, reads)
	slices.Sort(a.Reads)
	slices.SortFunc(a.Seen, func(x, y catalog.Seen) int {
		if k := strings.Compare(string(x.Subject), string(y.Subject)); k != 0 {
			return k
		}
		return int(min(max(x.Window-y.Window, -1), 1))
	})
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
	special := c.specialOf(r.mention)
	if special != "" && a.Special == "" {
		a.Special = special
	}
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
	if special != "" && !(p.Explicit && p.Basis == catalog.BasisConsent) {
		c.report(r.pos, Error, "special_without_consent", fmt.Sprintf("%s is special (%s), and %s does not rest on explicit consent", name, special, p.Name), "give the purpose basis: consent and explicit: true")
	}
}

func (c *compiler) actionHas(e entry, key string) (value, bool) {
	if e.val.node == nil || !e.val.isMap() {
		return value{}, false
	}
	for k := 0; k+1 < len(e.val.node.Content); k += 2 {
		if e.val.node.Content[k].Value == key {
			return value{e.val.file, e.val.node.Content[k+1]}, true
		}
	}
	return value{}, false
}

// actionTexts reads how an action is said, and the words of a question. It returns what they say.
func (c *compiler) actionTexts(a *catalog.Action, e entry, f *fields) []placed {
	say, hasSay := f.get("say")
	personal, hasPersonal := f.get("say_personal")
	beside := c.question(a, e, f)
	c.said(a, e, beside)
	all := slices.Clone(beside)
	if hasSay {
		t, reads := c.treatment(f.key("say"), say, "say", a.Price != nil)
		isPersonal := c.said(a, e, reads)
		t.Ambient = !a.ConditionsPersonal && !isPersonal && !c.personal(beside)
		t.Uses = usesOf(reads, beside)
		all = append(all, reads...)
		a.Say = t
	}
	if hasPersonal {
		t, reads := c.treatment(f.key("say_personal"), personal, "say_personal", a.Price != nil)
		c.said(a, e, reads)
		t.Uses = usesOf(reads, beside)
		all = append(all, reads...)
		a.SayPersonal = t
		if _, said := f.get("purpose"); !said {
			c.fail(f.key("say_personal"), "purpose_missing", "give the action a purpose", "action %s speaks to a person, and has no purpose", e.name)
		}
	}
	if !hasSay && !hasPersonal {
		c.warn(e.key, "no_text", `as in say: {en: "..."}`, "action %s has no text, so that it can never be shown", e.name)
	}
	return all
}

// said checks what a text reads, and says whether any of it is personal.
func (c *compiler) said(a *catalog.Action, e entry, reads []placed) bool {
	seen := map[string]bool{}
	for _, r := range reads {
		if _, personal := c.purposesOf(r.mention); personal {
			c.permitted(a, e, r, "says", seen)
		}
	}
	c.grants(a, reads)
	return c.personal(reads)
}

func (c *compiler) personal(reads []placed) bool {
	return slices.ContainsFunc(reads, func(r placed) bool {
		_, personal := c.purposesOf(r.mention)
		return personal
	})
}

// usesOf are the names that texts say, in order, as their author wrote them.
func usesOf(texts ...[]placed) []string {
	var names []string
	for _, reads := range texts {
		for _, r := range reads {
			if r.symbol != nil && r.through == nil {
				names = append(names, r.symbol.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// grants adds the consents that the signals in a condition or text want.
func (c *compiler) grants(a *catalog.Action, reads []placed) {
	for _, r := range reads {
		if r.symbol == nil || r.symbol.what != aSignal {
			continue
		}
		if p := c.b.Signals[r.symbol.index].Consent; p >= 0 && !slices.Contains(a.NeedGrants, p) {
			a.NeedGrants = append(a.NeedGrants, p)
		}
	}
	slices.Sort(a.NeedGrants)
}
