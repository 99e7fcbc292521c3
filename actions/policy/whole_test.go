package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Every policy becomes a bundle that Check takes, and that comes back from its bytes as it was.
func TestBundlesAreWhole(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("find policies: %v, %d found", err, len(dirs))
	}
	for _, dir := range append(dirs, guide(t)) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b, findings, err := Compile(dir)
			if err != nil || b == nil {
				t.Fatalf("Compile: %v %v", findings, err)
			}
			if err := catalog.Check(b); err != nil {
				t.Fatal(err)
			}
			raw := catalog.Encode(b)
			back, err := catalog.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if again := catalog.Encode(back); !reflect.DeepEqual(again, raw) {
				t.Error("the bundle does not come back from its bytes as it was")
			}
		})
	}
}

// A policy that no device could read is refused with words, and nothing comes of it.
func TestTooLargeIsSaid(t *testing.T) {
	text := strings.Replace(strings.Join(examples(t), ""), `hours: ["mon-fri 09:00-18:00", `, "hours: [\n"+strings.Repeat("        \"mon 09:00-18:00\",\n", 2000)+"        ", 1)
	dir := guide(t)
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := Compile(dir)
	if err != nil || b != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == "too_large" }) {
		t.Errorf("2,000 hours: %v, %v, %v", b != nil, findings, err)
	}
}

// How a policy is spread over files, and in what order it stands there, changes no byte of its bundle.
func TestSpreadChangesNothing(t *testing.T) {
	dir := guide(t)
	b, findings, err := Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	parts := examples(t)
	slices.Reverse(parts)
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte("# a comment\n"+strings.Join(parts, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	other, findings, err := Compile(dir)
	if err != nil || other == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	if !bytes.Equal(catalog.Encode(b), catalog.Encode(other)) {
		t.Error("one file in another order gives another bundle")
	}
}

// What the policy of the help says is what the bundle holds.
func TestGrammarMeans(t *testing.T) {
	b, findings, err := Compile(guide(t))
	if err != nil || b == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	action := func(name string) *catalog.Action {
		for k := range b.Actions {
			if b.Actions[k].Name == name {
				return &b.Actions[k]
			}
		}
		t.Fatalf("no action %s", name)
		return nil
	}
	names := func(list []int32, name func(int32) string) (out []string) {
		for _, k := range list {
			out = append(out, name(k))
		}
		return out
	}
	fact := func(k int32) string { return b.Facts[k].Name }
	purpose := func(k int32) string {
		if k < 0 {
			return ""
		}
		return b.Purposes[k].Name
	}
	ride, address, news := action("ride"), action("ask-address"), action("news")
	var purposes []string
	for _, p := range b.Purposes {
		purposes = append(purposes, p.Name)
	}
	offers := b.Purposes[ride.Purpose]
	hours := func(days uint8, from, to int) catalog.WeekHours {
		return catalog.WeekHours{Days: days, HourRange: catalog.HourRange{From: from * 60, To: to * 60}}
	}
	at := func(text string) sense.Instant {
		i, err := sense.ParseInstant(text)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	christmas, _ := sense.ParseDate("2026-12-24")
	march, _ := sense.ParseDate("2026-03-01")
	derived := map[string]catalog.Derived{}
	for _, d := range b.Derived {
		derived[d.Name] = d
	}
	kinds := map[string]catalog.Kind{}
	for _, k := range b.Kinds {
		kinds[k.Name] = k
	}
	guests := b.Facts[action("still-so-many").Confirms]
	for of, pair := range map[string][2]any{
		"purposes":              {purposes, []string{"care", "health", "location", "offers", "offers.telco", "offers.unasked", "service"}},
		"unasked":               {purpose(offers.Unasked), "offers.unasked"},
		"least age":             {[]any{offers.LeastAge, fact(offers.Born)}, []any{int64(16), "birth_date"}},
		"partner":               {[]string{purpose(b.Partners[0].Purpose), purpose(b.Partners[0].Consent), b.Partners[ride.Partner].Name}, []string{"offers", "offers.telco", "telco"}},
		"valid":                 {[]sense.Instant{ride.From, ride.Until}, []sense.Instant{at("2026-03-01T00:00:00+01:00"), at("2026-04-01T00:00:00+02:00")}}, // summer time begins on the 29th
		"hours":                 {ride.Hours, []catalog.WeekHours{hours(1|2|4|8|16, 9, 18), hours(32|64, 10, 17), hours(127, 20, 2)}},
		"at":                    {news.At, []catalog.Schedule{{Days: 64, Date: -1, Minute: 18 * 60}, {Date: -1, Minute: 9 * 60}, {MonthDay: 1, Date: -1, Minute: 9 * 60}, {Date: christmas, Minute: 10 * 60}}},
		"keep_armed":            {[]sense.Duration{news.KeepArmed, ride.KeepArmed}, []sense.Duration{2 * sense.Hour, 0}},
		"weights":               {[]catalog.Micro{ride.Weights[0].Factor, ride.Weights[1].Factor, b.Groups[ride.Group].Weights[0].Factor}, []catalog.Micro{1_200_000, 900_000, 1_050_000}},
		"price":                 {[]any{ride.Price.Normal, b.Program.Nodes[ride.Price.Node].Kind, len(ride.Price.Disclose)}, []any{catalog.Micro(8_000_000), sense.Money, 2}},
		"disclosed":             {ride.Price.Disclose[0][1].Of, catalog.PartPricePercent},
		"completes":             {[]catalog.Micro{ride.Elsewhere, news.Elsewhere}, []catalog.Micro{300_000, 0}},
		"quality":               {ride.Quality, catalog.Micro(800_000)},
		"follows":               {*ride.Follows, catalog.Follow{Action: int32(len(b.Actions) - 1), ElseAfter: 12 * sense.Hour}}, // welcome is the last by name
		"household":             {[]bool{ride.Household, news.Household, action("loan").Significant}, []bool{true, false, true}},
		"uses":                  {ride.Uses, []string{"birth_date", "cold", "demand", "fast", "guests", "rain"}},
		"uses of its text":      {ride.SayPersonal.Uses, []string{"name.first"}},
		"reads":                 {names(ride.Reads, fact), []string{"birth_date", "guests"}},
		"grants":                {names(action("tour").NeedGrants, purpose), []string{"location"}},
		"special":               {[]string{action("reward").Special, ride.Special, derived["week_goal"].Special}, []string{"health", "", "health"}},
		"personal":              {[]bool{ride.ConditionsPersonal, news.ConditionsPersonal, news.Say.Ambient}, []bool{true, false, true}},
		"exempt":                {action("slow-down").Exemptions, []catalog.Exemption{{Of: "caps", Since: march, By: "Jan, legal"}, {Of: "pressure", Since: march, By: "Jan, legal"}}},
		"asks":                  {[]string{fact(address.Asks), b.Actions[address.Serves].Name}, []string{"address", "brochure"}},
		"retry":                 {[]string{address.Because[1][0].Literal, address.InReturn[0][0].Literal, address.Retry[0][0].Literal}, []string{"Dan komt hij aan.", "You get a pen.", "A street and a number, please."}},
		"needs":                 {[]string{action("brochure").Needs[0].Delivery, fact(action("brochure").Needs[0].Facts[0]), action("brochure").Needs[1].Delivery, fact(action("brochure").Needs[1].Facts[0])}, []string{"email", "email", "mail", "address"}},
		"hands over":            {action("put-right").HandsOver.Tells, []string{"address", "answers", "complaint", "last_decisions", "question"}},
		"kind of a hand-over":   {[]any{kinds["hand_over"].Keep, kinds["hand_over"].Purposes}, []any{2 * sense.Year, kinds["complaint"].Purposes}},
		"strikes":               {*b.Strikes, catalog.Strikes{In: 90 * sense.Day, At: []catalog.Strike{{Count: 1, Then: catalog.StrikeRecovery}, {Count: 2, Then: catalog.StrikeNoSales}, {Count: 3, Then: catalog.StrikeHandOver}}}},
		"sleeping":              {b.Sleeping, 2 * sense.Year},
		"what guests can be":    {[]any{guests.Name, guests.Least, guests.Most, guests.Fresh}, []any{"guests", catalog.Micro(0), catalog.Micro(120_000_000), 30 * sense.Day}},
		"a derived value":       {[]any{derived["week_goal"].Leaves, derived["week_goal"].Keep, derived["week_goal"].Formula, derived["week_goal"].Kind}, []any{true, sense.Year, "count(steps, 7d) >= 5", sense.Bool}},
		"with hysteresis":       {derived["cold"].Formula, "temperature < 0 until temperature > 2"},
		"with debounce":         {derived["fast"].Formula, "speed > 100, debounce 5s, hold 30s"},
		"waits":                 {b.Contact.Waits[1], catalog.Wait{Intent: catalog.Sales, Action: -1, Group: -1, Same: "about", For: 2 * sense.Hour}},
		"volume":                {b.Contact.Volume[1], catalog.Volume{Name: "sales: 1000 shown to all per rolling 7d", Action: -1, Group: -1, Intent: catalog.Sales, AtMost: 1000, Window: 7 * sense.Day}},
		"pauses":                {b.Contact.Pauses[1], catalog.Pause{Same: "channel", Intent: catalog.Sales, After: "dismissed", For: sense.Hour}},
		"pressure":              {b.Contact.Pressure.Amounts[len(b.Contact.Pressure.Amounts)-1], catalog.OutcomeCost{Outcome: "visit", Amount: -100_000}},
		"room of a slot":        {b.Slots[1].MaxText, int64(120)},
		"a placeholder's value": {news.Say.Text[0][1].Name, "temperature"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", of, pair[0], pair[1])
		}
	}
}
