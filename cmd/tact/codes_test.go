package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/sim/scenario"
)

// The list is that of the catalog, whole and in its order.
func TestEveryCodeHasAMeaning(t *testing.T) {
	all := catalog.Reasons()
	if len(all) != len(meanings) {
		t.Fatalf("%d reasons, %d meanings", len(all), len(meanings))
	}
	for k, r := range all {
		m := meanings[k]
		if m.reason != r || m.meaning == "" || m.stage == "" {
			t.Errorf("%d: %s with meaning %q at %s, expected %s", k, m.reason, m.meaning, m.stage, r)
		}
	}
}

// sources reads the files of a room that match, but not those that do not count.
func sources(t *testing.T, room, pattern string, not ...string) (text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", room, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", room, err)
	}
	for _, file := range files {
		if slices.ContainsFunc(not, func(n string) bool { return strings.Contains(filepath.Base(file), n) }) {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += string(raw)
	}
	return text
}

// constants are the names of the reasons in the catalog, in order.
func constants(t *testing.T) (names []string) {
	t.Helper()
	text := sources(t, "actions/catalog", "reason.go")
	_, text, ok := strings.Cut(text, "NoReason Reason = iota\n")
	list, _, found := strings.Cut(text, "reasons\n)")
	if !ok || !found {
		t.Fatal("reason.go is written another way")
	}
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+)$`).FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	return names
}

// A code is said to be given by this version exactly where a rule gives it: none is unused.
func TestReachedIsTrue(t *testing.T) {
	given := map[string]bool{}
	word := regexp.MustCompile(`catalog\.([A-Z]\w+)`)
	for _, room := range []string{"actions/guard", "actions/contact", "actions/arbiter", "agent/engine", "context/moment"} {
		// What would have to be different is told of codes that may come, and gives none.
		for _, m := range word.FindAllStringSubmatch(sources(t, room, "*.go", "_test.go", "counterfactual"), -1) {
			given[m[1]] = true
		}
	}
	names := constants(t)
	if len(names) != len(meanings) {
		t.Fatalf("%d constants, %d meanings", len(names), len(meanings))
	}
	// The guard of quiet gives what the catalog's table names.
	for _, q := range catalog.QuietStates() {
		given[names[q.Reason-1]] = given["QuietStates"]
	}
	for k, m := range meanings {
		if given[names[k]] != (m.comes == "") {
			t.Errorf("%s: said to come with %q, and yet a rule that gives it: %v", m.reason, m.comes, given[names[k]])
		}
	}
	refused, compiler := sources(t, "actions/catalog", "fact.go"), sources(t, "actions/policy", "*.go", "_test.go")+sources(t, "actions/policy/reach", "*.go", "_test.go")
	for _, c := range others {
		text := compiler
		if c.Stage == stageRefuse {
			text = refused
		}
		if !strings.Contains(text, `"`+c.Code+`"`) {
			t.Errorf("%s: nothing gives it", c.Code)
		}
	}
}

// tables are the tests that show codes which no scenario reaches: FILE: TEST, and the codes that stand in it.
var tables = map[string][]string{
	// The hub's and the agent's own: a scenario's device always has its policy.
	"agent/engine/engine_test.go: TestAskWithoutPolicy": {"no_policy"},
	"agent/engine/codes_test.go: TestCodesOfTheMind": {"group_not_eligible", "group_not_applicable", "group_not_suitable", "not_suitable", "below_minimum", "list_full",
		"no_treatment_for_language", "condition_error", "fact_stale", "fact_missing", "input_unknown", "lost_tie_break", "lost_to_mandatory", "too_late"},
	"agent/engine/codes_test.go: TestCodesOfSilence":        {"no_treatment_for_slot", "nothing_asked"},
	"agent/engine/active_test.go: TestClockUnknown":         {"clock_untrusted"},
	"agent/engine/edges_test.go: TestPolicyReplaced":        {"not_in_bundle"},
	"agent/engine/edges_test.go: TestRankedBeforeTreatment": {"placeholder_unknown"},
	"agent/engine/worth_test.go: TestPrice":                 {"text_too_long"},
	"agent/engine/worth_test.go: TestVolume":                {"volume_spent"},
	"actions/contact/contact_test.go: TestLimits":           {"cap_reached", "cap_unknown"},
	"actions/contact/contact_test.go: TestPauses":           {"cooling_off", "asked_later", "asked_never"},
	"actions/contact/contact_test.go: TestMinimumWait":      {"minimum_wait"},
	"actions/catalog/fact_test.go: TestAccept":              {"invalid_value", "special_inferred"},
	"actions/guard/order_test.go: TestQuietInOrder":         {"in_call", "do_not_disturb", "alarm_active", "busy_screen", "customer_quiet_hours", "device_quiet_hours"},
	"actions/guard/order_test.go: TestLegalInOrder":         {"no_basis", "consent_denied", "consent_expired", "objected", "restricted", "special_needs_explicit_consent", "age_too_low", "partner_not_agreed"},
	"actions/guard/order_test.go: TestActiveInOrder":        {"not_yet_valid", "expired", "outside_hours", "language_missing"},
	"actions/guard/order_test.go: TestEveryGuardAlone": {"already_booked", "already_known", "one_question_a_visit", "not_needed", "his_goal_first", "three_strikes", "weak_identity", "sensitive_subject",
		"inferred_not_told", "third_party_not_told", "lease_ended", "sleeping_customer", "quality_too_low", "waiting_for_response", "conversation_open_elsewhere", "significant_needs_person"},
}

// Every code that is said to be given occurs: in a scenario of testdata/journeys, all of which hold (package scenario
// tests that), or in a table that is named above.
func TestEveryReachedCodeOccurs(t *testing.T) {
	seen := map[string]bool{}
	said := regexp.MustCompile(`because ([a-z_]+)`)
	files, err := filepath.Glob("../../testdata/journeys/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no journeys: %v", err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, mistakes := scenario.Parse(name, content); len(mistakes) > 0 {
			t.Errorf("%s is no file of scenarios: what it says occurs is not counted: %v", name, mistakes)
			continue
		}
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
				continue
			}
			for _, m := range said.FindAllStringSubmatch(line, -1) {
				seen[m[1]] = true
			}
		}
	}
	names := constants(t)
	for table, list := range tables {
		file, test, _ := strings.Cut(table, ": ")
		dir, base := filepath.Split(file)
		text := sources(t, dir, base)
		if !strings.Contains(text, "func "+test+"(t *testing.T)") {
			t.Errorf("%s: there is no such test", table)
		}
		for _, c := range list {
			r, _ := catalog.ParseReason(c)
			if !strings.Contains(text, c) && !strings.Contains(text, camel(c)) && (r == catalog.NoReason || !strings.Contains(text, "catalog."+names[r-1])) {
				t.Errorf("%s: %s does not stand in it", table, c)
			}
			seen[c] = true
		}
	}
	traps := sources(t, "actions/policy/testdata/traps", "*.want") + sources(t, "actions/policy", "reach_test.go")
	for _, c := range codes() {
		if c.Stage == stageCheck {
			seen[c.Code] = seen[c.Code] || strings.Contains(traps, c.Code)
		}
		switch {
		case c.Reached && !seen[c.Code]:
			t.Errorf("%s: said to be given, and reached by no scenario and no table", c.Code)
		case !c.Reached && seen[c.Code]:
			t.Errorf("%s: said to come with %s, and yet it occurs", c.Code, c.Comes)
		}
	}
}

// camel writes a code as the constants of the code are written: ErrSpecialInferred for special_inferred.
func camel(code string) string {
	name := "Err"
	for part := range strings.SplitSeq(code, "_") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}
