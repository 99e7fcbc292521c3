package chance

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Starts are where event files begin: a working day, the nights in which clocks
// change on either side of the world, the end of a year.
var Starts = []string{
	"2026-03-02T09:00:00Z", "2026-03-28T23:30:00Z", "2026-03-08T06:30:00Z", "2026-10-25T00:30:00Z", "2026-04-04T14:30:00Z", "2026-12-31T22:50:00Z", "2028-02-29T10:00:00Z",
}

// Events writes about n lines for a policy.
func Events(seed uint64, b *catalog.Bundle, n int) []string {
	at, err := sense.ParseInstant(Starts[seed%uint64(len(Starts))])
	if err != nil {
		panic(err) // a constant of this file
	}
	w := &teller{dice: dice{rand.New(rand.NewPCG(seed, 0xda942042e4dd58b5))}, b: b, at: at, start: at}
	w.customers = some(w.dice, 2, []string{"anna", "card:1", "crm:77", "bob"})
	w.sessions = some(w.dice, 1, []string{"main", "left", "right"})
	if w.percent(30) {
		w.say(`"boot":{"clock":"synced","absent":["speed"]}`)
	}
	w.open()
	for len(w.lines) < n {
		w.happen()
	}
	return w.lines
}

// teller writes event lines at instants that do not decrease.
type teller struct {
	dice
	b         *catalog.Bundle
	at, start sense.Instant
	customers []string
	sessions  []string
	ids       int
	asks      int
	lines     []string
}

// say writes a line at the present instant; the text is its keys without `at`.
func (w *teller) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(`{"at":%q,%s}`, w.at, fmt.Sprintf(format, args...)))
}

// in adds the session, which is main where none is named.
func (w *teller) in(session string) string {
	if session == "main" {
		return ""
	}
	return fmt.Sprintf(`,"session":%q`, session)
}

func (w *teller) pass(d sense.Duration) { w.at = w.at.Add(d) }

func (w *teller) who() string     { return one(w.dice, w.customers...) }
func (w *teller) session() string { return one(w.dice, w.sessions...) }

// open says what is known before the first customer comes.
func (w *teller) open() {
	w.gate()
	for _, c := range w.customers {
		for k := range w.b.Purposes {
			if p := &w.b.Purposes[k]; p.Basis.NeedsGrant() && w.percent(65) {
				w.consent(p.Name, c, true)
			}
		}
		for k := range w.b.Facts {
			if w.percent(60) {
				w.fact(&w.b.Facts[k], c)
			}
		}
	}
}

// gate says that the gate is shut, which no other line changes.
func (w *teller) gate() { w.reading("gate", "false", "main") }

// happen lets one thing happen, and some time pass.
func (w *teller) happen() {
	s := w.session()
	switch w.IntN(24) {
	case 0, 1, 2:
		w.screen(s)
	case 3, 4:
		w.wheel(s)
	case 5, 6:
		w.identify(s)
	case 7, 8, 9:
		w.ask(s)
	case 10, 11, 12:
		w.outcome(s)
	case 13, 14:
		for range 1 + w.IntN(6) {
			w.signal(s)
		}
	case 15:
		w.ofConsent()
	case 16, 17:
		if len(w.b.Facts) > 0 {
			w.fact(&w.b.Facts[w.IntN(len(w.b.Facts))], w.who())
		}
	case 18, 19:
		w.interaction()
	case 20:
		w.device()
	case 21:
		w.whoIsWho()
	case 22:
		w.wrong(s)
	case 23:
		w.walk(s)
	}
	switch n := w.IntN(100); {
	case n < 25: // the same instant
	case n < 60:
		w.pass(sense.Duration(1+w.IntN(3000)) * sense.Millisecond)
	case n < 82:
		w.pass(sense.Duration(1+w.IntN(60)) * sense.Second)
	case n < 92:
		w.pass(sense.Duration(1+w.IntN(60)) * sense.Minute)
	case n < 99:
		w.pass(sense.Duration(1+w.IntN(30)) * sense.Hour)
	default:
		w.pass(sense.Duration(1+w.IntN(12)) * sense.Day)
	}
}

// screen is a scene of somebody alone before it, and sometimes of two.
func (w *teller) screen(s string) {
	if w.percent(70) {
		w.identify(s)
	}
	for range 2 + w.IntN(6) {
		people := 1
		if w.percent(12) {
			people = w.IntN(3)
		}
		for k := range w.b.Signals { // so that little is unknown
			if d := &w.b.Signals[k]; d.Name != "people" && d.Name != "presence" && d.Name != "gate" && d.Name != "position" && w.percent(15) {
				w.reading(d.Name, w.valueOf(d.Kind), s)
			}
		}
		w.reading("presence", "true", s)
		w.reading("people", fmt.Sprint(people), s)
		w.signal(s)
		w.pass(sense.Second)
		if w.percent(60) {
			w.ask(s)
		}
		if w.percent(40) {
			w.outcome(s)
		}
	}
}

// wheel is a drive: some speed, then often half a minute of standing.
func (w *teller) wheel(s string) {
	if w.percent(40) {
		w.identify(s)
	}
	speed := one(w.dice, "50", "6", "5", "0", "0.5")
	for range 1 + w.IntN(5) {
		w.reading("speed", speed, s)
		w.pass(sense.Second)
	}
	if !w.percent(70) {
		return
	}
	for range 16 + w.IntN(3) { // a reading holds for 3 s
		w.reading("speed", one(w.dice, "0", "0", "0", "3"), s)
		w.pass(2 * sense.Second)
	}
	for range 1 + w.IntN(4) {
		w.reading("speed", "0", s)
		w.reading("presence", "true", s)
		w.reading("people", "1", s)
		w.signal(s)
		w.ask(s)
		w.outcome(s)
		w.pass(sense.Second)
	}
}

// walk crosses the town's places.
func (w *teller) walk(s string) {
	from := 52.0870 + float64(w.IntN(40))*0.0001
	for k := range 2 + w.IntN(8) {
		lat := from + float64(float64(k)*0.0006)
		accuracy := one(w.dice, "", `,"accuracy":5`, `,"accuracy":40`)
		w.reading("position", fmt.Sprintf(`{"lat":%.4f,"lon":5.1214%s}`, lat, accuracy), s)
		w.pass(sense.Duration(1+w.IntN(4)) * sense.Second)
	}
	w.ask(s)
}

// reading tells a signal, where the policy has it.
func (w *teller) reading(name, value, session string) {
	for k := range w.b.Signals {
		if w.b.Signals[k].Name == name {
			w.say(`"signal":%q,"value":%s%s`, name, value, w.in(session))
		}
	}
}

// signal tells any signal but those that scenes take care of.
func (w *teller) signal(session string) {
	d := &w.b.Signals[w.IntN(len(w.b.Signals))]
	if d.Name == "gate" || d.Name == "presence" && w.percent(80) {
		return
	}
	age := ""
	if w.percent(5) {
		age = `,"age":"2s"`
	}
	w.say(`"signal":%q,"value":%s%s%s`, d.Name, w.valueOf(d.Kind), age, w.in(session))
}

// valueOf draws a value of a type near those that conditions compare with.
func (w *teller) valueOf(kind sense.Kind) string {
	if w.percent(5) {
		return "null"
	}
	switch kind {
	case sense.Bool:
		return one(w.dice, "true", "false")
	case sense.Int:
		return fmt.Sprint(w.IntN(7))
	case sense.Double:
		return one(w.dice, "0", "0.5", "1.5", "3", "3.5", "6.75", "8", "25.125", "-2")
	case sense.String:
		return one(w.dice, `"a"`, `"b"`, `"mail"`, `""`)
	case sense.Position:
		return fmt.Sprintf(`{"lat":52.0%d,"lon":5.1%d}`, 850+w.IntN(100), 180+w.IntN(60))
	case sense.Timestamp:
		return fmt.Sprintf("%q", w.start.Add(sense.Duration(w.IntN(72)-24)*sense.Hour))
	case sense.Length:
		return one(w.dice, `"1s"`, `"30s"`, `"5m"`)
	case sense.Date:
		return one(w.dice, `"1980-06-15"`, `"2010-03-02"`, `"2008-02-29"`, `"2020-01-01"`)
	case sense.Money:
		return one(w.dice, "2.50", "10.00", "99.99")
	}
	return "null"
}

func (w *teller) ask(s string) {
	if len(w.b.Slots) == 0 {
		return
	}
	keys := []string{fmt.Sprintf(`"ask":%q`, w.b.Slots[w.IntN(len(w.b.Slots))].Name)}
	if w.percent(25) {
		keys = append(keys, fmt.Sprintf(`"intent":%q`, one(w.dice, "sales", "service", "information", "entertainment")))
	}
	if w.percent(25) {
		keys = append(keys, fmt.Sprintf(`"about":%q`, one(w.dice, subjects...)))
	}
	if w.percent(20) {
		keys = append(keys, fmt.Sprintf(`"count":%d`, 1+w.IntN(5)))
	}
	if w.percent(15) {
		keys = append(keys, fmt.Sprintf(`"language":%q`, one(w.dice, "nl", "en", "fr")))
	}
	if w.percent(10) {
		keys = append(keys, `"with":{"delivery":"mail"}`)
	}
	if w.percent(15) {
		keys = append(keys, w.id())
	}
	w.asks++
	w.say("%s%s", strings.Join(keys, ","), w.in(s))
}

// id draws an event id, which now and then was used before.
func (w *teller) id() string {
	if w.ids == 0 || w.percent(80) {
		w.ids++
		return fmt.Sprintf(`"id":"e%d"`, w.ids)
	}
	return fmt.Sprintf(`"id":"e%d"`, 1+w.IntN(w.ids))
}

func (w *teller) outcome(s string) {
	decision := "last"
	if w.percent(25) {
		decision = fmt.Sprintf("replay-0-%d", 1+w.IntN(w.asks+1))
	}
	slot := ""
	if w.percent(20) && len(w.b.Slots) > 0 {
		slot = fmt.Sprintf(`,"slot":%q`, w.b.Slots[w.IntN(len(w.b.Slots))].Name)
	}
	w.say(`"outcome":%q,"decision":%q%s%s`, one(w.dice, "shown", "accepted", "dismissed", "dismissed", "ignored", "later", "never", "negative", "abandoned", "failed"), decision, slot, w.in(s))
}
