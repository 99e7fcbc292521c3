package policy

import (
	"math"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

var signalKinds = []string{"bool", "int", "double", "string", "position", "duration", "timestamp"}

func (c *compiler) signals() {
	for k, e := range c.sections["signals"] {
		f := c.fields(e.key, e.val, "signal "+e.name, signalKeys...)
		s := catalog.Signal{Name: e.name, Kind: sense.Bool, MaxAge: sense.Forever, Consent: -1, Input: -1}
		if v, ok := f.get("type"); !ok {
			c.fail(e.key, "missing_key", "type: "+strings.Join(signalKinds, ", "), "signal %s has no type", e.name)
		} else if word, ok := c.word(v, "type", signalKinds...); ok {
			s.Kind, _ = sense.ParseKind(word)
		}
		if v, ok := f.get("unit"); ok {
			s.Unit, _ = c.text(v, "unit")
		}
		if v, ok := f.get("max_age"); ok {
			s.MaxAge = c.duration(v, "max_age")
		}
		if v, ok := f.get("scope"); ok {
			if word, _ := c.word(v, "scope", "device", "person"); word == "person" {
				s.Scope = rule.ScopeSession
			}
		}
		if v, ok := f.get("special"); ok {
			s.Special, _ = c.text(v, "special")
		}
		if v, ok := f.get("purposes"); ok {
			s.Purposes = c.purposeSet(v)
		} else if personalSignal(&s) {
			c.fail(e.key, "purposes_missing", "a signal about a person says what it is for: purposes: [...]", "signal %s has no purposes", e.name)
		}
		if v, ok := f.get("consent"); ok {
			s.Consent = c.reference(v, "consent", "purpose", c.names["purposes"])
			if s.Consent >= 0 && c.b.Purposes[s.Consent].Basis != catalog.BasisConsent {
				c.fail(v, "not_a_consent", "name a purpose with basis: consent", "purpose %s does not rest on consent", c.b.Purposes[s.Consent].Name)
			}
		}
		s.Why = c.translations(f, e, "why", personalSignal(&s))
		if s.Leaves = c.leaves(f); s.Leaves {
			c.idle(f.key("leaves_device"), "leaves_device: value of a signal", "readings stay on the device; a derived value may leave it")
		}
		if v, ok := f.get("from"); ok {
			word, _ := c.word(v, "from", "hub", "device")
			s.FromHub = word == "hub"
		}
		c.b.Signals = append(c.b.Signals, s)
		if sym := c.symbolAt(aSignal, k); sym != nil {
			sym.kind, sym.scope = s.Kind, s.Scope
		}
	}
}

// personalSignal says whether a signal is about a person.
func personalSignal(s *catalog.Signal) bool { return s.Scope == rule.ScopeSession || s.Special != "" }

// leaves reads whether a value may leave the device.
func (c *compiler) leaves(f *fields) bool {
	v, ok := f.get("leaves_device")
	if !ok {
		return false
	}
	word, _ := c.word(v, "leaves_device", "never", "value")
	return word == "value"
}

// symbolAt finds the symbol of the k-th thing of a section; nil where its name is bad.
func (c *compiler) symbolAt(w what, k int) *symbol {
	for _, s := range c.symbols {
		if s.what == w && s.index == int32(k) {
			return s
		}
	}
	return nil
}

var factKinds = []string{"bool", "int", "double", "string", "date", "timestamp", "money"}

func (c *compiler) facts() {
	for k, e := range c.sections["facts"] {
		f := c.fields(e.key, e.val, "fact "+e.name, factKeys...)
		d := catalog.Fact{Name: e.name, Kind: sense.String, Keep: sense.Forever, Fresh: sense.Forever, Least: math.MinInt64, Most: math.MaxInt64}
		if v, ok := f.get("type"); !ok {
			c.fail(e.key, "missing_key", "type: "+strings.Join(factKinds, ", ")+" or list<...>", "fact %s has no type", e.name)
		} else {
			d.Kind, d.Elem = c.factType(v)
		}
		if v, ok := f.get("owner"); ok {
			d.Owner, _ = c.word(v, "owner", "vehicle", "household", "site")
		}
		if v, ok := f.get("one_of"); ok {
			d.OneOf, _ = c.words(v, "one_of")
			if d.Kind != sense.String && d.Elem != sense.String {
				c.fail(v, "wrong_type", "leave it out, or make the fact a string", "one_of belongs to facts of type string")
			}
		}
		c.valid(&d, f)
		if v, ok := f.get("purposes"); ok {
			d.Purposes = c.purposeSet(v)
		} else {
			c.fail(e.key, "purposes_missing", "a fact says what it is held for: purposes: [...]", "fact %s has no purposes", e.name)
		}
		if v, ok := f.get("from"); ok {
			words, at := c.words(v, "from")
			for k, w := range words {
				if p, ok := event.ParseProvenance(w); ok {
					d.From = append(d.From, p)
				} else {
					c.fail(at[k], "unknown_word", "declared, observed, inferred or third_party", "from cannot be %s", w)
				}
			}
			slices.Sort(d.From)
		}
		if v, ok := f.get("keep"); ok {
			d.Keep = c.duration(v, "keep")
		} else {
			c.fail(e.key, "keep_missing", "say how long it is held, as in keep: 2y; fresh says how long it is trusted", "fact %s has no keep", e.name)
		}
		if v, ok := f.get("fresh"); ok {
			d.Fresh = c.duration(v, "fresh")
			if d.Fresh > d.Keep {
				c.fail(v, "fresh_beyond_keep", threeAges, "fresh is longer than keep")
			}
		}
		if v, ok := f.get("special"); ok {
			d.Special, _ = c.text(v, "special")
		}
		if v, ok := f.get("preference"); ok {
			d.Preference = c.boolean(v, "preference")
		}
		if d.Preference && d.Kind != sense.String && d.Elem != sense.String {
			c.fail(f.key("preference"), "wrong_type", "make it a string or a list<string>, as in type: list<string>", "a preference is one or more words, and fact %s is %s", e.name, article(d.Kind.String()))
		}
		if d.Special != "" && slices.Contains(d.From, event.Inferred) {
			c.fail(f.key("special"), "special_inferred", "take inferred out of from", "a special fact cannot be inferred")
		}
		d.Leaves = c.leaves(f)
		c.wellKnown(e, &d)
		d.Why = c.translations(f, e, "why", false)
		c.b.Facts = append(c.b.Facts, d)
		if s := c.symbolAt(aFact, k); s != nil {
			s.kind, s.elem, s.oneOf = d.Kind, d.Elem, d.OneOf
		}
	}
}

// factType reads `string` or `list<string>`.
func (c *compiler) factType(v value) (kind, elem sense.Kind) {
	s, ok := c.text(v, "type")
	if !ok {
		return sense.String, sense.Null
	}
	inner, isList := strings.CutPrefix(s, "list<")
	if isList {
		inner, isList = strings.CutSuffix(inner, ">")
	}
	if !slices.Contains(factKinds, inner) {
		c.fail(v, "unknown_word", didYouMean(inner, append(slices.Clone(factKinds), "list<string>")), "type cannot be %s", s)
		return sense.String, sense.Null
	}
	k, _ := sense.ParseKind(inner)
	if isList {
		return sense.List, k
	}
	return k, sense.Null
}

// valid reads which values of a fact are possible: others are refused on entry.
func (c *compiler) valid(d *catalog.Fact, f *fields) {
	kind := d.Kind
	if kind == sense.List {
		kind = d.Elem
	}
	if v, ok := f.get("between"); ok {
		list := c.list(v, "between")
		switch {
		case kind != sense.Int && kind != sense.Double && kind != sense.Money:
			c.fail(v, "wrong_type", "leave it out; in_past: true is for dates", "between belongs to numbers and money, and fact %s is %s", d.Name, article(kind.String()))
		case len(list) != 2:
			c.fail(v, "wrong_number", "as in between: [0, 120]", "between has the least and the greatest value that can be true")
		default:
			d.Least, d.Most = c.micro(list[0], "between", -mostMoney, mostMoney), c.micro(list[1], "between", -mostMoney, mostMoney)
			if d.Least > d.Most {
				c.fail(v, "wrong_number", "the smaller one comes first", "no value lies between %s and %s", list[0].node.Value, list[1].node.Value)
			}
		}
	}
	if v, ok := f.get("in_past"); ok {
		if d.InPast = c.boolean(v, "in_past"); kind != sense.Date && kind != sense.Timestamp {
			c.fail(v, "wrong_type", "leave it out", "in_past belongs to dates and timestamps, and fact %s is %s", d.Name, article(kind.String()))
		}
	}
	if v, ok := f.get("format"); ok {
		if d.Format, _ = c.word(v, "format", "email", "phone", "url"); kind != sense.String {
			c.fail(v, "wrong_type", "leave it out, or make the fact a string", "format belongs to facts of type string, and fact %s is %s", d.Name, article(kind.String()))
		}
	}
}

// wellKnown checks the type of facts that guards read by their name.
func (c *compiler) wellKnown(e entry, d *catalog.Fact) {
	text := d.Kind == sense.String
	if e.name == "quiet_hours" && !text && d.Elem != sense.String {
		c.fail(e.key, "wrong_type", `quiet_hours: {type: string, ...}, with values as "22:00-08:00"`, "her own quiet hours are read as text, and quiet_hours is %s", article(d.Kind.String()))
	}
	if (e.name == "zone" || e.name == "language") && !text {
		c.fail(e.key, "wrong_type", e.name+": {type: string, ...}", "the fact %s is read as text, and is %s", e.name, article(d.Kind.String()))
	}
}
