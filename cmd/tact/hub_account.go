package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// accountText tells a customer what is held of her, in her language.
func accountText(c *serve.Customer, language string) string {
	speech := funnel.Speak(language)
	t := account{Speech: speech, accountWords: accounts[speech.Language]}
	t.line(t.title, c.Customer, t.date(&c.At))
	t.line(t.ids, t.And(c.IDs))
	if c.Restricted {
		t.line(t.restricted)
	}
	t.section(t.purposes, len(c.Purposes))
	for _, p := range c.Purposes {
		words := funnel.Plain(p.Name)
		if p.For != "" {
			words += " (" + p.For + ")"
		}
		t.line("  %s: %s; %s: %s", words, known(t.bases, p.Basis), t.used, t.YesNo(p.May))
	}
	t.section(t.facts, len(c.Facts))
	for _, f := range c.Facts {
		t.line("  %s: %s", funnel.Plain(f.Name), t.value(f.Value))
		t.line("    %s", t.origin(f.Provenance, f.Source, f.Happened))
		for _, o := range f.Others {
			t.line("    %s: %s; %s", t.others, t.value(o.Value), t.origin(o.Provenance, o.Source, o.Happened))
		}
		if f.Why != "" {
			t.line("    %s: %s", t.why, f.Why)
		}
		t.held(f.Purposes, f.Kept)
	}
	t.section(t.consents, len(c.Consents)+len(c.Objections))
	for _, x := range c.Consents {
		t.line("  %s: %s (%s)", funnel.Plain(x.Purpose), t.YesNo(x.Granted), t.date(&x.Happened))
	}
	for _, x := range c.Objections {
		t.line("  %s: %s: %s (%s)", funnel.Plain(x.Purpose), t.objects, t.YesNo(x.Raised), t.date(&x.Happened))
	}
	t.section(t.interactions, len(c.Interactions))
	for _, i := range c.Interactions {
		t.line("  %s: %s", t.date(&i.Happened), strings.Join(strings.Fields(funnel.Plain(i.Kind)+" "+i.About+" "+i.Channel+" "+i.Ref), " "))
		t.line("    %s: %s", t.from, i.Source)
		t.held(i.Purposes, i.Kept)
	}
	t.section(t.contacts, len(c.Contacts)+len(c.Made))
	for _, x := range c.Contacts {
		t.line("  %s: %s: %s", t.date(&x.Happened), strings.Join(strings.Fields(x.Channel+" "+x.About+" "+x.Ref), " "), t.answered(x.Answered))
	}
	for _, m := range c.Made {
		came := t.noAnswer
		if n := len(m.Outcomes); n > 0 {
			came = known(t.outcomes, m.Outcomes[n-1].Outcome)
		}
		t.line("  %s: %s (%s): %s", t.date(&m.At), funnel.Plain(m.Action), m.Device, came)
	}
	t.section(t.devices, len(c.Devices))
	for _, d := range c.Devices {
		t.line("  "+known(t.states, d.State), d.Device, t.date(&d.Until))
		for _, o := range d.With {
			t.line("    %s", funnel.Plain(o.Kind)+" "+o.ID)
		}
	}
	return t.b.String()
}

// account is a text on its way.
type account struct {
	funnel.Speech
	*accountWords
	b strings.Builder
}

func (t *account) line(format string, args ...any) {
	fmt.Fprintf(&t.b, format+"\n", args...)
}

func (t *account) section(name string, n int) {
	if n > 0 {
		fmt.Fprintf(&t.b, "\n%s\n", name)
	}
}

// origin says who told it, and when.
func (t *account) origin(provenance, source, happened string) string {
	return fmt.Sprintf("%s (%s, %s)", known(t.provenances, provenance), source, t.date(&happened))
}

func (t *account) held(purposes []string, kept *string) {
	until := t.forEver
	if kept != nil {
		until = fmt.Sprintf(t.kept, t.date(kept))
	}
	if len(purposes) > 0 {
		until = t.purpose + ": " + funnel.Plain(t.And(purposes)) + "; " + until
	}
	t.line("    %s", until)
}

func (t *account) answered(at *string) string {
	if at == nil {
		return t.noAnswer
	}
	return fmt.Sprintf(t.answer, t.date(at))
}

// date says the day of an instant, in UTC; what is none as it is.
func (t *account) date(text *string) string {
	i, err := sense.ParseInstant(*text)
	if err != nil {
		return *text
	}
	return t.Date(i.Time())
}

// value says a value as people do.
func (t *account) value(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	switch v := v.(type) {
	case bool:
		return t.YesNo(v)
	case string:
		return v
	case []any:
		var list []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				list = append(list, s)
				continue
			}
			b, err := json.Marshal(one)
			if err == nil {
				list = append(list, string(b))
			}
		}
		return t.And(list)
	}
	return string(raw)
}

// known returns the words for a code, the code itself where there are none.
func known(words map[string]string, code string) string {
	if w := words[code]; w != "" {
		return w
	}
	return funnel.Plain(code)
}
