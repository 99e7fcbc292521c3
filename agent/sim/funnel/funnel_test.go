package funnel

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

func sample() (*catalog.Bundle, *engine.Decision) {
	b := &catalog.Bundle{Currency: "EUR",
		Groups:  []catalog.Group{{Name: "x", Lever: 1_100_000}},
		Actions: []catalog.Action{{Name: "a"}, {Name: "b", Value: 20_000_000, Lever: catalog.One, Group: 0}}}
	d := &engine.Decision{At: 1772442000000, ID: "k-1-7", Session: "main", Slot: "s", Customer: "anna", Asked: true, Action: "b", Treatment: "say",
		Text: &engine.Text{Text: "Hello"}, Value: 2_150_000, Propensity: 100_000, Probability: catalog.One, Uses: []string{"rain", "tyres"}, Policy: "p@1",
		Rejected: []engine.Rejected{
			{Action: "a", Stage: catalog.StageGuard, Reason: catalog.AlreadyBought, Because: []catalog.Because{{Name: "purchase", Value: sense.DateValue(20_493), Age: 21 * sense.Day}}},
			{Action: "c", Stage: catalog.StageApplicable, Reason: catalog.SignalStale, Because: []catalog.Because{{Name: "rain", Value: sense.BoolValue(true), Age: 31 * sense.Minute, Needed: "rain"}}},
			{Action: "d", Stage: catalog.StageGuard, Reason: catalog.NotAlone},
		}}
	return b, d
}

func TestStagesAddUp(t *testing.T) {
	b, d := sample()
	f := Of(b, d, nil)
	entered := map[catalog.Stage]int{}
	for _, s := range f.Stages {
		entered[s.Stage] = s.Entered
	}
	for stage, want := range map[catalog.Stage]int{catalog.StageQuiet: 4, catalog.StageApplicable: 4, catalog.StageSuitable: 3, catalog.StageGuard: 3, catalog.StageContact: 1, catalog.StageTreatment: 1} {
		if entered[stage] != want {
			t.Errorf("%s: %d entered, want %d", stage, entered[stage], want)
		}
	}
	// 20 x 0.1 x 1.1 = 2.2, and 2.15 is what was expected.
	if w := f.Worth; w == nil || w.Bother != 50_000 || w.GroupLever != 1_100_000 {
		t.Errorf("worth %+v", f.Worth)
	}
	d.Action, d.Cause = "silence", "nothing_asked"
	if f := Of(b, d, nil); f.Worth != nil || f.Stages[0].Entered != 3 {
		t.Errorf("silence: worth %+v, %d entered", f.Worth, f.Stages[0].Entered)
	}
}

func TestText(t *testing.T) {
	b, d := sample()
	f := Of(b, d, func(name string) (engine.Look, bool) {
		return engine.Look{What: "signal", Value: sense.BoolValue(true), Age: 1500}, name == "rain"
	})
	const want = `k-1-7  2026-03-02T09:00:00.000Z
slot s, session main, for anna, asked, policy p@1

b, say, for 2.15 EUR
    "Hello"
    20 value x 0.1 propensity x 1.1 group's lever - 0.05 bother = 2.15

stage        entered  fell
quiet              4     0
legal              4     0
active             4     0
eligible           4     0
applicable         4     1
    c  signal_stale: rain true (31m old; needs rain)
suitable           3     0
guard              3     2
    a  already_bought: purchase 2026-02-09 (21d old)
    d  not_alone
contact            1     0
value              1     0
ranked             1     0
treatment          1     0

uses
    rain   signal true, 1.5s old
    tyres  -
`
	if got := f.Text("EUR", false, nil); got != want {
		t.Errorf("got\n%s", got)
	}
	painted := f.Text("EUR", false, func(tone, text string) string { return "<" + tone + ">" + text + "</>" })
	if !strings.Contains(painted, "<bad>not_alone</>") || !strings.Contains(painted, "<good>b</>") {
		t.Errorf("no colours in\n%s", painted)
	}
}

func TestMostFallen(t *testing.T) {
	b, d := sample()
	for k := range 20 {
		d.Rejected = append(d.Rejected, engine.Rejected{Action: "z" + string(rune('a'+k)), Stage: catalog.StageEligible, Reason: catalog.NotEligible})
	}
	f := Of(b, d, nil)
	if short := f.Text("", false, nil); !strings.Contains(short, "... and 8 more: 8 not_eligible") {
		t.Errorf("%s", short)
	}
	if long := f.Text("", true, nil); !strings.Contains(long, "zt") || strings.Contains(long, "more:") {
		t.Errorf("%s", long)
	}
}

func TestJSON(t *testing.T) {
	b, d := sample()
	f := Of(b, d, func(string) (engine.Look, bool) {
		return engine.Look{What: "fact", Age: catalog.NoAge, Why: catalog.FactMissing}, true
	})
	var got struct {
		Decision struct{ Action string }
		Stages   []struct {
			Stage         string
			Entered, Fell int
			Candidates    []struct{ Action, Reason string }
		}
		Worth  map[string]any
		Inputs []map[string]any
	}
	if err := json.Unmarshal(f.AppendJSON(nil), &got); err != nil {
		t.Fatalf("%v\n%s", err, f.AppendJSON(nil))
	}
	guard := got.Stages[6]
	if got.Decision.Action != "b" || guard.Stage != "guard" || guard.Fell != 2 || guard.Candidates[0].Reason != "already_bought" {
		t.Errorf("%+v", got)
	}
	if got.Worth["bother"] != 0.05 || got.Worth["mandatory"] != false || got.Inputs[0]["why"] != "fact_missing" || got.Inputs[0]["age"] != nil {
		t.Errorf("%v %v", got.Worth, got.Inputs)
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[sense.Duration]string{
		0: "0s", 1500: "1.5s", 61 * sense.Second: "1m1s", 2 * sense.Hour: "2h", 90 * sense.Minute: "1h30m",
		21 * sense.Day: "21d", 21*sense.Day + 3*sense.Hour + 5*sense.Minute: "21d3h", -5 * sense.Second: "-5s",
	} {
		if got := Ago(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
