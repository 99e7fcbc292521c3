package board

import "github.com/tact-edge/tact/context/sense"

const (
	// offDate is how far a date may be off: GPS counts weeks in 10 bits, so that
	// an old receiver starts again 1,024 weeks back.
	offDate = 1000 * sense.Week
	// insisting is how many dates in a row must agree to be believed though they are off.
	insisting = 5
)

// nmeaClock keeps the receiver's own time, and `at` on the line of a log.
//
// `at` is the time of the last valid RMC, or of ZDA where no valid RMC came for
// 10 seconds. Where another sentence than RMC gives the position, its time
// counts as well, of the day that is nearest, so that `at` goes on between two
// dates. Before the first date it is 1970-01-01 plus the line number in
// milliseconds. It never decreases.
type nmeaClock struct {
	live      bool
	reference sense.Instant

	at     sense.Instant
	dated  bool
	seen   bool          // live: a time without a date was seen
	latest sense.Instant // the newest own time that was read, in any sentence
	epoch  sense.Instant // the own time that was read last
	dating sense.Instant // the last valid RMC or ZDA
	rmc    sense.Instant // the last valid RMC
	hasRMC bool

	off     sense.Instant // the last date that was off
	offRuns int
}

// known says whether readings have a time of their own.
func (c *nmeaClock) known() bool { return (c.dated || c.live) && c.offRuns == 0 }

// tick says that a sentence of this line has come.
func (c *nmeaClock) tick(line int) {
	if !c.dated && !c.live {
		c.at = sense.Instant(line)
	}
}

// resolve returns the instant of a time of day that is nearest to the newest one.
func (c *nmeaClock) resolve(tod sense.Duration) sense.Instant {
	day := sense.Instant(sense.Day)
	if c.live && !c.dated && !c.seen {
		return day.Add(tod) // the second day of 1970, so that the nearest day is never before it
	}
	own := c.latest - c.latest%day + sense.Instant(tod)
	switch {
	case own.Sub(c.latest) > sense.Day/2:
		own -= day
	case c.latest.Sub(own) > sense.Day/2:
		own += day
	}
	return own
}

// hear takes note of a sentence's own time.
func (c *nmeaClock) hear(own sense.Instant) {
	if own > c.latest || !c.seen {
		c.latest = own
	}
	c.epoch, c.seen = own, true
}

// set takes the time of a valid RMC or ZDA.
func (c *nmeaClock) set(own sense.Instant, rmc bool) {
	if rmc {
		c.rmc, c.hasRMC = own, true
	}
	c.latest, c.epoch, c.dating, c.dated, c.seen = own, own, own, true, true
	c.advance(own)
}

func (c *nmeaClock) advance(to sense.Instant) {
	if to > c.at {
		c.at = to
	}
}

// byRMC says whether RMC dates the instant own, so that ZDA has no say.
func (c *nmeaClock) byRMC(own sense.Instant) bool {
	return c.hasRMC && own.Sub(c.rmc) <= patience && c.rmc.Sub(own) <= patience
}

// judge says whether a date is off by more than 1,000 weeks. again is true when
// dates that are off have agreed often enough: then the ones before were wrong.
func (c *nmeaClock) judge(own sense.Instant) (off, again bool) {
	base, has := c.reference, c.reference != 0
	if !has {
		base, has = c.dating, c.dated
	}
	far := func(a, b sense.Instant) bool { return a.Sub(b) > offDate || b.Sub(a) > offDate }
	if !has || !far(own, base) {
		c.offRuns = 0
		return false, false
	}
	if c.offRuns > 0 && far(own, c.off) {
		c.offRuns = 0
	}
	c.off = own
	c.offRuns++
	if c.reference == 0 && c.offRuns >= insisting {
		c.offRuns = 0
		return false, true
	}
	return true, false
}
