package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// clock is what times in a scenario refer to.
type clock struct{ t0, now sense.Instant }

// read reads RFC 3339, t0, t0-21d, t0+48h, -60s and +1h.
func (c clock) read(text string) (sense.Instant, error) {
	base, rest := c.now, text
	if after, ok := strings.CutPrefix(text, "t0"); ok {
		base, rest = c.t0, after
		if rest == "" {
			return base, nil
		}
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		d, err := sense.ParseDuration(rest[1:])
		if err != nil || d == sense.Forever {
			return 0, fmt.Errorf("time %q: %q is no length of time, as in 21d", text, rest[1:])
		}
		if rest[0] == '-' {
			d = -d
		}
		return base + sense.Instant(d), nil
	}
	i, err := sense.ParseInstant(text)
	if err != nil {
		return 0, fmt.Errorf("time %q is not as in 2026-03-02T10:00:00+01:00, t0-21d or +1h", text)
	}
	return i, nil
}

// readEvent reads an event as JSON or in its short form. HasAt is as the JSON says.
func readEvent(text string, c clock) (event.Event, error) {
	if strings.HasPrefix(text, "{") {
		return event.ParseLine([]byte(text))
	}
	s := short{words: words(text), clock: c}
	e := event.Event{Happened: c.now, Session: event.MainSession}
	s.endings(&e)
	e.Body = s.body()
	if s.err == nil && len(s.words) > 0 {
		s.err = fmt.Errorf("%q is left over", strings.Join(s.words, " "))
	}
	if s.err != nil {
		return e, fmt.Errorf("event %q: %w", text, s.err)
	}
	return e, nil
}

// words splits at blanks outside quotes and brackets.
func words(text string) []string {
	var list []string
	start, depth, quoted := -1, 0, false
	for k := 0; k <= len(text); k++ {
		end := k == len(text) || text[k] == ' ' && depth == 0 && !quoted
		if end {
			if start >= 0 {
				list = append(list, text[start:k])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = k
		}
		switch text[k] {
		case '\\':
			if quoted && k+1 < len(text) {
				k++
			}
		case '"':
			quoted = !quoted
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
	}
	return list
}

// short is a short form while it is read; the first error stays.
type short struct {
	words []string
	clock clock
	err   error
}

func (s *short) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *short) next(what string) string {
	if len(s.words) == 0 {
		s.fail("%s is missing", what)
		return ""
	}
	w := s.words[0]
	s.words = s.words[1:]
	return w
}

// is takes the word where it comes next.
func (s *short) is(word string) bool {
	if len(s.words) > 0 && s.words[0] == word {
		s.words = s.words[1:]
		return true
	}
	return false
}

func (s *short) time() sense.Instant {
	i, err := s.clock.read(s.next("the time"))
	if err != nil {
		s.fail("%w", err)
	}
	return i
}

// endings takes what every event may end in.
func (s *short) endings(e *event.Event) {
	for n := len(s.words); n >= 3; n = len(s.words) {
		switch {
		case s.words[n-2] == "at":
			i, err := s.clock.read(s.words[n-1])
			if err != nil {
				s.fail("%w", err)
			}
			e.Happened = i
		case s.words[n-2] == "as":
			e.ID = s.words[n-1]
		case s.words[n-2] == "from":
			e.Source = s.words[n-1]
		case n >= 4 && s.words[n-3] == "in" && s.words[n-2] == "session":
			e.Session = s.words[n-1]
			n--
		default:
			return
		}
		s.words = s.words[:n-2]
	}
}

func (s *short) body() event.Body {
	first := s.next("the event")
	switch first {
	case "ask":
		return s.ask()
	case "signal":
		return s.signal()
	case "fact":
		return s.fact()
	case "outcome":
		return s.outcome()
	case "nobody":
		if !s.is("identified") {
			s.fail("after nobody comes identified")
		}
		return &event.Identify{Strength: 1_000_000}
	case "forget":
		return &event.Forget{Customer: s.next("the customer")}
	case "merge":
		return &event.Merge{Into: s.next("the customer who stays"), From: s.next("the other id")}
	case "split":
		return &event.Split{Into: s.next("the customer who stays"), From: s.next("the other id")}
	case "tick":
		return &event.Tick{}
	case "link":
		word := s.next("up or down")
		if word != "up" && word != "down" {
			s.fail("link %q is none of up, down", word)
		}
		return &event.Link{Up: word == "up"}
	case "clock":
		return s.clockIs()
	case "boot":
		return s.boot()
	case "lease":
		return s.lease()
	}
	return s.about(first)
}

// clockIs reads `clock STATE [now TIME] [zone Z]`.
func (s *short) clockIs() event.Body {
	c := &event.Clock{State: s.clockState(), Now: s.clock.now, Zone: "UTC"}
	for s.err == nil && len(s.words) > 0 {
		switch {
		case s.is("now"):
			c.Now = s.time()
		case s.is("zone"):
			c.Zone = s.next("the zone")
		default:
			return c
		}
	}
	return c
}

func (s *short) clockState() sense.ClockState {
	state, err := sense.ParseClockState(s.next("how far the clock is trusted"))
	if err != nil {
		s.fail("%w", err)
	}
	return state
}

// boot reads `boot [clock STATE] [absent NAME ...]`: the device has power again.
func (s *short) boot() event.Body {
	b := &event.Boot{Clock: sense.ClockSynced}
	if s.is("clock") {
		b.Clock = s.clockState()
	}
	if s.is("absent") {
		if len(s.words) == 0 {
			s.fail("say which sources the device does not have: boot absent speed")
		}
		b.Absent, s.words = slices.Sorted(slices.Values(s.words)), nil
	}
	return b
}

// lease reads `lease C until TIME` and `lease C ends`.
func (s *short) lease() event.Body {
	l := &event.Lease{Customer: s.next("the customer")}
	switch {
	case s.is("ends"):
	case s.is("until"):
		l.Until = s.time()
	default:
		s.fail("lease %s until TIME, or lease %s ends", l.Customer, l.Customer)
	}
	return l
}

// about reads the forms that begin with a customer or with a kind of interaction.
func (s *short) about(first string) event.Body {
	switch {
	case s.is("identified"):
		return s.identify(first)
	case s.is("grants"):
		c := &event.Consent{Purpose: s.next("the purpose"), Customer: first, Granted: true, Expires: sense.Never}
		for s.err == nil && len(s.words) > 0 {
			switch {
			case s.is("text"):
				c.Text = s.next("the version of the text")
			case s.is("until"):
				c.Expires = s.time()
			default:
				return c
			}
		}
		return c
	case s.is("withdraws"), s.is("denies"):
		return &event.Consent{Purpose: s.next("the purpose"), Customer: first, Expires: sense.Never}
	case s.is("objects"):
		s.is("to")
		return &event.Objection{Purpose: s.next("the purpose"), Customer: first, Raised: true}
	case s.is("accepts"):
		return &event.Objection{Purpose: s.next("the purpose"), Customer: first}
	case len(s.words) == 2 && s.words[0] == "is" && s.words[1] == "restricted":
		s.words = nil
		return &event.Restrict{Customer: first, On: true}
	case len(s.words) == 2 && s.words[0] == "is" && s.words[1] == "unrestricted":
		s.words = nil
		return &event.Restrict{Customer: first}
	case len(s.words) > 0 && (s.words[0] == "of" || s.words[0] == "by"):
		return s.interaction(first)
	}
	s.fail("it begins with neither a known word (ask, signal, fact, outcome, nobody, forget, merge, split, tick, link, clock, boot, lease) nor with CUSTOMER identified|grants|withdraws|objects nor with KIND of|by")
	return nil
}

func (s *short) identify(customer string) event.Body {
	i := &event.Identify{Customer: customer, Strength: 1_000_000}
	for s.err == nil && len(s.words) > 0 {
		switch {
		case s.is("by"):
			word := s.next("how")
			by, ok := event.ParseBy(word)
			if !ok {
				s.fail("%q is none of card, login, code, staff, passive", word)
			}
			i.By = by
		case s.is("shared"):
			i.Shared = true
		case s.is("language"):
			i.Language = s.next("the language")
		case strings.Contains(s.words[0], "="):
			kind, id, _ := strings.Cut(s.next("the owner"), "=")
			i.Owners = append(i.Owners, event.Owner{Kind: kind, ID: id})
		default:
			return i
		}
	}
	slices.SortFunc(i.Owners, func(a, b event.Owner) int { return strings.Compare(a.Kind, b.Kind) })
	return i
}

func (s *short) interaction(kind string) event.Body {
	i := &event.Interaction{Kind: kind, Due: sense.Never}
	for s.err == nil && len(s.words) > 0 {
		switch {
		case s.is("of"):
			i.About = event.Subject(s.next("what it is about"))
			if !i.About.Valid() {
				s.fail("%q is not type:id, as in product:model-x", string(i.About))
			}
		case s.is("by"):
			i.Customer = s.next("the customer")
		case s.is("on"):
			i.Channel = s.next("the channel")
		case s.is("ref"):
			i.Ref = s.next("the reference")
		case s.is("value"):
			i.Value = s.value("the value")
		case s.is("due"):
			i.Due = s.time()
		default:
			return i
		}
	}
	if i.Customer == "" {
		s.fail("say of whom: %s by anna", kind)
	}
	return i
}

func (s *short) ask() event.Body {
	a := &event.Ask{Slot: s.next("the slot")}
	for s.err == nil && len(s.words) > 0 {
		switch {
		case s.is("intent"):
			a.Intent = s.next("the intent")
		case s.is("about"):
			a.About = event.Subject(s.next("what it is about"))
		case s.is("language"):
			a.Language = s.next("the language")
		case s.is("count"):
			n, err := strconv.Atoi(s.next("the number"))
			if err != nil || n < 1 || n > event.MaxCount {
				s.fail("count is a number from 1 to %d", event.MaxCount)
			}
			a.Count = n
		case s.is("with"):
			for _, pair := range strings.Split(s.next("the signals"), ",") {
				name, text, ok := strings.Cut(pair, "=")
				v, err := value(text)
				if !ok || err != nil {
					s.fail("%q is not NAME=VALUE", pair)
				}
				a.With = append(a.With, event.Signal{Name: name, Value: v})
			}
			slices.SortFunc(a.With, func(x, y event.Signal) int { return strings.Compare(x.Name, y.Name) })
		default:
			return a
		}
	}
	return a
}

func (s *short) signal() event.Body {
	g := &event.Signal{Name: s.next("the signal")}
	text := s.next("the value")
	if lat, lon, ok := strings.Cut(text, ","); ok && !strings.ContainsAny(text, `"[{`) {
		raw := `{"lat":` + lat + `,"lon":` + lon
		if s.is("accuracy") {
			raw += `,"accuracy":` + s.next("the metres")
		}
		text = raw + "}"
	}
	v, err := value(text)
	if err != nil {
		s.fail("%w", err)
	}
	g.Value = v
	if s.is("age") {
		d, err := sense.ParseDuration(s.next("the age"))
		if err != nil {
			s.fail("%w", err)
		}
		g.Age = d
	}
	return g
}

func (s *short) fact() event.Body {
	f := &event.Fact{Name: s.next("the fact"), Value: s.value("the value"), Provenance: event.Declared}
	if !s.is("of") {
		s.fail("say of whom: fact %s VALUE of anna", f.Name)
	}
	f.Customer = s.next("the customer")
	if k := f.Customer; (k == "vehicle" || k == "household" || k == "site") && len(s.words) > 0 {
		f.Customer, f.Owner = "", s.next("the "+k)
	}
	if len(s.words) > 0 {
		if p, ok := event.ParseProvenance(s.words[0]); ok {
			f.Provenance = p
			s.words = s.words[1:]
		}
	}
	return f
}

func (s *short) outcome() event.Body {
	o := &event.Outcome{Outcome: s.next("the outcome"), Decision: "last"}
	if !slices.Contains(event.Outcomes, o.Outcome) {
		s.fail("outcome %q is none of %s", o.Outcome, strings.Join(event.Outcomes, ", "))
	}
	if s.is("of") {
		o.Decision = s.next("the decision")
	}
	if s.is("in") {
		o.Slot = s.next("the slot")
	}
	return o
}

func (s *short) value(what string) sense.Value {
	v, err := value(s.next(what))
	if err != nil {
		s.fail("%w", err)
	}
	return v
}

// value reads JSON, or a word as text.
func value(text string) (sense.Value, error) {
	if text == "" {
		return sense.Value{}, errors.New("the value is missing")
	}
	if strings.ContainsAny(text[:1], `"[{-0123456789`) || text == "true" || text == "false" || text == "null" {
		if v, err := sense.ParseJSON([]byte(text)); err == nil || strings.ContainsAny(text[:1], `"[{`) {
			return v, err
		}
	}
	return sense.StringValue(text), nil
}
