package funnel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// words are the sentences of one language. Codes stand nowhere in them.
type words struct {
	shown    string // text, what it is for, what it rests on
	this     string // in place of the text where that is not stored
	forWhat  string // the purpose's own words
	said     string // values that she told, each with what they are
	because  string // what happened or is so, as names
	looked   string // what was looked at beside, as names
	nothing  string // nothing of her was used
	and      string
	change   string
	consent  string // how to change it where it rests on consent: the purpose's own words
	silent   string // why
	ask      string
	neutral  string // why, where the true reason is not for all eyes
	worksOut string // a derived value and its formula
	unasked  string // a fallback
	dated    string // what happened and its day
	day      string // of the month, and the month's name
	months   [12]string
	yes, no  string
	history  map[catalog.Means][2]string // one that happened, and such in general
	calendar map[string]string           // by the name that policies use
	reasons  map[catalog.Reason]string
}

// languages are those in which the customer is answered; others are answered in English.
var languages = map[string]*words{"en": &english, "nl": &dutch, "de": &german}

// ForCustomer explains a decision to the customer in two sentences: what is said, for what, from what, and how
// to change it; of a silence, why nothing is said. It speaks language, or where that is empty the decision's, in
// English where there are no words for it. It is told from what the funnel knows: of a stored decision that
// is the action and the names of what it used, of a moment their values as well.
//
// Nothing is said of what was guessed or told by others, of special data, or, on a screen that others may
// see, of her at all.
func ForCustomer(b *catalog.Bundle, f *Funnel, language string) string {
	d := f.Decision
	if language == "" {
		language = d.Language
	}
	w := languages[language]
	if w == nil {
		w = &english
	}
	c := customer{words: w, b: b, f: f, language: slices.Index(b.Languages, language), alone: f.Alone || !shared(b, d.Slot)}
	if d.Action == "silence" {
		return c.ofSilence()
	}
	return c.ofAction()
}

// shared says whether others can see a slot; one that is not known may be seen.
func shared(b *catalog.Bundle, slot string) bool {
	s := b.Slot(slot)
	return s == nil || s.SharedScreen
}

// customer is one explanation on its way.
type customer struct {
	*words
	b        *catalog.Bundle
	f        *Funnel
	language int // of the bundle's; -1 where it does not speak it
	alone    bool
}

// in returns a text of the policy in the language, the policy's first where it has none.
func (c *customer) in(t catalog.Text) string {
	for _, k := range [...]int{c.language, 0} {
		if k >= 0 && k < len(t) && t[k] != "" {
			return t[k]
		}
	}
	return ""
}

func (c *customer) ofSilence() string {
	reason, _ := catalog.ParseReason(c.f.Decision.Cause)
	why := c.reasons[reason]
	if why == "" || !c.alone && !public(reason) {
		why = c.neutral
	}
	return fmt.Sprintf(c.silent, why) + " " + c.ask
}

// public says whether a reason tells nothing of her: those of the moment, the device and the policy.
func public(r catalog.Reason) bool {
	switch {
	case r <= catalog.BusyScreen, r == catalog.DeviceQuietHours:
		return true
	case r >= catalog.NotInBundle && r <= catalog.LanguageMissing, r >= catalog.NoTreatmentForSlot:
		return true
	}
	return r == catalog.NotAlone || r == catalog.BystanderUnknown || r == catalog.NotWorthBother || r == catalog.BelowMinimum
}

func (c *customer) ofAction() string {
	d := c.f.Decision
	text := c.this
	if d.Text != nil && d.Text.Text != "" {
		text = "\"" + d.Text.Text + "\""
	}
	a := c.b.Action(d.Action)
	purpose, consent := "", ""
	grounds := c.grounds()
	switch {
	case a == nil:
	case c.ambient(a):
		if !strings.HasSuffix(grounds, c.nothing) {
			grounds += c.nothing
		}
	case a.Purpose >= 0:
		p := &c.b.Purposes[a.Purpose]
		if words := c.in(p.For); words != "" {
			purpose = fmt.Sprintf(c.forWhat, words)
			if p.Basis.NeedsGrant() {
				consent = words
			}
		}
	}
	first := fmt.Sprintf(c.shown, text, purpose, grounds)
	if d.Cause != "" {
		first = fmt.Sprintf(c.unasked, text)
	}
	if consent != "" {
		return first + " " + fmt.Sprintf(c.consent, consent)
	}
	return first + " " + c.change
}

// ambient says whether it was said in the words for whoever stands there: then no purpose and no consent is needed.
func (c *customer) ambient(a *catalog.Action) bool {
	return c.f.Decision.Treatment == "say" && a.Say != nil && a.Say.Ambient
}

// grounds says what it rests on: what she said, what happened or is so, and what was looked at beside.
func (c *customer) grounds() string {
	var said, because, looked []string
	for k := range c.f.Inputs {
		in := &c.f.Inputs[k]
		switch f, kind := c.b.Fact(in.Name), c.b.Kind(in.Name); {
		case f != nil && (!c.alone || f.Special != "" || !spoken(in)):
		case f != nil && in.Known && in.Origin.Provenance == event.Declared && !in.Value.IsNull():
			said = append(said, c.value(in.Value)+" ("+also(plainName(in.Name), c.in(f.Why))+")")
		case kind != nil && !c.alone: // history is of her
		case kind != nil && in.Happened != 0:
			because = append(because, fmt.Sprintf(c.dated, c.event(kind, 0), c.date(c.b.Zone.Day(in.Happened))))
		case kind != nil:
			looked = append(looked, c.event(kind, 1))
		default:
			name := c.name(in)
			if name == "" {
				break
			}
			if in.Known && in.Value.Kind() == sense.Bool && in.Value.Bool() {
				because = append(because, name)
			} else {
				looked = append(looked, name)
			}
		}
	}
	var parts []string
	for _, part := range [...]struct {
		words string
		list  []string
	}{{c.said, said}, {c.because, because}, {c.looked, looked}} {
		if len(part.list) > 0 {
			parts = append(parts, fmt.Sprintf(part.words, c.join(part.list)))
		}
	}
	if len(parts) == 0 {
		if c.f.Decision.Customer == "" || len(c.f.Inputs) == 0 {
			return c.nothing
		}
		return ""
	}
	return ", " + c.join(parts)
}

// event names a kind of interaction: in words where the policy says what it means, else by its name.
func (c *customer) event(k *catalog.Kind, general int) string {
	if words, ok := c.history[k.Means]; ok {
		return words[general]
	}
	return plainName(k.Name)
}

// date says a day, with its year where that is not the decision's.
func (c *customer) date(day int64) string {
	t := sense.Instant(day * int64(sense.Day)).Time()
	s := fmt.Sprintf(c.day, t.Day(), c.months[t.Month()-1])
	if now := sense.Instant(c.b.Zone.Day(c.f.Decision.At) * int64(sense.Day)).Time(); t.Year() != now.Year() {
		s += fmt.Sprintf(" %d", t.Year())
	}
	return s
}

// value says a value as people do.
func (c *customer) value(v sense.Value) string {
	switch v.Kind() {
	case sense.Bool:
		if v.Bool() {
			return c.yes
		}
		return c.no
	case sense.Date:
		return c.date(v.Int())
	case sense.List:
		var all []string
		for _, one := range v.List() {
			all = append(all, c.value(one))
		}
		if len(all) > 0 {
			return c.join(all)
		}
	}
	return Value(v)
}

// spoken says whether a fact may be spoken of: what she said or what was seen, not what was guessed or told by
// others. Of a stored decision nobody knows, and it is not spoken of.
func spoken(in *Input) bool {
	return in.Origin != nil && (in.Origin.Provenance == event.Declared || in.Origin.Provenance == event.Observed)
}

// plainName is a declared name with blanks for what joins its words.
func plainName(name string) string { return strings.NewReplacer(".", " ", "_", " ").Replace(name) }

// name says an input in words: its name, in brackets of a derived value its formula, and why the policy wants it.
func (c *customer) name(in *Input) string {
	plain := plainName(in.Name)
	if words, ok := c.calendar[in.Name]; ok {
		return words
	}
	if k := c.b.SignalIndex(in.Name); k >= 0 {
		s := &c.b.Signals[k]
		if s.Special != "" {
			return ""
		}
		return bracketed(plain, c.in(s.Why))
	}
	if k := c.b.DerivedIndex(in.Name); k >= 0 {
		d := &c.b.Derived[k]
		switch {
		case d.Special != "" || d.Personal && !c.alone:
			return ""
		case d.Kind != sense.Bool && d.Formula != "":
			return bracketed(plain, also(fmt.Sprintf(c.worksOut, strings.ReplaceAll(d.Formula, " * ", " x ")), c.in(d.Why)))
		}
		return bracketed(plain, c.in(d.Why))
	}
	if f := c.b.Fact(in.Name); f != nil {
		return bracketed(plain, c.in(f.Why))
	}
	return plain
}

// also adds why to what is said first.
func also(what, why string) string {
	if why == "" {
		return what
	}
	return what + ", " + why
}

func bracketed(name, why string) string {
	if why == "" {
		return name
	}
	return name + " (" + why + ")"
}

// join makes "a, b and c".
func (c *customer) join(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + c.and + " " + list[last]
}
