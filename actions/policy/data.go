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

// purposes reads why data may be used.
func (c *compiler) purposes() {
	var names []string
	for _, e := range c.sections["purposes"] {
		f := c.fields(e.key, e.val, "purpose "+e.name, "basis", "explicit", "objection", "unasked", "for")
		p := catalog.Purpose{Name: e.name, Unasked: -1, Born: -1, Basis: catalog.BasisConsent}
		if v, ok := f.get("basis"); !ok {
			c.fail(e.key, "missing_key", "basis: consent, contract, legal_obligation, vital_interest, public_task or legitimate_interest", "purpose %s has no basis", e.name)
		} else if s, ok := c.word(v, "basis", "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"); ok {
			p.Basis, _ = catalog.ParseBasis(s)
		}
		if v, ok := f.get("explicit"); ok {
			p.Explicit = c.boolean(v, "explicit")
			if p.Explicit && !p.Basis.NeedsGrant() {
				c.fail(v, "explicit_without_consent", "explicit belongs to basis: consent", "only consent can be explicit")
			}
		}
		if v, ok := f.get("objection"); ok {
			// It says what holds anyway, for readers: the law leaves no choice.
			if _, ok := c.word(v, "objection", "honoured"); ok && !p.Basis.YieldsToObjection() {
				c.fail(v, "objection_without_interest", "leave the key out", "only legitimate_interest and public_task yield to an objection")
			}
		}
		p.For = c.translations(f, e, "for", true)
		c.b.Purposes = append(c.b.Purposes, p)
		names = append(names, p.Name)
		if v, ok := f.get("unasked"); ok {
			if _, ok := c.word(v, "unasked", "separate_consent"); ok {
				c.b.Purposes[len(c.b.Purposes)-1].Unasked = int32(len(c.b.Purposes))
				c.b.Purposes = append(c.b.Purposes, catalog.Purpose{Name: e.name + ".unasked", Basis: catalog.BasisConsent, Unasked: -1, Born: -1, For: p.For})
				names = append(names, e.name+".unasked")
			}
		}
	}
	for k := 1; k < len(names); k++ {
		if names[k-1] == names[k] {
			c.fail(c.keys["purposes"], "duplicate_name", "unasked: separate_consent makes that purpose by itself", "purpose %s stands twice", names[k])
		}
	}
	if len(names) > 64 {
		c.fail(c.keys["purposes"], "too_many", "join some", "a policy has at most 64 purposes")
		c.b.Purposes, names = c.b.Purposes[:64], names[:64]
	}
	c.names["purposes"] = names
}

// purposeSet reads a list of purposes.
func (c *compiler) purposeSet(v value) (set catalog.PurposeSet) {
	for _, x := range c.list(v, "purposes") {
		if k := c.reference(x, "purposes", "purpose", c.names["purposes"]); k >= 0 {
			set |= 1 << uint(k)
		}
	}
	return set
}

func (c *compiler) partners() {
	for _, e := range c.sections["partners"] {
		f := c.fields(e.key, e.val, "partner "+e.name, "purpose", "for")
		p := catalog.Partner{Name: e.name, Purpose: -1, Consent: -1, For: c.translations(f, e, "for", true)}
		if v, ok := f.get("purpose"); !ok {
			c.fail(e.key, "missing_key", "say for which purpose it gets anything", "partner %s has no purpose", e.name)
		} else {
			p.Purpose = c.reference(v, "purpose", "purpose", c.names["purposes"])
		}
		c.b.Partners = append(c.b.Partners, p)
	}
	if key := c.keys["partners"]; key.node != nil {
		c.idle(key, "partners", "nothing goes to a partner")
	}
}

var signalKinds = []string{"bool", "int", "double", "string", "position", "duration", "timestamp"}

func (c *compiler) signals() {
	for k, e := range c.sections["signals"] {
		f := c.fields(e.key, e.val, "signal "+e.name, "type", "unit", "max_age", "scope", "purposes", "why", "leaves_device", "consent", "from")
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
		if v, ok := f.get("purposes"); ok {
			s.Purposes = c.purposeSet(v)
		} else if s.Scope == rule.ScopeSession {
			c.fail(e.key, "purposes_missing", "a signal about a person says what it is for: purposes: [...]", "signal %s has no purposes", e.name)
		}
		if v, ok := f.get("consent"); ok {
			s.Consent = c.reference(v, "consent", "purpose", c.names["purposes"])
			if s.Consent >= 0 && c.b.Purposes[s.Consent].Basis != catalog.BasisConsent {
				c.fail(v, "not_a_consent", "name a purpose with basis: consent", "purpose %s does not rest on consent", c.b.Purposes[s.Consent].Name)
			}
		}
		s.Why = c.translations(f, e, "why", s.Scope == rule.ScopeSession)
		s.Leaves = c.leaves(f)
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

func (c *compiler) leaves(f *fields) bool {
	v, ok := f.get("leaves_device")
	if !ok {
		return false
	}
	word, _ := c.word(v, "leaves_device", "never", "value")
	if word == "value" {
		c.idle(f.key("leaves_device"), "leaves_device: value", "no value leaves the device")
	}
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
		f := c.fields(e.key, e.val, "fact "+e.name, "type", "owner", "one_of", "purposes", "from", "keep", "fresh", "special", "preference", "leaves_device", "why")
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
			c.fail(e.key, "keep_missing", "say how long it is held, as in keep: 2y", "fact %s has no keep", e.name)
		}
		if v, ok := f.get("fresh"); ok {
			d.Fresh = c.duration(v, "fresh")
			if d.Fresh > d.Keep {
				c.fail(v, "fresh_beyond_keep", "fresh is how long it is trusted, keep how long it is held", "fresh is longer than keep")
			}
		}
		if v, ok := f.get("special"); ok {
			d.Special, _ = c.text(v, "special")
		}
		if v, ok := f.get("preference"); ok {
			if d.Preference = c.boolean(v, "preference"); d.Preference {
				c.idle(f.key("preference"), "preference", "actions outside what a customer prefers are not held back")
			}
		}
		if d.Special != "" && slices.Contains(d.From, event.Inferred) {
			c.fail(f.key("special"), "special_inferred", "take inferred out of from", "a special fact cannot be inferred")
		}
		d.Leaves = c.leaves(f)
		if e.name == "quiet_hours" {
			c.idle(e.key, "quiet_hours", "a customer's own quiet hours hold nothing back; those of the device (quiet: hours) do")
		}
		c.translations(f, e, "why", false)
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

// derivedFields reads all of a derived value but its condition, which it returns.
func (c *compiler) derivedFields(k int, e entry) value {
	f := c.fields(e.key, e.val, "derived value "+e.name, "is", "purposes", "leaves_device", "keep", "why", "special")
	d := &c.b.Derived[k]
	d.Name, d.Node, d.Leaves = e.name, rule.None, c.leaves(f)
	if v, ok := f.get("purposes"); ok {
		d.Purposes = c.purposeSet(v)
	}
	if v, ok := f.get("keep"); ok {
		c.duration(v, "keep")
	}
	if v, ok := f.get("special"); ok {
		c.fail(f.key("special"), "not_supported", "mark the fact instead", "special derived values are not supported yet")
		_ = v
	}
	c.translations(f, e, "why", false)
	v, ok := f.get("is")
	if !ok {
		c.fail(e.key, "missing_key", `as in is: "held(shelf_presence)"`, "derived value %s has no is", e.name)
	}
	return v
}

func (c *compiler) defineDerived(s *symbol, v value) {
	d := &c.b.Derived[s.index]
	s.broken = true
	if v.node == nil {
		return
	}
	if v.isNull() || v.isScalar() && strings.TrimSpace(v.node.Value) == "" {
		c.fail(v, "empty_condition", "write what it is", "%s is empty", s.name)
		return
	}
	if !v.isScalar() {
		c.fail(v, "wrong_type", "put the expression between quotes", "%s is an expression, not %s", s.name, shape(v))
		return
	}
	got := c.language.expression(v.node.Value)
	c.mistakes(v, got.bad, s.name)
	c.cut(v, s.name)
	if got.node == rule.None {
		return
	}
	s.broken = false
	s.node, s.reads, s.kind, s.scope = got.node, got.reads, c.language.graph.kind(got.node), c.language.graph.nodes[got.node].Scope
	d.Node, d.Kind = got.node, s.kind
	held := ^catalog.PurposeSet(0)
	for _, m := range got.reads {
		if p, personal := c.purposesOf(m); personal {
			d.Personal = true
			held &= p
		}
	}
	if !d.Personal {
		return
	}
	if d.Purposes == 0 {
		d.Purposes = held & (1<<uint(len(c.b.Purposes)) - 1)
	}
	for p := range c.b.Purposes {
		if d.Purposes.Has(int32(p)) && !held.Has(int32(p)) {
			c.fail(v, "purpose_not_held", "add the purpose to what it reads, or take it from the derived value", "%s reads something that is not held for %s", s.name, c.b.Purposes[p].Name)
		}
	}
}

// purposesOf returns for what something that a condition mentions is held, and
// whether it is about a person at all.
func (c *compiler) purposesOf(m mention) (set catalog.PurposeSet, personal bool) {
	if m.means != "" {
		set = ^catalog.PurposeSet(0)
		for _, s := range c.language.means[m.means] {
			set &= c.b.Kinds[s.index].Purposes
		}
		return set, true
	}
	switch m.symbol.what {
	case aSignal:
		s := &c.b.Signals[m.symbol.index]
		return s.Purposes, s.Scope == rule.ScopeSession
	case aFact:
		return c.b.Facts[m.symbol.index].Purposes, true
	case aKind:
		return c.b.Kinds[m.symbol.index].Purposes, true
	case aDerived:
		d := &c.b.Derived[m.symbol.index]
		return d.Purposes, d.Personal
	}
	return 0, false
}
