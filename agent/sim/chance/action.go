package chance

import (
	"fmt"
	"slices"
	"strings"
)

func (a *author) writeGroups() {
	n := a.IntN(3)
	if n == 0 {
		return
	}
	a.line("groups:")
	for k := range n {
		g := group{name: fmt.Sprintf("group-%c", 'a'+k)}
		if a.percent(50) {
			g.purpose = one(a.dice, a.purposes...).name
		}
		keys := []string{"issue: retention"}
		if a.percent(50) {
			keys = append(keys, "lever: "+one(a.dice, "10 %", "-20 %", "50 %"))
		}
		r := reader{a, g.purpose}
		for _, stage := range []string{"eligible", "applicable", "suitable"} {
			if a.percent(25) {
				keys = append(keys, fmt.Sprintf("%s: %q", stage, r.condition()))
			}
		}
		if a.percent(30) {
			keys = append(keys, a.weights(r))
		}
		a.groups = append(a.groups, g)
		a.line("  %s: {%s}", g.name, strings.Join(keys, ", "))
	}
}

func (a *author) weights(r reader) string {
	all := make([]string, 1+a.IntN(2))
	for k := range all {
		all[k] = fmt.Sprintf("{when: %q, lever: %s}", r.condition(), one(a.dice, "20 %", "-50 %", "100 %"))
	}
	return "weights: [" + strings.Join(all, ", ") + "]"
}

var intents = []string{"sales", "sales", "sales", "service", "information", "entertainment", "safety", "recovery", "handoff"}

func (a *author) writeActions() {
	a.line("actions:")
	a.line("  hello: {intent: information, slots: %s, value: 0.10, say: %s}", a.slotNames(1), a.per("Hello."))
	n := 4 + a.IntN(12)
	if a.percent(10) {
		n = 30
	}
	for k := range n {
		a.writeAction(k)
	}
	a.writeQuestions()
}

func (a *author) slotNames(least int) string {
	all := make([]string, len(a.slots))
	for k := range a.slots {
		all[k] = a.slots[k].name
	}
	return list(some(a.dice, least, all))
}

// writeAction draws one action that is no question.
func (a *author) writeAction(k int) {
	x := drawn{name: fmt.Sprintf("%s-%02d", one(a.dice, "offer", "tip", "note"), k), intent: one(a.dice, intents...)}
	if a.percent(80) {
		x.purpose = one(a.dice, a.purposes...).name
	}
	r := reader{a, x.purpose}
	keys := []string{"intent: " + x.intent}
	add := func(format string, args ...any) { keys = append(keys, fmt.Sprintf(format, args...)) }
	if x.purpose != "" {
		add("purpose: %s", x.purpose)
	}
	if groups := a.groupsFor(x.purpose); len(groups) > 0 && a.percent(50) {
		x.group = one(a.dice, groups...)
		add("group: %s", x.group)
	}
	if a.percent(80) {
		add("slots: %s", a.slotNames(1))
	}
	if x.intent == "sales" || a.percent(40) {
		x.about = one(a.dice, subjects...)
		add("about: %s", x.about)
	}
	a.worth(x, r, add)
	a.moments(x, r, add)
	a.manners(x, add)
	a.says(x, r, add)
	a.actions = append(a.actions, x)
	a.line("  %s:\n    %s", x.name, strings.Join(keys, "\n    "))
}

// groupsFor are the groups whose conditions an action of the purpose may be judged by.
func (a *author) groupsFor(purpose string) []string {
	var all []string
	for _, g := range a.groups {
		if g.purpose == "" || g.purpose == purpose {
			all = append(all, g.name)
		}
	}
	return all
}

// worth writes what showing it is worth and costs.
func (a *author) worth(x drawn, r reader, add func(string, ...any)) {
	add("value: %s", one(a.dice, "0.60", "4.00", "6.00", "30.00", "400.00", "0.01"))
	if a.percent(70) {
		add("propensity: %s", one(a.dice, "0.04", "0.10", "0.5", "0.333333", "1"))
	}
	if a.percent(50) {
		add("bother: %s", one(a.dice, "0", "0.05", "0.30"))
	}
	if a.percent(30) {
		add("lever: %s", one(a.dice, "10 %", "-30 %"))
	}
	if a.percent(20) {
		add("%s", a.weights(r))
	}
	if a.percent(12) && slices.Contains(names(a.signals), "demand") {
		add(`price: "8.00 * demand"`)
		add("normal: 8.00")
		add("disclose: %s", a.per("It is busy, {price.percent}."))
	}
	if a.percent(15) {
		add("completes: %s", one(a.dice, "here", "{elsewhere: 0.30}"))
	}
	if a.percent(10) {
		add("quality: %s", one(a.dice, "0.4", "0.8"))
	}
}

// moments writes when it is right.
func (a *author) moments(x drawn, r reader, add func(string, ...any)) {
	all := ""
	for _, stage := range []string{"eligible", "applicable", "suitable"} {
		if c := r.condition(); a.percent(40) && !repeats(all+" "+c) {
			all += " " + c
			add("%s: %q", stage, c)
		}
	}
	switch {
	case a.percent(25):
		add("keep_armed: %s", one(a.dice, "10m", "2h"))
	case a.percent(10):
		add("at: %s", one(a.dice, `["sun 18:00"]`, `["daily 09:00", "daily 10:15"]`, `["month 1 09:00"]`, `["2026-03-02 10:00"]`))
	}
	if a.percent(20) {
		add("repeat_after: %s", one(a.dice, "30m", "4h", "1d", "3d"))
	}
	if a.percent(12) {
		add("valid: %s", one(a.dice, "{from: 2026-03-01, until: 2026-03-31}", "{until: 2026-03-02}", "{from: 2026-03-02T09:30:00Z}"))
	}
	if a.percent(12) {
		add("hours: %s", one(a.dice, `["mon-fri 09:00-18:00", "sat 10:00-17:00"]`, `["20:00-02:00"]`))
	}
	if x.purpose != "" && a.percent(12) {
		add("before: %s", one(a.dice, names(a.kinds)...))
	}
	if a.percent(12) && len(a.actions) > 0 {
		add("follows: %s", one(a.dice, a.actions...).name)
		add("after: responded")
		if a.percent(60) {
			add("else_after: %s", one(a.dice, "10m", "12h"))
		}
	}
}

// manners writes what else it keeps to.
func (a *author) manners(x drawn, add func(string, ...any)) {
	if a.percent(15) || x.intent == "safety" && a.percent(60) {
		add("mandatory: true")
	}
	if slices.Contains([]string{"safety", "service", "recovery"}, x.intent) && a.percent(30) {
		add("exempt: %s", one(a.dice, "[caps, pressure]", "[pressure]", `{caps: {since: 2026-03-01, by: "Jan, legal"}}`))
	}
	if a.percent(15) {
		add("goal: %s", one(a.dice, "hotel:rome", "product:model-x"))
	}
	if a.percent(12) {
		add("least_identity: %s", one(a.dice, "passive", "card", "login"))
	}
	if len(a.measures) > 0 && x.intent != "service" && x.intent != "safety" && a.percent(30) {
		add("measure: satisfaction")
	}
	if x.purpose == "offers" && a.partners != nil && a.percent(30) {
		add("partner: telco")
	}
	if a.percent(5) {
		add("significant: true")
	}
	if a.percent(15) && x.about != "care:nappies" && x.purpose != "health" {
		add("household: true")
	}
	if x.intent == "handoff" || x.intent == "recovery" {
		tells := []string{"last_decisions"}
		if x.purpose != "" {
			r := reader{a, x.purpose}
			tells = append(append(names(r.may(a.kinds)), names(r.may(a.facts))...), "last_decisions", "answers", "question")
			slices.Sort(tells)
			tells = slices.Compact(tells)
		}
		add("hands_over: {tells: %s}", list(some(a.dice, 1, tells)))
	}
}

// says writes its words.
func (a *author) says(x drawn, r reader, add func(string, ...any)) {
	say := a.percent(70)
	personal := x.purpose != "" && (!say || a.percent(60))
	if say || !personal {
		p := ""
		if a.percent(25) {
			p = " " + r.placeholder(false)
		}
		if a.percent(10) {
			add("say: {title: %s, text: %s, link: \"https://example.com/a\"}", a.per(x.name), a.per("More of "+x.name+p))
		} else {
			add("say: %s", a.per("Say "+x.name+p))
		}
	}
	if personal {
		p := ""
		if a.percent(60) {
			p = r.placeholder(true) + " "
		}
		add("say_personal: %s", a.per(p+"for you: "+x.name))
	}
}

// writeQuestions draws questions and what they serve.
func (a *author) writeQuestions() {
	for k := range a.IntN(4) {
		f := one(a.dice, a.facts...)
		if f.special || f.owner != "" || f.kind != "string" {
			continue
		}
		p := one(a.dice, f.purposes...)
		name := fmt.Sprintf("ask-%02d", k)
		serves := fmt.Sprintf("serve-%02d", k)
		keys := []string{"intent: question", "purpose: " + p, one(a.dice, "asks: ", "confirms: ") + f.name, "value: " + one(a.dice, "0.60", "20.00"), "bother: 0.30",
			"slots: " + a.slotNames(1), "because: " + a.per("Because it helps."), "in_return: " + a.per("You get it sooner."), "say: " + a.per("Would you tell us?")}
		if a.percent(50) {
			keys = append(keys, "retry: "+a.per("Once more, please?"))
		}
		keys = append(keys, "serves: "+serves)
		a.line("  %s:\n    %s", name, strings.Join(keys, "\n    "))
		a.line("  %s: {intent: %s, purpose: %s, about: %s, needs: %s, value: 2.00, say: %s}", serves, one(a.dice, "information", "service"), p, one(a.dice, "brochure:model-x", "topic:garden"),
			one(a.dice, "["+f.name+"]", "{mail: ["+f.name+"]}"), a.per("Here it is."))
	}
}

// writeContact draws the contact policy.
func (a *author) writeContact() {
	a.line("contact:")
	var limits, pauses []string
	for range a.IntN(4) {
		of := one(a.dice, "intent: sales", "intent: service", "intent: information", "channel: kiosk", "about: same", "action: "+one(a.dice, a.actions...).name, "intent: sales, about: same", "intent: question")
		if len(a.groups) > 0 && a.percent(20) {
			of = "group: " + a.groups[0].name
		}
		per := one(a.dice, "rolling 1h", "rolling 7d", "rolling 10s", "calendar day, zone: customer", "calendar day, zone: policy", "calendar week, zone: policy", "calendar month, zone: customer")
		limits = append(limits, fmt.Sprintf("    - {%s, at_most: %d, counting: %s, per: %s}", of, 1+a.IntN(3), one(a.dice, "shown", "shown", "dismissed", "ignored", "accepted", "negative"), per))
	}
	for range a.IntN(4) {
		same := one(a.dice, "about: same", "action: same", "intent: same", "channel: same", "customer: same", "about: same, intent: sales")
		pauses = append(pauses, fmt.Sprintf("    - {%s, after: %s, for: %s}", same, one(a.dice, "dismissed", "never", "later", "ignored", "negative", "accepted"), one(a.dice, "10s", "1h", "90d", "ever")))
	}
	if len(limits) > 0 {
		a.line("  limits:\n%s", strings.Join(limits, "\n"))
	}
	if len(pauses) > 0 {
		a.line("  pauses:\n%s", strings.Join(pauses, "\n"))
	}
	if a.percent(40) {
		visit := ""
		if slices.Contains(names(a.kinds), "visit") {
			visit = ", visit: -0.10"
		}
		a.line("  pressure: {unit: EUR, half_life: %s, ignored: 0.10, dismissed: 0.40, accepted: -0.20, floor: 0.05%s}", one(a.dice, "1m", "7d"), visit)
	}
	if a.percent(25) {
		a.line("  minimum_wait: %s", one(a.dice, "10s", "2h", "[{intent: sales, for: 1m, same: about}, {for: 5s, same: channel}]"))
	}
	if a.percent(20) {
		a.line("  volume: [{action: %s, at_most: %d, per: %s}]", one(a.dice, a.actions...).name, 1+a.IntN(4), one(a.dice, "calendar day", "rolling 1h"))
	}
	a.line("  profile: {max_stale: {sales: 15m}}")
}
