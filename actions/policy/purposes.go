package policy

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

var bases = []string{"consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest", "none"}

// purposes reads why data may be used, and who else gets anything for it. A purpose with
// `unasked: separate_consent` makes another, and so does every partner.
func (c *compiler) purposes() {
	unasked := map[string]string{}
	for _, e := range c.sections["purposes"] {
		p, separate := c.purpose(e)
		c.b.Purposes = append(c.b.Purposes, p)
		if separate {
			unasked[e.name] = e.name + ".unasked"
			c.b.Purposes = append(c.b.Purposes, catalog.Purpose{Name: unasked[e.name], Basis: catalog.BasisConsent, Unasked: -1, Born: -1, For: p.For})
		}
	}
	purposeOf := c.partners()
	for k := range c.b.Partners {
		if of := purposeOf[k]; of != "" {
			p := &c.b.Partners[k]
			c.b.Purposes = append(c.b.Purposes, catalog.Purpose{Name: of + "." + p.Name, Basis: catalog.BasisConsent, Unasked: -1, Born: -1, For: p.For})
		}
	}
	slices.SortStableFunc(c.b.Purposes, func(a, b catalog.Purpose) int { return strings.Compare(a.Name, b.Name) })
	var names []string
	for k := range c.b.Purposes {
		name := c.b.Purposes[k].Name
		if k > 0 && names[k-1] == name {
			c.fail(c.keys["purposes"], "duplicate_name", "unasked: separate_consent and partners make such a purpose by themselves", "purpose %s stands twice", name)
		}
		names = append(names, name)
	}
	if len(names) > 64 {
		c.fail(c.keys["purposes"], "too_many", "join some", "a policy has at most 64 purposes")
		c.b.Purposes, names = c.b.Purposes[:64], names[:64]
	}
	c.names["purposes"] = names
	index := func(name string) int32 {
		if k, ok := slices.BinarySearch(names, name); ok {
			return int32(k)
		}
		return -1
	}
	for k := range c.b.Purposes {
		if other, ok := unasked[names[k]]; ok {
			c.b.Purposes[k].Unasked = index(other)
		}
	}
	for k := range c.b.Partners {
		if of := purposeOf[k]; of != "" {
			c.b.Partners[k].Purpose, c.b.Partners[k].Consent = index(of), index(of+"."+c.b.Partners[k].Name)
		}
	}
}

// purpose reads one purpose; separate says that unasked showings need a consent of their own.
func (c *compiler) purpose(e entry) (p catalog.Purpose, separate bool) {
	f := c.fields(e.key, e.val, "purpose "+e.name, purposeKeys...)
	p = catalog.Purpose{Name: e.name, Unasked: -1, Born: -1, Basis: catalog.BasisConsent}
	if v, ok := f.get("basis"); !ok {
		c.fail(e.key, "missing_key", "basis: consent, contract, legal_obligation, vital_interest, public_task, legitimate_interest or none", "purpose %s has no basis", e.name)
	} else if s, ok := c.word(v, "basis", bases...); ok {
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
	if v, ok := f.get("least_age"); ok {
		p.LeastAge = c.leastAge(v, &p)
	}
	if v, ok := f.get("unasked"); ok {
		_, separate = c.word(v, "unasked", "separate_consent")
	}
	p.For = c.translations(f, e, "for", true)
	return p, separate
}

// leastAge reads an age in whole years, which the fact birth_date tells.
func (c *compiler) leastAge(v value, p *catalog.Purpose) int64 {
	years := c.integer(v, "least_age", 1)
	if years > 150 {
		c.fail(v, "wrong_number", "as in least_age: 16", "least_age is an age in years, not %d", years)
		return 0
	}
	k, ok := slices.BinarySearch(c.names["facts"], "birth_date")
	if !ok {
		c.fail(v, "birth_date_missing", "declare the fact, as in birth_date: {type: date, purposes: [...], from: [declared], keep: 2y}", "purpose %s asks for an age, and no fact birth_date tells it", p.Name)
		return 0
	}
	p.Born = int32(k)
	return years
}

// checkBirthDate makes sure that what least_age reads is a date.
func (c *compiler) checkBirthDate() {
	for k := range c.b.Purposes {
		p := &c.b.Purposes[k]
		if p.Born < 0 || c.b.Facts[p.Born].Kind == sense.Date {
			continue
		}
		c.fail(c.sections["facts"][p.Born].key, "wrong_type", "birth_date: {type: date, ...}", "birth_date is %s, and least_age of %s reads it as a date", article(c.b.Facts[p.Born].Kind.String()), p.Name)
		p.Born, p.LeastAge = -1, 0
	}
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

// partners reads who else gets anything, and returns for which purpose each does; empty where that
// is not said.
func (c *compiler) partners() []string {
	var purposeOf []string
	for _, e := range c.sections["partners"] {
		f := c.fields(e.key, e.val, "partner "+e.name, partnerKeys...)
		p := catalog.Partner{Name: e.name, Purpose: -1, Consent: -1, For: c.translations(f, e, "for", true)}
		of := ""
		if v, ok := f.get("purpose"); !ok {
			c.fail(e.key, "missing_key", "say for which purpose it gets anything", "partner %s has no purpose", e.name)
		} else if k := c.reference(v, "purpose", "purpose", c.names["purposes"]); k >= 0 {
			of = c.names["purposes"][k]
		}
		c.b.Partners = append(c.b.Partners, p)
		purposeOf = append(purposeOf, of)
	}
	return purposeOf
}
