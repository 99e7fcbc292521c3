package catalog

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const now = sense.Instant(1_772_442_000_000) // 2026-03-02T09:00:00Z

// open returns a fact without bounds.
func open(name string, kind sense.Kind) Fact {
	return Fact{Name: name, Kind: kind, Least: math.MinInt64, Most: math.MaxInt64}
}

func TestAccept(t *testing.T) {
	age, share, price := open("age", sense.Int), open("share", sense.Double), open("price", sense.Money)
	age.Least, age.Most = 0, 120*One
	share.Least, share.Most = One/10, One/2
	price.Least = -One / 2
	half := open("half", sense.Int) // from 0.5 to 2.5: 1 and 2
	half.Least, half.Most = One/2, 5*One/2
	below := open("below", sense.Int) // from -2.5 to -0.5: -2 and -1
	below.Least, below.Most = -5*One/2, -One/2
	any := open("any", sense.Int)
	born, seen := open("birth_date", sense.Date), open("seen", sense.Timestamp)
	born.InPast, seen.InPast = true, true
	email, mails := open("email", sense.String), open("mails", sense.List)
	email.Format = "email"
	mails.Format, mails.Elem = "email", sense.String
	tyres := open("tyres", sense.String)
	tyres.OneOf = []string{"summer", "winter"}
	hours := open(FactQuietHours, sense.String)
	text := sense.StringValue
	for _, c := range []struct {
		fact  Fact
		value sense.Value
		says  string // what the refusal says; empty where the value is taken
	}{
		{age, sense.IntValue(0), ""}, {age, sense.IntValue(120), ""},
		{age, sense.IntValue(-4), `fact "age": invalid_value: -4 is not between 0 and 120`},
		{age, sense.IntValue(121), "between 0 and 120"},
		{age, sense.IntValue(math.MaxInt64), "between 0 and 120"}, {age, sense.IntValue(math.MinInt64), "between 0 and 120"},
		{age, text("old"), "not int"}, {age, sense.DoubleValue(4), ""}, {age, sense.DoubleValue(4.5), "not int"},
		{half, sense.IntValue(0), "between 0.5 and 2.5"}, {half, sense.IntValue(1), ""}, {half, sense.IntValue(2), ""}, {half, sense.IntValue(3), "between"},
		{below, sense.IntValue(-3), "between"}, {below, sense.IntValue(-2), ""}, {below, sense.IntValue(-1), ""}, {below, sense.IntValue(0), "between"},
		{any, sense.IntValue(math.MaxInt64), ""}, {any, sense.IntValue(math.MinInt64), ""},
		{share, sense.DoubleValue(0.1), ""}, {share, sense.DoubleValue(0.5), ""}, {share, sense.DoubleValue(math.Nextafter(0.5, 1)), "between"},
		{share, sense.DoubleValue(math.Nextafter(0.1, 0)), "between"}, {share, sense.DoubleValue(math.NaN()), "is not"}, {share, sense.DoubleValue(math.Inf(1)), "is not"},
		{price, sense.DoubleValue(-0.5), ""}, {price, sense.DoubleValue(-0.500001), "at least -0.5"},
		{born, text("2026-03-02"), ""}, {born, text("2031-01-01"), "lies ahead"},
		// It is 2 March in Greenwich, and nowhere the 3rd before 10:00Z.
		{born, text("2026-03-03"), "lies ahead"},
		{seen, text("2026-03-02T10:00:00+01:00"), ""}, {seen, text("2026-03-02T10:00:00.001+01:00"), "lies ahead"},
		{email, text("x@"), "no address for e-mail"}, {email, text("anna@example.org"), ""},
		{mails, sense.ListValue([]sense.Value{text("anna@example.org"), text("x@")}), `fact "mails" element 2: invalid_value`},
		{mails, text("anna@example.org"), "not a list"},
		{tyres, text("winter"), ""}, {tyres, text("Winter"), "is none of"},
		{hours, text("22:00-08:00"), ""}, {hours, text("at night"), "range of hours"},
		{age, sense.NullValue(), ""},
	} {
		_, err := c.fact.Accept(c.value, event.Declared, now)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %s refused: %v", c.fact.Name, c.value, err)
		case c.says != "" && (!errors.Is(err, ErrInvalidValue) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %s: %v, want invalid_value with %q", c.fact.Name, c.value, err, c.says)
		}
	}
	if _, err := born.Accept(text("2031-01-01"), event.Declared, sense.Never); err != nil {
		t.Errorf("nobody knows the time, and yet: %v", err)
	}
	born.Special = "health"
	if _, err := born.Accept(text("2001-01-01"), event.Inferred, now); !errors.Is(err, ErrSpecialInferred) {
		t.Errorf("special and inferred: %v", err)
	}
	born.From = []event.Provenance{event.Declared}
	if _, err := born.Accept(text("2001-01-01"), event.Observed, now); !errors.Is(err, ErrProvenance) {
		t.Errorf("from where it is not taken: %v", err)
	}
}

func TestFormats(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, c := range []struct {
		format string
		good   []string
		bad    []string
	}{
		{"email", []string{"anna@example.org", "a.b+c@mail.example.co", "Ana.Ñ@exämple.es", long + "@example.org"},
			[]string{"", "x@", "@example.org", "anna", "anna@example", "a@b@c.org", "anna @example.org", ".a@example.org", "a.@example.org", "a..b@example.org",
				"a@-x.org", "a@x-.org", "a@x..org", "a@10.0.0.1", long + "a@example.org", "a\n@example.org", "a@" + strings.Repeat("b.", 130) + "org"}},
		{"phone", []string{"+31 20 123 45 67", "(020) 123-4567", "112345", "+31(0)201234567"},
			[]string{"", "+", "1234", "1234567890123456", "31+20", "call me", "+31x20123", "-12345"}},
		{"url", []string{"https://example.org", "http://example.org:8080/a?b=c#d", "HTTPS://EXAMPLE.org/", "https://localhost/x"},
			[]string{"", "example.org", "ftp://example.org", "https://", "https:///x", "https://exa mple.org", "https://example.org:", "https://example.org:http", "https://anna:secret@example.org", "javascript:alert(1)", "https://a..b/"}},
	} {
		for _, s := range c.good {
			if !hasFormat(s, c.format) {
				t.Errorf("%q is no %s", s, c.format)
			}
		}
		for _, s := range c.bad {
			if hasFormat(s, c.format) {
				t.Errorf("%q is a %s", s, c.format)
			}
		}
	}
}

func TestParseHours(t *testing.T) {
	for s, want := range map[string]HourRange{
		"22:00-08:00": {22 * 60, 8 * 60}, "22-8": {22 * 60, 8 * 60}, " 9:30 - 17:05 ": {9*60 + 30, 17*60 + 5},
		"00:00-24:00": {0, 0}, "18:00-24:00": {18 * 60, 0},
	} {
		if got, ok := ParseHours(s); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", "22", "22:00", "22:00-22:00", "24:00-08:00", "25-8", "22:60-8", "22:0-8", "22:000-8", "a-b", "22-24:01", "22--8", "022-8"} {
		if got, ok := ParseHours(s); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
	for _, c := range []struct {
		h    HourRange
		at   int
		want bool
	}{{HourRange{540, 1080}, 539, false}, {HourRange{540, 1080}, 540, true}, {HourRange{540, 1080}, 1080, false},
		{HourRange{1320, 480}, 1319, false}, {HourRange{1320, 480}, 1320, true}, {HourRange{1320, 480}, 479, true}, {HourRange{1320, 480}, 480, false},
		{HourRange{1080, 0}, 1439, true}, {HourRange{1080, 0}, 0, false}, {HourRange{0, 0}, 700, true}} {
		if got := c.h.Holds(c.at); got != c.want {
			t.Errorf("%v holds %d = %v", c.h, c.at, got)
		}
	}
}

// FuzzFormats: whatever is typed in, nothing panics, and what is taken has no control characters.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{"anna@example.org", "+31 20 123 45 67", "https://example.org:80/x", "22:00-08:00", "x@", "\x00", "..@.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []string{"email", "phone", "url"} {
			if hasFormat(s, format) && (s == "" || strings.ContainsAny(s, "\x00\n\r\t")) {
				t.Errorf("%q is a %s", s, format)
			}
		}
		if h, ok := ParseHours(s); ok && (h.From < 0 || h.From >= dayMinutes || h.To < 0 || h.To >= dayMinutes) {
			t.Errorf("%q: %v", s, h)
		}
	})
}
