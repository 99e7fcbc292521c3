package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/context/sense"
)

// outcome is what an expectation came to on one device.
type outcome struct {
	ok       bool
	happened string
	why      *seen
	update   string // the line, without `then` or `and`, as it would hold
}

// check looks whether a line holds, on every device that it concerns.
func (r *runner) check(s *step) {
	r.result.Checks++
	e := s.expect
	word := "then"
	if e.kind >= expectRejected {
		word = "and"
	}
	if e.kind == expectMay {
		r.report(s, word, "", r.may(e))
		return
	}
	switch e.kind {
	case expectContact:
		r.report(s, word, "", r.contact(e))
		return
	case expectPolicy:
		r.report(s, word, "", r.compiles(e))
		return
	case expectKnows:
		r.report(s, word, "", r.knows(e))
		return
	case expectTold, expectAlsoTold:
		r.report(s, word, "", r.tells(s))
		return
	}
	views := r.concerned(s)
	if len(views) == 0 {
		r.report(s, word, "", outcome{happened: "no device has the slot " + e.slot})
		return
	}
	if word == "then" {
		r.last = map[*view]seen{}
	}
	for _, v := range views {
		o := r.on(v, e)
		if !o.ok {
			r.report(s, word, v.name, o)
			return
		}
	}
}

// concerned are the devices that a line speaks of.
func (r *runner) concerned(s *step) []*view {
	slot := s.expect.slot
	if s.expect.of != nil {
		slot = s.expect.of.slot
	}
	var list []*view
	for _, v := range r.stage.views {
		on := s.on
		if s.expect.kind == expectSendsNo || s.expect.kind == expectSends {
			on = s.expect.name
		}
		if on != "" && on != v.name || on == "" && slot != "" && !r.stage.has(v, slot) {
			continue
		}
		if s.expect.of != nil && on == "" {
			if _, spoken := r.last[v]; !spoken {
				continue // `on D then` above, `and` without it
			}
		}
		list = append(list, v)
	}
	return list
}

func (r *runner) on(v *view, e *expectation) outcome {
	switch e.kind {
	case expectShows, expectSilent:
		return r.decided(v, e)
	case expectNothing:
		return r.nothing(v, e)
	case expectClears, expectNoClear:
		return cleared(v, e)
	case expectSignal:
		return signal(v, e)
	case expectRead:
		o := outcome{ok: slices.Contains(v.reads, e.name) == e.yes, happened: "read are " + list(v.reads), update: "signal " + e.name + " is not read"}
		if !e.yes {
			o.update = "signal " + e.name + " is read"
		}
		return o
	case expectSends:
		if slices.ContainsFunc(v.sent, func(m string) bool { return strings.Contains(m, e.text) }) {
			return outcome{ok: true}
		}
		return outcome{happened: fmt.Sprintf("%s sent %d messages and records, none with it", v.name, len(v.sent))}
	case expectSendsNo:
		for _, m := range v.sent {
			if strings.Contains(m, e.text) {
				return outcome{happened: fmt.Sprintf("%s sent it: %.200q", v.name, m)}
			}
		}
		return outcome{ok: true}
	}
	d, ok := r.last[v]
	if !ok {
		return outcome{happened: "the line above found no decision"}
	}
	return r.about(d, e)
}

// current is the decision that speaks for a slot: the last of the episode, else what
// stands there, else why an unasked slot is empty.
func (r *runner) current(v *view, e *expectation) (seen, bool) {
	fits := func(d *engine.Decision) bool { return d.Slot == e.slot && (e.session == "" || d.Session == e.session) }
	for k := len(v.shown) - 1; k >= 0; k-- {
		if fits(v.shown[k].Decision) {
			return v.shown[k], true
		}
	}
	for _, of := range []map[place]seen{r.standing(v), v.silent} {
		var best seen
		for _, d := range of {
			if fits(d.Decision) && (best.Decision == nil || d.At > best.At || d.At == best.At && d.Session < best.Session) {
				best = d
			}
		}
		if best.Decision != nil {
			return best, true
		}
	}
	return seen{}, false
}

// standing is what stands in the slots of a device now.
func (r *runner) standing(v *view) map[place]seen {
	now := map[place]seen{}
	for _, s := range v.mind().Shown() {
		if d, ok := v.standing[place{s.Session, s.Slot}]; ok && d.ID == s.Decision {
			now[place{s.Session, s.Slot}] = d
		}
	}
	return now
}

func (r *runner) decided(v *view, e *expectation) outcome {
	slot := "slot " + e.slot
	if e.session != "" {
		slot += " in session " + e.session
	}
	d, ok := r.current(v, e)
	if !ok {
		return outcome{happened: "nothing was decided for the slot", update: "nothing is shown in " + e.slot}
	}
	r.last[v] = d
	o := outcome{why: &d}
	if d.Action == "silence" {
		o.happened = "silence because " + d.Cause
		o.update = slot + " is silent because " + d.Cause
		o.ok = e.kind == expectSilent && d.Cause == e.reason.word && groundsOfSilence(d.Decision, e.reason)
		if !o.ok && d.Cause == e.reason.word {
			o.happened += ", on other grounds"
		}
		return o
	}
	o.happened = d.Action + " for " + funnel.Micro(d.Value)
	if d.Cause != "" {
		o.happened += " as the fallback"
	}
	o.update = slot + " shows " + d.Action
	o.ok = e.kind == expectShows && d.Action == e.name
	return o
}

// groundsOfSilence says whether a candidate that fell for the cause has the grounds.
func groundsOfSilence(d *engine.Decision, x reason) bool {
	if x.ground == "" && x.text == "" {
		return true
	}
	return slices.ContainsFunc(d.Rejected, func(r engine.Rejected) bool { return r.Reason == x.code && grounds(r.Because, x) })
}

func grounds(list []catalog.Because, x reason) bool {
	if x.ground != "" && (len(list) == 0 || list[0].Name != x.ground) {
		return false
	}
	return x.text == "" || slices.ContainsFunc(list, func(b catalog.Because) bool { return strings.Contains(funnel.Because(b), x.text) })
}

func (r *runner) nothing(v *view, e *expectation) outcome {
	var found []seen
	for p, d := range r.standing(v) {
		if p.slot == e.slot && (e.session == "" || p.session == e.session) {
			found = append(found, d)
		}
	}
	for _, d := range v.shown {
		taken := slices.ContainsFunc(v.clears, func(c engine.Clear) bool { return c.Decision == d.ID && c.Cause != "expired" })
		if d.Slot == e.slot && (e.session == "" || d.Session == e.session) && !d.Asked && !taken {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return outcome{ok: true}
	}
	d := slices.MinFunc(found, func(a, b seen) int { return int(a.N) - int(b.N) })
	r.last[v] = d
	return outcome{happened: fmt.Sprintf("%s was shown at %s", d.Action, d.At), why: &d, update: "slot " + e.slot + " shows " + d.Action}
}

func cleared(v *view, e *expectation) outcome {
	var other string
	for _, c := range v.clears {
		if c.Slot != e.slot || e.session != "" && c.Session != e.session {
			continue
		}
		if e.kind == expectClears && c.Cause == e.reason.word {
			return outcome{ok: true}
		}
		other = c.Cause
	}
	switch {
	case e.kind == expectNoClear && other == "":
		return outcome{ok: true}
	case other == "":
		return outcome{happened: "nothing was cleared in " + e.slot, update: "nothing is cleared in " + e.slot}
	}
	return outcome{happened: "cleared because " + other, update: "clears " + e.slot + " because " + other}
}

func signal(v *view, e *expectation) outcome {
	session := e.session
	if session == "" {
		session = "main"
	}
	l, ok := v.mind().Look(session, e.name)
	if !ok {
		return outcome{happened: fmt.Sprintf("there is no signal, derived value, state or fact %q in session %s", e.name, session)}
	}
	if l.Why != catalog.NoReason {
		return outcome{ok: e.value.IsNull(), happened: "unknown (" + l.Why.String() + ")", update: "signal " + e.name + " is unknown"}
	}
	want, err := e.value.As(l.Value.Kind())
	got := funnel.Value(l.Value)
	return outcome{ok: err == nil && want.Equal(l.Value), happened: got, update: "signal " + e.name + " is " + got}
}

// about looks at the decision that the line above found.
func (r *runner) about(d seen, e *expectation) outcome {
	o := outcome{why: &d}
	switch e.kind {
	case expectRejected, expectNoCandidate:
		return rejected(d, e)
	case expectText, expectNoText:
		text := spoken(d)
		o.ok, o.happened, o.update = strings.Contains(text, e.text) == (e.kind == expectText), fmt.Sprintf("%q", text), fmt.Sprintf("text contains %q", text)
	case expectUses:
		o.ok, o.happened = slices.Contains(d.Uses, e.name), "it uses "+list(d.Uses)
	case expectNoUse:
		o.ok, o.happened = !slices.Contains(d.Uses, e.name), "it uses "+list(d.Uses)
	case expectRank:
		o.happened = fmt.Sprintf("the list has %d ranks", len(d.List)+1)
		if k := e.rank - 2; k < len(d.List) {
			o.ok, o.happened, o.update = d.List[k].Action == e.name, d.List[k].Action, fmt.Sprintf("rank %d is %s", e.rank, d.List[k].Action)
		}
	case expectPrice, expectNormal:
		amount, what := d.Price, "price"
		if e.kind == expectNormal {
			amount, what = d.Normal, "normal price"
		}
		o.happened = "it has no price that depends on the moment"
		if d.Priced {
			o.ok, o.happened, o.update = amount == e.micro, funnel.Micro(amount), what+" is "+funnel.Micro(amount)
		}
	case expectExplained:
		told := "" // without a policy nobody is told anything
		if b := r.stage.bundle; b != nil {
			told = funnel.ForCustomer(b, d.whole(b), d.Language)
		}
		o.ok, o.happened, o.update = strings.Contains(told, e.text), fmt.Sprintf("%q", told), fmt.Sprintf("the customer is told %q", told)
	case expectValue:
		o.ok, o.happened, o.update = d.Value == e.micro, funnel.Micro(d.Value), "value is "+funnel.Micro(d.Value)
	}
	return o
}

// spoken is all words of a decision.
func spoken(d seen) string {
	t := d.Text
	if t == nil {
		return ""
	}
	return strings.Join(strings.Fields(t.Title+" "+t.Text+" "+t.Button), " ")
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func rejected(d seen, e *expectation) outcome {
	o := outcome{why: &d}
	k := slices.IndexFunc(d.Rejected, func(r engine.Rejected) bool { return r.Action == e.name })
	if k < 0 {
		o.happened = e.name + " was not a candidate"
		if d.Action == e.name {
			o.happened = e.name + " won"
		} else {
			o.update = o.happened
		}
		o.ok = e.kind == expectNoCandidate && d.Action != e.name
		return o
	}
	x := d.Rejected[k]
	var all []string
	for _, b := range x.Because {
		all = append(all, funnel.Because(b))
	}
	o.happened = fmt.Sprintf("%s was rejected at %s because %s", e.name, x.Stage, x.Reason)
	o.update = o.happened
	if len(all) > 0 {
		o.happened += ": " + strings.Join(all, ", ")
	}
	o.ok = e.kind == expectRejected && x.Stage == e.stage && x.Reason == e.reason.code && grounds(x.Because, e.reason)
	return o
}

func (r *runner) may(e *expectation) outcome {
	v, err := r.stage.may(e.may)
	if err != nil {
		return outcome{happened: err.Error()}
	}
	asked := fmt.Sprintf("may %s %s %s %s is ", e.may.customer, e.may.about, e.may.intent, e.may.channel)
	if v.May {
		return outcome{ok: e.yes, happened: "yes", update: asked + "yes"}
	}
	o := outcome{ok: !e.yes && v.Reason == e.reason.code, happened: "no because " + v.Reason.String(), update: asked + "no because " + v.Reason.String()}
	if v.Until > 0 && v.Until != sense.Never {
		o.happened += " until " + v.Until.String()
	}
	return o
}

// contact asks the hub what became of a contact that the company made.
func (r *runner) contact(e *expectation) outcome {
	c, err := r.stage.customer(e.may.customer)
	if err != nil {
		return outcome{happened: err.Error()}
	}
	of := fmt.Sprintf("contact %s of %s was ", e.name, e.may.customer)
	for _, x := range c.Contacts {
		switch {
		case x.Ref != e.name:
		case x.By == "":
			return outcome{ok: e.text == "", happened: "not answered", update: of + "not answered"}
		default:
			by := strings.Replace(strings.Replace(x.By, " (", " on ", 1), ")", "", 1)
			return outcome{ok: e.text == x.By, happened: "answered by " + by, update: of + "answered by " + by}
		}
	}
	return outcome{happened: "the hub knows no contact " + e.name}
}

// report adds a failure, if it is one.
func (r *runner) report(s *step, word, device string, o outcome) {
	if o.ok {
		return
	}
	line := strings.TrimSpace(withoutComment(r.file.Lines[s.line-1]))
	f := Failure{Line: s.line, Text: line, Expected: strings.TrimPrefix(strings.TrimPrefix(line, "on "+s.on+" "), word+" "), Happened: o.happened}
	if device != "" {
		f.Happened = "on " + device + ": " + f.Happened
	}
	if o.why != nil {
		currency := ""
		if r.stage.bundle != nil {
			currency = r.stage.bundle.Currency
		}
		f.Why = o.why.funnel.Text(currency, false, nil)
	}
	if o.update != "" {
		f.Update = s.indent
		if s.on != "" {
			f.Update += "on " + s.on + " "
		}
		f.Update += word + " " + o.update
	}
	r.result.Failures = append(r.result.Failures, f)
}

// Updated returns the file's content with the lines of failures replaced by what holds;
// no other line changes. n is how many were.
func Updated(f *File, results []Result) (content []byte, n int) {
	lines := slices.Clone(f.Lines)
	for _, r := range results {
		for _, x := range r.Failures {
			if x.Update != "" {
				old := strings.TrimSuffix(lines[x.Line-1], "\r")
				comment := old[len(withoutComment(old)):]
				lines[x.Line-1] = x.Update
				if comment != "" {
					lines[x.Line-1] += "  " + comment
				}
				if strings.HasSuffix(f.Lines[x.Line-1], "\r") {
					lines[x.Line-1] += "\r"
				}
				n++
			}
		}
	}
	return []byte(strings.Join(lines, "\n")), n
}
