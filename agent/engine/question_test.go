package engine

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const brochure = `
visit: {ends_after: 10m}
signals: {delivery: {type: string, max_age: 1m}}
facts:
	address: {type: string, purposes: [service], keep: 2y, fresh: 1y}
	email: {type: string, format: email, purposes: [service], keep: 2y}
	routine: {type: string, purposes: [service], keep: 2y}
slots: {screen: {channel: app}}
actions:
	brochure:
		intent: information
		purpose: service
		about: brochure:model-x
		slots: [screen]
		needs: {mail: [address], email: [email]}
		value: 20.00
		propensity: 0.5
		bother: 0.05
		say_personal: {en: "It is on its way.", nl: "Hij is onderweg."}
	ask-address:
		intent: question
		purpose: service
		asks: address
		serves: brochure
		slots: [screen]
		because: {en: "We need it for the mail.", nl: "Nodig voor de post."}
		in_return: {en: "It comes tomorrow.", nl: "Morgen in huis."}
		retry: {en: "Sorry, once more?", nl: "Sorry, nog eens?"}
		value: 10.00
		propensity: 0.5
		bother: 0.05
		say_personal: {en: "Where do you live?", nl: "Waar woont u?"}
	ask-email:
		intent: question
		purpose: service
		asks: email
		serves: brochure
		slots: [screen]
		because: {en: "We send it there.", nl: "Daar gaat hij heen."}
		in_return: {en: "It is there at once.", nl: "Hij is er meteen."}
		retry: {en: "That is no address, once more?", nl: "Dat is geen adres, nog eens?"}
		value: 12.00
		propensity: 0.5
		bother: 0.05
		say_personal: {en: "Your e-mail?", nl: "Uw e-mail?"}
`

const (
	wants     = `{"ask":"screen","intent":"information","about":"brochure:model-x"}`
	wantsMail = `{"ask":"screen","intent":"information","about":"brochure:model-x","with":{"delivery":"mail"}}`
	wantsNet  = `{"ask":"screen","intent":"information","about":"brochure:model-x","with":{"delivery":"email"}}`
)

// TestQuestion: only what the delivery needs is asked, once a visit, with why and what she gets for it.
func TestQuestion(t *testing.T) {
	d := deskOf(t, brochure)
	d.tell(annaTaps, wantsMail)
	d.wants("ask-address", "", "brochure applicable fact_missing", "ask-email guard not_needed")
	if text := d.last().Text.Text; text != "Where do you live? We need it for the mail. It comes tomorrow." {
		t.Errorf("it says %q", text)
	}
	d.tell(wantsNet)
	d.wants("silence", "one_question_a_visit", "ask-address guard one_question_a_visit", "ask-email guard one_question_a_visit")
	// The answer serves at once.
	d.tell(`{"fact":"address","customer":"anna","value":"Dam 1","provenance":"declared"}`, wantsMail)
	d.wants("brochure", "", "ask-address guard already_known")
	// A new visit may ask again.
	d.at(10 * sense.Minute)
	d.tell(wantsNet)
	d.wants("ask-email", "", "brochure applicable fact_missing")
	// Without a way any one that is known will do; one that nobody declared will not.
	d.tell(wants)
	d.wants("brochure", "")
	d.tell(`{"ask":"screen","intent":"information","about":"brochure:model-x","with":{"delivery":"pigeon"}}`)
	d.wants("silence", "one_question_a_visit", "brochure applicable not_applicable")
}

// TestQuestionComesDown: what was asked is not asked any more once it is answered.
func TestQuestionComesDown(t *testing.T) {
	d := deskOf(t, brochure)
	d.tell(annaTaps, wantsMail)
	d.at(sense.Second)
	d.tell(`{"tick":true}`)
	d.wantsShows("screen:ask-address") // it is not held against itself
	d.tell(`{"fact":"address","customer":"anna","value":"Dam 1","provenance":"declared"}`)
	d.wantsShows("screen:ask-address -screen:already_known")
}

// TestRetry: an answer that cannot be used is asked for once more, in other words, while its question stands.
func TestRetry(t *testing.T) {
	refused := func(d *desk, line string) {
		t.Helper()
		if o := kept(d.mind.Step(Input{At: d.now, Events: parsed(t, line, d.now)})); len(o.Refused) != 1 || !strings.Contains(o.Refused[0].Err.Error(), "invalid_value") {
			t.Errorf("%s: refused %+v", line, o.Refused)
		}
	}
	const wrong = `{"fact":"email","customer":"anna","value":"x@","provenance":"declared"}`
	d := deskOf(t, brochure)
	d.tell(annaTaps, wantsNet)
	d.wants("ask-email", "")
	refused(d, wrong)
	d.tell(wantsNet)
	d.wants("ask-email", "")
	if text := d.last().Text.Text; text != "That is no address, once more?" {
		t.Errorf("it says %q", text)
	}
	refused(d, wrong)
	d.tell(wantsNet)
	d.wants("silence", "one_question_a_visit")

	// Another question gets no second chance by it.
	d = deskOf(t, brochure)
	d.tell(annaTaps, wantsNet)
	refused(d, wrong)
	d.tell(wantsMail)
	d.wants("silence", "not_needed", "ask-address guard one_question_a_visit")

	// Nor does it come back when something else was shown since.
	d = deskOf(t, brochure)
	d.tell(annaTaps, wantsNet, `{"fact":"address","customer":"anna","value":"Dam 1","provenance":"declared"}`, wantsMail)
	d.wants("brochure", "")
	refused(d, wrong)
	d.tell(wantsNet)
	d.wants("silence", "one_question_a_visit")
}

// TestAskedOfNobodyCounts: who is asked and then says who she is was asked in this visit.
func TestAskedOfNobodyCounts(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: app}}
actions:
	help: {intent: question, asks: name.first, slots: [screen], about: help:all, value: 10.00, propensity: 0.5, bother: 0.05, say: {en: "Help?", nl: "Hulp?"}}
	greet: {intent: information, purpose: service, slots: [screen], eligible: "name.first == 'Anna'", value: 1.00, propensity: 0.5, bother: 0.05, say_personal: {en: "Hello {name.first}", nl: "Dag {name.first}"}}
`)
	d.tell(`{"ask":"screen"}`)
	d.wants("help", "")
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("silence", "one_question_a_visit")
	d.tell(`{"identify":"bert","by":"card"}`, `{"ask":"screen"}`) // who comes next is another's visit
	d.wants("help", "")
	// She comes back to another screen within the visit.
	d.tell(`{"session":"two","identify":"bert","by":"card"}`, `{"session":"two","ask":"screen"}`)
	d.wants("silence", "one_question_a_visit")
}

// TestRestartInAVisit: after a restart a visit is what her contacts tell of it, whether the mind was
// booted or restored: a question that lies a visit's end behind the last of them may be asked again.
func TestRestartInAVisit(t *testing.T) {
	for _, c := range []struct {
		after  sense.Duration // she asks for nothing meanwhile, but stays
		action string
		cause  string
	}{{4 * sense.Minute, "silence", "one_question_a_visit"}, {8 * sense.Minute, "ask-email", ""}} {
		d := deskOf(t, brochure)
		d.tell(annaTaps, wantsMail)
		d.at(c.after)
		d.tell(annaTaps)
		d.at(c.after / 2)
		restored, err := Restore(d.mind.cfg, d.mind.Snapshot(), nil)
		if err != nil {
			t.Fatal(err)
		}
		restored.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: d.mind.bundle}})
		for _, m := range []*Mind{d.mind, restored} {
			d.mind = m
			d.tell(`{"boot":{"clock":"synced"}}`, annaTaps, wantsNet)
			d.wants(c.action, c.cause)
		}
	}
}

const taxi = `
visit: {ends_after: 10m}
facts: {routine: {type: string, purposes: [service], from: [declared, inferred], keep: 2y}}
slots: {screen: {channel: app}, side: {channel: app}}
actions:
	taxi: {intent: service, slots: [screen], about: taxi:home, value: 10.00, propensity: 0.9, bother: 0.05, say: {en: "A taxi comes.", nl: "Een taxi komt."}}
	always: {intent: question, purpose: service, slots: [side], confirms: routine, serves: book, about: taxi:home, value: 11.00, propensity: 0.9, bother: 0.05, say_personal: {en: "Every Thursday?", nl: "Elke donderdag?"}}
	book: {intent: service, purpose: service, slots: [screen], eligible: "routine == 'thursday'", value: 30.00, propensity: 0.9, bother: 0.05, say_personal: {en: "Again a taxi?", nl: "Weer een taxi?"}}
`

// TestConfirm: what was inferred is asked about only after she asked herself; her yes makes it her own
// word, durably, and her no is the end of it.
func TestConfirm(t *testing.T) {
	const guessed = `{"fact":"routine","customer":"anna","value":"thursday","provenance":"inferred"}`
	d := deskOf(t, taxi)
	d.tell(guessed, annaTaps, `{"ask":"side"}`)
	d.wants("silence", "inferred_not_told")
	d.tell(`{"ask":"screen","intent":"service","about":"taxi:home"}`)
	d.wants("taxi", "", "book guard inferred_not_told")
	d.at(sense.Minute)
	d.tell(`{"ask":"side"}`)
	d.wants("always", "")
	d.tell(`{"outcome":"accepted","decision":"last"}`, `{"outcome":"accepted","decision":"last"}`)
	found := false
	for _, o := range d.outs {
		for _, r := range o.Persist {
			if r.Event == nil {
				continue
			}
			if f, ok := r.Event.Body.(*event.Fact); ok && f.Provenance == event.Declared {
				found = f.Name == "routine" && f.Value.Str() == "thursday" && f.Customer == "anna" && r.Event.Happened == d.now
			}
		}
	}
	if !found {
		t.Error("no record of her own word:\n" + d.log())
	}
	d.tell(`{"ask":"screen","intent":"service","about":"taxi:home"}`)
	d.wants("book", "")
	d.tell(`{"ask":"side"}`)
	d.wants("silence", "already_known")

	// Her no is the end of it, and she gets her taxi all the same.
	d = deskOf(t, taxi)
	d.tell(guessed, annaTaps, `{"ask":"screen","intent":"service","about":"taxi:home"}`, `{"ask":"side"}`)
	d.wants("always", "")
	d.tell(`{"outcome":"dismissed","decision":"last"}`)
	d.at(sense.Year)
	d.tell(annaTaps, `{"ask":"screen","intent":"service","about":"taxi:home"}`)
	d.wants("taxi", "", "book guard inferred_not_told")
	d.tell(`{"ask":"side"}`)
	d.wants("silence", "cap_reached")
}

const shopping = `
subjects: {nappies: {sensitive: pregnancy}}
slots: {screen: {channel: app}}
actions:
	nappies: {intent: information, purpose: service, slots: [screen], about: product:nappies, value: 10.00, propensity: 0.9, bother: 0.05, say_personal: {en: "Aisle 4.", nl: "Gang 4."}}
	milk: {intent: information, purpose: service, slots: [screen], about: product:milk, value: 1.00, propensity: 0.9, bother: 0.05, say_personal: {en: "Aisle 2.", nl: "Gang 2."}}
`

// TestSensitiveIsNotRemembered: she asks, is answered, and nothing says so afterwards.
func TestSensitiveIsNotRemembered(t *testing.T) {
	d := deskOf(t, shopping)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("milk", "", "nappies guard sensitive_subject")
	d.tell(`{"ask":"screen","about":"product:nappies"}`)
	d.wants("nappies", "")
	c := d.mind.byID["anna"]
	for _, x := range c.Slice.Exposures {
		if x.Action == "nappies" {
			t.Errorf("a contact is kept: %+v", x)
		}
	}
	for _, x := range c.Decided {
		if x.Action == "nappies" {
			t.Errorf("the decision is kept: %+v", x)
		}
	}
	if len(c.visit.requests) > 0 || c.visit.came.about != "" {
		t.Errorf("what she asked about is kept: %+v", c.visit)
	}
	for _, r := range d.outs[len(d.outs)-1].Persist {
		if r.Handle != (Handle{}) || r.Exposure != nil {
			t.Errorf("a record leads to her: %+v", r)
		}
	}
	d.tell(`{"outcome":"accepted","decision":"last"}`, `{"ask":"screen","about":"product:nappies"}`)
	d.wants("nappies", "")
}
