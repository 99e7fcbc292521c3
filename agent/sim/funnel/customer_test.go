package funnel

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Every reason has words in every language, and no code stands in them.
func TestEveryReasonHasWords(t *testing.T) {
	for name, w := range languages {
		for _, r := range catalog.Reasons() {
			text := w.reasons[r]
			if text == "" {
				t.Errorf("%s: %s has no words", name, r)
			}
			if strings.Contains(text, "_") || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s: %q is no part of a sentence", name, r, text)
			}
		}
		if len(w.reasons) != len(catalog.Reasons()) {
			t.Errorf("%s: %d reasons, want %d", name, len(w.reasons), len(catalog.Reasons()))
		}
	}
}

// told is a decision with inputs of every kind, on a screen that others may see or not.
func told(shared bool) (*catalog.Bundle, *Funnel) {
	b := &catalog.Bundle{
		Languages: []string{"en", "nl"},
		Purposes:  []catalog.Purpose{{Name: "offers", Basis: catalog.BasisConsent, For: catalog.Text{"for personal offers", "voor persoonlijke aanbiedingen"}}},
		Slots:     []catalog.Slot{{Name: "home", SharedScreen: shared}},
		Actions:   []catalog.Action{{Name: "shirt", Purpose: 0}},
		Signals:   []catalog.Signal{{Name: "pulse", Special: "health"}, {Name: "temperature", Why: catalog.Text{"to see whether it is cold", ""}}},
		Derived:   []catalog.Derived{{Name: "driving_score", Kind: sense.Double, Formula: "100.0 - 8.0 * brakes"}},
		Facts:     []catalog.Fact{{Name: "income"}, {Name: "pregnant", Special: "health"}, {Name: "rich"}, {Name: "size"}},
	}
	from := func(p event.Provenance) *engine.Origin { return &engine.Origin{Provenance: p} }
	is := func(what string, v sense.Value) engine.Look { return engine.Look{What: what, Value: v} }
	f := &Funnel{Decision: &engine.Decision{Customer: "anna", Slot: "home", Action: "shirt", Language: "en", Text: &engine.Text{Text: "A shirt in M."}}, Inputs: []Input{
		{Name: "driving_score", Known: true, Look: is("derived", sense.DoubleValue(84))},
		{Name: "income", Known: true, Look: is("fact", sense.IntValue(9)), Origin: from(event.ThirdParty)},
		{Name: "pregnant", Known: true, Look: is("fact", sense.BoolValue(true)), Origin: from(event.Declared)},
		{Name: "pulse", Known: true, Look: is("signal", sense.IntValue(60))},
		{Name: "rich", Known: true, Look: is("fact", sense.BoolValue(true)), Origin: from(event.Inferred)},
		{Name: "size", Known: true, Look: is("fact", sense.StringValue("M")), Origin: from(event.Declared)},
		{Name: "temperature", Known: true, Look: is("signal", sense.IntValue(3))},
	}}
	return b, f
}

func TestForCustomer(t *testing.T) {
	const change = " Say no, later or never, and it will be so; what you agreed to for personal offers you can take back at any time."
	for _, one := range []struct {
		name, language string
		shared, alone  bool
		want           string
	}{
		{"hers alone", "", false, false, `"A shirt in M." is shown for personal offers, because you said M and from driving score = 100.0 - 8.0 x brakes and temperature (to see whether it is cold).` + change},
		{"shared, alone", "", true, true, `"A shirt in M." is shown for personal offers, because you said M and from driving score = 100.0 - 8.0 x brakes and temperature (to see whether it is cold).` + change},
		{"shared, not alone", "", true, false, `"A shirt in M." is shown for personal offers, from driving score = 100.0 - 8.0 x brakes and temperature (to see whether it is cold).` + change},
		{"Dutch", "nl", false, false, `"A shirt in M." staat hier voor persoonlijke aanbiedingen, omdat u M hebt gezegd en op grond van driving score = 100.0 - 8.0 x brakes en temperature (to see whether it is cold).` +
			" Zeg nee, later of nooit, en zo is het; uw toestemming voor persoonlijke aanbiedingen kunt u altijd intrekken."},
		{"no such language", "xx", false, false, `"A shirt in M." is shown for personal offers, because you said M and from driving score = 100.0 - 8.0 x brakes and temperature (to see whether it is cold).` + change},
	} {
		t.Run(one.name, func(t *testing.T) {
			b, f := told(one.shared)
			f.Alone = one.alone
			if got := ForCustomer(b, f, one.language); got != one.want {
				t.Errorf("said\n%s\nwant\n%s", got, one.want)
			}
		})
	}
}

// Of a stored decision only names are known: no value, no fact of unknown origin.
func TestForCustomerOfARecord(t *testing.T) {
	b, f := told(false)
	f.Decision.Text = nil
	for k := range f.Inputs {
		f.Inputs[k] = Input{Name: f.Inputs[k].Name}
	}
	const want = `This is shown for personal offers, from driving score = 100.0 - 8.0 x brakes and temperature (to see whether it is cold). Say no, later or never, and it will be so; what you agreed to for personal offers you can take back at any time.`
	if got := ForCustomer(b, f, ""); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

func TestForCustomerOfSilence(t *testing.T) {
	for _, one := range []struct {
		cause         string
		shared, alone bool
		want          string
	}{
		{"open_complaint", false, false, "Nothing is shown, because we first want to put right what went wrong for you. You can always ask."},
		{"open_complaint", true, true, "Nothing is shown, because we first want to put right what went wrong for you. You can always ask."},
		{"open_complaint", true, false, "Nothing is shown, because nothing would be right to say here now. You can always ask."},
		{"at_the_wheel", true, false, "Nothing is shown, because you may be driving. You can always ask."},
		{"a_code_to_come", false, false, "Nothing is shown, because nothing would be right to say here now. You can always ask."},
	} {
		b, f := told(one.shared)
		f.Alone, f.Decision.Action, f.Decision.Cause, f.Inputs = one.alone, "silence", one.cause, nil
		if got := ForCustomer(b, f, "en"); got != one.want {
			t.Errorf("%s, shared %v, alone %v: %s", one.cause, one.shared, one.alone, got)
		}
	}
}
