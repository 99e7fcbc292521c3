package register

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Register is all that a policy says of what it does with data. No list is nil.
type Register struct {
	Policy     string      `json:"policy"` // name@version
	Language   string      `json:"language"`
	Currency   string      `json:"currency"`
	Zone       string      `json:"zone"`
	Data       []Datum     `json:"data"` // facts, interactions, signals, derived values, each in order of name
	Purposes   []Purpose   `json:"purposes"`
	Partners   []Partner   `json:"partners"`
	Exemptions []Exemption `json:"exemptions"`
	Absent     []Absent    `json:"absent_allowed"` // states that a missing source lifts
	Mandatory  []Mandatory `json:"mandatory"`
	Sensitive  []Sensitive `json:"sensitive"`
	Consents   []Consent   `json:"read_only_with_consent"`
}

// Datum is one thing that is sensed, computed or known.
type Datum struct {
	Kind       string   `json:"kind"` // signal, derived, fact or interaction
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	About      string   `json:"about"` // device, person, customer, vehicle, household or site
	Why        string   `json:"why"`
	Purposes   []Reason `json:"purposes"`
	From       []string `json:"from"`
	Special    string   `json:"special"` // category of special data; empty where none
	Kept       string   `json:"kept"`
	Fresh      string   `json:"fresh"` // how long it is trusted
	Recipients []string `json:"recipients"`
	Leaves     string   `json:"leaves_device"` // no, value, or record
	UsedBy     []Use    `json:"used_by"`
	Also       []string `json:"also_for"` // what else it is read for
	Gone       bool     `json:"gone"`     // no purpose of it has a basis any more: it is not held
}

// Reason is one purpose of a datum.
type Reason struct {
	Purpose string `json:"purpose"`
	Basis   string `json:"basis"`
	For     string `json:"for"`
}

// Use is an action that uses a datum: in its conditions, texts, as a question, by a guard, by delivery or hand-over.
type Use struct {
	Action string   `json:"action"`
	In     []string `json:"in"`
}

// Purpose is why data may be used.
type Purpose struct {
	Purpose  string   `json:"purpose"`
	Basis    string   `json:"basis"`
	Explicit bool     `json:"explicit"`
	For      string   `json:"for"`
	Unasked  string   `json:"unasked"` // the purpose that speaking unasked needs besides; empty where none
	Partners []string `json:"partners"`
	LeastAge int64    `json:"least_age"` // 0 where none
	Actions  []string `json:"actions"`
	Gone     bool     `json:"gone"`
}

// Partner is somebody else who gets something.
type Partner struct {
	Partner string   `json:"partner"`
	Purpose string   `json:"purpose"`
	Consent string   `json:"consent"` // the purpose to which the customer agrees for it
	For     string   `json:"for"`
	Actions []string `json:"actions"`
}

// Exemption is a rule that an action need not keep.
type Exemption struct {
	Action string `json:"action"`
	Of     string `json:"of"`
	Since  string `json:"since"` // empty where it is not dated
	By     string `json:"by"`    // empty where nobody owns it
}

// Absent is a state that is false where its source is not there.
type Absent struct {
	State   string   `json:"state"`
	Signals []string `json:"signals"`
}

// Mandatory is an action that skips value and ranking.
type Mandatory struct {
	Action  string `json:"action"`
	Intent  string `json:"intent"`
	Purpose string `json:"purpose"`
}

// Sensitive is a subject that is spoken of only where the customer asked for it.
type Sensitive struct {
	Subject   string   `json:"subject"`
	Sensitive string   `json:"sensitive"`
	Actions   []string `json:"actions"`
}

// Consent is a signal that is read only while a purpose is granted.
type Consent struct {
	Signal  string `json:"signal"`
	Consent string `json:"consent"`
}

// Make returns the register of a bundle, its texts in one of the policy's languages, the first where it is empty.
func Make(b *catalog.Bundle, language string) (*Register, error) {
	m := &maker{b: b, uses: newUses(b)}
	if language != "" {
		if m.language = slices.Index(b.Languages, language); m.language < 0 {
			return nil, fmt.Errorf("make register: policy %s has no texts in %s, only in %s", b.Name, language, strings.Join(b.Languages, " "))
		}
	}
	r := &Register{Policy: fmt.Sprintf("%s@%d", b.Name, b.Version), Currency: b.Currency, Zone: b.Zone.Name, Data: []Datum{}, Purposes: []Purpose{}, Partners: []Partner{},
		Exemptions: []Exemption{}, Absent: []Absent{}, Mandatory: []Mandatory{}, Sensitive: []Sensitive{}, Consents: []Consent{}}
	if len(b.Languages) > 0 {
		r.Language = b.Languages[m.language]
	}
	for k := range b.Facts {
		r.Data = append(r.Data, m.fact(k))
	}
	for k := range b.Kinds {
		r.Data = append(r.Data, m.interaction(k))
	}
	for k := range b.Signals {
		r.Data = append(r.Data, m.signal(k))
	}
	for k := range b.Derived {
		r.Data = append(r.Data, m.derived(k))
	}
	m.rest(r)
	return r, nil
}

type maker struct {
	b        *catalog.Bundle
	uses     *uses
	language int
}

func (m *maker) text(t catalog.Text) string {
	if m.language < len(t) {
		return t[m.language]
	}
	return ""
}

// because lists the purposes of a set; gone says that none of them has a basis any more.
func (m *maker) because(set catalog.PurposeSet) (list []Reason, gone bool) {
	list, gone = []Reason{}, set != 0
	for k := range m.b.Purposes {
		if p := &m.b.Purposes[k]; set.Has(int32(k)) {
			list = append(list, Reason{p.Name, p.Basis.String(), m.text(p.For)})
			gone = gone && p.Basis == catalog.BasisNone
		}
	}
	return list, gone
}

func (m *maker) signal(k int) Datum {
	s := &m.b.Signals[k]
	d := Datum{Kind: "signal", Name: s.Name, Type: typeOf(s.Kind, sense.Null, s.Unit), About: "device", Why: m.text(s.Why), Special: s.Special, From: []string{"sensor"}, Leaves: "no"}
	if s.Scope == rule.ScopeSession {
		d.About = "person"
	}
	if s.FromHub {
		d.From = []string{"hub"}
	}
	d.Purposes, d.Gone = m.because(s.Purposes)
	d.Fresh = lasting(s.MaxAge)
	d.Kept = "latest reading only"
	if w := m.uses.window[k]; w > 0 {
		d.Kept = "readings of " + length(w)
	}
	if s.Leaves {
		d.Leaves = "value"
	}
	m.used(&d, m.uses.signals[k], s.Leaves)
	return d
}

func (m *maker) derived(k int) Datum {
	v := &m.b.Derived[k]
	d := Datum{Kind: "derived", Name: v.Name, Type: typeOf(v.Kind, sense.Null, ""), About: "device", Why: m.text(v.Why), Special: v.Special, From: m.uses.sources(v.Node), Leaves: "no", Kept: "not kept"}
	if v.Personal {
		d.About = "person"
	}
	if v.Formula != "" {
		d.From = append(d.From, "as "+v.Formula)
	}
	d.Purposes, d.Gone = m.because(v.Purposes)
	if v.Leaves {
		d.Leaves, d.Kept = "value", lasting(v.Keep)
	}
	m.used(&d, m.uses.derived[k], v.Leaves)
	return d
}

func (m *maker) fact(k int) Datum {
	f := &m.b.Facts[k]
	d := Datum{Kind: "fact", Name: f.Name, Type: typeOf(f.Kind, f.Elem, ""), About: "customer", Why: m.text(f.Why), Special: f.Special, From: []string{}, Leaves: "record", Kept: lasting(f.Keep), Fresh: lasting(f.Fresh)}
	if f.Owner != "" {
		d.About = f.Owner
	}
	if len(f.OneOf) > 0 {
		d.Type += ": " + strings.Join(f.OneOf, " ")
	}
	from := f.From
	if len(from) == 0 {
		from = []event.Provenance{event.Declared, event.Observed, event.Inferred, event.ThirdParty}
	}
	for _, p := range from {
		if f.Special == "" || p != event.Inferred {
			d.From = append(d.From, p.String())
		}
	}
	d.Purposes, d.Gone = m.because(f.Purposes)
	m.used(&d, m.uses.facts[k], true)
	return d
}

func (m *maker) interaction(k int) Datum {
	i := &m.b.Kinds[k]
	d := Datum{Kind: "interaction", Name: i.Name, Type: "interaction", About: "customer", From: []string{"any channel"}, Leaves: "record", Kept: lasting(i.Keep)}
	d.Purposes, d.Gone = m.because(i.Purposes)
	m.used(&d, m.uses.kinds[k], true)
	return d
}

// used fills in who uses a datum and who receives it. What leaves goes to the hub, to the partners
// of actions that use it, and to staff to whom it is handed over.
func (m *maker) used(d *Datum, u *usage, leaves bool) {
	d.UsedBy, d.Also, d.Recipients = []Use{}, u.others(), []string{}
	if leaves {
		d.Recipients = append(d.Recipients, "hub")
	}
	var partners []string
	staff := false
	for k := range m.b.Actions {
		a := &m.b.Actions[k]
		in := u.in(k)
		if len(in) == 0 {
			continue
		}
		d.UsedBy = append(d.UsedBy, Use{a.Name, in})
		staff = staff || slices.Contains(in, handOver)
		if a.Partner >= 0 && !slices.Equal(in, []string{guards}) { // what only holds an action back goes no further
			partners = append(partners, "partner "+m.b.Partners[a.Partner].Name)
		}
	}
	if d.Gone {
		d.Kept, d.Recipients, d.Leaves = "not held", []string{}, "no"
		return
	}
	slices.Sort(partners)
	d.Recipients = append(d.Recipients, slices.Compact(partners)...)
	if staff {
		d.Recipients = append(d.Recipients, "staff")
	}
}

// rest fills in what stands beside the data.
func (m *maker) rest(r *Register) {
	b := m.b
	for k := range b.Purposes {
		p := &b.Purposes[k]
		one := Purpose{Purpose: p.Name, Basis: p.Basis.String(), Explicit: p.Explicit, For: m.text(p.For), Partners: []string{}, LeastAge: p.LeastAge, Gone: p.Basis == catalog.BasisNone,
			Actions: m.actions(func(a *catalog.Action) bool { return a.Purpose == int32(k) })}
		if p.Unasked >= 0 {
			one.Unasked = b.Purposes[p.Unasked].Name
		}
		for _, x := range b.Partners {
			if x.Purpose == int32(k) {
				one.Partners = append(one.Partners, x.Name)
			}
		}
		r.Purposes = append(r.Purposes, one)
	}
	for k := range b.Partners {
		p := &b.Partners[k]
		one := Partner{Partner: p.Name, For: m.text(p.For), Actions: m.actions(func(a *catalog.Action) bool { return a.Partner == int32(k) })}
		if p.Purpose >= 0 {
			one.Purpose = b.Purposes[p.Purpose].Name
		}
		if p.Consent >= 0 {
			one.Consent = b.Purposes[p.Consent].Name
		}
		r.Partners = append(r.Partners, one)
	}
	for k := range b.Actions {
		m.action(r, &b.Actions[k])
	}
	for k := range b.States {
		if s := &b.States[k]; s.AbsentAllow {
			one := Absent{State: s.Name, Signals: []string{}}
			for _, n := range s.Inputs {
				one.Signals = append(one.Signals, b.Signals[n].Name)
			}
			r.Absent = append(r.Absent, one)
		}
	}
	for _, s := range b.Subjects {
		if s.Sensitive != "" {
			r.Sensitive = append(r.Sensitive, Sensitive{s.Name, s.Sensitive, m.actions(func(a *catalog.Action) bool { return concerns(b, a.About, s.Name) })})
		}
	}
	for k := range b.Signals {
		if s := &b.Signals[k]; s.Consent >= 0 {
			r.Consents = append(r.Consents, Consent{s.Name, b.Purposes[s.Consent].Name})
		}
	}
}

// action lists the exemptions of an action, and that it is mandatory.
func (m *maker) action(r *Register, a *catalog.Action) {
	listed := map[string]bool{}
	for _, x := range a.Exemptions {
		one := Exemption{Action: a.Name, Of: x.Of, By: x.By}
		if x.Since >= 0 {
			one.Since = sense.FormatDate(x.Since)
		}
		listed[x.Of] = true
		r.Exemptions = append(r.Exemptions, one)
	}
	if a.ExemptCaps && !listed["caps"] {
		r.Exemptions = append(r.Exemptions, Exemption{Action: a.Name, Of: "caps"})
	}
	if a.ExemptPressure && !listed["pressure"] {
		r.Exemptions = append(r.Exemptions, Exemption{Action: a.Name, Of: "pressure"})
	}
	if a.Mandatory {
		one := Mandatory{Action: a.Name, Intent: a.Intent.String()}
		if a.Purpose >= 0 {
			one.Purpose = m.b.Purposes[a.Purpose].Name
		}
		r.Mandatory = append(r.Mandatory, one)
	}
}

func (m *maker) actions(is func(*catalog.Action) bool) []string {
	list := []string{}
	for k := range m.b.Actions {
		if is(&m.b.Actions[k]) {
			list = append(list, m.b.Actions[k].Name)
		}
	}
	return list
}

// concerns says whether an action is about a subject, a part of it, or something of its kind.
func concerns(b *catalog.Bundle, about event.Subject, subject string) bool {
	yes := false
	b.Lineage(about, func(name string) bool {
		yes = name == subject
		return !yes
	})
	return yes
}

func typeOf(k, elem sense.Kind, unit string) string {
	text := k.String()
	if k == sense.List {
		text = "list<" + elem.String() + ">"
	}
	if unit != "" {
		text += " (" + unit + ")"
	}
	return text
}

// lasting prints how long something lasts.
func lasting(d sense.Duration) string {
	if d == sense.Forever {
		return "no end"
	}
	return length(d)
}

// length prints whole years as years.
func length(d sense.Duration) string {
	if d > 0 && d%sense.Year == 0 {
		return fmt.Sprintf("%dy", d/sense.Year)
	}
	return d.String()
}
