package sense

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]Duration{
		"8s": 8000, "5m": 300_000, "2h": 7_200_000, "90d": 90 * 86_400_000, "1w": 7 * 86_400_000,
		"2y": 730 * 86_400_000, "250ms": 250, "1h30m": 5_400_000, "0s": 0, "ever": Forever,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %d, %v; want %d", text, got, err, want)
		}
		if again, err := ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%q prints as %q, which reads as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "8", "s", "8 s", "-8s", "8x", "1.5h", "99999999999999999999s", "9223372036854775807d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %d, want an error", text, d)
		}
	}
}

func TestValueAs(t *testing.T) {
	for _, c := range []struct {
		json string
		kind Kind
		want string // JSON of the converted value, empty for an error
	}{
		{`3`, Double, `3`}, {`3.0`, Int, `3`}, {`3.5`, Int, ``}, {`"x"`, Int, ``}, {`true`, Bool, `true`},
		{`null`, Bool, `null`}, {`400.25`, Money, `400.25`}, {`-0.01`, Money, `-0.01`}, {`7`, Money, `7`},
		{`0.0000001`, Money, ``}, {`"2026-03-02"`, Date, `"2026-03-02"`}, {`"2031-13-01"`, Date, ``},
		{`"2026-03-02T10:00:00+01:00"`, Timestamp, `"2026-03-02T09:00:00.000Z"`}, {`"8s"`, Length, `"8s"`},
		{`{"lat":52.09,"lon":5.12}`, Position, `{"lat":52.09,"lon":5.12}`},
		{`{"lat":52.09,"lon":5.12,"accuracy":12.5}`, Position, `{"lat":52.09,"lon":5.12,"accuracy":12.5}`},
	} {
		v, err := ParseJSON([]byte(c.json))
		if err != nil {
			t.Fatalf("ParseJSON(%s): %v", c.json, err)
		}
		got, err := v.As(c.kind)
		if text := got.String(); c.want == "" && err == nil || c.want != "" && (err != nil || text != c.want) {
			t.Errorf("%s as %s = %s, %v; want %q", c.json, c.kind, text, err, c.want)
		}
	}
	for _, bad := range []string{`{"lat":91,"lon":0}`, `{"lat":1}`, `{"lat":1,"lon":2,"x":3}`, `1e999`, `{`, ``} {
		if v, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("ParseJSON(%s) = %s, want an error", bad, v)
		}
	}
}

func TestAppendMicro(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1: "0.000001", -10_000: "-0.01", 350_000: "0.35", 4_000_000: "4", -1_500_000: "-1.5", -1 << 63: "-9223372036854.775808"} {
		if got := string(AppendMicro(nil, n, 6)); got != want {
			t.Errorf("AppendMicro(%d) = %s, want %s", n, got, want)
		}
	}
}

// amsterdam is a zone with the turns of 2026, as the law of the Union has them: the last Sundays of
// March and October, at 01:00 UTC.
var amsterdam = Zone{Name: "Europe/Amsterdam", Turns: []Turn{
	{From: -1 << 62, Offset: Hour},
	{From: InstantOf(time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)), Offset: 2 * Hour},
	{From: InstantOf(time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)), Offset: Hour},
}}

func TestZone(t *testing.T) {
	at := func(text string) Instant {
		i, err := ParseInstant(text)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	monday := at("2026-03-02T10:00:00+01:00")
	if got := amsterdam.Weekday(monday); got != 1 {
		t.Errorf("weekday of a Monday = %d", got)
	}
	if got := amsterdam.DayMinute(monday); got != 600 {
		t.Errorf("10:00 is minute %d, want 600", got)
	}
	if a, b := amsterdam.Week(at("2026-03-01T23:59:59+01:00")), amsterdam.Week(monday); a+1 != b {
		t.Errorf("Sunday is in week %d, Monday in %d", a, b)
	}
	// The day of the turn to summer time has 23 hours, that of the turn back 25.
	spring, autumn := amsterdam.Day(at("2026-03-29T12:00:00+02:00")), amsterdam.Day(at("2026-10-25T12:00:00+01:00"))
	if got := amsterdam.StartOfDay(spring + 1).Sub(amsterdam.StartOfDay(spring)); got != 23*Hour {
		t.Errorf("the day of the turn to summer time lasts %s", got)
	}
	if got := amsterdam.StartOfDay(autumn + 1).Sub(amsterdam.StartOfDay(autumn)); got != 25*Hour {
		t.Errorf("the day of the turn to winter time lasts %s", got)
	}
	// 02:30 does not exist on that day: the clocks first show something later at 03:00.
	if got, want := amsterdam.At(spring, 150), at("2026-03-29T03:00:00+02:00"); got != want {
		t.Errorf("02:30 of the day of the turn = %s, want %s", got, want)
	}
	// 02:30 comes twice: the first one counts.
	if got, want := amsterdam.At(autumn, 150), at("2026-10-25T02:30:00+02:00"); got != want {
		t.Errorf("02:30 of the day of the turn back = %s, want %s", got, want)
	}
	if a, b := amsterdam.Month(at("2026-02-28T23:59:59+01:00")), amsterdam.Month(at("2026-03-01T00:00:00+01:00")); a+1 != b {
		t.Errorf("February is month %d, March %d", a, b)
	}
}

func TestInstantSaturates(t *testing.T) {
	if got := Instant(1).Add(Forever); got != Never {
		t.Errorf("for ever ends at %d", got)
	}
	if got := (Never - 5).Add(Year); got != Never {
		t.Errorf("overflow gives %d", got)
	}
}

// TestAppendTextIsJSON: a text that needs no escape is printed as one that does.
func TestAppendTextIsJSON(t *testing.T) {
	for c := range 0x250 {
		for _, text := range [...]string{string(rune(c)), "a" + string([]byte{byte(c)}) + "z"} {
			var want bytes.Buffer
			e := json.NewEncoder(&want)
			e.SetEscapeHTML(false)
			if err := e.Encode(text); err != nil {
				t.Fatal(err)
			}
			if got := string(AppendText(nil, text)); got+"\n" != want.String() {
				t.Errorf("%q is printed as %s, want %s", text, got, want.String())
			}
		}
	}
	var b []byte
	if n := testing.AllocsPerRun(100, func() {
		b = AppendMicro(AppendText(b[:0], "plain"), 123_450_000, 6)
		b = (90 * Day).Append(b)
	}); n != 0 || string(b) != `"plain"123.4590d` {
		t.Errorf("%v allocations for %s", n, b)
	}
}
