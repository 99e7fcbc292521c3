package event

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

func instant(t *testing.T, s string) sense.Instant {
	t.Helper()
	u, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return sense.Instant(u.UnixMilli())
}

// good are lines of every kind with what they say; canonical is the printed
// form where it differs from the line.
var good = []struct {
	name      string
	line      string
	body      Body
	canonical string
}{
	{"bool", `{"signal":"rain","value":true}`, &Signal{Name: "rain", Value: sense.BoolValue(true)}, ""},
	{"int", `{"signal":"people","value":2}`, &Signal{Name: "people", Value: sense.IntValue(2)}, ""},
	{"least int", `{"signal":"n","value":-9223372036854775808}`, &Signal{Name: "n", Value: sense.IntValue(math.MinInt64)}, ""},
	{"beyond int", `{"signal":"n","value":9223372036854775808}`, &Signal{Name: "n", Value: sense.DoubleValue(1 << 63)}, `{"signal":"n","value":9223372036854776000.0}`},
	{"double", `{"signal":"temperature","value":-3.5}`, &Signal{Name: "temperature", Value: sense.DoubleValue(-3.5)}, ""},
	{"whole double", `{"signal":"temperature","value":21.0}`, &Signal{Name: "temperature", Value: sense.DoubleValue(21)}, ""},
	{"exponent", `{"signal":"x","value":1e3}`, &Signal{Name: "x", Value: sense.DoubleValue(1000)}, `{"signal":"x","value":1000.0}`},
	{"huge", `{"signal":"x","value":1e300}`, &Signal{Name: "x", Value: sense.DoubleValue(1e300)}, `{"signal":"x","value":1e+300}`},
	{"minus zero", `{"signal":"x","value":-0.0}`, &Signal{Name: "x", Value: sense.DoubleValue(0)}, `{"signal":"x","value":0.0}`},
	{"unavailable", `{"signal":"temperature","value":null}`, &Signal{Name: "temperature"}, ""},
	{"escapes", `{"signal":"note","value":"a\"\\\/\b\f\n\r\té😀"}`, &Signal{Name: "note", Value: sense.StringValue("a\"\\/\b\f\n\r\té😀")},
		`{"signal":"note","value":"a\"\\/\b\f\n\r\té😀"}`},
	{"no html escape", `{"signal":"note","value":"<&>"}`, &Signal{Name: "note", Value: sense.StringValue("<&>")}, ""},
	{"escaped key", `{"\u0073ignal":"rain","value":false}`, &Signal{Name: "rain", Value: sense.BoolValue(false)}, `{"signal":"rain","value":false}`},
	{"position", `{"signal":"position","value":{"lat":52.0907,"lon":-5.1214567,"accuracy":3.5}}`,
		&Signal{Name: "position", Value: sense.PositionValue(sense.Point{Lat: 520907000, Lon: -51214567}, 3500)}, ""},
	{"position without accuracy", `{"signal":"position","value":{"lat":-90,"lon":180}}`,
		&Signal{Name: "position", Value: sense.PositionValue(sense.Point{Lat: -900000000, Lon: 1800000000}, sense.NoAccuracy)}, ""},
	{"age as text", `{"signal":"temperature","value":1,"age":"90s"}`, &Signal{Name: "temperature", Value: sense.IntValue(1), Age: 90 * sense.Second}, ""},
	{"age in milliseconds", `{"signal":"temperature","value":1,"age":1500}`, &Signal{Name: "temperature", Value: sense.IntValue(1), Age: 1500},
		`{"signal":"temperature","value":1,"age":"1500ms"}`},
	{"identify", `{"identify":"card:123","by":"card","strength":0.85,"shared":true,"language":"nl","owners":{"vehicle":"v1","household":"h1"}}`,
		&Identify{Customer: "card:123", By: ByCard, Strength: 850_000, Shared: true, Language: "nl", Owners: []Owner{{"household", "h1"}, {"vehicle", "v1"}}},
		`{"identify":"card:123","by":"card","strength":0.85,"shared":true,"language":"nl","owners":{"household":"h1","vehicle":"v1"}}`},
	{"identify shortly", `{"identify":"anna"}`, &Identify{Customer: "anna", Strength: 1_000_000}, ""},
	{"nobody", `{"identify":null}`, &Identify{Strength: 1_000_000}, ""},
	{"fact", `{"fact":"vehicle.tyres","owner":"v1","value":"winter","provenance":"declared"}`,
		&Fact{Name: "vehicle.tyres", Owner: "v1", Value: sense.StringValue("winter"), Provenance: Declared}, ""},
	{"fact list", `{"fact":"interests","customer":"anna","value":["golf",3,2.5,true,[]],"provenance":"third_party"}`,
		&Fact{Name: "interests", Customer: "anna", Provenance: ThirdParty, Value: sense.ListValue([]sense.Value{
			sense.StringValue("golf"), sense.IntValue(3), sense.DoubleValue(2.5), sense.BoolValue(true), sense.ListValue([]sense.Value{})})}, ""},
	{"fact retracted", `{"fact":"age","customer":"anna","value":null}`, &Fact{Name: "age", Customer: "anna"}, ""},
	{"consent", `{"consent":"offers","customer":"anna","granted":true,"text":"v3","expires":"2027-03-02T09:00:00Z"}`,
		&Consent{Purpose: "offers", Customer: "anna", Granted: true, Text: "v3", Expires: 1803978000000},
		`{"consent":"offers","customer":"anna","granted":true,"text":"v3","expires":"2027-03-02T09:00:00.000Z"}`},
	{"consent withdrawn", `{"consent":"offers","customer":"anna","granted":false}`, &Consent{Purpose: "offers", Customer: "anna", Expires: sense.Never}, ""},
	{"optional null is left out", `{"consent":"offers","customer":"anna","granted":false,"text":null,"expires":null,"session":null,"source":null,"id":null}`,
		&Consent{Purpose: "offers", Customer: "anna", Expires: sense.Never}, `{"consent":"offers","customer":"anna","granted":false}`},
	{"objection", `{"objection":"care","customer":"anna","raised":true}`, &Objection{Purpose: "care", Customer: "anna", Raised: true}, ""},
	{"restrict", `{"restrict":"anna","on":false}`, &Restrict{Customer: "anna"}, ""},
	{"interaction", `{"interaction":"invoice","customer":"anna","about":"product:model-x/gti","channel":"mail","ref":"r1","value":12.50,"due":"2026-03-16T00:00:00.000Z"}`,
		&Interaction{Kind: "invoice", Customer: "anna", About: "product:model-x/gti", Channel: "mail", Ref: "r1", Value: sense.DoubleValue(12.5), Due: 1773619200000},
		`{"interaction":"invoice","customer":"anna","about":"product:model-x/gti","channel":"mail","ref":"r1","value":12.5,"due":"2026-03-16T00:00:00.000Z"}`},
	{"interaction shortly", `{"interaction":"visit","customer":"anna"}`, &Interaction{Kind: "visit", Customer: "anna", Due: sense.Never}, ""},
	{"ask", `{"ask":"kiosk.home","intent":"information","about":"brochure:model-x","with":{"delivery":"mail","count":2},"count":3,"language":"en"}`,
		&Ask{Slot: "kiosk.home", Intent: "information", About: "brochure:model-x", Count: 3, Language: "en",
			With: []Signal{{Name: "count", Value: sense.IntValue(2)}, {Name: "delivery", Value: sense.StringValue("mail")}}},
		`{"ask":"kiosk.home","intent":"information","about":"brochure:model-x","with":{"count":2,"delivery":"mail"},"count":3,"language":"en"}`},
	{"ask shortly", `{"ask":"wrist"}`, &Ask{Slot: "wrist"}, ""},
	{"outcome", `{"outcome":"later","decision":"last","slot":"wrist"}`, &Outcome{Outcome: "later", Decision: "last", Slot: "wrist"}, ""},
	{"forget", `{"forget":"anna"}`, &Forget{Customer: "anna"}, ""},
	{"merge", `{"merge":["anna","crm:77"]}`, &Merge{Into: "anna", From: "crm:77"}, ""},
	{"split", `{"split":["anna","crm:77"]}`, &Split{Into: "anna", From: "crm:77"}, ""},
	{"tick", `{"tick":true}`, &Tick{}, ""},
	{"boot", `{"boot":{"clock":"floor","absent":["speed","people"]}}`, &Boot{Clock: sense.ClockFloor, Absent: []string{"people", "speed"}},
		`{"boot":{"clock":"floor","absent":["people","speed"]}}`},
	{"boot shortly", `{"boot":{"clock":"unknown"}}`, &Boot{}, ""},
	{"clock", `{"clock":{"now":"2026-03-02T10:00:00.250+01:00","state":"synced","zone":"Europe/Amsterdam"}}`,
		&Clock{Now: 1772442000250, State: sense.ClockSynced, Zone: "Europe/Amsterdam"},
		`{"clock":{"now":"2026-03-02T09:00:00.250Z","state":"synced","zone":"Europe/Amsterdam"}}`},
	{"lease", `{"lease":"anna","until":"2026-03-09T09:00:00.000Z"}`, &Lease{Customer: "anna", Until: 1773046800000}, ""},
	{"lease ended", `{"lease":"anna","until":null}`, &Lease{Customer: "anna"}, ""},
	{"lease for ever", `{"lease":"anna","until":"9999-12-31T23:59:59.999Z"}`, &Lease{Customer: "anna", Until: sense.Never}, ""},
	{"policy", `{"policy":"dealer@12"}`, &Policy{Version: "dealer@12"}, ""},
	{"link up", `{"link":"up"}`, &Link{Up: true}, ""},
	{"link down", ` { "link" : "down" } `, &Link{}, `{"link":"down"}`},
}

func TestParseLine(t *testing.T) {
	for _, c := range good {
		t.Run(c.name, func(t *testing.T) {
			e, err := ParseLine([]byte(c.line))
			if err != nil {
				t.Fatal(err)
			}
			want := Event{Session: MainSession, Body: c.body}
			if !reflect.DeepEqual(e, want) {
				t.Errorf("got  %+v %+v\nwant %+v %+v", e, e.Body, want, want.Body)
			}
			canonical := c.canonical
			if canonical == "" {
				canonical = c.line
			}
			if got := string(AppendLine(nil, e)); got != canonical {
				t.Errorf("prints %s\nwant   %s", got, canonical)
			}
			again, err := ParseLine([]byte(canonical))
			if err != nil || !reflect.DeepEqual(again, e) {
				t.Errorf("reads back as %+v %+v, %v", again, again.Body, err)
			}
		})
	}
}

func TestParseLineCommonKeys(t *testing.T) {
	at := instant(t, "2026-03-02T09:00:00.123Z")
	for _, c := range []struct {
		line string
		want Event
	}{
		{`{"at":"2026-03-02T10:00:00.123+01:00","tick":true}`, Event{At: at, HasAt: true, Happened: at, Session: "main"}},
		{`{"at":"2026-03-02T10:00:00.123999+01:00","tick":true}`, Event{At: at, HasAt: true, Happened: at, Session: "main"}},
		{`{"at":"2026-03-02T09:00:00.123Z","happened":"2026-03-02T09:00:00Z","tick":true}`, Event{At: at, HasAt: true, Happened: at - 123, Session: "main"}},
		{`{"happened":"2026-03-02T09:00:00Z","tick":true}`, Event{Happened: at - 123, Session: "main"}},
		{`{"tick":true,"id":"x","source":"crm","session":"wearer-7"}`, Event{ID: "x", Source: "crm", Session: "wearer-7"}},
		{`{"at":"0001-01-01T00:00:00Z","tick":true}`, Event{At: firstInstant, HasAt: true, Happened: firstInstant, Session: "main"}},
		{`{"id":"` + strings.Repeat("é", MaxID) + `","tick":true}`, Event{ID: strings.Repeat("é", MaxID), Session: "main"}},
		{"{\"tick\":true}\r\n", Event{Session: "main"}},
	} {
		c.want.Body = &Tick{}
		e, err := ParseLine([]byte(c.line))
		if err != nil || !reflect.DeepEqual(e, c.want) {
			t.Errorf("%s\ngot  %+v %v\nwant %+v", c.line, e, err, c.want)
		}
		if again, err := ParseLine(AppendLine(nil, e)); err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%s reads back as %+v %v", c.line, again, err)
		}
	}
}

func TestParseLineRefuses(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for _, c := range []struct{ name, line, want string }{
		{"nothing", ``, "column 1: expected an object, the line ends"},
		{"no object", `[]`, "column 1: expected an object, found '['"},
		{"text", `hello`, "found 'h'"},
		{"cut off", `{"tick":tr`, "column 9: expected a value, found 't'"},
		{"cut off in text", `{"forget":"ann`, "the line ends inside a string"},
		{"cut off in escape", `{"forget":"ann\`, "the line ends inside a string"},
		{"cut off in object", `{"tick":true`, "expected a comma or }, the line ends"},
		{"trailing garbage", `{"tick":true} x`, "column 15: expected nothing after the object, found 'x'"},
		{"two objects", `{"tick":true}{"tick":true}`, "expected nothing after the object"},
		{"column in characters", `{"forget":"éé"x}`, "column 15:"},
		{"no event", `{"at":"2026-03-02T09:00:00Z"}`, "no event: a line has exactly one of signal, identify"},
		{"unknown event", `{"sginal":"x","value":1}`, `unknown keys "sginal", "value", and no event`},
		{"two events", `{"tick":true,"forget":"anna"}`, `"forget" and "tick" in one line`},
		{"unknown key", `{"signal":"x","value":1,"unit":"C","scale":2}`, `signal line: unknown keys "unit", "scale": it may have signal, value, age, at`},
		{"key of another kind", `{"ask":"wrist","value":1}`, `ask line: unknown key "value"`},
		{"duplicate", `{"tick":true,"tick":true}`, `column 14: key "tick" is there twice`},
		{"duplicate by escape", `{"tick":true,"\u0074ick":true}`, `key "tick" is there twice`},
		{"duplicate inside", `{"signal":"x","value":{"lat":1,"lon":2,"lat":3}}`, `key "lat" is there twice`},
		{"duplicate among many", `{"ask":"s","with":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"r":1,"s":1,"b":2}}`, `key "b" is there twice`},
		{"not UTF-8", "{\"forget\":\"a\xff\"}", "byte 13: not UTF-8"},
		{"surrogate in UTF-8", "{\"forget\":\"\xed\xa0\x80\"}", "not UTF-8"},
		{"lone surrogate", `{"forget":"\ud83d"}`, "lone surrogate"},
		{"wrong pair", `{"forget":"\ud83dA"}`, "lone surrogate"},
		{"bad escape", `{"forget":"\x41"}`, `\x is no escape`},
		{"bad hex", `{"forget":"\u00zz"}`, "four hexadecimal digits"},
		{"control character", "{\"forget\":\"a\tb\"}", "control character 0x9"},
		{"leading zero", `{"signal":"x","value":01}`, "a number starts with a digit"},
		{"plus", `{"signal":"x","value":+1}`, "expected a value, found '+'"},
		{"bare point", `{"signal":"x","value":1.}`, "expected a digit after the point"},
		{"bare exponent", `{"signal":"x","value":1e}`, "expected a digit in the exponent"},
		{"not a number", `{"signal":"x","value":NaN}`, "expected a value, found 'N'"},
		{"number too large", `{"signal":"x","value":1e999}`, "number \"1e999\" does not fit"},
		{"nested too deep", `{"signal":"x","value":` + deep + `}`, "nested deeper than 8"},
		{"comma at the end", `{"tick":true,}`, "expected a key in double quotes, found '}'"},
		{"list comma at the end", `{"merge":["a","b",]}`, "expected a value, found ']'"},
		{"no colon", `{"tick" true}`, `expected a colon after key "tick", found 't'`},
		{"at without zone", `{"at":"2026-03-02T09:00:00","tick":true}`, "at \"2026-03-02T09:00:00\" is not a time as RFC 3339 writes it"},
		{"at with comma", `{"at":"2026-03-02T09:00:00,5Z","tick":true}`, "RFC 3339"},
		{"at with one digit", `{"at":"2026-03-02T9:00:00Z","tick":true}`, "RFC 3339"},
		{"at with a zone of 24 hours", `{"at":"2026-03-02T09:00:00+24:00","tick":true}`, "RFC 3339"},
		{"at with a zone of 60 minutes", `{"at":"2026-03-02T09:00:00+01:60","tick":true}`, "RFC 3339"},
		{"at with a leap second", `{"at":"2016-12-31T23:59:60Z","tick":true}`, "RFC 3339"},
		{"at no day", `{"at":"2026-02-30T09:00:00Z","tick":true}`, "RFC 3339"},
		{"at beyond years", `{"at":"9999-12-31T23:59:59-01:00","tick":true}`, "not between the years 1 and 9999"},
		{"at a number", `{"at":1772442000,"tick":true}`, "at is \"1772442000\", expected text"},
		{"at empty", `{"at":"","tick":true}`, "at is empty"},
		{"happened after at", `{"at":"2026-03-02T09:00:00Z","happened":"2026-03-02T09:00:00.001Z","tick":true}`, "happened 2026-03-02T09:00:00.001Z is after at 2026-03-02T09:00:00.000Z"},
		{"id too long", `{"id":"` + strings.Repeat("é", MaxID+1) + `","tick":true}`, "id has 65 characters, at most 64"},
		{"id a number", `{"id":7,"tick":true}`, "id is \"7\", expected text"},
		{"session empty", `{"session":"","tick":true}`, "session is empty"},
		{"signal without value", `{"signal":"x"}`, `key "value" is missing`},
		{"signal null", `{"signal":null,"value":1}`, "signal is null, expected a value"},
		{"signal name a number", `{"signal":1,"value":1}`, "expected text in double quotes"},
		{"position off the earth", `{"signal":"x","value":{"lat":90.1,"lon":2}}`, "lat is \"90.1\", expected a number from -90 to 90"},
		{"position half", `{"signal":"x","value":{"lat":90}}`, `key "lon" is missing`},
		{"position key", `{"signal":"x","value":{"lat":90,"lon":1,"alt":3}}`, `unknown key "alt": it may have lat, lon, accuracy`},
		{"position text", `{"signal":"x","value":{"lat":"1","lon":1}}`, "lat is"},
		{"accuracy negative", `{"signal":"x","value":{"lat":1,"lon":1,"accuracy":-1}}`, "accuracy is"},
		{"age negative", `{"signal":"x","value":1,"age":-1}`, "age is \"-1\", expected a duration"},
		{"age for ever", `{"signal":"x","value":1,"age":"ever"}`, "age is"},
		{"age a bool", `{"signal":"x","value":1,"age":true}`, "age is"},
		{"by", `{"identify":"anna","by":"face"}`, `by "face" is none of card, login, code, staff, passive`},
		{"strength", `{"identify":"anna","strength":1.01}`, "strength is \"1.01\", expected a number from 0 to 1"},
		{"shared", `{"identify":"anna","shared":"yes"}`, "expected true or false"},
		{"owners a list", `{"identify":"anna","owners":["v1"]}`, "expected an object"},
		{"owner a number", `{"identify":"anna","owners":{"vehicle":7}}`, "owners: vehicle is \"7\""},
		{"owner null", `{"identify":"anna","owners":{"vehicle":null}}`, "owners: vehicle is null"},
		{"owner without kind", `{"identify":"anna","owners":{"":"v1"}}`, "owner without a kind"},
		{"fact of nobody", `{"fact":"x","value":1,"provenance":"declared"}`, "customer or to an owner"},
		{"fact of two", `{"fact":"x","customer":"a","owner":"b","value":1,"provenance":"declared"}`, "customer or to an owner"},
		{"fact without provenance", `{"fact":"x","customer":"a","value":1}`, `key "provenance" is missing`},
		{"fact provenance", `{"fact":"x","customer":"a","value":1,"provenance":"guessed"}`, `provenance "guessed" is none of declared`},
		{"consent without granted", `{"consent":"offers","customer":"anna"}`, `key "granted" is missing`},
		{"consent without customer", `{"consent":"offers","granted":true}`, `key "customer" is missing`},
		{"granted null", `{"consent":"offers","customer":"anna","granted":null}`, "granted is null"},
		{"interaction without customer", `{"interaction":"visit"}`, `key "customer" is missing`},
		{"about", `{"interaction":"visit","customer":"anna","about":"model-x"}`, `about "model-x" is not type:id`},
		{"interaction value", `{"interaction":"visit","customer":"anna","value":"12"}`, "expected a number"},
		{"count zero", `{"ask":"s","count":0}`, "count is \"0\", expected a whole number from 1 to 1000"},
		{"count broken", `{"ask":"s","count":1.5}`, "count is"},
		{"with a list", `{"ask":"s","with":[1]}`, "expected an object"},
		{"with a bad value", `{"ask":"s","with":{"x":{"a":1}}}`, `with: x: unknown key "a"`},
		{"outcome", `{"outcome":"seen","decision":"last"}`, `outcome "seen" is none of shown, accepted`},
		{"outcome without decision", `{"outcome":"shown"}`, `key "decision" is missing`},
		{"merge one", `{"merge":["a"]}`, "expected two different ids"},
		{"merge same", `{"merge":["a","a"]}`, "expected two different ids"},
		{"merge numbers", `{"merge":[1,2]}`, `"1" is no name`},
		{"split three", `{"split":["a","b","c"]}`, "expected two different ids"},
		{"tick false", `{"tick":false}`, "tick is false"},
		{"tick null", `{"tick":null}`, "tick is null"},
		{"boot clock", `{"boot":{"clock":"good"}}`, `boot: clock "good" is none of synced`},
		{"boot without clock", `{"boot":{}}`, `boot: key "clock" is missing`},
		{"boot key", `{"boot":{"clock":"synced","abscent":[]}}`, `boot: unknown key "abscent"`},
		{"boot twice absent", `{"boot":{"clock":"synced","absent":["x","x"]}}`, `absent names "x" twice`},
		{"boot text", `{"boot":"synced"}`, "boot is"},
		{"clock without now", `{"clock":{"state":"synced","zone":"UTC"}}`, `clock: key "now" is missing`},
		{"clock null", `{"clock":null}`, "clock is null"},
		{"lease without until", `{"lease":"anna"}`, `key "until" is missing`},
		{"policy", `{"policy":"dealer"}`, `policy "dealer" is not name@version`},
		{"link", `{"link":"sideways"}`, `link "sideways" is none of up, down`},
		{"name cut in error", `{"` + strings.Repeat("k", 500) + `":1,"tick":true}`, `unknown key "` + strings.Repeat("k", 40) + `"...`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := ParseLine([]byte(c.line))
			if err == nil {
				t.Fatalf("taken as %+v", e)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q\nlacks %q", err, c.want)
			}
			if !reflect.DeepEqual(e, Event{}) {
				t.Errorf("an event beside the error: %+v", e)
			}
		})
	}
}

func TestParseLineLength(t *testing.T) {
	pad := func(n int) []byte {
		line := `{"forget":""}`
		return []byte(`{"forget":"` + strings.Repeat("a", n-len(line)) + `"}`)
	}
	if _, err := ParseLine(pad(MaxLine)); err != nil {
		t.Errorf("%d bytes: %v", MaxLine, err)
	}
	if _, err := ParseLine(pad(MaxLine + 1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("%d bytes: %v, want ErrTooLong", MaxLine+1, err)
	}
}

// An event must not change when the reader's buffer is used again.
func TestParseLineKeepsNothing(t *testing.T) {
	line := []byte(`{"ask":"kiosk.home","with":{"delivery":"mail"},"session":"s1","id":"e\n1"}`)
	e, err := ParseLine(line)
	if err != nil {
		t.Fatal(err)
	}
	before := string(AppendLine(nil, e))
	clear(line)
	if after := string(AppendLine(nil, e)); after != before {
		t.Errorf("changed with the buffer: %s, before %s", after, before)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, c := range good {
		f.Add([]byte(c.line))
	}
	f.Add([]byte(`{"at":"2026-03-02T10:00:00.123+01:00","happened":"1969-12-31T23:59:59.999Z","id":"x","source":"crm","session":"s","tick":true}`))
	f.Add([]byte(`{"signal":"x","value":[[[[[[1e308]]]]]]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseLine(line)
		if err != nil {
			if !reflect.DeepEqual(e, Event{}) {
				t.Fatalf("an event beside the error: %+v", e)
			}
			return
		}
		if e.Body == nil || e.Session == "" || e.HasAt && e.Happened > e.At {
			t.Fatalf("event breaks its promises: %+v", e)
		}
		printed := AppendLine(nil, e)
		if len(printed) > MaxLine {
			return
		}
		again, err := ParseLine(printed)
		if err != nil {
			t.Fatalf("%s\nprints as %s\nwhich is refused: %v", line, printed, err)
		}
		if !reflect.DeepEqual(e, again) {
			t.Fatalf("%s\nprints as %s\nwhich reads as %+v %+v\nnot %+v %+v", line, printed, again, again.Body, e, e.Body)
		}
	})
}

func BenchmarkParseLine(b *testing.B) {
	line := []byte(`{"at":"2026-03-02T10:00:00.123+01:00","signal":"speed","value":118.5,"session":"car"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := ParseLine(line); err != nil {
			b.Fatal(err)
		}
	}
}
