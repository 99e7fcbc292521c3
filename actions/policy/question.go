package policy

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// questionKeys belong to actions of intent question alone.
var questionKeys = []string{"asks", "confirms", "serves", "because", "in_return", "retry"}

// question reads what a question asks, for what, and its words beside its text. It returns what the
// words read.
func (c *compiler) question(a *catalog.Action, e entry, f *fields) []placed {
	if a.Intent != catalog.Question {
		for _, key := range questionKeys {
			if _, ok := f.get(key); ok && a.Intent != 0 {
				c.fail(f.key(key), "not_a_question", "write intent: question, or leave the key out", "%s belongs to questions, and action %s is %s", key, a.Name, a.Intent)
			}
		}
		return nil
	}
	asks, hasAsks := f.get("asks")
	confirms, hasConfirms := f.get("confirms")
	switch {
	case hasAsks && hasConfirms:
		c.fail(f.key("confirms"), "two_questions", "make two questions", "question %s asks for a fact and for the confirmation of one", a.Name)
	case hasAsks:
		a.Asks = c.reference(asks, "asks", "fact", c.names["facts"])
		c.answerable(a, a.Asks, asks, "an answer")
	case hasConfirms:
		a.Confirms = c.reference(confirms, "confirms", "fact", c.names["facts"])
		c.answerable(a, a.Confirms, confirms, "a confirmation")
	default:
		c.fail(e.key, "missing_key", "asks: FACT, or confirms: FACT for one that is stale or inferred", "question %s does not say for which fact it asks", e.name)
	}
	if v, ok := f.get("serves"); ok {
		if a.Serves = c.reference(v, "serves", "action", c.names["actions"]); a.Serves >= 0 && c.names["actions"][a.Serves] == a.Name {
			c.fail(v, "circular", "name what the answer is for", "question %s serves itself", a.Name)
		}
	}
	r := &textReader{compiler: c}
	for _, part := range []struct {
		key  string
		into *[]catalog.Rendered
	}{{"because", &a.Because}, {"in_return", &a.InReturn}, {"retry", &a.Retry}} {
		if v, ok := f.get(part.key); ok {
			*part.into = r.texts(f.key(part.key), v, part.key)
		} else if part.key == "because" {
			c.warn(e.key, "not_told", `as in because: {en: "So that the brochure reaches you."}`, "question %s does not say why it is asked", e.name)
		}
	}
	return r.reads
}

// answerable makes sure that what the customer says can be kept: it is declared.
func (c *compiler) answerable(a *catalog.Action, k int32, v value, what string) {
	if k < 0 {
		return
	}
	d := &c.b.Facts[k]
	if a.Special == "" {
		a.Special = d.Special
	}
	if inferable := len(d.From) == 0 || slices.Contains(d.From, event.Inferred); k == a.Confirms && d.Fresh == sense.Forever && !inferable {
		c.warn(v, "never_asked", "give the fact fresh, as in fresh: 1y, or leave the question out", "question %s is asked once %s is stale or inferred, and it is never either", a.Name, d.Name)
	}
	if len(d.From) > 0 && !slices.Contains(d.From, event.Declared) {
		c.fail(v, "answer_refused", "add declared to from of "+d.Name, "%s makes a fact declared, and %s is not taken as declared", what, d.Name)
	}
}

// needs reads [address], or {mail: [address], email: [email]}: what must be known to deliver.
func (c *compiler) needs(a *catalog.Action, e entry, f *fields) {
	v, ok := f.get("needs")
	if !ok {
		return
	}
	seen := map[string]bool{}
	facts := func(x value, of string) (list []int32) {
		for _, one := range c.listOrOne(x, of) {
			if k := c.reference(one, of, "fact", c.names["facts"]); k >= 0 && !slices.Contains(list, k) {
				list = append(list, k)
				if s := c.symbolAt(aFact, int(k)); s != nil && a.Purpose >= 0 {
					c.permitted(a, e, placed{mention{symbol: s}, one.pos()}, "needs", seen)
				}
			}
		}
		c.none(x, of, "name the facts, or leave the key out")
		slices.Sort(list)
		return list
	}
	if v.node == nil || !v.isMap() {
		a.Needs = []catalog.Need{{Facts: facts(v, "needs")}}
		return
	}
	for _, e := range c.entries(v, "needs") {
		a.Needs = append(a.Needs, catalog.Need{Delivery: e.name, Facts: facts(e.val, "needs "+e.name)})
	}
	slices.SortFunc(a.Needs, func(x, y catalog.Need) int { return strings.Compare(x.Delivery, y.Delivery) })
	k, declared := slices.BinarySearch(c.names["signals"], "delivery")
	if len(a.Needs) > 1 && (!declared || c.b.Signals[k].Kind != sense.String) {
		c.fail(f.key("needs"), "delivery_missing", "declare it, as in delivery: {type: string, max_age: 10m}; an ask gives it with \"with\":{\"delivery\":\"mail\"}", "action %s is delivered in several ways, and there is no signal delivery of type string that says which", a.Name)
	}
}

// toldToPeople are what a hand-over may tell beside facts and kinds of interactions.
var toldToPeople = []string{"last_decisions", "answers", "question"}

// handsOver reads what a person is told who takes over, and returns the facts and kinds among it.
func (c *compiler) handsOver(a *catalog.Action, e entry, f *fields) (told []placed) {
	v, ok := f.get("hands_over")
	if !ok {
		if a.Intent == catalog.Handoff {
			c.warn(e.key, "tells_nothing", "as in hands_over: {tells: [complaint, answers, last_decisions]}", "action %s hands over to a person, who is told nothing", e.name)
		}
		return nil
	}
	if a.Intent != catalog.Recovery && a.Intent != catalog.Handoff && a.Intent != 0 && !a.Significant {
		c.fail(f.key("hands_over"), "hands_over_not_allowed", "write intent: handoff or recovery, or significant: true", "action %s is %s, which no person takes over", e.name, a.Intent)
	}
	inner := c.fields(f.key("hands_over"), v, "hands_over", handOverKeys...)
	a.HandsOver = &catalog.HandOver{}
	tells, ok := inner.get("tells")
	if !ok {
		c.fail(f.key("hands_over"), "missing_key", "as in hands_over: {tells: [complaint, last_decisions]}", "hands_over does not say what is told")
		return nil
	}
	words, at := c.words(tells, "tells")
	for k, w := range words {
		if slices.Contains(toldToPeople, w) {
			continue
		}
		s := c.byName[w]
		if s == nil || s.what != aFact && s.what != aKind {
			c.unknown(at[k].pos(), w, "tells: there is no fact or interaction "+w, didYouMean(w, append(c.language.names(aFact, aKind), toldToPeople...)))
			continue
		}
		p := placed{mention{symbol: s}, at[k].pos()}
		c.permitted(a, e, p, "tells", map[string]bool{}) // told is what is held for what the action is for
		told = append(told, p)
	}
	slices.Sort(words)
	a.HandsOver.Tells = words
	return told
}

// actionLinks reads who else gets something, after what an action comes, and what else it bears.
func (c *compiler) actionLinks(a *catalog.Action, f *fields) {
	if v, ok := f.get("partner"); ok {
		a.Partner = c.reference(v, "partner", "partner", c.names["partners"])
		if a.Partner >= 0 {
			if of := c.b.Partners[a.Partner].Purpose; of >= 0 && of != a.Purpose {
				c.fail(v, "partner_purpose", "give the action that purpose, or make a partner for its own", "partner %s gets something for %s alone, and action %s is for something else", c.names["partners"][a.Partner], c.b.Purposes[of].Name, a.Name)
			}
		}
	}
	if v, ok := f.get("completes"); ok {
		c.completes(a, f.key("completes"), v)
	}
	if v, ok := f.get("quality"); ok {
		a.Quality = c.micro(v, "quality", 0, catalog.One)
	}
	if v, ok := f.get("significant"); ok {
		a.Significant = c.boolean(v, "significant")
	}
	if v, ok := f.get("household"); ok {
		a.Household = c.boolean(v, "household")
	}
	c.follows(a, f)
}

// completes reads `here`, or {elsewhere: 0.30}: what it costs that the rest happens in another place.
func (c *compiler) completes(a *catalog.Action, key, v value) {
	if v.node != nil && v.isMap() {
		if x, ok := c.fields(key, v, "completes", completesKeys...).get("elsewhere"); ok {
			a.Elsewhere = c.micro(x, "elsewhere", 0, mostMoney)
			return
		}
	} else if s, ok := c.text(v, "completes"); !ok || s == "here" {
		return
	}
	c.fail(v, "unknown_word", "completes: here, or completes: {elsewhere: 0.30} with what it costs", "completes says where, and what it costs if that is elsewhere")
}

// follows reads `follows: ACTION, after: responded, else_after: 12h`.
func (c *compiler) follows(a *catalog.Action, f *fields) {
	v, ok := f.get("follows")
	if !ok {
		for _, key := range []string{"after", "else_after"} {
			if _, ok := f.get(key); ok {
				c.fail(f.key(key), "missing_key", "as in follows: weather, after: responded", "%s belongs to follows, and action %s follows nothing", key, a.Name)
			}
		}
		return
	}
	w := catalog.Follow{Action: c.reference(v, "follows", "action", c.names["actions"]), ElseAfter: sense.Forever}
	if x, ok := f.get("after"); ok {
		c.word(x, "after", "responded")
	} else {
		c.fail(f.key("follows"), "missing_key", "after: responded", "action %s does not say after what of %s it comes", a.Name, v.node.Value)
	}
	if x, ok := f.get("else_after"); ok {
		w.ElseAfter = c.duration(x, "else_after")
	}
	if w.Action >= 0 {
		a.Follows = &w
	}
}

// exempt reads [caps, pressure], or {caps: {since: 2026-03-01, by: "Jan, legal"}}.
func (c *compiler) exempt(a *catalog.Action, f *fields) {
	v, ok := f.get("exempt")
	if !ok {
		return
	}
	key := f.key("exempt")
	add := func(at value, of string, since int64, by string) {
		switch of {
		case "caps":
			a.ExemptCaps = true
		case "pressure":
			a.ExemptPressure = true
		default:
			c.fail(at, "unknown_word", "caps or pressure", "exempt cannot be %s", of)
			return
		}
		a.Exemptions = append(a.Exemptions, catalog.Exemption{Of: of, Since: since, By: by})
		if since < 0 || by == "" {
			c.warn(at, "exempt_unowned", `as in exempt: {`+of+`: {since: 2026-03-01, by: "Jan, legal"}}`, "the exemption from %s does not say since when, and who answers for it", of)
		}
	}
	if v.node != nil && v.isMap() {
		for _, e := range c.entries(v, "exempt") {
			since, by := c.owned(e)
			add(e.key, e.name, since, by)
		}
	} else {
		words, at := c.words(v, "exempt")
		for k, w := range words {
			add(at[k], w, -1, "")
		}
	}
	slices.SortFunc(a.Exemptions, func(x, y catalog.Exemption) int { return strings.Compare(x.Of, y.Of) })
	if len(a.Exemptions) > 0 && a.Intent != catalog.Safety && a.Intent != catalog.Service && a.Intent != catalog.Recovery && a.Intent != 0 {
		c.fail(key, "exempt_not_allowed", "only safety, service and recovery may be exempt", "%s cannot be exempt from the contact policy", a.Intent)
	}
}

// owned reads since when an exemption holds, and who answers for it.
func (c *compiler) owned(e entry) (since int64, by string) {
	since = -1
	f := c.fields(e.key, e.val, "exempt "+e.name, exemptKeys...)
	if v, ok := f.get("since"); ok {
		s, _ := c.text(v, "since")
		day, err := sense.ParseDate(s)
		if err != nil || day < 0 {
			c.fail(v, "bad_date", "as in since: 2026-03-01", "since: there is no date %s", s)
			day = 0
		}
		since = day
	}
	if v, ok := f.get("by"); ok {
		by, _ = c.text(v, "by")
	}
	return since, by
}
