package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

const arena = `
facts: {member: {type: bool, purposes: [service, care], keep: 2y}}
slots:
	screen: {channel: kiosk, fallback: welcome}
	board: {channel: board, unasked: true, show_for: 1m}
actions:
	alarm: {intent: safety, purpose: care, mandatory: true, slots: [screen], eligible: "member", value: 0.01, propensity: 0.1, bother: 0.05, say_personal: {en: "Alarm", nl: "Alarm"}}
	best: {intent: information, slots: [screen, board], value: 30.00, propensity: 0.1, bother: 0.05, say: {en: "Best", nl: "Beste"}}
	good: {intent: information, slots: [screen], value: 20.00, propensity: 0.1, bother: 0.05, say: {en: "Good", nl: "Goed"}}
	welcome: {intent: service, purpose: service, slots: [screen], say_personal: {en: "Welcome", nl: "Welkom"}}
`

// TestList: an ask with a count gets what there is, mandatory ones first, and says of the rest that the list was full.
func TestList(t *testing.T) {
	names := func(d *Decision) string {
		all := []string{d.Action}
		for _, r := range d.List {
			all = append(all, r.Action)
		}
		return strings.Join(all, " ")
	}
	d := deskOf(t, arena)
	d.tell(annaTaps, `{"ask":"screen","count":9}`)
	if got := names(d.last()); got != "best good" {
		t.Errorf("nine were asked for: %s", got)
	}
	d.tell(`{"fact":"member","customer":"anna","value":true,"provenance":"declared"}`, `{"ask":"screen","count":2}`)
	if got := names(d.last()); got != "alarm best" {
		t.Errorf("two were asked for: %s", got)
	}
	d.wants("alarm", "", "good ranked list_full", "welcome value not_worth_bother")
	d.tell(`{"ask":"screen"}`)
	d.wants("alarm", "", "best ranked lost_to_mandatory", "good ranked lost_to_mandatory")
	// Mandatory is ahead of ranking, never of a word of hers.
	d.tell(`{"objection":"care","customer":"anna","raised":true}`, `{"ask":"screen","count":3}`)
	if got := names(d.last()); got != "best good" {
		t.Errorf("she objected: %s", got)
	}
	d.wants("best", "", "alarm legal objected")
}

// TestFallback: it is no silence, need not be worth its bother, and keeps the manners.
func TestFallback(t *testing.T) {
	d := deskOf(t, strings.Replace(strings.Replace(arena, "value: 30.00", "value: 0.01", 1), "value: 20.00", "value: 0.01", 1))
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("welcome", "fallback", "best value not_worth_bother")
	if x := d.last(); x.Value != 0 || x.Propensity != 50_000 {
		t.Errorf("worth %d, propensity %d", x.Value, x.Propensity)
	}
	d.tell(`{"restrict":"anna","on":true}`)
	if got := d.shows(); !strings.HasSuffix(got, "screen:welcome -screen:restricted") {
		t.Errorf("what stands is judged as everything else is: %s", got)
	}
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "not_worth_bother", "welcome legal restricted")
	d.tell(`{"identify":null}`, `{"ask":"screen"}`) // nobody: there is no one to welcome personally
	d.wants("silence", "not_worth_bother")
}

// TestOneArena: what an ask has shown is not shown again unasked for the same reason.
func TestOneArena(t *testing.T) {
	d := deskOf(t, arena)
	d.tell(`{"session":"two","ask":"screen"}`)
	d.wantsShows("screen:best")
	d.tell(`{"session":"three","identify":"anna","by":"card"}`)
	d.wantsShows("screen:best board:best")
}

// TestArmedAtItsTime: what comes at its time waits, within keep_armed, for the moment that attention allows.
func TestArmedAtItsTime(t *testing.T) {
	d := deskOf(t, `
signals: {speed: {type: double, unit: km/h, max_age: 1h, scope: person, purposes: [care], why: {en: "safe", nl: "veilig"}, leaves_device: never}}
states: {driving: {channels: [car], when: "speed > 5", until: "speed < 5", unknown: counts_as_driving}}
slots: {dash: {channel: car, unasked: true}}
actions:
	news: {intent: information, slots: [dash], at: ["daily 12:00"], keep_armed: 20m, value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "News", nl: "Nieuws"}}
`)
	d.when("2026-03-02T11:59:00+01:00")
	d.tell(`{"signal":"speed","value":80}`)
	d.when("2026-03-02T12:10:00+01:00")
	d.tell(`{"signal":"speed","value":0}`)
	d.wantsShows("dash:news")
	d.when("2026-03-03T11:59:00+01:00")
	d.tell(`{"signal":"speed","value":80}`)
	d.when("2026-03-03T12:20:00+01:00")
	d.tell(`{"signal":"speed","value":0}`)
	if got := strings.Count(d.shows(), "dash:news"); got != 1 {
		t.Errorf("shown %d times: the second day nothing allowed it in time", got)
	}
}

// TestRequestsAddUp: every ask has one line, and every line is an action, a fallback or a silence.
func TestRequestsAddUp(t *testing.T) {
	for seed := range uint64(10) {
		d := deskOf(t, arena+`	ask: {intent: question, asks: member, purpose: service, slots: [screen, board], because: {en: "b", nl: "b"}, value: 9.00, propensity: 0.3, bother: 0.05, say_personal: {en: "Member?", nl: "Lid?"}}
contact: {volume: [{action: best, at_most: 3, per: rolling 1h}], limits: [{intent: information, at_most: 4, counting: shown, per: rolling 1h}]}
strikes: {count: negative, in: 90d, at: {1: recovery, 2: no_sales_and_offer_person}}
`)
		r := rand.New(rand.NewPCG(seed, 3))
		pick := func(s ...string) string { return s[r.IntN(len(s))] }
		asked := 0
		for range 300 {
			d.at(sense.Duration(r.IntN(100_000)))
			line := pick(`{"ask":"screen"}`, `{"ask":"screen","count":2}`, `{"ask":"board"}`, annaTaps, `{"identify":null}`, `{"identify":"bert","by":"passive"}`,
				`{"restrict":"anna","on":true}`, `{"restrict":"anna","on":false}`, `{"fact":"member","customer":"anna","value":true,"provenance":"declared"}`, `{"forget":"anna"}`)
			if strings.Contains(line, "ask\"") {
				asked++
			}
			e := parsed(t, line, d.now)
			d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Events: e}))) // of who is forgotten some is refused
		}
		lines, unasked, actions, fallbacks, silences := 0, 0, 0, 0, 0
		for _, o := range d.outs {
			for _, x := range o.Show {
				lines++
				switch {
				case !x.Asked:
					unasked++
				case x.Action == silence:
					silences++
				case x.Cause == fallback:
					fallbacks++
				default:
					actions++
				}
			}
		}
		if got := fmt.Sprint(lines == asked+unasked, actions+fallbacks+silences == asked, unasked > 0, silences > 0, actions > 0); got != "true true true true true" {
			t.Errorf("seed %d: %d lines, %d asked, %d unasked, %d actions, %d fallbacks, %d silences", seed, lines, asked, unasked, actions, fallbacks, silences)
		}
	}
}
