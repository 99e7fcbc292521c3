package chance

import (
	"fmt"
	"slices"
	"strings"
)

// header writes what a policy says of itself.
func (a *author) header(seed uint64) {
	a.languages = one(a.dice, []string{"en"}, []string{"en", "nl"}, []string{"nl", "en", "de"})
	a.zone = one(a.dice, "Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
	a.line("policy: chance-%d\nversion: %d\ncurrency: EUR\nlanguages: %s\nzone: %s", seed, 1+a.IntN(30), list(a.languages), a.zone)
	a.line("visit: {ends_after: %s}", one(a.dice, "30s", "10m", "2h"))
	a.line("session: {%s}", one(a.dice, `ends: "!presence", after: 20s, at_most: 10m`, `ends: "!presence", after: 5s`, `at_most: 3m`))
	if a.percent(20) {
		a.line("quiet: {hours: [%s]%s}", one(a.dice, `"22:00-07:00"`, `"12:00-13:30", "23:00-05:00"`), one(a.dice, "", ", pass: [safety]", ", pass: [safety, service]"))
	}
	if a.percent(30) {
		a.line("sleeping_after: %s", one(a.dice, "30d", "1y", "2y"))
	}
	if a.percent(40) {
		a.line("strikes: {count: negative, in: %s, at: {%s}}", one(a.dice, "30d", "90d"),
			one(a.dice, "1: recovery, 2: no_sales_and_offer_person, 3: hand_over", "2: no_sales_and_offer_person", "1: recovery, 4: hand_over"))
	}
}

// writePurposes declares why data may be used. Those of every policy come first.
func (a *author) writePurposes() {
	all := []purpose{
		{name: "service", basis: "contract"},
		{name: "care", basis: "legitimate_interest"},
		{name: "offers", basis: "consent", unasked: a.percent(60)},
		{name: "location", basis: "consent"},
	}
	all = append(all, some(a.dice, 0, []purpose{
		{name: "health", basis: "consent", explicit: true},
		{name: "premium", basis: "consent"},
		{name: "recognise", basis: "consent"},
		{name: "duty", basis: "legal_obligation"},
		{name: "rescue", basis: "vital_interest"},
		{name: "town", basis: "public_task"},
		{name: "past", basis: one(a.dice, "none", "public_task")},
	})...)
	a.purposes = all
	a.line("purposes:")
	for _, p := range all {
		keys := []string{"basis: " + p.basis}
		if p.explicit {
			keys = append(keys, "explicit: true")
		}
		if p.basis == "legitimate_interest" && a.percent(50) {
			keys = append(keys, "objection: honoured")
		}
		if p.unasked {
			keys = append(keys, "unasked: separate_consent")
		}
		if p.name == "premium" {
			keys = append(keys, "least_age: 16")
		}
		a.line("  %s: {%s, for: %s}", p.name, strings.Join(keys, ", "), a.per("for "+p.name))
	}
	if a.percent(40) {
		a.partners = map[string]string{"telco": "offers"}
		a.line("partners:\n  telco: {purpose: offers, for: %s}", a.per("bundles"))
	}
}

// Signals of devices and of persons, as sensors give them.
var (
	deviceSignals = []named{
		{name: "rain", kind: "bool"}, {name: "call", kind: "bool"}, {name: "alarm_on", kind: "bool"}, {name: "screen_busy", kind: "bool"}, {name: "do_not", kind: "bool"},
		{name: "stock", kind: "int"}, {name: "queue", kind: "int"}, {name: "temperature", kind: "double"}, {name: "demand", kind: "double"}, {name: "daypart", kind: "string"},
		{name: "opens", kind: "timestamp"}, {name: "delay", kind: "duration"},
	}
	personSignals = []named{
		{name: "heart", kind: "int"}, {name: "hard_brake", kind: "bool"}, {name: "mood", kind: "string"}, {name: "pace", kind: "double"}, {name: "shelf", kind: "bool"},
	}
)

func (a *author) writeSignals() {
	a.line("signals:")
	device := func(s named, keys string) {
		a.signals = append(a.signals, s)
		a.line("  %s: {type: %s%s}", s.name, s.kind, keys)
	}
	device(named{name: "presence", kind: "bool"}, ", max_age: 5s")
	device(named{name: "people", kind: "int"}, ", max_age: 5s")
	device(named{name: "gate", kind: "bool"}, "")
	device(named{name: "delivery", kind: "string"}, ", max_age: 1m")
	for _, s := range some(a.dice, 6, deviceSignals) {
		device(s, one(a.dice, "", ", max_age: 10s", ", max_age: 30m", ", max_age: 1d, from: hub"))
	}
	person := func(s named, keys string) {
		s.personal = true
		s.purposes = a.purposeNames()
		a.signals = append(a.signals, s)
		a.line("  %s: {type: %s, scope: person, purposes: %s, why: %s, leaves_device: never%s}", s.name, s.kind, list(s.purposes), a.per("to know "+s.name), keys)
	}
	person(named{name: "speed", kind: "double"}, ", unit: km/h, max_age: 3s")
	person(named{name: "position", kind: "position"}, ", max_age: 10s"+one(a.dice, "", ", consent: location"))
	for _, s := range some(a.dice, 1, personSignals) {
		person(s, one(a.dice, "", ", max_age: 10s", ", max_age: 5m", ", max_age: 5m, consent: location"))
	}
}

// Facts about customers and what they own.
var factPool = []named{
	{name: "birth_date", kind: "date"}, {name: "vehicle.tyres", kind: "string", owner: "vehicle", oneOf: []string{"summer", "winter", "all_season"}},
	{name: "interests", kind: "list<string>"}, {name: "budget", kind: "money"}, {name: "loyalty", kind: "int"}, {name: "member", kind: "bool"},
	{name: "height", kind: "double"}, {name: "since_when", kind: "timestamp"}, {name: "diet", kind: "string", oneOf: []string{"none", "vegan", "gluten_free"}, special: true},
	{name: "language", kind: "string"}, {name: "zone", kind: "string"}, {name: "quiet_hours", kind: "string"}, {name: "address", kind: "string"}, {name: "email", kind: "string"},
	{name: "household.size", kind: "int", owner: "household"}, {name: "size", kind: "string", oneOf: []string{"s", "m", "l"}}, {name: "pref.colour", kind: "string", oneOf: []string{"red", "blue"}},
	{name: "visits", kind: "list<int>"}, {name: "routine", kind: "string"},
}

func (a *author) writeFacts() {
	a.line("facts:")
	drawn := append([]named{{name: "name.first", kind: "string"}}, some(a.dice, 6, factPool)...)
	if a.purposeNamed("premium").name != "" && !slices.ContainsFunc(drawn, func(f named) bool { return f.name == "birth_date" }) {
		drawn = append(drawn, factPool[0])
	}
	for _, f := range drawn {
		a.writeFact(f)
	}
}

func (a *author) writeFact(f named) {
	f.personal = true
	f.purposes = a.purposeNames()
	keys := []string{"type: " + f.kind}
	if f.special {
		if a.purposeNamed("health").name == "" {
			return
		}
		f.purposes = []string{"health"}
		keys = append(keys, "special: health")
	}
	if f.owner != "" {
		keys = append(keys, "owner: "+f.owner)
	}
	if f.oneOf != nil {
		keys = append(keys, "one_of: "+list(f.oneOf))
	}
	f.from = one(a.dice, []string{"declared"}, []string{"declared", "observed"}, []string{"declared", "observed", "inferred"}, []string{"declared", "third_party"}, nil)
	switch {
	case f.special, f.name == "name.first":
		f.from = []string{"declared"}
	case f.name == "routine":
		f.from = []string{"declared", "inferred"}
	}
	if f.from != nil {
		keys = append(keys, "from: "+list(f.from))
	}
	keys = append(keys, "purposes: "+list(f.purposes))
	keys = append(keys, one(a.dice, "keep: 2y", "keep: 30d", "keep: 1y, fresh: 30d", "keep: 10y, fresh: 1y", "keep: 2d, fresh: 1h"))
	switch f.name {
	case "birth_date":
		keys = append(keys, one(a.dice, "in_past: true", `why: `+a.per("to know your age")))
	case "loyalty":
		keys = append(keys, "between: [0, 120]")
	case "email":
		keys = append(keys, "format: email")
	case "interests", "pref.colour":
		if a.percent(60) && !slices.Contains(f.from, "inferred") {
			keys = append(keys, "preference: true")
		}
	}
	a.facts = append(a.facts, f)
	a.line("  %s: {%s}", f.name, strings.Join(keys, ", "))
}

func (a *author) writeInteractions() {
	a.line("interactions:")
	kind := func(name, keys string, more ...string) {
		p := a.purposeNames()
		a.kinds = append(a.kinds, named{name: name, purposes: p, personal: true, kind: "kind"})
		for _, m := range more { // declared by being named
			a.kinds = append(a.kinds, named{name: m, purposes: p, personal: true, kind: "kind"})
		}
		a.line("  %s: {keep: %s, purposes: %s%s}", name, one(a.dice, "7y", "1y", "60d"), list(p), keys)
	}
	kind("purchase", one(a.dice, "", ", blocks: {offer_of: same}, undone_by: returned", ", blocks: {offer_of: same_or_kind, again: {grocery: 7d}}, undone_by: {returned: 1d}"), "returned")
	kind("booking", one(a.dice, ", reaches: goal, undone_by: {cancelled: 24h}", ", reaches: goal, undone_by: cancelled"), "cancelled")
	kind("complaint", ", negative: true, open_until: resolved"+one(a.dice, "", ", cool_off: 14d"), "resolved")
	kind("view", "")
	if a.percent(60) {
		kind("invoice", ", closed_by: payment, overdue_after: "+one(a.dice, "14d", "2d"), "payment")
	}
	if a.percent(50) {
		kind("question", "")
		kind("answer", "")
	}
	if a.percent(40) {
		kind("departure", ", means: booked")
	}
	if a.percent(40) {
		kind("mailing", ", means: contacted"+one(a.dice, "", ", worth: 2.00", ", negative: true"))
	}
	if a.percent(40) {
		kind("visit", "")
	}
	if a.percent(30) {
		kind("rating", "")
		a.measures = []string{"satisfaction"}
		a.line("measures: {satisfaction: {from: rating, control: %s}}", one(a.dice, "0.10", "0.50"))
	}
	// returned is declared only where purchase names it
	if !strings.Contains(a.out.String(), "undone_by: returned") && !strings.Contains(a.out.String(), "returned: 1d") {
		a.kinds = slices.DeleteFunc(a.kinds, func(k named) bool { return k.name == "returned" })
	}
}

// Subjects that actions and interactions are about.
var subjects = []string{
	"product:model-x", "product:model-x-gti", "product:model-y", "product:model-x/mats", "grocery:milk", "grocery:bread", "hotel:rome", "hotel:milan",
	"insurance:travel", "care:nappies", "topic:garden", "brochure:model-x", "food:vegan",
}

func (a *author) writeSubjects() {
	a.line("subjects:\n  model-x-gti: {kind: model-x}\n  milk: {kind: dairy}")
	if a.percent(70) {
		a.line("  nappies: {sensitive: pregnancy}")
	}
}

func (a *author) writeSlots() {
	a.line("slots:")
	a.slots = append([]slot{{"kiosk.home", "kiosk", true, a.percent(30)}}, some(a.dice, 1, []slot{
		{"dash.card", "car", false, true}, {"wrist", "wearable", false, true}, {"app.home", "app", false, a.percent(30)}, {"hall.wall", "screen", true, true},
	})...)
	for _, s := range a.slots {
		keys := []string{"channel: " + s.channel}
		if s.shared {
			keys = append(keys, "shared_screen: true")
		}
		if s.unasked {
			keys = append(keys, "unasked: true")
		}
		if a.percent(50) {
			keys = append(keys, "show_for: "+one(a.dice, "5s", "15s", "2m"))
		}
		if a.percent(20) {
			keys = append(keys, "minimum: "+one(a.dice, "0.10", "0.50"))
		}
		if a.percent(20) {
			keys = append(keys, "least_identity: "+one(a.dice, "code", "card"))
		}
		if a.percent(20) {
			keys = append(keys, "max_text: "+one(a.dice, "12", "80"))
		}
		if a.percent(25) {
			keys = append(keys, "fallback: hello")
		}
		a.line("  %s: {%s}", s.name, strings.Join(keys, ", "))
	}
}

func (a *author) writePlaces() {
	a.line("places:")
	for _, p := range some(a.dice, 1, []string{
		"store: {circle: {at: [52.0907, 5.1214], radius: 40 m}}",
		"town_centre: {circle: {at: [52.0900, 5.1200], radius: 1500 m}}",
		"square: {polygon: [[52.0900, 5.1200], [52.0900, 5.1230], [52.0920, 5.1230], [52.0920, 5.1200]]}",
	}) {
		name, _, _ := strings.Cut(p, ":")
		a.places = append(a.places, name)
		a.line("  %s", p)
	}
}

func (a *author) writeDerived() {
	all := []string{
		`dwell: {is: "held(presence)"}`,
		`wet: {is: "rain", debounce: 5s, hold: 30s}`,
		`busy_hall: {when: "queue > 3", until: "queue < 2"}`,
		`cold: {is: "temperature < 3", hold: 30s}`,
		`mean_pace: {is: "mean(pace, 10m)"%s}`,
		`brakes: {is: "count(hard_brake, 1h)"%s}`,
		`warm: {when: "temperature > 20", until: "temperature < 15", debounce: 5s}`,
	}
	reads := map[string]string{"wet": "rain", "busy_hall": "queue", "cold": "temperature", "mean_pace": "pace", "brakes": "hard_brake", "warm": "temperature", "dwell": "presence"}
	kinds := map[string]string{"dwell": "duration", "mean_pace": "double", "brakes": "int"}
	var lines []string
	for _, d := range some(a.dice, 1, all) {
		name, _, _ := strings.Cut(d, ":")
		k := slices.IndexFunc(a.signals, func(s named) bool { return s.name == reads[name] })
		if k < 0 {
			continue
		}
		x := named{name: name, kind: kinds[name], personal: a.signals[k].personal, purposes: a.signals[k].purposes}
		if x.kind == "" {
			x.kind = "bool"
		}
		if x.personal {
			d = fmt.Sprintf(d, one(a.dice, "", ", leaves_device: value, keep: 1y, why: "+a.per("to know it")))
		}
		a.derived = append(a.derived, x)
		lines = append(lines, "  "+d)
	}
	if len(lines) > 0 {
		a.line("derived:\n%s", strings.Join(lines, "\n"))
	}
}

func (a *author) writeStates() {
	a.line("states:")
	a.line(`  driving: {%swhen: "held(speed > 5) >= 3s", until: "held(speed < 7) >= 30s", unknown: counts_as_driving%s}`,
		one(a.dice, "", "channels: [car, wearable], ", "channels: [car, wearable], ", "channels: [car], "), one(a.dice, "", ", absent: allow", ", absent: forbid"))
	a.line(`  alone: {when: "people == 1", unknown: not_alone}`)
	for _, s := range []struct{ name, signal string }{{"in_call", "call"}, {"do_not_disturb", "do_not"}, {"alarm", "alarm_on"}, {"busy", "screen_busy"}} {
		if slices.Contains(names(a.signals), s.signal) && a.percent(25) {
			a.line(`  %s: {%swhen: "%s"%s}`, s.name, one(a.dice, "", "channels: [kiosk, wearable], "), s.signal, one(a.dice, "", ", absent: allow"))
		}
	}
}
