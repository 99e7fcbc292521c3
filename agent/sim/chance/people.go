package chance

import (
	"fmt"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

func (w *teller) identify(s string) {
	if w.percent(15) {
		w.say(`"identify":null%s`, w.in(s))
		return
	}
	keys := []string{fmt.Sprintf(`"identify":%q,"by":%q`, w.who(), one(w.dice, "card", "card", "card", "login", "code", "staff", "passive"))}
	if w.percent(10) {
		keys = append(keys, `"shared":true`)
	}
	if w.percent(20) {
		keys = append(keys, fmt.Sprintf(`"language":%q`, one(w.dice, "en", "nl", "de", "fr")))
	}
	if w.percent(40) {
		keys = append(keys, `"owners":{"vehicle":"v1","household":"h1"}`)
	}
	w.say("%s%s", strings.Join(keys, ","), w.in(s))
}

// happened gives a time at or some while before the line's own.
func (w *teller) happened() string {
	if w.percent(75) {
		return ""
	}
	back := one(w.dice, sense.Second, sense.Hour, 20*sense.Day, 500*sense.Day)
	return fmt.Sprintf(`,"happened":%q`, w.at.Add(-back))
}

func (w *teller) consent(purpose, customer string, granted bool) {
	more := ""
	if w.percent(60) {
		more = `,"text":"v1"`
	}
	if w.percent(10) {
		more += fmt.Sprintf(`,"expires":%q`, w.at.Add(sense.Duration(1+w.IntN(100))*sense.Minute))
	}
	w.say(`"consent":%q,"customer":%q,"granted":%v%s%s`, purpose, customer, granted, more, w.happened())
}

// ofConsent tells a choice of a customer, or of the law.
func (w *teller) ofConsent() {
	if len(w.b.Purposes) == 0 {
		return
	}
	p := &w.b.Purposes[w.IntN(len(w.b.Purposes))]
	switch {
	case w.percent(20):
		w.say(`"restrict":%q,"on":%v%s`, w.who(), w.percent(40), w.happened())
	case p.Basis.NeedsGrant():
		w.consent(p.Name, w.who(), w.percent(60))
	default:
		w.say(`"objection":%q,"customer":%q,"raised":%v%s`, p.Name, w.who(), w.percent(50), w.happened())
	}
}

func (w *teller) fact(d *catalog.Fact, customer string) {
	of := fmt.Sprintf(`"customer":%q`, customer)
	switch {
	case d.Owner == "vehicle" && w.percent(80):
		of = `"owner":"v1"`
	case d.Owner == "household" && w.percent(80):
		of = `"owner":"h1"`
	}
	provenance := one(w.dice, "declared", "declared", "declared", "observed", "inferred", "third_party")
	if len(d.From) > 0 && w.percent(90) {
		provenance = d.From[w.IntN(len(d.From))].String()
	}
	w.say(`"fact":%q,%s,"value":%s,"provenance":%q%s`, d.Name, of, w.factValue(d), provenance, w.happened())
}

func (w *teller) factValue(d *catalog.Fact) string {
	switch {
	case w.percent(5):
		return "null"
	case len(d.OneOf) > 0 && w.percent(90):
		return fmt.Sprintf("%q", d.OneOf[w.IntN(len(d.OneOf))])
	}
	switch d.Name {
	case "language":
		return one(w.dice, `"nl"`, `"en"`, `"de"`, `"fr"`)
	case "zone":
		return one(w.dice, `"Europe/Amsterdam"`, `"America/New_York"`, `"Asia/Tokyo"`, `"Nowhere/None"`)
	case "quiet_hours":
		return one(w.dice, `"22:00-08:00"`, `"09:00-10:30"`, `"13:00-13:30"`)
	case "email":
		return one(w.dice, `"anna@example.com"`, `"anna@"`)
	}
	if d.Kind != sense.List {
		return w.valueOf(d.Kind)
	}
	values := make([]string, w.IntN(3))
	for k := range values {
		if values[k] = one(w.dice, `"garden"`, `"kitchen"`, `"red"`, `"model-x"`); d.Elem != sense.String {
			values[k] = fmt.Sprint(w.IntN(5))
		}
	}
	return "[" + strings.Join(values, ",") + "]"
}

func (w *teller) interaction() {
	if len(w.b.Kinds) == 0 {
		return
	}
	keys := []string{fmt.Sprintf(`"interaction":%q,"customer":%q`, w.b.Kinds[w.IntN(len(w.b.Kinds))].Name, w.who())}
	if w.percent(80) {
		keys = append(keys, fmt.Sprintf(`"about":%q`, one(w.dice, subjects...)))
	}
	if w.percent(50) {
		keys = append(keys, fmt.Sprintf(`"channel":%q`, one(w.dice, "kiosk", "web", "mail", "app")))
	}
	if w.percent(40) {
		keys = append(keys, fmt.Sprintf(`"ref":%q`, one(w.dice, "r1", "r2", "replay-0-1", "replay-0-3")))
	}
	if w.percent(20) {
		keys = append(keys, fmt.Sprintf(`"due":%q`, w.at.Add(sense.Duration(w.IntN(96)-24)*sense.Hour)))
	}
	if w.percent(20) {
		keys = append(keys, w.id())
	}
	w.say("%s%s", strings.Join(keys, ","), w.happened())
}

// device is what happens to the device itself.
func (w *teller) device() {
	switch w.IntN(6) {
	case 0:
		w.say(`"boot":{"clock":%q%s}`, one(w.dice, "synced", "synced", "floor", "unknown"), one(w.dice, "", "", `,"absent":["speed"]`, `,"absent":["call"]`))
		w.gate()
	case 1:
		w.say(`"clock":{"now":%q,"state":%q}`, w.at, one(w.dice, "synced", "synced", "floor", "unknown"))
	case 2, 3:
		w.say(`"link":%q`, one(w.dice, "up", "down"))
	default:
		w.say(`"tick":true`)
	}
}

// whoIsWho forgets and merges people.
func (w *teller) whoIsWho() {
	switch w.IntN(5) {
	case 0:
		w.say(`"forget":%q`, w.who())
	case 1:
		if a, b := w.who(), w.who(); a != b {
			w.say(`"merge":[%q,%q]`, a, b)
		}
	}
}

// wrong is a line that is no good.
func (w *teller) wrong(s string) {
	switch w.IntN(9) {
	case 0:
		w.say(`"signal":"no_such_thing","value":1%s`, w.in(s))
	case 1:
		w.say(`"signal":"people","value":"many"%s`, w.in(s))
	case 2:
		w.say(`"ask":"no.such.slot"%s`, w.in(s))
	case 3:
		w.say(`"fact":"no.such.fact","customer":%q,"value":1,"provenance":"declared"`, w.who())
	case 4:
		w.say(`"interaction":"no_such_kind","customer":%q`, w.who())
	case 5:
		w.say(`"outcome":"accepted","decision":"replay-0-99999999"%s`, w.in(s))
	case 6:
		w.lines = append(w.lines, one(w.dice, "no json", "{", `{"at":"2026-03-02T09:00:00Z"}`, `{"at":"yesterday","tick":true}`))
	case 7:
		w.lines = append(w.lines, fmt.Sprintf(`{"at":%q,"tick":true}`, w.at.Add(-sense.Hour)))
	case 8:
		w.say(`"tick":true,"colour":"red"`)
	}
}
