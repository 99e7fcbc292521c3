package rule

import (
	"github.com/tact-edge/tact/context/sense"
)

// The years that the rules of a named zone are known for.
const (
	zoneBegins = 0             // 1970-01-01
	zoneEnds   = 4102444800000 // 2100-01-01
)

func isPart(c Code) bool { return c >= PartYear && c <= PartMilliseconds }

// partOf returns a part of a timestamp or a duration; ok is false beyond what the zone is known for.
func partOf(c Code, v sense.Value, zone *sense.Zone) (n int64, ok bool) {
	if v.Kind() == sense.Length {
		return v.Int() / int64(unitOf(c)), true
	}
	local, ok := localTime(v.Timestamp(), zone)
	t := local.Time()
	switch c {
	case PartYear:
		n = int64(t.Year())
	case PartMonth:
		n = int64(t.Month()) - 1
	case PartDate:
		n = int64(t.Day())
	case PartDayOfMonth:
		n = int64(t.Day()) - 1
	case PartWeekday:
		n = int64(t.Weekday())
	case PartYearDay:
		n = int64(t.YearDay()) - 1
	case PartHours:
		n = int64(t.Hour())
	case PartMinutes:
		n = int64(t.Minute())
	case PartSeconds:
		n = int64(t.Second())
	default:
		n = int64(t.Nanosecond() / 1_000_000)
	}
	return n, ok
}

// unitOf is how long a part stays at least; days and more change with the day.
func unitOf(c Code) sense.Duration {
	switch c {
	case PartHours:
		return sense.Hour
	case PartMinutes:
		return sense.Minute
	case PartSeconds:
		return sense.Second
	case PartMilliseconds:
		return sense.Millisecond
	}
	return sense.Day
}

// localTime returns what the clocks of a zone show, as if it were UTC.
func localTime(t sense.Instant, zone *sense.Zone) (local sense.Instant, ok bool) {
	if zone == nil {
		return t, true
	}
	known := len(zone.Turns) < 2 || t >= zoneBegins && t < zoneEnds
	return t + sense.Instant(zone.Offset(t)), known
}

// span returns the least and the most value around v of which a part is the same: on the way from one to
// the other it does not change.
func span(c Code, v sense.Value, zone *sense.Zone) (least, most int64) {
	unit, n := int64(unitOf(c)), v.Int()
	if v.Kind() == sense.Length {
		q := n / unit
		least, most = q*unit, q*unit
		if q >= 0 {
			most += unit - 1
		}
		if q <= 0 {
			least -= unit - 1
		}
		return least, most
	}
	local, _ := localTime(v.Timestamp(), zone)
	start := floorDiv(int64(local), unit)*unit - (int64(local) - n)
	least, most = start, start+unit-1
	if zone == nil {
		return least, most
	}
	for _, t := range zone.Turns { // summer time begins or ends within
		if from := int64(t.From); from > n {
			most = min(most, from-1)
		} else {
			least = max(least, from)
		}
	}
	for _, edge := range [...]int64{zoneBegins, zoneEnds} {
		if edge > n {
			most = min(most, edge-1)
		} else {
			least = max(least, edge)
		}
	}
	return least, most
}
