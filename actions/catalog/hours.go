package catalog

import "strings"

const dayMinutes = 24 * 60

// ParseHours reads a range of hours of the day, as in 22:00-08:00 or 22-8, to 24:00 at the latest.
// The end may lie on the next day; equal ends, but 00:00-24:00, are no range.
func ParseHours(s string) (HourRange, bool) {
	first, last, ok := strings.Cut(s, "-")
	from, ok1 := dayMinute(strings.TrimSpace(first))
	to, ok2 := dayMinute(strings.TrimSpace(last))
	if !ok || !ok1 || !ok2 || from == dayMinutes || from == to {
		return HourRange{}, false
	}
	return HourRange{From: from, To: to % dayMinutes}, true
}

// dayMinute reads 8:30, 08:30 or 8.
func dayMinute(s string) (int, bool) {
	hour, minute, colon := strings.Cut(s, ":")
	h, ok := digits(hour, 24)
	if !ok || colon && len(minute) != 2 {
		return 0, false
	}
	m := 0
	if colon {
		if m, ok = digits(minute, 59); !ok {
			return 0, false
		}
	}
	return h*60 + m, h*60+m <= dayMinutes
}

// digits reads one or two digits.
func digits(s string, most int) (n int, ok bool) {
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= most
}

// Holds says whether a minute of the day lies in the range. A range whose ends are equal is the whole day.
func (h HourRange) Holds(minute int) bool {
	if h.From < h.To {
		return h.From <= minute && minute < h.To
	}
	return minute >= h.From || minute < h.To
}
