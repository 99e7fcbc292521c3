package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// written compiles a policy that a test writes: what all have in common, and its own lines.
func written(t testing.TB, own string) *catalog.Bundle {
	t.Helper()
	const common = `policy: edges
version: 1
currency: EUR
languages: [en, nl]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to help", nl: "om te helpen"}}
  care: {basis: legitimate_interest, for: {en: "to warn", nl: "om te waarschuwen"}}
  offers: {basis: consent, for: {en: "to offer", nl: "om aan te bieden"}}
facts:
  name.first: {type: string, purposes: [service, care, offers], keep: 2y}
  language: {type: string, purposes: [service, care, offers], keep: 2y}
`
	dir := t.TempDir()
	for name, text := range map[string]string{"policy.yaml": common, "own.yaml": strings.ReplaceAll(own, "\t", "  ")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %+v", err, findings)
	}
	return b
}

// deskOf is a desk under a policy of the test's own.
func deskOf(t testing.TB, own string) *desk {
	d := &desk{t: t, mind: New(replayed)}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, own)}})))
	return d
}

// shows lists what was shown and cleared so far, in order.
func (d *desk) shows() string {
	var all []string
	for _, o := range d.outs {
		for _, c := range o.Clear {
			all = append(all, "-"+c.Slot+":"+c.Cause)
		}
		for _, x := range o.Show {
			what := x.Action
			if what == silence {
				what = x.Cause
			}
			all = append(all, x.Slot+":"+what)
		}
	}
	return strings.Join(all, " ")
}

func (d *desk) wantsShows(want string) {
	d.t.Helper()
	if got := d.shows(); got != want {
		d.t.Errorf("it showed\n%s\nwant\n%s", got, want)
	}
}

const oneSale = `
slots: {screen: {channel: kiosk}, side: {channel: kiosk}}
actions:
	mats: {intent: sales, purpose: offers, about: product:mats, slots: [screen, side], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
contact:
	limits: [{intent: sales, at_most: 1, counting: shown, per: rolling 1h}]
	pauses: [{about: same, after: dismissed, for: 2h}, {about: same, after: later, for: 1h}]
`

// TestNothingIsAnsweredBeforeItIsSaid: a screen whose clock is behind tells of an answer of before the decision. It counts
// from the decision on, so that neither a limit nor a pause is over sooner.
func TestNothingIsAnsweredBeforeItIsSaid(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("mats", "")
	d.tell(`{"outcome":"shown","decision":"last","happened":"2026-03-01T10:00:00+01:00"}`, `{"ask":"side"}`)
	d.wants("silence", "cap_reached")
	d.tell(`{"outcome":"dismissed","decision":"replay-0-1","happened":"2026-03-01T10:00:00+01:00"}`)
	d.at(sense.Hour)
	d.tell(`{"ask":"side"}`)
	d.wants("silence", "cooling_off")
	d.at(sense.Hour)
	d.tell(`{"ask":"side"}`)
	d.wants("mats", "")
}

// TestAVolumeCountsFromTheDecision, whatever a screen says of when it was shown.
func TestAVolumeCountsFromTheDecision(t *testing.T) {
	d := fleetDesk(t, `
slots: {screen: {channel: kiosk}}
actions:
	mats: {intent: information, value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats", nl: "Matten"}}
contact:
	volume: [{action: mats, at_most: 1, per: calendar day}]
`, false)
	d.tell(`{"ask":"screen"}`)
	d.wants("mats", "")
	d.tell(`{"outcome":"shown","decision":"last","happened":"2026-03-01T10:00:00+01:00"}`, `{"ask":"screen"}`)
	d.wants("silence", "volume_spent")
}

// TestFailedGivesTheReservationBack: what never reached the screen is no contact.
func TestFailedGivesTheReservationBack(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"ask":"screen"}`)
	d.wants("silence", "cap_reached")
	d = deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"outcome":"failed","decision":"last"}`, `{"ask":"screen"}`)
	d.wants("mats", "")
	// A screen that said it was shown cannot take it back.
	d = deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"outcome":"shown","decision":"last"}`, `{"outcome":"failed","decision":"last"}`, `{"ask":"screen"}`)
	d.wants("silence", "cap_reached")
}

// TestShownLater: a cap counts from when the screen says that it showed.
func TestShownLater(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.at(20 * sense.Second)
	d.tell(`{"outcome":"shown","decision":"last"}`)
	d.at(30*sense.Second - 1) // show_for counts from there as well
	if len(d.mind.Shown()) != 1 {
		t.Error("taken down before 30 s had been shown")
	}
	d.at(1)
	if len(d.mind.Shown()) != 0 {
		t.Error("still shown after 30 s")
	}
	d.at(sense.Hour - 30*sense.Second - 1)
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "cap_reached")
	d.at(1)
	d.tell(`{"ask":"screen"}`)
	d.wants("mats", "")
}

// TestLast: an answer may come when the screen shows it no more, and means what was shown last.
func TestLast(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.at(sense.Hour) // shown no more, and ignored
	d.tell(`{"outcome":"dismissed","decision":"last"}`, `{"ask":"screen"}`)
	d.wants("silence", "cooling_off")
	// Of two pauses the reason that stands first in the list, not the longer one.
	d.tell(`{"outcome":"never","decision":"replay-0-1"}`, `{"ask":"screen"}`)
	d.wants("silence", "cooling_off")
	d.at(2 * sense.Hour)
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "asked_never")
	// Nobody's answers are taken too, and an answer to somebody who has left is nobody's.
	d = deskOf(t, oneSale)
	d.tell(`{"ask":"screen"}`)
	d.at(sense.Hour)
	d.tell(`{"ask":"screen"}`, `{"outcome":"accepted","decision":"last","slot":"screen"}`, `{"outcome":"accepted","decision":"replay-0-1"}`)
	for _, none := range []string{"replay-0-3", "replay-0-0", "replay-0-01", "replay-1-1", "x", "-"} {
		if o := kept(d.mind.Step(Input{At: d.now, Events: parsed(t, `{"outcome":"accepted","decision":"`+none+`"}`, d.now)})); len(o.Refused) != 1 {
			t.Errorf("an answer to %s, which was never decided, is taken", none)
		}
	}
}

func TestIgnoredIsBookedOnce(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.at(sense.Minute)
	d.tell(`{"outcome":"ignored","decision":"last"}`)
	if x := d.mind.byID["anna"].Slice.Exposures[0]; len(x.Outcomes) != 1 {
		t.Errorf("ignored is booked %d times", len(x.Outcomes))
	}
}

// TestRefusedIDMayComeAgain: an id is used up by what was taken.
func TestRefusedIDMayComeAgain(t *testing.T) {
	d := deskOf(t, oneSale)
	wrong := `{"id":"7","consent":"world","customer":"anna","granted":true}`
	right := `{"id":"7","consent":"offers","customer":"anna","granted":true}`
	e := parsed(t, wrong, d.now)
	if o := kept(d.mind.Step(Input{At: d.now, Events: e})); len(o.Refused) != 1 {
		t.Fatal("an undeclared purpose was taken")
	}
	d.tell(right)
	if state, _ := d.mind.byID["anna"].Slice.Consent("offers", d.now); state != 1 {
		t.Error("what was put right was taken for the same line told twice")
	}
}

// TestPolicyReplaced: what is shown goes down by the slots of the policy that showed it.
func TestPolicyReplaced(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(`{"ask":"screen"}`, `{"ask":"side"}`)
	none := written(t, "slots: {lone: {channel: kiosk}}\n")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: none}})))
	d.wantsShows("screen:mats side:mats -screen:not_in_bundle -side:not_in_bundle")
}

// TestRankedBeforeTreatment: who would have lost is told so, whether or not there was a text for it.
func TestRankedBeforeTreatment(t *testing.T) {
	d := deskOf(t, `
signals: {queue: {type: int, max_age: 1m}}
slots: {screen: {channel: kiosk}}
actions:
	best: {intent: information, slots: [screen], value: 30.00, propensity: 0.1, bother: 0.05, say: {en: "Best of {queue}", nl: "Beste van {queue}"}}
	good: {intent: information, slots: [screen], value: 20.00, propensity: 0.1, bother: 0.05, say: {en: "Good", nl: "Goed"}}
	poor: {intent: information, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Poor {queue}", nl: "Matig {queue}"}}
	mute: {intent: information, slots: [screen], value: 40.00, propensity: 0.1, bother: 0.05, say: {nl: "Alleen hier"}}
`)
	d.tell(`{"ask":"screen"}`)
	d.wants("good", "", "best treatment placeholder_unknown", "poor ranked lost_by_value", "mute active language_missing")
	d.tell(`{"ask":"screen","count":2}`)
	d.wants("good", "", "best treatment placeholder_unknown", "poor treatment placeholder_unknown")
	d.tell(`{"ask":"screen","count":1}`)
	d.wants("good", "", "poor ranked lost_by_value")
}

// TestExemptFromPressure: what is exempt costs its own bother, and the floor.
func TestExemptFromPressure(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: kiosk}}
actions:
	help: {intent: service, slots: [screen], exempt: [pressure], value: 2.00, propensity: 0.1, bother: 0.05, say: {en: "Help?", nl: "Hulp?"}}
	mats: {intent: information, slots: [screen], value: 3.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
contact:
	pressure: {unit: EUR, half_life: 7d, dismissed: 0.20, floor: 0.05}
`)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"outcome":"dismissed","decision":"last"}`, `{"ask":"screen"}`)
	d.wants("help", "", "mats ranked lost_by_value") // 0.20-0.05 against 0.30-0.25
	if v := d.last().Value; v != 150_000 {
		t.Errorf("worth %d micro, want 0.15", v)
	}
}

// TestPressureEases: what was too much bother is offered unasked in the first step after it is not.
func TestPressureEases(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: kiosk}, side: {channel: kiosk, unasked: true}}
signals: {rain: {type: bool, max_age: 1y}}
actions:
	mats: {intent: information, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
	tip: {intent: information, slots: [side], applicable: "rain", value: 2.50, propensity: 0.1, bother: 0.05, say: {en: "Rain.", nl: "Regen."}}
contact:
	pressure: {unit: EUR, half_life: 1h, dismissed: 0.40, floor: 0.05}
`)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"outcome":"dismissed","decision":"last"}`, `{"signal":"rain","value":true}`)
	d.at(sense.Hour)
	d.tell(`{"tick":true}`) // 0.25 - 0.05 - 0.20 = 0
	d.wantsShows("screen:mats")
	d.at(sense.Minute)
	d.tell(`{"tick":true}`)
	d.wantsShows("screen:mats side:tip")
}

// TestGroupConditionsCountForOnce: unasked, once each time that all conditions become true together, the group's too.
func TestGroupConditionsCountForOnce(t *testing.T) {
	d := deskOf(t, `
slots: {side: {channel: kiosk, unasked: true, show_for: 10s}}
signals: {rain: {type: bool, max_age: 1y}}
groups: {wet: {issue: comfort, applicable: "rain"}}
actions:
	umbrella: {intent: information, group: wet, slots: [side], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Rain.", nl: "Regen."}}
`)
	for _, rain := range []string{"true", "null", "true", "false", "true"} {
		d.tell(`{"signal":"rain","value":` + rain + `}`)
		d.at(sense.Minute)
	}
	// Unknown in between does not count, certainly false does.
	d.wantsShows("side:umbrella -side:expired side:umbrella -side:expired")
}

// TestArmed: what became right at the wheel is said when the car stands, within keep_armed.
func TestArmed(t *testing.T) {
	for _, c := range []struct {
		condition string
		wait      sense.Duration
		want      string
	}{
		{"became(rain)", sense.Hour - 1, "side:umbrella"},
		{"became(rain)", sense.Hour, ""},
		{"rain", sense.Hour + sense.Minute - 1, "side:umbrella"}, // it rained for a minute, and is armed from its end
		{"rain", sense.Hour + sense.Minute, ""},
	} {
		d := deskOf(t, `
slots: {side: {channel: car, unasked: true, show_for: 10s}}
signals: {rain: {type: bool, max_age: 1y}, speed: {type: double, max_age: 1y}}
states:
	driving: {channels: [car], when: "speed > 5", until: "speed < 5", unknown: counts_as_driving, absent: allow}
actions:
	umbrella: {intent: information, slots: [side], applicable: "`+c.condition+`", keep_armed: 1h, value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Rain.", nl: "Regen."}}
`)
		d.tell(`{"signal":"speed","value":50}`, `{"signal":"rain","value":false}`)
		d.at(sense.Minute)
		d.tell(`{"signal":"rain","value":true}`)
		start := d.now
		d.at(sense.Minute)
		d.tell(`{"signal":"rain","value":false}`)
		d.at(start.Add(c.wait).Sub(d.now))
		d.tell(`{"signal":"speed","value":0}`)
		d.wantsShows(c.want)
		d.at(2 * sense.Hour)
		if n := strings.Count(d.shows(), "side:umbrella"); n > 1 {
			t.Errorf("%s: shown %d times", c.condition, n)
		}
	}
}

// TestArmedNeedsNoTimer: what stays right needs no waking, and is armed from when it ceases to be; what
// one request says otherwise is not ceasing.
func TestArmedNeedsNoTimer(t *testing.T) {
	d := deskOf(t, `
slots: {side: {channel: app}}
signals: {rain: {type: bool, max_age: 1y}}
actions:
	always: {intent: information, purpose: offers, slots: [side], keep_armed: 10s, value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Yes", nl: "Ja"}}
	umbrella: {intent: information, slots: [side], applicable: "rain", keep_armed: 10s, value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Rain", nl: "Regen"}}
`)
	d.tell(annaTaps, `{"signal":"rain","value":true}`)
	steps := len(d.outs)
	d.at(40 * sense.Day)
	if n := len(d.outs) - steps; n > 2 {
		t.Errorf("the mind woke %d times in 40 days with nothing to do", n)
	}
	const dry = `{"ask":"side","with":{"rain":false}}`
	d.tell(dry)
	d.wants("umbrella", "")
	for _, now := range []string{"false", "true", "false"} { // it was shown: it must become right anew
		d.tell(`{"signal":"rain","value":` + now + `}`)
	}
	d.at(10*sense.Second - 1)
	d.tell(`{"ask":"side"}`)
	d.wants("umbrella", "")
	d.at(sense.Minute)
	d.tell(`{"ask":"side"}`)
	d.wants("silence", "not_applicable")
}

// TestFallbackAsksForItsConditions: it need not be worth anything, but may be said.
func TestFallbackAsksForItsConditions(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: kiosk, fallback: welcome}}
signals: {open: {type: bool, max_age: 1y}}
actions:
	welcome: {intent: information, slots: [screen], eligible: "open", say: {en: "Welcome.", nl: "Welkom."}}
`)
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "input_unknown")
	d.tell(`{"signal":"open","value":true}`, `{"ask":"screen"}`)
	d.wants("welcome", "fallback")
	if line := string(d.last().AppendJSON(nil, -1)); !strings.Contains(line, `"value":null,"propensity":0.05`) || !strings.Contains(line, `"rejected":[]`) {
		t.Errorf("fallback line %s", line)
	}
}

// TestErasedIsNotServed: by a code, that anybody may hold, she is nobody that may be spoken to.
func TestErasedIsNotServed(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: kiosk}}
actions:
	plan: {intent: service, purpose: service, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Plan?", nl: "Plannen?"}}
`)
	d.tell(annaTaps, `{"forget":"anna"}`, `{"identify":"anna","by":"code"}`, `{"ask":"screen"}`)
	d.wants("silence", "erased", "plan legal erased")
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("plan", "")
}

// TestLeaseEndedByNull: a lease that a line ends has ended.
func TestLeaseEndedByNull(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: kiosk}}
actions:
	plan: {intent: service, purpose: service, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Plan?", nl: "Plannen?"}}
`)
	d.tell(annaTaps, `{"lease":"anna","until":null}`, `{"ask":"screen"}`)
	d.wants("silence", "lease_ended")
}

// TestHisGoalEndsWithTheVisit: who came for help a while ago is not held to it for ever.
func TestHisGoalEndsWithTheVisit(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(`{"ask":"screen","intent":"service"}`)
	d.at(10*sense.Minute - 1)
	d.tell(`{"ask":"side"}`)
	d.wants("silence", "his_goal_first")
	d.at(10 * sense.Minute)
	d.tell(`{"ask":"side"}`)
	d.wants("mats", "")
}

func TestLanguageFallsBack(t *testing.T) {
	d := deskOf(t, oneSale)
	for _, c := range []struct{ line, want string }{
		{`{"ask":"screen"}`, "en"},
		{`{"fact":"language","customer":"anna","value":"nl","provenance":"observed"}`, "en"},
		{`{"fact":"language","customer":"anna","value":"nl","provenance":"declared"}`, "nl"},
		{`{"identify":"anna","by":"card","language":"en"}`, "en"},
		{`{"ask":"screen","language":"nl"}`, "nl"},
		{`{"ask":"screen","language":"de"}`, "en"}, // not spoken here: the session's
	} {
		if d.mind.Now(); strings.Contains(c.line, "observed") {
			d.tell(annaTaps)
		}
		d.tell(c.line)
		if !strings.Contains(c.line, "ask") {
			d.tell(`{"ask":"screen"}`)
		}
		if got := d.last().Language; got != c.want {
			t.Errorf("%s: language %s, want %s", c.line, got, c.want)
		}
	}
}

// TestWithTouchesItsOwnRequestOnly: what one request says is no news for what is shown elsewhere.
func TestWithTouchesItsOwnRequestOnly(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(agrees, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, here, alone, annaTaps, asks)
	d.tell(`{"session":"other","ask":"kiosk.home","with":{"people":2}}`)
	if got := d.shows(); strings.Contains(got, "not_alone") {
		t.Errorf("a request of another session took it down: %s", got)
	}
}

// TestNumbersFollowTheOrderOfLines: n counts the decisions as they are printed.
func TestNumbersFollowTheOrderOfLines(t *testing.T) {
	d := deskOf(t, `
slots: {a.side: {channel: kiosk, unasked: true}, z.screen: {channel: kiosk}}
actions:
	mats: {intent: information, slots: [z.screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
	tip: {intent: information, slots: [a.side], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Tip.", nl: "Tip."}}
`)
	d.tell(`{"ask":"z.screen"}`) // the session begins with it, so that its unasked slot is filled in the same step
	shown := d.outs[len(d.outs)-1].Show
	if len(shown) != 2 || shown[0].ID != "replay-0-1" || shown[0].Slot != "a.side" || shown[1].ID != "replay-0-2" {
		t.Fatalf("decisions %+v", shown)
	}
	for k, slot := range []string{"a.side", "z.screen"} {
		if at := d.mind.Shown()[k]; at.Slot != slot || at.Decision != shown[k].ID {
			t.Errorf("in %s stands %+v", slot, at)
		}
	}
}

func parsed(t testing.TB, line string, at sense.Instant) []event.Event {
	t.Helper()
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	e.At, e.HasAt, e.Happened = at, true, at
	return []event.Event{e}
}

// unread is a log as a device reads it again: what was sealed for a customer cannot be opened once
// the key is gone.
func unread(outs []Output) (log []Record) {
	gone := map[Handle]bool{}
	for _, o := range outs {
		for _, h := range o.Destroy {
			gone[h] = true
		}
	}
	for _, o := range outs {
		for _, r := range o.Persist {
			private := r.Identified != nil
			if r.Event != nil {
				switch r.Event.Body.(type) {
				case *event.Fact, *event.Consent, *event.Objection, *event.Restrict, *event.Interaction:
					private = true
				}
			}
			if private && gone[r.Handle] {
				r = Record{Seq: r.Seq}
			}
			log = append(log, r)
		}
	}
	return log
}

// TestForgottenStaysForgotten: a mind restored from the log alone, in which nothing names her any
// more, refuses what the one before it refused; and takes what that one took after she acted again.
func TestForgottenStaysForgotten(t *testing.T) {
	const comes = `{"identify":"anna","by":"code"}`
	for name, c := range map[string]struct {
		lines   []string
		refuses bool
	}{
		"known":                       {[]string{annaTaps, agrees, `{"forget":"anna"}`}, true},
		"known to nobody":             {[]string{`{"forget":"anna"}`}, true},
		"seen again":                  {[]string{annaTaps, `{"forget":"anna"}`, comes}, true},
		"acts again":                  {[]string{annaTaps, `{"forget":"anna"}`, annaTaps}, false},
		"seen, then acts again":       {[]string{annaTaps, `{"forget":"anna"}`, comes, annaTaps}, false},
		"acts again, forgotten twice": {[]string{annaTaps, `{"forget":"anna"}`, annaTaps, `{"forget":"anna"}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{t: t, mind: New(Config{Device: "k1", Secret: [16]byte{1}})}
			d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
			policy := &BundleUpdate{Bundle: written(t, oneSale)}
			d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: policy})))
			d.tell(c.lines...)
			again, err := Restore(d.mind.cfg, Snapshot{}, unread(d.outs))
			if err != nil {
				t.Fatal(err)
			}
			again.Step(Input{At: d.now, Bundle: policy})
			for _, m := range []*Mind{again, d.mind} {
				if o := kept(m.Step(Input{At: d.now, Events: parsed(t, agrees, d.now)})); (len(o.Refused) == 1) != c.refuses {
					t.Errorf("restored %v: refused %v, want %v", m == again, o.Refused, c.refuses)
				}
			}
			if h := again.draw("bob", event.ByCard).Handle; d.gave(h) {
				t.Error("a handle is given twice")
			}
		})
	}
}

// gave says whether a handle was given to somebody so far.
func (d *desk) gave(h Handle) bool {
	for _, o := range d.outs {
		for _, r := range o.Persist {
			if r.Handle == h {
				return true
			}
		}
	}
	return false
}

// TestForgetOfManyIDs: each record of a forget is bounded, and together they name every id.
func TestForgetOfManyIDs(t *testing.T) {
	d := deskOf(t, oneSale)
	d.tell(annaTaps)
	for k := range MostErased + 9 {
		d.tell(fmt.Sprintf(`{"merge":["anna","crm:%d"]}`, k))
	}
	d.tell(`{"forget":"crm:7"}`)
	again, err := Restore(replayed, Snapshot{}, unread(d.outs))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"anna", "crm:0", fmt.Sprintf("crm:%d", MostErased+8)} {
		if !again.erased[again.tombstone(id)] {
			t.Errorf("%s is not refused after a restart", id)
		}
	}
	for _, r := range d.outs[len(d.outs)-1].Persist {
		if len(r.Erased) > MostErased {
			t.Errorf("a record with %d tombstones", len(r.Erased))
		}
	}
}

// TestCustomersCalendar: a calendar day of hers is cut where she lives, on the day that summer time begins too.
func TestCustomersCalendar(t *testing.T) {
	for _, c := range []struct{ zone, free string }{ // when the day of the first showing is over
		{"", "2026-03-29T00:00:00+01:00"},
		{"America/New_York", "2026-03-29T00:00:00-04:00"},
		{"Nowhere/Land", "2026-03-29T00:00:00+01:00"},
	} {
		cfg := replayed
		cfg.Zone = policy.Zone
		d := &desk{t: t, mind: New(cfg)}
		d.now, _ = sense.ParseInstant("2026-03-28T22:30:00+01:00")
		b := written(t, `facts:
	zone: {type: string, purposes: [service], keep: 2y}
slots: {screen: {channel: kiosk}}
actions:
	mats: {intent: sales, purpose: offers, about: product:mats, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
contact:
	limits: [{intent: sales, at_most: 1, counting: shown, per: calendar day, zone: customer}]
`)
		d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: b}})
		if c.zone != "" {
			d.tell(`{"fact":"zone","customer":"anna","value":"` + c.zone + `","provenance":"declared"}`)
		}
		d.tell(annaTaps, `{"ask":"screen"}`)
		free, _ := sense.ParseInstant(c.free)
		d.at(free.Sub(d.now) - 1)
		d.tell(`{"ask":"screen"}`)
		d.wants("silence", "cap_reached")
		d.at(1)
		d.tell(`{"ask":"screen"}`)
		d.wants("mats", "")
	}
}

// TestSessionAfterBoot: what a restart made unknown is unknown in a session that begins after it.
func TestSessionAfterBoot(t *testing.T) {
	d := deskOf(t, `
slots: {screen: {channel: web}}
signals: {brake: {type: bool, max_age: 1h, scope: person, purposes: [care], why: {en: "safety", nl: "veiligheid"}, leaves_device: never}}
actions:
	calm: {intent: information, purpose: care, slots: [screen], applicable: "count(brake, 10m) == 0", value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Calm.", nl: "Rustig."}}
`)
	d.tell(`{"boot":{"clock":"synced"}}`)
	d.tell(annaTaps, `{"signal":"brake","value":false}`, `{"ask":"screen"}`)
	d.wants("silence", "input_unknown")
	d.at(10 * sense.Minute)
	d.tell(`{"ask":"screen"}`)
	d.wants("calm", "")
}

// TestWhatARequestSaidIsOverWithIt: shown since the request says that she is alone, it does not stand on that.
func TestWhatARequestSaidIsOverWithIt(t *testing.T) {
	d := newDesk(t, replayed)
	d.tell(agrees, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, here, `{"signal":"people","value":2}`, annaTaps)
	d.tell(`{"ask":"kiosk.home","with":{"people":1}}`)
	if x := d.last(); x.Treatment != "say_personal" {
		t.Fatalf("alone, as the request says, and it shows %s", x.Treatment)
	}
	d.tell(`{"tick":true}`)
	d.wantsShows("kiosk.home:model-x -kiosk.home:not_alone")
}
