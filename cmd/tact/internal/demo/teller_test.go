package demo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

func tellerOf(out *strings.Builder) *teller {
	return &teller{out: out, meaning: func(code string) string { return map[string]string{"open_complaint": "a complaint is open"}[code] },
		policy: &catalog.Bundle{Actions: []catalog.Action{
			{Name: "box", Value: 20e6, Propensity: 100_000, Bother: 50_000},
			{Name: "call", Mandatory: true},
		}}}
}

func TestDecisionsAreToldInPlainWords(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"an action", `{"slot":"s","action":"box","text":"A box?","value":1.95,"propensity":0.1,"rejected":[]}`,
			"  = k            box \"A box?\"\n" +
				"                 worth EUR 1.95 = chance 0.10 x EUR 20.00 - bother EUR 0.05\n"},
		{"mandatory, and losers of one reason", `{"slot":"s","action":"call","text":"Call?","value":0,"rejected":[
			{"action":"box","stage":"guard","reason":"open_complaint","because":[{"name":"complaint","value":"2026-03-02","age":null,"needed":null}]},
			{"action":"hat","stage":"guard","reason":"open_complaint","because":[{"name":"complaint","value":"2026-03-02","age":null,"needed":null}]},
			{"action":"wax","stage":"applicable","reason":"unheard_of","because":[{"name":"rain","value":false,"age":12,"needed":"rain"},{"name":"x","value":null,"age":null,"needed":"x > 2"}]}]}`,
			"  = k            call \"Call?\"\n" +
				"                 mandatory: it goes before everything that is only worth money\n" +
				"                 not box              a complaint is open (complaint 2026-03-02) [open_complaint]\n" +
				"                 not hat              the same\n" +
				"                 not wax              unheard_of (rain false; x, needed x > 2) [unheard_of]\n"},
		{"a long reason", `{"slot":"s","action":"silence","cause":"open_complaint","rejected":[
			{"action":"wax","stage":"applicable","reason":"unheard_of","because":[{"name":"temperature.of.the.air.close.by.the.road","value":12.5,"age":12,"needed":"temperature.of.the.air.close.by.the.road < 1"},{"name":"x","value":3,"age":null,"needed":"x > 4"}]}]}`,
			"  = k            silence in s: a complaint is open [open_complaint]\n" +
				"                 not wax              unheard_of (temperature.of.the.air.close.by.the.road 12.5, needed\n" + // the next word would end in column 106 of 94
				"                                      temperature.of.the.air.close.by.the.road < 1; x 3, needed x > 4) [unheard_of]\n"},
		{"silence", `{"slot":"s","action":"silence","cause":"open_complaint","value":0,"rejected":[]}`,
			"  = k            silence in s: a complaint is open [open_complaint]\n"},
	} {
		var d decision
		if err := json.Unmarshal([]byte(c.line), &d); err != nil {
			t.Fatal(c.name, err)
		}
		var out strings.Builder
		tell := tellerOf(&out)
		tell.decided("k", &d)
		if err := tell.failed(); err != nil || strings.TrimSuffix(stripTrailing(out.String()), "\n") != strings.TrimSuffix(c.want, "\n") {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, out.String(), c.want)
		}
		out.Reset()
		tell.colour = true
		tell.decided("k", &d)
		if !strings.Contains(out.String(), "\x1b[") {
			t.Errorf("%s: no colours where they were asked for", c.name)
		}
	}
}

// stripTrailing takes blanks at the ends of lines away.
func stripTrailing(text string) string {
	lines := strings.Split(text, "\n")
	for k := range lines {
		lines[k] = strings.TrimRight(lines[k], " ")
	}
	return strings.Join(lines, "\n")
}

func TestMoney(t *testing.T) {
	for micro, want := range map[int64]string{0: "0.00", 50_000: "0.05", -10_000: "-0.01", 10_000_000_000: "10000.00", -1_500_000: "-1.50"} {
		if got := euros(micro); got != want {
			t.Errorf("%d: %s, want %s", micro, got, want)
		}
	}
	var out strings.Builder
	if got := tellerOf(&out).price("box"); got != "1.95" { // 20.00 x 0.10 - 0.05
		t.Errorf("price %s", got)
	}
}

func TestWrap(t *testing.T) {
	got := wrap("one two  three four", 9)
	if strings.Join(got, "|") != "one two|three|four" {
		t.Errorf("%q", got)
	}
	if wrap("", 9) != nil {
		t.Error("a line of nothing")
	}
}
