package board

import "github.com/tact-edge/tact/context/sense"

// The fields of NMEA 0183 sentences are read here by hand and not by a parser
// library: a library refuses a whole sentence for one field that it does not
// like (a void fix, an empty time, letters where a speed should be), where a
// receiver's position is still good; and this reader allocates nothing.

// fields walks through a sentence's fields without copying.
type fields struct {
	rest []byte
	more bool
}

func split(body []byte) fields { return fields{rest: body, more: true} }

// next returns the next field; empty after the last.
func (f *fields) next() []byte {
	if !f.more {
		return nil
	}
	for k, c := range f.rest {
		if c == ',' {
			field := f.rest[:k]
			f.rest = f.rest[k+1:]
			return field
		}
	}
	f.more = false
	return f.rest
}

func (f *fields) skip(n int) {
	for range n {
		f.next()
	}
}

// one returns a field that is a single letter, or 0.
func one(field []byte) byte {
	if len(field) == 1 {
		return field[0]
	}
	return 0
}

// micro reads a decimal number as millionths; further places are cut off.
// The bound keeps every product below within 64 bits.
func micro(field []byte) (n int64, ok bool) {
	if len(field) > 0 && field[0] == '-' {
		n, ok = micro(field[1:])
		return -n, ok && (len(field) < 2 || field[1] != '-')
	}
	whole, frac, digits, ok := decimal(field, 6)
	if !ok || digits == 0 || whole > 1e9 {
		return 0, false
	}
	return whole*1e6 + frac, true
}

// decimal reads digits, then at most one point and more digits: the whole part
// and the first `places` places as an integer.
func decimal(field []byte, places int) (whole, frac int64, digits int, ok bool) {
	k := 0
	for ; k < len(field) && field[k] != '.'; k++ {
		if field[k] < '0' || field[k] > '9' || k == 12 {
			return 0, 0, 0, false
		}
		whole = whole*10 + int64(field[k]-'0')
		digits++
	}
	for p := range places {
		frac *= 10
		if at := k + 1 + p; at < len(field) {
			frac += int64(field[at]-'0') % 10
		}
	}
	for _, c := range field[min(k+1, len(field)):] {
		if c < '0' || c > '9' {
			return 0, 0, 0, false
		}
		digits++
	}
	return whole, frac, digits, true
}

// angle reads ddmm.mmmm and its hemisphere as degrees x 1e7.
func angle(field []byte, side, positive, negative byte, limit int64) (int32, bool) {
	whole, frac, digits, ok := decimal(field, 8)
	if !ok || digits < 3 {
		return 0, false
	}
	degrees, minutes := whole/100, whole%100*1e8+frac
	if minutes >= 60e8 {
		return 0, false
	}
	// minutes x 1e8 to degrees x 1e7, rounded: divide by 60 and by 10.
	v := degrees*1e7 + (minutes+300)/600
	if v > limit*1e7 {
		return 0, false
	}
	switch side {
	case positive:
		return int32(v), true
	case negative:
		return int32(-v), true
	}
	return 0, false
}

// place is what the four fields of a place say.
type place struct {
	sense.Point
	ok    bool
	blank bool // left empty: there is no fix, whatever the sentence says besides
}

// place reads the four fields of a place.
func (f *fields) place() (p place) {
	lat, ns := f.next(), one(f.next())
	lon, ew := f.next(), one(f.next())
	var ok1, ok2 bool
	p.Lat, ok1 = angle(lat, ns, 'N', 'S', 90)
	p.Lon, ok2 = angle(lon, ew, 'E', 'W', 180)
	p.ok, p.blank = ok1 && ok2, len(lat) == 0 && len(lon) == 0
	return p
}

// timeOfDay reads hhmmss.sss as time since midnight; a leap second counts as
// the first of the next minute.
func timeOfDay(field []byte) (sense.Duration, bool) {
	whole, ms, _, ok := decimal(field, 3)
	if !ok || len(field) < 6 || len(field) > 6 && field[6] != '.' {
		return 0, false
	}
	h, m, s := whole/1e4, whole/100%100, whole%100
	if h > 23 || m > 59 || s > 60 {
		return 0, false
	}
	return sense.Duration((h*3600+m*60+s)*1000 + ms), true
}

// gpsEpoch is the first day of GPS time; no receiver has an earlier date.
const gpsEpoch = 3657 // days to 1980-01-06

// dateOf returns midnight of a date; false for one that does not exist or lies
// before the GPS epoch or after 2200.
func dateOf(year, month, day int64) (sense.Instant, bool) {
	if year < 1980 || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	days := day - 1
	for m := int64(1); m < month; m++ {
		days += daysIn(year, m)
	}
	y := year - 1
	days += 365*(year-1970) + (y/4 - y/100 + y/400) - (1969/4 - 1969/100 + 1969/400)
	return sense.Instant(days) * sense.Instant(sense.Day), days >= gpsEpoch
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// shortDate reads ddmmyy; years to 68 are of this century, as gpsd has it.
func shortDate(field []byte) (sense.Instant, bool) {
	whole, _, _, ok := decimal(field, 0)
	if !ok || len(field) != 6 {
		return 0, false
	}
	year := 1900 + whole%100
	if year < 1969 {
		year += 100
	}
	return dateOf(year, whole/100%100, whole/1e4)
}

// number reads a whole number without sign.
func number(field []byte) (int64, bool) {
	whole, _, digits, ok := decimal(field, 0)
	return whole, ok && digits > 0
}
