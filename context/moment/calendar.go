package moment

import "github.com/tact-edge/tact/context/sense"

// nextHour returns the instant at which the local hour changes.
func nextHour(z sense.Zone, now sense.Instant) sense.Instant {
	local := now.Add(z.Offset(now))
	past := sense.Duration(local) % sense.Hour
	if past < 0 {
		past += sense.Hour
	}
	return beforeTurn(z, now, now.Add(sense.Hour-past))
}

// nextDay returns the instant at which the local day changes.
func nextDay(z sense.Zone, now sense.Instant) sense.Instant {
	return beforeTurn(z, now, max(z.StartOfDay(z.Day(now)+1), now+1))
}

// beforeTurn returns next, or the zone's next change of offset where that comes first.
func beforeTurn(z sense.Zone, now, next sense.Instant) sense.Instant {
	for _, t := range z.Turns {
		if t.From > now {
			return min(next, t.From)
		}
	}
	return next
}

// age returns the whole years between a date of birth and today, and the start of the next
// birthday. Who was born on 29 February has it on 1 March in other years.
func age(z sense.Zone, born int64, now sense.Instant) (years int64, birthday sense.Instant) {
	today := z.Day(now)
	y, m, d := civil(born)
	year, _, _ := civil(today)
	years = year - y
	if today < days(year, m, d) {
		years--
	}
	return years, z.StartOfDay(days(y+years+1, m, d))
}

// civil returns the date of a day since 1970-01-01; days is its inverse, and takes the 29th of
// February of a common year as 1 March.
func civil(day int64) (year, month, date int64) {
	t := sense.Instant(day * int64(sense.Day)).Time()
	return int64(t.Year()), int64(t.Month()), int64(t.Day())
}

func days(year, month, date int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 && year%400 != 0 {
		era--
	}
	ofEra := year - era*400
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + (153*(month-3)+2)/5 + date - 1 - 719468
}
