package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const t0 sense.Instant = 1772442000000 // 2026-03-02T09:00:00Z

// A short form says the same as the line that it stands for.
func TestShortForms(t *testing.T) {
	for _, c := range []struct{ short, line string }{
		{"ask kiosk.home", `{"ask":"kiosk.home"}`},
		{"ask kiosk.home intent sales about product:x count 3 language nl with delivery=mail,n=2", `{"ask":"kiosk.home","intent":"sales","about":"product:x","count":3,"language":"nl","with":{"delivery":"mail","n":2}}`},
		{"anna identified by card", `{"identify":"anna","by":"card"}`},
		{"anna identified by passive shared language nl vehicle=v1 in session s2", `{"identify":"anna","by":"passive","shared":true,"language":"nl","owners":{"vehicle":"v1"},"session":"s2"}`},
		{"nobody identified", `{"identify":null}`},
		{"signal speed 118", `{"signal":"speed","value":118}`},
		{"signal speed null", `{"signal":"speed","value":null}`},
		{"signal temperature -3.5 age 60s", `{"signal":"temperature","value":-3.5,"age":"60s"}`},
		{"signal position 52.09,5.12 accuracy 15", `{"signal":"position","value":{"lat":52.09,"lon":5.12,"accuracy":15}}`},
		{"signal mood happy", `{"signal":"mood","value":"happy"}`},
		{"fact vehicle.tyres winter of vehicle v1", `{"fact":"vehicle.tyres","owner":"v1","value":"winter","provenance":"declared"}`},
		{`fact interests ["garden", "kitchen"] of anna inferred`, `{"fact":"interests","customer":"anna","value":["garden","kitchen"],"provenance":"inferred"}`},
		{`fact name.first "Anna Maria" of anna`, `{"fact":"name.first","customer":"anna","value":"Anna Maria","provenance":"declared"}`},
		{"anna grants health text v3 until t0+30d", `{"consent":"health","customer":"anna","granted":true,"text":"v3","expires":"2026-04-01T09:00:00Z"}`},
		{"anna withdraws offers", `{"consent":"offers","customer":"anna","granted":false}`},
		{"anna objects to care", `{"objection":"care","customer":"anna","raised":true}`},
		{"anna is restricted", `{"restrict":"anna","on":true}`},
		{"purchase of product:model-x by anna on kiosk at t0-21d", `{"interaction":"purchase","customer":"anna","about":"product:model-x","channel":"kiosk","happened":"2026-02-09T09:00:00Z"}`},
		{"booking of flight:IT by anna ref f1 due t0+48h value 2", `{"interaction":"booking","customer":"anna","about":"flight:IT","ref":"f1","value":2,"due":"2026-03-04T09:00:00Z"}`},
		{"resolved by anna ref c1 as e7 from crm", `{"interaction":"resolved","customer":"anna","ref":"c1","id":"e7","source":"crm"}`},
		{"outcome accepted", `{"outcome":"accepted","decision":"last"}`},
		{"outcome later of kiosk-1-7 in kiosk.home", `{"outcome":"later","decision":"kiosk-1-7","slot":"kiosk.home"}`},
		{"forget anna", `{"forget":"anna"}`},
		{"merge anna card:7", `{"merge":["anna","card:7"]}`},
		{"split anna card:7", `{"split":["anna","card:7"]}`},
		{"tick", `{"tick":true}`},
		{"link down", `{"link":"down"}`},
		{"clock unknown", `{"clock":{"now":"2026-03-02T09:00:00Z","state":"unknown","zone":"UTC"}}`},
		{"clock synced now t0+1d zone Europe/Lisbon", `{"clock":{"now":"2026-03-03T09:00:00Z","state":"synced","zone":"Europe/Lisbon"}}`},
		{"boot", `{"boot":{"clock":"synced"}}`},
		{"boot clock floor absent speed people", `{"boot":{"clock":"floor","absent":["people","speed"]}}`},
		{"lease anna until t0+7d", `{"lease":"anna","until":"2026-03-09T09:00:00Z"}`},
		{"lease anna ends", `{"lease":"anna","until":null}`},
	} {
		e, err := readEvent(c.short, clock{t0: t0, now: t0})
		if err != nil {
			t.Errorf("%s: %v", c.short, err)
			continue
		}
		want, err := event.ParseLine([]byte(c.line))
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		if want.Happened == 0 {
			want.Happened = t0
		}
		if got, want := string(event.AppendLine(nil, e)), string(event.AppendLine(nil, want)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.short, got, want)
		}
	}
}

// What is not understood is told with its line, and all of it at once.
func TestMistakes(t *testing.T) {
	text := `given anna identified by card
scenario one
policy x
givn ask a
given ask
given anna identified by telepathy
given signal speed 1 age soon
when {"ask":"a","colour":1}
then slot a shows
then slot a is silent because bored
and b was rejected at door because at_the_wheel
and text contains hello
then may anna product:x barter mail is yes
on kiosk given ask a
kiosk is offline
background people=1
at
then kiosk sends no "x"
link delay soon
given purchase of x by anna
given purchase of product:x
scenario two
then slot a shows b c
policy x
when the policy becomes
when fact a b of c is refused because boredom
given clock sometimes
given boot absent
given lease anna
then signal a
then nobody sends "x"
then the device knows a
then the policy is refused
then a person is told
then slot a shows b
and told c
and text does not contain
and rank 1 is b
then a person is told b
and uses c
`
	_, mistakes := Parse("f.txt", []byte(text))
	var lines []int
	for _, m := range mistakes {
		e, ok := m.(*Error)
		if !ok {
			t.Fatalf("%T", m)
		}
		if !strings.HasPrefix(m.Error(), fmt.Sprintf("f.txt:%d: ", e.Line)) {
			t.Errorf("no place: %v", m)
		}
		lines = append(lines, e.Line)
	}
	want := []int{1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37, 38, 40}
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("lines %v, want %v\n%v", lines, want, mistakes)
	}
}

const dealer = `scenario s
policy ../../../testdata/policies/dealer
at 2026-03-02T10:00:00+01:00
background presence=true people=1 every 1s
given purchase of product:model-x by anna at t0-21d
given anna identified by card
when ask kiosk.home
`

func play(t *testing.T, then string) Result {
	t.Helper()
	f, mistakes := Parse("x.txt", []byte(dealer+then))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return Run(f, f.Scenarios[0], &Policies{})
}

// Each line that does not hold fails, and is updated to one that does.
func TestWhatDoesNotHold(t *testing.T) {
	for _, c := range []struct{ line, happened, update string }{
		{"then slot kiosk.home shows model-x-1000-off", "first-service for 2.95", "then slot kiosk.home shows first-service"},
		{"  then slot kiosk.home is silent because no_candidates  # why", "first-service for 2.95", "  then slot kiosk.home shows first-service"},
		{"then nothing is shown in kiosk.home", "first-service was shown at 2026-03-02T09:00:00.000Z", "then slot kiosk.home shows first-service"},
		{"then clears kiosk.home because session", "nothing was cleared in kiosk.home", "then nothing is cleared in kiosk.home"},
		{"then may anna product:model-x sales mail is yes", "no because already_bought", "then may anna product:model-x sales mail is no because already_bought"},
		{"then may anna product:model-y sales mail is no because objected", "yes", "then may anna product:model-y sales mail is yes"},
		{"then signal people is 2", "1", "then signal people is 1"},
		{"then signal people is unknown", "1", "then signal people is 1"},
		{"then signal peoples is 2", "there is no signal", ""},
		{"and first-service was not a candidate", "first-service won", ""},
		{"and model-x-1000-off was rejected at legal because consent_unknown", "was rejected at guard because already_bought: purchase 2026-02-09 (21d old)", "and model-x-1000-off was rejected at guard because already_bought"},
		{"and model-x-1000-off was rejected at guard because already_bought(booking)", "purchase 2026-02-09", "and model-x-1000-off was rejected at guard because already_bought"},
		{`and model-x-1000-off was rejected at guard because already_bought "2026-02-10"`, "purchase 2026-02-09", "and model-x-1000-off was rejected at guard because already_bought"},
		{"and other was rejected at guard because already_bought", "other was not a candidate", "and other was not a candidate"},
		{`and text contains "discount"`, "first service", `and text contains "Shall we plan the first service?"`},
		{"and uses rain", "it uses nothing", ""},
		{`and text does not contain "first"`, "first service", `and text contains "Shall we plan the first service?"`},
		{"and rank 2 is model-x-1000-off", "the list has 1 ranks", ""},
		{"and price is 3.00", "it has no price that depends on the moment", ""},
		{`and the customer is told "a hundred"`, "to look after your car", `and the customer is told "We show \"Shall we plan the first service?\" to look after your car, and nothing about you was used for it. You can say no, later or never to it, and we keep to that."`},
		{"then signal people is not read", "read are people, presence", "then signal people is read"},
		{"then signal money is read", "read are people, presence", "then signal money is not read"},
		{"then the device knows booking of anna", "the device knows no booking of anna", "then the device knows no booking of anna"},
		{"then the device knows no purchase of anna", "the device knows purchase of anna", "then the device knows purchase of anna"},
		{"then the hub knows no purchase of anna", "the hub knows purchase of anna", "then the hub knows purchase of anna"},
		{"then the hub knows purchase of bert", `customer "bert" is not known`, ""},
		{"then a person is told complaint", "nothing is handed over to a person", ""},
		{"then the policy ../../../testdata/policies/dealer is refused because unreachable", "nothing was found in it", ""},
		{"then the policy ../../../testdata/policies/nowhere is good", "nowhere", ""},
		{"and value is 3", "2.95", "and value is 2.95"},
	} {
		text := c.line
		if strings.HasPrefix(c.line, "and ") {
			text = "then slot kiosk.home shows first-service\n" + c.line
		}
		r := play(t, text+"\n")
		if r.Passed || len(r.Failures) != 1 {
			t.Errorf("%s: %+v", c.line, r)
			continue
		}
		x := r.Failures[0]
		if !strings.Contains(x.Happened, c.happened) || x.Update != c.update {
			t.Errorf("%s:\nhappened %s\nupdate %q, want %q", c.line, x.Happened, x.Update, c.update)
		}
		if c.update != "" && strings.TrimSpace(c.update) != "" {
			again := strings.Replace(text, c.line, x.Update, 1)
			if r := play(t, again+"\n"); !r.Passed {
				t.Errorf("the updated line does not hold: %s: %+v", x.Update, r.Failures)
			}
		}
	}
}

// An update changes the lines that fail and no other byte, comments and line ends included.
func TestUpdatedChangesNothingElse(t *testing.T) {
	text := strings.ReplaceAll(dealer+"then slot kiosk.home shows nonsense  # as it should be\nand value is 2.95\n", "\n", "\r\n")
	f, mistakes := Parse("x.txt", []byte(text))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	got, n := Updated(f, []Result{Run(f, f.Scenarios[0], &Policies{})})
	want := strings.Replace(text, "shows nonsense", "shows first-service", 1)
	if n != 1 || string(got) != want {
		t.Errorf("%d lines\n%q\n%q", n, got, want)
	}
}

// An event that is refused fails the scenario at its line, and nothing after it is played.
func TestRefusedEventFails(t *testing.T) {
	r := play(t, "given signal altitude 3\nthen slot kiosk.home shows first-service\n")
	if len(r.Failures) != 1 || r.Failures[0].Line != 8 || !strings.Contains(r.Failures[0].Happened, "altitude") || r.Checks != 0 {
		t.Errorf("%+v", r)
	}
}

// An event of which the line says that it is refused must be, for that reason, and the story goes on.
func TestRefusedAsSaid(t *testing.T) {
	r := play(t, "when fact name.first 7 of anna is refused because invalid_value\nwhen ask kiosk.home\nthen slot kiosk.home shows first-service\n")
	if !r.Passed || r.Checks != 2 {
		t.Errorf("%+v", r)
	}
	for line, happened := range map[string]string{
		"when fact name.first Anna of anna is refused because invalid_value": "the event was taken",
		"when fact name.first 7 of anna is refused because special_inferred": "invalid_value",
	} {
		if r := play(t, line+"\n"); len(r.Failures) != 1 || r.Failures[0].Line != 8 || !strings.Contains(r.Failures[0].Happened, happened) {
			t.Errorf("%s: %+v", line, r)
		}
	}
}

// Another policy may come in the middle, alone and in a world; what was known stays known.
func TestThePolicyBecomesAnother(t *testing.T) {
	for _, device := range []string{"", "device kiosk\nlink delay 40ms\n"} {
		text := strings.Replace(dealer, "background", device+"background", 1)
		text = strings.Replace(text, "when ask", "at +1s\nwhen ask", 1) + `then slot kiosk.home shows first-service
when the policy becomes testdata/next
at +1s
when ask kiosk.home
then slot kiosk.home is silent because no_candidates
then the device knows purchase of anna
then signal people is read
`
		f, mistakes := Parse("x.txt", []byte(text))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		if r := Run(f, f.Scenarios[0], &Policies{}); !r.Passed {
			t.Errorf("%+v", r)
		}
	}
}

// A scenario that only looks at policies needs none of its own.
func TestPoliciesAlone(t *testing.T) {
	f, mistakes := Parse("x.txt", []byte("scenario a\nthen the policy testdata/next is good\nthen the policy testdata/broken is refused because unknown_key \"colour\"\nthen the policy testdata/broken is refused because unknown_key \"shape\"\n"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r := Run(f, f.Scenarios[0], &Policies{})
	if r.Checks != 3 || len(r.Failures) != 1 || r.Failures[0].Line != 4 || !strings.Contains(r.Failures[0].Happened, "colour") {
		t.Errorf("%+v", r)
	}
}

// Without a policy a device is silent, whatever is looked at.
func TestNoPolicy(t *testing.T) {
	text := "scenario a\npolicy none\nwhen ask x\nthen slot x is silent because no_policy\nand the customer is told \"\"\nthen the device knows no y of anna\nthen may anna product:x sales mail is yes\nthen slot x shows z\n"
	f, mistakes := Parse("x.txt", []byte(text))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r := Run(f, f.Scenarios[0], &Policies{})
	if len(r.Failures) != 2 || !strings.Contains(r.Failures[0].Happened, "no hub to ask") || !strings.Contains(r.Failures[1].Happened, "no_policy") {
		t.Errorf("%+v", r)
	}
	f, _ = Parse("x.txt", []byte("scenario a\npolicy none\ndevice k\nwhen ask x\nthen slot x is silent because no_policy\n"))
	if r := Run(f, f.Scenarios[0], &Policies{}); len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Happened, "leave the devices out") {
		t.Errorf("%+v", r)
	}
}

// Every scenario starts a fresh world, and gives the same twice.
func TestFreshAndTheSame(t *testing.T) {
	name := "../../../testdata/journeys/02-complaint.txt"
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := Parse(name, content)
	var policies Policies
	for _, s := range f.Scenarios {
		a, b := Run(f, s, &policies), Run(f, s, &policies)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %v\n%v", s.Name, a, b)
		}
	}
}

// Marks and line ends that editors write are none of the story; other encodings are a mistake.
func TestOtherEditors(t *testing.T) {
	file, mistakes := Parse("f", []byte("\ufeffscenario a\r\npolicy b\r\nwhen ask x\r\n"))
	if len(mistakes) != 0 || len(file.Scenarios) != 1 || file.Scenarios[0].Policy != "b" {
		t.Errorf("%v, %v", file, mistakes)
	}
	_, mistakes = Parse("f", []byte("scenario a\npolicy b\nand text contains \"caf\xe9\"\n"))
	if len(mistakes) != 1 || !strings.Contains(mistakes[0].Error(), "f:3: the line is not UTF-8 text") {
		t.Errorf("%v", mistakes)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(dealer + "then slot kiosk.home shows first-service\nand uses x\n"))
	f.Add([]byte("scenario a\npolicy b\ndevice k with slots a, b without c, d in vehicle=v\non k then nothing is shown in a\nk is offline\nlink delay 5ms\nhub given x by y\n"))
	f.Add([]byte(`then may a b:c sales mail is no because already_bought(x) "y"`))
	f.Add([]byte("scenario a\npolicy none\nwhen the policy becomes b\ngiven x by y is refused because erased\nthen the policy b is warned of because c \"d\"\nthen signal s is not read\nthen the hub knows no f of c\nthen a person is told x\nand not told y\n"))
	f.Add([]byte("scenario a\npolicy b\nthen slot s is silent because no_policy\nand rank 2 is x\nand normal price is 3.50\nand the customer is told \"x\"\nand does not use y\nand text does not contain \"z\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, mistakes := Parse("f", content)
		for _, m := range mistakes {
			if e, ok := m.(*Error); !ok || e.Line < 1 || e.Line > len(file.Lines) {
				t.Errorf("mistake without a place: %v", m)
			}
		}
		if got, n := Updated(file, nil); n != 0 || string(got) != string(content) {
			t.Errorf("an update of nothing changed %q to %q", content, got)
		}
	})
}
