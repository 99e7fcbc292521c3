package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/policy/reach"
)

const reachBase = `policy: reach
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
session: {ends: "!presence", after: 20s}
purposes:
  offers: {basis: consent, for: {en: "for offers"}}
  care: {basis: legitimate_interest, for: {en: "to warn you"}}
signals:
  presence: {type: bool, max_age: 5s}
  people: {type: int, max_age: 5s}
  rain: {type: bool, max_age: 30m}
  gear: {type: string, max_age: 5s}
  temperature: {type: double, max_age: 30m}
  speed: {type: double, max_age: 3s, scope: person, purposes: [offers, care], why: {en: "to see whether you drive"}}
  position: {type: position, max_age: 10s, scope: person, purposes: [offers], why: {en: "to see where you are"}}
places:
  store: {circle: {at: [52.09, 5.12], radius: 40 m}}
facts:
  birth_date: {type: date, purposes: [offers], keep: 2y}
  vehicle.tyres: {type: string, one_of: [summer, winter], purposes: [offers, care], keep: 3y}
  kilometres: {type: int, between: [0, 1000], purposes: [offers], keep: 3y}
  bonus: {type: money, purposes: [offers], keep: 3y}
interactions:
  purchase: {keep: 7y, purposes: [offers]}
`

const reachSlots = `slots:
  kiosk.home: {channel: kiosk}
  dash.card: {channel: car, unasked: true}
states:
  driving: {channels: [car], when: "held(speed > 5) >= 3s", until: "held(speed < 7) >= 30s"}
`

// reachAction is one action with some keys of its own.
func reachAction(keys string) string {
	return reachSlots + "actions:\n  a1:\n    intent: sales\n    purpose: offers\n    about: product:x\n    slots: [kiosk.home]\n    value: 2.00\n    say_personal: {en: \"An offer.\"}\n" + keys
}

func reachCondition(condition string) string {
	return reachAction("    applicable: \"" + condition + "\"\n")
}

var reachCodes = []string{reach.Contradiction, reach.Unreachable, reach.AlwaysTrue, reach.Uncovered, reach.CapNeverFires, reach.CapAlwaysFires}

// reached compiles a policy and returns what reasoning found: "line of the source: severity code: message".
func reached(t *testing.T, text string) (found []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, findings, err := Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	for _, f := range findings {
		if f.Severity == Error && !slices.Contains(reachCodes, f.Code) {
			t.Errorf("the policy is no good: %s", f)
		}
		if slices.Contains(reachCodes, f.Code) {
			at := lines[f.Line-1][f.Column-1:]
			if k := strings.IndexAny(at, ":,}"); k > 0 {
				at = at[:k]
			}
			found = append(found, strings.TrimSpace(at)+": "+f.Severity+" "+f.Code+": "+f.Message)
		}
	}
	return found
}

// What must be found in a condition, with the place and the words.
func TestReachConditions(t *testing.T) {
	contradict := func(a, b string) string {
		return "applicable: error contradiction: applicable can never be true: `" + a + "` and `" + b + "` contradict each other"
	}
	never := func(a string) string {
		return "applicable: warning unreachable: applicable can never be true: `" + a + "` never is"
	}
	always := func(a string) string {
		return "applicable: warning always_true: " + a + " is true whatever the values are, wherever they are known"
	}
	for _, c := range []struct{ condition, want string }{
		// Intervals.
		{"speed > 80 && speed < 70", contradict("speed > 80", "speed < 70")},
		{"speed > 80 && rain && speed <= 80", contradict("speed > 80", "speed <= 80")},
		{"speed == 80 && speed != 80", contradict("speed == 80", "speed != 80")},
		{"people > 2 && people < 3", contradict("people > 2", "people < 3")},
		{"speed > 2 && speed < 3", ""},
		{"temperature * 2 > 100 && temperature < 50", contradict("temperature * 2 > 100", "temperature < 50")},
		{"temperature * 2 > 100 && temperature < 51", ""},
		{"speed > temperature && speed < temperature", contradict("speed > temperature", "speed < temperature")},
		{"bonus > 5 && bonus < 4.50", contradict("bonus > 5", "bonus < 4.5")},
		{"kilometres > 1000", never("kilometres > 1000")},
		{"kilometres >= 1000", ""},
		{"age(birth_date) < 0", never("age(birth_date) < 0")},
		{"age(birth_date) >= 18 && age(birth_date) < 16", contradict("age(birth_date) >= 18", "age(birth_date) < 16")},
		{"local.hour > 25", never("local.hour > 25")},
		{"local.hour >= 24", never("local.hour >= 24")},
		{"local.hour >= 23", ""},
		{"local.weekday == 9", never("local.weekday == 9")},
		{"local.weekday in [0, 8]", never("local.weekday in [0, 8]")},
		{"count(rain, 1h) < 0", never("count(rain, 1h) < 0")},
		{"count(rain, 1h) > 3 && count(rain, 1h) <= 3", contradict("count(rain, 1h) > 3", "count(rain, 1h) <= 3")},
		{"distance(store) < 0", never("distance(store) < 0")},
		{"held(rain) < 0s", never("held(rain) < 0s")},
		// Words and truths.
		{"vehicle.tyres == 'winter' && vehicle.tyres == 'summer'", contradict("vehicle.tyres == 'winter'", "vehicle.tyres == 'summer'")},
		{"vehicle.tyres != 'winter' && vehicle.tyres != 'summer'", contradict("vehicle.tyres != 'winter'", "vehicle.tyres != 'summer'")},
		{"gear != 'd' && gear != 'r'", ""},
		{"gear == 'd' && gear.startsWith('r')", contradict("gear == 'd'", "gear.startsWith('r')")},
		{"gear in ['d', 'r'] && gear == 'p'", contradict("gear in ['d', 'r']", "gear == 'p'")},
		{"rain && !rain", contradict("rain", "!rain")},
		{"inside(store) && !inside(store)", contradict("inside(store)", "!inside(store)")},
		{"entered(store, 2h) && !inside(store)", contradict("entered(store, 2h)", "!inside(store)")},
		{"!has(rain) && rain", contradict("!has(rain)", "rain")},
		{"!has(vehicle.tyres) && vehicle.tyres == 'winter'", contradict("!has(vehicle.tyres)", "vehicle.tyres == 'winter'")},
		// Over time.
		{"held(speed > 100) >= 10s && speed < 50", contradict("held(speed > 100) >= 10s", "speed < 50")},
		{"held(speed > 100) >= 0s && speed < 50", always("`held(speed > 100) >= 0s` in applicable")},
		{"since(speed > 100) >= 10s && speed < 50", ""},
		{"became(rain) && !rain", contradict("became(rain)", "!rain")},
		// Deeper.
		{"(speed > 100 || speed < 10) && speed > 20 && speed < 90", "applicable: error contradiction: applicable can never be true: its parts contradict each other"},
		{"rain ? speed > 10 && speed < 5 : local.hour > 30", never("rain ? speed > 10 && speed < 5 : local.hour > 30")},
		{"rain || local.hour > 25", "applicable: warning unreachable: `local.hour > 25` in applicable can never be true"},
		{"rain || speed > 5 && speed < 3", "applicable: warning contradiction: `speed > 5` and `speed < 3` in applicable contradict each other: this alternative can never be true"},
		{"false", "applicable: warning unreachable: applicable is never true"},
		// Always.
		{"age(birth_date) >= 0", always("applicable")},
		{"vehicle.tyres in ['winter', 'summer']", always("applicable")},
		{"rain && local.hour < 24", always("`local.hour < 24` in applicable")},
		{"speed >= 5 || speed < 5", always("applicable")},
		{"speed > 5 || speed < 5", ""},
		{"true", ""},
		{"vehicle.tyres == 'winter' && temperature < 1 && held(speed > 100) >= 10s", ""},
	} {
		got := strings.Join(reached(t, reachBase+reachCondition(c.condition)), "\n")
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.condition, got, c.want)
		}
	}
}

// What must be found in actions, states and the contact policy, and what must not.
func TestReachPolicies(t *testing.T) {
	second := "  a2:\n    intent: sales\n    purpose: offers\n    about: product:x\n    slots: [kiosk.home]\n    value: 9.00\n    say_personal: {en: \"A better one.\"}\n"
	outranked := "a1: warning unreachable: action a1 is always outranked by a2: wherever the one could be shown the other can, and comes first"
	state := func(when, until string) string {
		return "slots:\n  kiosk.home: {channel: kiosk}\nstates:\n  busy: {when: \"" + when + "\", until: \"" + until + "\"}\n" + strings.TrimPrefix(reachAction(""), reachSlots)
	}
	open := func(of, gap string) string {
		return "busy: warning uncovered: state busy is open where " + of + " is " + gap + ": neither when nor until is true there, and after a start it stays unknown, which counts as busy"
	}
	limits := func(list string) string { return reachAction("contact:\n" + list) }
	for name, c := range map[string]struct{ text, want string }{
		"derived value": {"derived:\n  d: {is: \"temperature > 5 && temperature < 3\"}\n" + reachAction("    applicable: \"d\"\n"),
			"is: error contradiction: d can never be true: `temperature > 5` and `temperature < 3` contradict each other"},
		"derived value that begins and ends": {"derived:\n  d: {when: \"temperature > 5\", until: \"local.hour > 25\", debounce: 5s}\n" + reachAction("    applicable: \"d\"\n"),
			"until: warning unreachable: d can never be true: `local.hour > 25` never is"},
		"derived value that lasts": {"derived:\n  d: {is: \"temperature > 5\", debounce: 5s, hold: 30s}\n" + reachAction("    applicable: \"d && temperature < 3\"\n"), ""},
		"a part that is defined elsewhere": {"derived:\n  d: {is: \"rain || local.hour > 25\"}\n" + reachAction("    applicable: \"d && people > 1\"\n"),
			"is: warning unreachable: `local.hour > 25` in d can never be true"},
		"group": {reachAction("    group: g\ngroups: {g: {eligible: \"local.weekday == 0\"}}\n"),
			"eligible: warning unreachable: eligible can never be true: `local.weekday == 0` never is"},
		"weight": {reachAction("    weights: [{when: \"people > 5 && people < 2\", lever: 20 %}]\n"),
			"weights: error contradiction: weights can never be true: `people > 5` and `people < 2` contradict each other"},
		"conditions of two keys": {reachAction("    eligible: \"speed > 50\"\n    suitable: \"speed < 30\"\n"),
			"a1: error contradiction: action a1 can never be shown: `speed > 50` and `speed < 30` contradict each other"},
		"group and action": {reachAction("    group: g\n    eligible: \"rain\"\ngroups: {g: {suitable: \"!rain\"}}\n"),
			"a1: error contradiction: action a1 can never be shown: `rain` and `!rain` contradict each other"},
		"armed before": {reachAction("    keep_armed: 1h\n    eligible: \"!rain\"\n    applicable: \"rain\"\n"), ""},
		"at the wheel": {strings.Replace(reachAction("    applicable: \"speed > 20\"\n"), "[kiosk.home]", "[dash.card]", 1), ""},
		"only at the wheel": {strings.Replace(reachAction("    applicable: \"driving\"\n"), "[kiosk.home]", "[dash.card]", 1),
			"a1: warning unreachable: action a1 can never be shown: where its conditions hold, the state driving holds it back"},
		"at the wheel or at home": {strings.Replace(reachAction("    applicable: \"driving\"\n"), "[kiosk.home]", "[dash.card, kiosk.home]", 1), ""},
		"safety at the wheel":     {strings.Replace(strings.Replace(reachAction("    applicable: \"driving\"\n"), "[kiosk.home]", "[dash.card]", 1), "sales", "safety", 1), ""},
		"worth nothing": {strings.Replace(reachAction(""), "2.00", "0", 1),
			"a1: warning unreachable: action a1 can never be shown: its value is 0, and nothing is shown that is not worth more than its bother"},
		"worth less than its bother": {strings.Replace(reachAction("    bother: 3.00\n"), "\n    value", "\n    propensity: 0.10\n    value", 1),
			"a1: warning unreachable: action a1 can never be shown: even if everybody accepted it, 2 would not be worth its bother, or less than its slots ask for"},
		"worth less than its slot asks": {strings.Replace(reachAction(""), "{channel: kiosk}", "{channel: kiosk, minimum: 2.00}", 1),
			"a1: warning unreachable: action a1 can never be shown: even if everybody accepted it, 2 would not be worth its bother, or less than its slots ask for"},
		"worth it for some": {strings.Replace(reachAction("    bother: 1.00\n"), "{channel: kiosk}", "{channel: kiosk, minimum: 1.00}", 1), ""},
		"never not quiet": {reachAction("quiet: {hours: [\"22:00-12:00\", \"12:00-22:00\"]}\n"),
			"a1: warning unreachable: action a1 can never be shown: no hour is left to it in which its conditions hold (hours, quiet: hours)"},
		"worth nothing, mandatory": {strings.Replace(strings.Replace(reachAction("    mandatory: true\n"), "2.00", "0", 1), "sales", "service", 1), ""},
		"hours": {reachAction("    hours: [\"mon-fri 09:00-17:00\"]\n    applicable: \"local.hour >= 18\"\n"),
			"a1: warning unreachable: action a1 can never be shown: no hour is left to it in which its conditions hold (hours, quiet: hours)"},
		"hours that meet": {reachAction("    hours: [\"mon-fri 09:00-18:30\"]\n    applicable: \"local.hour >= 18\"\n"), ""},
		"quiet hours": {reachAction("    applicable: \"local.hour == 23\"\nquiet: {hours: [\"22:00-07:00\"]}\n"),
			"a1: warning unreachable: action a1 can never be shown: no hour is left to it in which its conditions hold (hours, quiet: hours)"},

		"outranked":                   {reachAction(second), outranked},
		"outranked by a wider one":    {reachAction("    applicable: \"temperature > 20\"\n" + second + "    applicable: \"temperature > 10\"\n"), outranked},
		"not by a narrower one":       {reachAction("    applicable: \"temperature > 10\"\n" + second + "    applicable: \"temperature > 20\"\n"), ""},
		"not where it reads more":     {reachAction("    applicable: \"temperature > 10\"\n" + second + "    applicable: \"rain || !rain\"\n"), "applicable: warning always_true: applicable is true whatever the values are, wherever they are known"},
		"not about something else":    {reachAction(strings.Replace(second, "product:x", "product:y", 1)), ""},
		"not at more bother":          {reachAction(second + "    bother: 0.30\n"), ""},
		"not where it has a cap":      {reachAction(second + "contact: {limits: [{action: a2, at_most: 1, counting: shown, per: rolling 1d}]}\n"), ""},
		"outranked under one cap":     {reachAction(second + "contact: {limits: [{intent: sales, at_most: 1, counting: shown, per: rolling 1d}]}\n"), outranked},
		"not where it pauses":         {reachAction(second + "contact: {pauses: [{action: same, after: dismissed, for: 90d}]}\n"), ""},
		"not where a word may lack":   {reachAction(strings.Replace(second, "A better one.", "{vehicle.tyres}!", 1)), ""},
		"not unasked":                 {strings.Replace(reachAction(strings.Replace(second, "[kiosk.home]", "[dash.card]", 1)), "[kiosk.home]", "[dash.card]", 1), ""},
		"not where it is a fallback":  {strings.Replace(reachAction(second), "{channel: kiosk}", "{channel: kiosk, fallback: a1}", 1), ""},
		"not where it is for longer":  {reachAction(second + "    valid: {from: 2026-03-01}\n"), ""},
		"not where it has more slots": {strings.Replace(reachAction(second), "[kiosk.home]", "[kiosk.home, dash.card]", 1), ""},

		"state that overlaps":      {state("speed > 5", "speed < 7"), ""},
		"state that meets":         {state("speed > 5", "speed <= 5"), ""},
		"state with a gap":         {state("held(speed > 7) >= 3s", "held(speed < 5) >= 30s"), open("speed", "at least 5 and at most 7")},
		"state with one value out": {state("speed > 5", "speed < 5"), open("speed", "5")},
		"state of whole numbers":   {state("people > 3", "people < 2"), open("people", "at least 2 and at most 3")},
		"state counts from zero":   {state("people >= 1", "people == 0"), ""},
		"state of words":           {state("vehicle.tyres == 'winter'", "vehicle.tyres == 'summer'"), ""},
		"state of other words":     {state("rain", "!rain"), ""},
		"state of one word":        {state("rain", "held(rain) >= 5m"), "until: warning unreachable: state busy never ends: wherever until is true, when is not false"},
		"state of two inputs":      {state("speed > 5", "people == 0"), ""},
		"state that never ends":    {state("speed > 5", "speed > 7"), "until: warning unreachable: state busy never ends: wherever until is true, when is not false"},

		"limit of nothing":        {limits("  limits: [{intent: service, at_most: 1, counting: shown, per: rolling 1d}]\n"), "{intent: warning cap_never_fires: this limit never holds anything back: no action falls under it"},
		"limit of a channel":      {limits("  limits: [{channel: mail, at_most: 1, counting: shown, per: rolling 1d}]\n"), "{channel: warning cap_never_fires: this limit never holds anything back: no action falls under it"},
		"limit within another":    {limits("  limits: [{intent: sales, at_most: 3, counting: shown, per: rolling 1d}, {at_most: 2, counting: shown, per: rolling 7d}]\n"), "{intent: warning cap_never_fires: this limit never holds anything back that another does not: \"everything: 2 shown per rolling 7d\" always comes first"},
		"limits that both bite":   {limits("  limits: [{intent: sales, at_most: 1, counting: shown, per: rolling 1d}, {at_most: 2, counting: shown, per: rolling 7d}]\n"), ""},
		"limit twice":             {limits("  limits: [{at_most: 2, counting: shown, per: rolling 7d}, {at_most: 2, counting: shown, per: rolling 7d}]\n"), "{at_most: warning cap_never_fires: this limit never holds anything back that another does not: \"everything: 2 shown per rolling 7d\" always comes first"},
		"limit of nought":         {limits("  limits: [{at_most: 0, counting: shown, per: rolling 7d}]\n"), "0: warning cap_always_fires: this limit allows nothing at all"},
		"day within week":         {limits("  limits: [{at_most: 2, counting: shown, per: calendar day, zone: policy}, {at_most: 2, counting: shown, per: calendar week, zone: policy}]\n"), "{at_most: warning cap_never_fires: this limit never holds anything back that another does not: \"everything: 2 shown per calendar week\" always comes first"},
		"by the name of the zone": {limits("  limits: [{at_most: 2, counting: shown, per: calendar day, zone: policy}, {at_most: 2, counting: shown, per: calendar week, zone: Europe/Amsterdam}]\n"), "{at_most: warning cap_never_fires: this limit never holds anything back that another does not: \"everything: 2 shown per calendar week\" always comes first"},
		"days of two zones":       {limits("  limits: [{at_most: 2, counting: shown, per: calendar day, zone: policy}, {at_most: 2, counting: shown, per: calendar week, zone: customer}]\n"), ""},
		"pause of groups":         {limits("  pauses: [{group: same, after: dismissed, for: 1d}]\n"), "{group: warning cap_never_fires: this pause never holds anything back: no action that it covers is in a group"},
		"pause of no time":        {limits("  pauses: [{about: same, after: dismissed, for: 0s}]\n"), "{about: warning cap_never_fires: this pause never holds anything back: it lasts for nothing"},
		"wait unasked":            {strings.Replace(limits("  minimum_wait: 2h\n"), ", unasked: true", "", 1), "minimum_wait: warning cap_never_fires: this wait never holds anything back: it lies between unasked showings, and no slot is shown unasked"},
		"wait":                    {limits("  minimum_wait: 2h\n"), ""},
	} {
		if got := strings.Join(reached(t, reachBase+c.text), "\n"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// The examples that newcomers copy hold nothing that is certainly not meant.
func TestExamplesReachEverything(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("find policies: %v, %d found", err, len(dirs))
	}
	for _, dir := range dirs {
		_, findings, err := Compile(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if slices.Contains(reachCodes, f.Code) {
				t.Errorf("%s", f)
			}
		}
	}
}

// Reasoning over ten thousand actions, each with conditions of its own.
func BenchmarkReach(b *testing.B) {
	var text strings.Builder
	text.WriteString(reachBase + reachSlots + "actions:\n")
	for k := range 10_000 {
		fmt.Fprintf(&text, "  a%05d:\n    intent: sales\n    purpose: offers\n    about: product:p%d\n    value: %d.00\n", k, k%2000, 1+k%50)
		fmt.Fprintf(&text, "    applicable: \"temperature > %d && (people < %d || speed > %d) && vehicle.tyres == 'winter'\"\n", k%40, 2+k%7, k%90)
		fmt.Fprintf(&text, "    suitable: \"kilometres < %d\"\n    say_personal: {en: \"An offer.\"}\n", 100+k%300)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	bundle, findings, err := Compile(dir)
	if err != nil || bundle == nil {
		b.Fatalf("compile: %v %v", findings[:min(len(findings), 5)], err)
	}
	b.ReportAllocs()
	for b.Loop() {
		reach.Find(bundle)
	}
}
