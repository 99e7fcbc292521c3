package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// actionTime reads when an action may be shown.
func (c *compiler) actionTime(a *catalog.Action, f *fields) {
	if v, ok := f.get("valid"); ok {
		c.validity(a, f.key("valid"), v)
	}
	if v, ok := f.get("hours"); ok {
		for _, x := range c.listOrOne(v, "hours") {
			if h, ok := c.weekHours(x); ok {
				a.Hours = append(a.Hours, h)
			}
		}
		c.none(v, "hours", "name some hours, or leave the key out for any time")
	}
	if v, ok := f.get("keep_armed"); ok {
		a.KeepArmed = c.duration(v, "keep_armed")
	}
	v, ok := f.get("at")
	if !ok {
		return
	}
	c.none(v, "at", "name a time, or leave the key out for any time")
	for _, x := range c.listOrOne(v, "at") {
		if s, ok := c.schedule(x); ok {
			a.At = append(a.At, s)
		}
	}
	if armed, ok := f.get("keep_armed"); !ok {
		a.KeepArmed = sense.Hour
	} else if a.KeepArmed <= 0 {
		c.fail(armed, "bad_duration", "as in keep_armed: 1h: for so long after `at` it may be shown", "an action that is shown at an instant needs some time to be shown in")
	}
	c.neverComes(a, v)
}

// none reports a list without elements.
func (c *compiler) none(v value, of, hint string) {
	if v.node != nil && len(v.node.Content) == 0 && !v.isScalar() {
		c.fail(v, "empty_value", hint, "%s is empty", of)
	}
}

// validity reads {from: 2026-03-01, until: 2026-03-31}.
func (c *compiler) validity(a *catalog.Action, key, v value) {
	f := c.fields(key, v, "valid", validKeys...)
	if x, ok := f.get("from"); ok {
		if t, ok := c.instant(x, "from", false); ok {
			a.From = t
		}
	}
	x, ok := f.get("until")
	if !ok {
		return
	}
	if t, ok := c.instant(x, "until", true); ok {
		if a.Until = t; a.Until <= a.From {
			c.fail(x, "valid_never", "until comes after from; a date as until lasts to the end of that day", "action %s ends before it begins", a.Name)
			a.Until = sense.Never
		}
	}
}

// instant reads a date in the policy's zone, which stands for its start or its end, or a timestamp.
func (c *compiler) instant(v value, of string, end bool) (sense.Instant, bool) {
	s, ok := c.text(v, of)
	if !ok {
		return 0, false
	}
	at, err := sense.ParseInstant(s)
	if day, isDate := sense.ParseDate(s); isDate == nil {
		if end {
			day++
		}
		at, err = c.b.Zone.StartOfDay(day), nil
	}
	if err != nil {
		c.fail(v, "bad_date", "a date as in 2026-03-01, or a time as in 2026-03-01T10:00:00+01:00", "%s: there is no date %s", of, s)
		return 0, false
	}
	if at <= 0 || at > sense.Instant(latest) {
		c.fail(v, "bad_date", "a year from 1970 to 2999", "%s: %s lies too far away", of, s)
		return 0, false
	}
	return at, true
}

// latest bounds dates: 3000-01-01.
const latest = 376_200 * sense.Day

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

const anyDay = "mon-fri, sat,sun or daily"

// days reads `mon-fri`, `sat,sun` or `daily` as bits, Monday first.
func days(text string) (bits uint8, ok bool) {
	if text == "daily" {
		return 127, true
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return 0, false
		}
		for k := from; ; k = (k + 1) % 7 {
			bits |= 1 << uint(k)
			if k == to {
				break
			}
		}
	}
	return bits, true
}

// weekHours reads `mon-fri 09:00-18:00`, or `20:00-02:00` for every day.
func (c *compiler) weekHours(v value) (catalog.WeekHours, bool) {
	s, ok := c.text(v, "hours")
	if !ok {
		return catalog.WeekHours{}, false
	}
	h := catalog.WeekHours{Days: 127}
	hours := s
	if head, rest, two := strings.Cut(s, " "); two {
		hours = strings.TrimSpace(rest)
		if h.Days, ok = days(head); !ok {
			c.fail(v, "bad_hours", "the days are "+strings.Join(weekdays, " ")+", as in "+anyDay, "hours: %q are no days", head)
			return h, false
		}
	}
	r, err := parseHours(hours)
	if _, onlyDays := days(s); onlyDays {
		c.fail(v, "bad_hours", `put days and hours between quotes: "mon,tue 09:00-18:00"`, "hours: %q says no hours", s)
		return h, false
	}
	if err != nil {
		c.fail(v, "bad_hours", `as in ["mon-fri 09:00-18:00", "sat 10:00-17:00", "20:00-02:00"]`, "hours: %s", err)
		return h, false
	}
	h.HourRange = r
	return h, true
}

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])$`)

// schedule reads `sun 18:00`, `daily 09:00`, `month 1 09:00` or `2026-12-24 10:00`.
func (c *compiler) schedule(v value) (catalog.Schedule, bool) {
	s, ok := c.text(v, "at")
	if !ok {
		return catalog.Schedule{}, false
	}
	at := catalog.Schedule{Date: -1}
	const hint = `as in ["sun 18:00", "daily 09:00", "month 1 09:00", "2026-12-24 10:00"]`
	words := strings.Fields(s)
	if len(words) < 2 {
		c.fail(v, "bad_schedule", hint, "at: %q is no time that comes back, and no date with a time", s)
		return at, false
	}
	m := clockTime.FindStringSubmatch(words[len(words)-1])
	if m == nil {
		c.fail(v, "bad_schedule", hint, "at: %q ends with no time of the day", s)
		return at, false
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	at.Minute = int64(hour*60 + minute)
	head := words[0]
	switch {
	case len(words) == 3 && head == "month":
		day, err := strconv.Atoi(words[1])
		if err != nil || day < 1 || day > 31 {
			c.fail(v, "schedule_never", "a day from 1 to 31, as in month 1 09:00", "at: no month has a day %s", words[1])
			return at, false
		}
		at.MonthDay = int64(day)
		return at, true
	case len(words) != 2:
	case isDigit(rune(head[0])):
		day, err := sense.ParseDate(head)
		if err != nil || day < 0 || day >= 1<<20 {
			c.fail(v, "schedule_never", "a day of the calendar, as in 2026-12-24 10:00", "at: there is no date %s", head)
			return at, false
		}
		at.Date = day
		return at, true
	case head == "daily":
		return at, true
	default:
		if at.Days, ok = days(head); ok {
			return at, true
		}
	}
	c.fail(v, "bad_schedule", hint, "at: %q is no time that comes back, and no date with a time", s)
	return at, false
}

// neverComes reports dates of `at` that lie outside the dates in which the action is valid.
func (c *compiler) neverComes(a *catalog.Action, v value) {
	for k, s := range a.At {
		if s.Date < 0 {
			continue
		}
		from := c.b.Zone.At(s.Date, int(s.Minute))
		if from.Add(a.KeepArmed) > a.From && from < a.Until {
			continue
		}
		at := v
		if list := v.node.Content; len(list) == len(a.At) {
			at = value{v.file, list[k]}
		}
		c.fail(at, "schedule_never", "move the date, or the dates of valid", "at: %s lies outside the dates in which action %s is valid", sense.FormatDate(s.Date), a.Name)
	}
}
