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
	const change = " You can say no, later or never to it, and take back at any time that your data may be used for personal offers."
	for _, one := range []struct {
		name, language string
		shared, alone  bool
		want           string
	}{
		{"hers alone", "", false, false, `We show "A shirt in M." for personal offers, because you said M (size) and taking into account driving score (worked out as 100.0 - 8.0 x brakes) and temperature (to see whether it is cold).` + change},
		{"shared, alone", "", true, true, `We show "A shirt in M." for personal offers, because you said M (size) and taking into account driving score (worked out as 100.0 - 8.0 x brakes) and temperature (to see whether it is cold).` + change},
		{"shared, not alone", "", true, false, `We show "A shirt in M." for personal offers, taking into account driving score (worked out as 100.0 - 8.0 x brakes) and temperature (to see whether it is cold).` + change},
		{"Dutch", "nl", false, false, `Wij tonen "A shirt in M." voor persoonlijke aanbiedingen, omdat u M (size) hebt gezegd en gelet op driving score (berekend als 100.0 - 8.0 x brakes) en temperature (to see whether it is cold).` +
			" U kunt er nee, later of nooit op zeggen, en uw toestemming om uw gegevens te gebruiken voor persoonlijke aanbiedingen altijd intrekken."},
		{"no such language", "xx", false, false, `We show "A shirt in M." for personal offers, because you said M (size) and taking into account driving score (worked out as 100.0 - 8.0 x brakes) and temperature (to see whether it is cold).` + change},
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

// History is said with its day, what is so by its name, and what is not so only as looked at; to others nothing of it.
func TestForCustomerOfHistory(t *testing.T) {
	now, err := sense.ParseInstant("2026-03-03T10:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	b := &catalog.Bundle{
		Languages: []string{"en"}, Zone: sense.UTC,
		Purposes: []catalog.Purpose{{Name: "service", Basis: catalog.BasisContract, For: catalog.Text{"to look after your car"}}},
		Slots:    []catalog.Slot{{Name: "home", SharedScreen: true}},
		Actions:  []catalog.Action{{Name: "call"}},
		Signals:  []catalog.Signal{{Name: "night"}, {Name: "rain"}},
		Facts:    []catalog.Fact{{Name: "newsletter", Why: catalog.Text{"to send it"}}},
		Kinds:    []catalog.Kind{{Name: "booking", Means: catalog.MeansBooked}, {Name: "complaint", Means: catalog.MeansComplained}, {Name: "wash_run"}},
	}
	is := func(yes bool) engine.Look { return engine.Look{Value: sense.BoolValue(yes)} }
	f := &Funnel{Decision: &engine.Decision{At: now, Customer: "anna", Slot: "home", Action: "call", Language: "en", Text: &engine.Text{Text: "Shall we call?"}}, Inputs: []Input{
		{Name: "booking"},
		{Name: "complaint", Known: true, Look: is(true), Happened: now.Add(-sense.Day)},
		{Name: "local.hour"},
		{Name: "newsletter", Known: true, Look: is(true), Origin: &engine.Origin{Provenance: event.Declared}},
		{Name: "night", Known: true, Look: is(false)},
		{Name: "rain", Known: true, Look: is(true)},
		{Name: "wash_run", Happened: now.Add(-70 * sense.Day)},
	}}
	for _, one := range []struct {
		language string
		alone    bool
		want     string
	}{
		{"en", true, `We show "Shall we call?" to look after your car, because you said yes (newsletter, to send it), because of your complaint of 2 March, rain and wash run of 23 December 2025 and taking into account your bookings, the hour and night. You can say no, later or never to it, and we keep to that.`},
		{"nl", true, `Wij tonen "Shall we call?" to look after your car, omdat u ja (newsletter, to send it) hebt gezegd, vanwege uw klacht van 2 maart, rain en wash run van 23 december 2025 en gelet op uw boekingen, het uur en night. U kunt er nee, later of nooit op zeggen, en daar houden wij ons aan.`},
		{"de", true, `Wir zeigen "Shall we call?" to look after your car, weil Sie ja (newsletter, to send it) gesagt haben, wegen Ihrer Beschwerde vom 2. März, rain und wash run vom 23. Dezember 2025 und unter Berücksichtigung von Ihren Buchungen, der Stunde und night. Sie können dazu nein, später oder nie sagen, und daran halten wir uns.`},
		{"en", false, `We show "Shall we call?" to look after your car, because of rain and taking into account the hour and night. You can say no, later or never to it, and we keep to that.`},
	} {
		f.Alone = one.alone
		if got := ForCustomer(b, f, one.language); got != one.want {
			t.Errorf("said\n%s\nwant\n%s", got, one.want)
		}
	}
}

// Of a stored decision only names are known: no value, no fact of unknown origin.
func TestForCustomerOfARecord(t *testing.T) {
	b, f := told(false)
	f.Decision.Text = nil
	for k := range f.Inputs {
		f.Inputs[k] = Input{Name: f.Inputs[k].Name}
	}
	const want = `We show this for personal offers, taking into account driving score (worked out as 100.0 - 8.0 x brakes) and temperature (to see whether it is cold). You can say no, later or never to it, and take back at any time that your data may be used for personal offers.`
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

// What is said to whoever stands there is for no purpose, and there is no consent to take back.
func TestAmbientForCustomer(t *testing.T) {
	b, f := told(true)
	b.Actions[0].Say = &catalog.Treatment{Ambient: true}
	f.Decision.Customer, f.Decision.Treatment = "", "say"
	f.Inputs = f.Inputs[len(f.Inputs)-1:]
	const want = `We show "A shirt in M.", taking into account temperature (to see whether it is cold), and nothing about you was used for it. ` +
		`You can say no, later or never to it, and we keep to that.`
	if got := ForCustomer(b, f, ""); got != want {
		t.Errorf("got %s", got)
	}
}
