package board

import "github.com/tact-edge/tact/context/sense"

// own reads the time of a valid sentence that has no date. It says false where
// the sentence cannot be used: malformed, or before the first date of a log.
func (d *NMEA) own(clock []byte, placed bool) (sense.Instant, bool) {
	tod, ok := timeOfDay(clock)
	if !ok || !placed {
		d.count.Malformed++
		return 0, false
	}
	if !d.clock.known() {
		d.unknown()
		return 0, false
	}
	own := d.clock.resolve(tod)
	d.flush(own)
	d.clock.hear(own)
	return own, true
}

// date holds a date against the ones before. One that is off makes everything
// unknown; when such dates insist, the ones before were wrong and all begins anew.
func (d *NMEA) date(own sense.Instant) bool {
	first := d.clock.live && !d.clock.dated
	off, again := d.clock.judge(own)
	if off {
		d.count.OffDates++
		d.spare = fix{}
		d.unknown()
		return false
	}
	if again || first {
		d.anew(own)
		d.clock.hasRMC = false
	}
	return true
}

// anew says that own times so far were on another line of time.
func (d *NMEA) anew(own sense.Instant) {
	for _, s := range [...]*present{&d.position, &d.speed, &d.course, &d.altitude} {
		s.own = 0
	}
	d.spare, d.lead.heard, d.motion.heard, d.height.heard = fix{}, own, own, own
	d.hdopAt, d.drmsAt = own, own
	d.olderRun = 0
}

// fix takes a place with its own time.
func (d *NMEA) fix(k kind, own sense.Instant, p sense.Point) {
	if d.position.spoken && own < d.position.own {
		d.count.Older++
		if d.olderRun++; !d.clock.live || d.olderRun < olderInsists {
			return
		}
		d.anew(own)
	}
	d.olderRun = 0
	value := sense.PositionValue(p, d.accuracy(own))
	switch {
	case !d.leads(k, own):
		d.beside(fix{k, own, value}, p)
	case k == rmc:
		d.beat(own, value, p)
	default:
		d.place(own, value)
	}
}

// beat takes the place of RMC where RMC leads.
func (d *NMEA) beat(own sense.Instant, value sense.Value, p sense.Point) {
	beside := d.spare.kind != none && d.spare.own == own
	switch {
	case !d.ahead:
		d.disputed = !beside || !near(p, d.spare.value)
		d.place(own, value)
	case beside:
		d.place(own, d.spare.value)
	case own == d.position.own && !d.position.null:
		d.place(own, d.position.value)
	default:
		d.spare = fix{rmc, own, value} // another sentence of this instant is to come
	}
}

// beside takes the place of a sentence that does not lead.
func (d *NMEA) beside(f fix, p sense.Point) {
	switch {
	case d.spare.kind == rmc: // of this instant, else it was flushed
		d.place(f.own, f.value)
		return
	case d.disputed && f.own == d.position.own:
		d.ahead = !near(p, d.position.value)
		d.disputed = false
	}
	if d.spare.kind == none || f.own > d.spare.own {
		d.spare = f
	}
}

func (d *NMEA) place(own sense.Instant, value sense.Value) {
	d.spare = fix{}
	d.clock.advance(own)
	d.say(SignalPosition, &d.position, own, value)
}

// leads says whether a fix of kind k gives the position. While no kind leads
// only RMC is taken at once: another waits until its instant is over.
func (d *NMEA) leads(k kind, own sense.Instant) bool {
	if d.lead.kind == none && k != rmc {
		return false
	}
	return d.lead.takes(k, own)
}

// near says whether a place is the one of a position, but for rounding.
func near(a sense.Point, position sense.Value) bool {
	b := position.Point()
	lat, lon := int64(a.Lat)-int64(b.Lat), int64(a.Lon)-int64(b.Lon)
	return !position.IsNull() && -nearby <= lat && lat <= nearby && -nearby <= lon && lon <= nearby
}

// flush says the spare fix when its instant is over: at the start, when it is
// then known that this kind leads, and for an RMC that waited in vain.
func (d *NMEA) flush(now sense.Instant) {
	s := d.spare
	if s.kind == none || now <= s.own {
		return
	}
	d.spare = fix{}
	switch {
	case s.kind == rmc:
		d.ahead = false
	case d.lead.kind == none:
		d.lead = leader{kind: s.kind, heard: s.own}
	default:
		return
	}
	d.place(s.own, s.value)
}

// void says that there is no fix, if it comes from the kind that leads.
func (d *NMEA) void(k kind, clock []byte) {
	d.count.Void++
	if !d.clock.known() {
		d.unknown()
		return
	}
	own := d.clock.latest
	if tod, ok := timeOfDay(clock); ok {
		own = d.clock.resolve(tod)
		d.clock.hear(own)
	}
	if !d.lead.takes(k, own) {
		return
	}
	d.disputed, d.spare = false, fix{}
	d.silence(SignalPosition, &d.position)
	if k == rmc || d.motion.kind == none {
		d.silence(SignalSpeed, &d.speed)
		d.silence(SignalCourse, &d.course)
	}
	if d.height.kind == none {
		d.silence(SignalAltitude, &d.altitude)
	}
}

// moving takes speed and course, each null where the sentence has none.
func (d *NMEA) moving(k kind, own sense.Instant, speed, course sense.Value) {
	if d.speed.spoken && own < d.speed.own {
		if k == vtg {
			d.count.Older++ // of RMC the place was counted
		}
		return
	}
	if !d.motion.takes(k, own) {
		return
	}
	d.say(SignalSpeed, &d.speed, own, speed)
	d.say(SignalCourse, &d.course, own, course)
}

// climbing takes the altitude of a fix.
func (d *NMEA) climbing(k kind, own sense.Instant, field []byte) {
	if d.altitude.spoken && own < d.altitude.own || !d.height.takes(k, own) {
		return
	}
	value := sense.NullValue()
	if n, ok := micro(field); ok {
		value = thousandths(n / 1000)
	}
	d.say(SignalAltitude, &d.altitude, own, value)
}

// noHeight says that there is no fix to have an altitude.
func (d *NMEA) noHeight(k kind) {
	if d.height.takes(k, d.clock.latest) {
		d.silence(SignalAltitude, &d.altitude)
	}
}

// unknown says that nothing is known.
func (d *NMEA) unknown() {
	d.silence(SignalPosition, &d.position)
	d.silence(SignalSpeed, &d.speed)
	d.silence(SignalCourse, &d.course)
	d.silence(SignalAltitude, &d.altitude)
}

func (d *NMEA) silence(name string, s *present) { d.say(name, s, s.own, sense.NullValue()) }

// say hands out a reading; null only once.
func (d *NMEA) say(name string, s *present, own sense.Instant, v sense.Value) {
	if d.err != nil || v.IsNull() && s.spoken && s.null {
		return
	}
	var age sense.Duration
	now := d.clock.at
	if d.clock.live {
		now = d.clock.latest
	}
	if !v.IsNull() && now > own {
		age = now.Sub(own)
	}
	*s = present{spoken: true, null: v.IsNull(), own: own, value: v}
	d.err = d.emit(Reading{Signal: name, Value: v, At: d.clock.at, Age: age})
}
