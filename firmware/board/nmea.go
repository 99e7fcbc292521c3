package board

import "github.com/tact-edge/tact/context/sense"

// Reading is one value that a decoder took from its input. A null value means
// that the source is there and has nothing to say: no fix.
type Reading struct {
	Signal string // position, speed (km/h, double), course (degrees from true north, double), altitude (metres above mean sea level, double)
	Value  sense.Value
	At     sense.Instant  // on the log's own time line: never before the reading that was taken before it
	Age    sense.Duration // how old the reading was when it was taken, by the receiver's own time
}

// The signals that an NMEA receiver feeds.
const (
	SignalPosition = "position"
	SignalSpeed    = "speed"
	SignalCourse   = "course"
	SignalAltitude = "altitude"
)

// nmeaSignals are the signals that an NMEA receiver feeds, in order of name.
var nmeaSignals = []string{SignalAltitude, SignalCourse, SignalPosition, SignalSpeed}

// NMEACounters say what a decoder met.
type NMEACounters struct {
	Sentences    uint64 // with a right checksum
	BadChecksums uint64
	NoChecksum   uint64 // sentences without a checksum, refused as gpsd does
	Malformed    uint64 // right checksum, but time or place cannot be read: changes nothing
	Void         uint64 // sentences that say that there is no fix
	Older        uint64 // sentences whose readings are older than the present ones: change nothing
	OffDates     uint64 // dates off by more than 1,000 weeks: not believed
	Resyncs      uint64 // sentences cut short by another one, by garbage or by their length
	Skipped      uint64 // bytes that belong to no good sentence, comment or line end
}

const (
	// rangeError is the user-equivalent range error in millimetres at 95 %: an
	// accuracy is HDOP times this. 3 m at one sigma is what open-sky
	// civil receivers reach (GPS SPS performance standard, 2020), doubled for 95 %.
	rangeError = 6000
	// patience is how long, by the receiver's own time, a kind of sentence that
	// gives a signal may be missing until another kind gives it.
	patience = 10 * sense.Second
	// qualityLasts is how long an HDOP or error estimate holds for later fixes.
	qualityLasts = 5 * sense.Second
	// olderInsists is how many older fixes in a row a live receiver must give for
	// its time before to be taken for wrong: else one date ahead of time would
	// silence it for good. In a log older is older.
	olderInsists = 30
	// nearby is how far apart two places may be that one receiver gives for one
	// instant, in 1e-7 degrees (about 1 m).
	nearby = 100
)

// kind of sentence; the smaller one gives the position where a receiver sends several.
type kind uint8

const (
	none kind = iota
	rmc
	gga
	gns
	gll
	vtg
)

// NMEA decodes a stream of NMEA 0183 sentences into readings. It is a pure
// function of the bytes pushed: how they are cut changes nothing. Make it with
// NewNMEA. It holds one sentence and the present readings, and allocates nothing.
//
// Which sentence gives the position: RMC where the receiver sends it, else GGA,
// GNS or GLL; one position for each RMC. The others take over when RMC was silent
// for 10 seconds of the receiver's own time. Some chart plotters stamp RMC a
// second ahead: when no sentence of the same instant agrees with RMC's place and
// a later one gives another, then from the next RMC on the place is taken from
// another sentence of RMC's instant, as gpsd does. Speed and course come from
// RMC, else from VTG; altitude from GGA, else from GNS.
type NMEA struct {
	count NMEACounters
	frame framer
	clock nmeaClock

	position, speed, course, altitude present
	lead                              leader // of the position
	motion, height                    leader
	disputed                          bool // the position is from RMC, and no other sentence of its instant agrees
	ahead                             bool // another sentence contradicted it: this receiver stamps RMC ahead
	olderRun                          int
	spare                             fix // of a kind that does not lead, or of an RMC that waits for one

	hdop, drms     int64 // millionths; millimetres
	hdopAt, drmsAt sense.Instant

	line int
	emit func(Reading) error
	err  error
}

// present is what the decoder said last of a signal.
type present struct {
	spoken bool
	null   bool
	own    sense.Instant // of the newest value, kept while null: an older one never follows
	value  sense.Value
}

// fix is a place with its own time.
type fix struct {
	kind  kind
	own   sense.Instant
	value sense.Value
}

// leader is the kind of sentence that gives a signal.
type leader struct {
	kind   kind
	heard  sense.Instant
	missed sense.Instant // the last instant of which only other kinds were heard
	misses int
}

// takes says whether kind k gives the signal now, and remembers that it did. A
// lesser kind takes over after patience and in the second instant without the
// leader, so that a gap in a log is no silence of the leader alone.
func (l *leader) takes(k kind, own sense.Instant) bool {
	if l.kind == none || k <= l.kind {
		*l = leader{kind: k, heard: own}
		return true
	}
	if l.misses == 0 || l.missed != own {
		l.misses++
		l.missed = own
	}
	if l.misses > 1 && own.Sub(l.heard) > patience {
		*l = leader{kind: k, heard: own}
		return true
	}
	return false
}

// NewNMEA returns a decoder. live says that the input comes from a receiver now
// and not from a log: then readings count before the receiver has a date, too,
// since it is the device's clock that stamps them. reference, if not 0, is a
// time that is known to be right within 1,000 weeks, as the device's clock: the
// receiver's dates are held against it; 0 holds each date against the ones before.
func NewNMEA(live bool, reference sense.Instant) *NMEA {
	d := &NMEA{}
	d.frame.init(&d.count)
	d.clock = nmeaClock{live: live, reference: reference}
	return d
}

// Counters returns what the decoder has met so far.
func (d *NMEA) Counters() NMEACounters { return d.count }

// Push decodes the next piece of the stream and hands each reading to emit. It
// returns the first error of emit, after which the rest of the piece is lost.
func (d *NMEA) Push(p []byte, emit func(Reading) error) error {
	d.emit, d.err = emit, nil
	for _, c := range p {
		if body, line := d.frame.push(c); body != nil {
			d.sentence(body, line)
			if d.err != nil {
				break
			}
		}
	}
	d.emit = nil
	return d.err
}

// End says that the stream is over: a last sentence without a line end counts.
func (d *NMEA) End(emit func(Reading) error) error {
	d.emit, d.err = emit, nil
	if body, line := d.frame.end(); body != nil {
		d.sentence(body, line)
	}
	if d.err == nil {
		d.flush(sense.Never)
	}
	d.emit = nil
	return d.err
}

// sentence reads one sentence with a right checksum: its talker's two letters
// say only which satellites took part, so any will do. Proprietary sentences
// (P...) and unknown ones are passed over.
func (d *NMEA) sentence(body []byte, line int) {
	d.line = line
	f := split(body)
	name := f.next()
	if len(name) != 5 || name[0] == 'P' {
		return
	}
	d.clock.tick(line)
	switch string(name[2:]) {
	case "RMC":
		d.rmc(f)
	case "GGA":
		d.gga(f)
	case "GNS":
		d.gns(f)
	case "GLL":
		d.gll(f)
	case "VTG":
		d.vtg(f)
	case "ZDA":
		d.zda(f)
	case "GST":
		d.gst(f)
	case "GSA":
		f.skip(15) // mode, fix, 12 satellites, PDOP
		d.dilution(f.next())
	}
}

// rmc: time, A or V, place, speed (knots), course, date, variation (2), mode.
func (d *NMEA) rmc(f fields) {
	clock, status := f.next(), one(f.next())
	p := f.place()
	knots, course, date := f.next(), f.next(), f.next()
	f.skip(2)
	mode := one(f.next())
	if status != 'A' || mode == 'N' || p.blank {
		d.void(rmc, clock)
		return
	}
	day, dated := shortDate(date)
	tod, timed := timeOfDay(clock)
	if !timed || !p.ok || !dated && len(date) != 0 {
		d.count.Malformed++
		return
	}
	own := day.Add(tod)
	switch {
	case dated:
		if !d.date(own) {
			return
		}
		d.flush(own)
		d.clock.set(own, true)
	case !d.clock.known():
		d.unknown()
		return
	default:
		own = d.clock.resolve(tod)
		d.flush(own)
		d.clock.hear(own)
	}
	d.fix(rmc, own, p.Point)
	d.moving(rmc, own, kmh(knots), degrees(course))
}

// gga: time, place, quality, satellites, HDOP, altitude (m above sea level).
func (d *NMEA) gga(f fields) {
	clock := f.next()
	p := f.place()
	quality, _ := number(f.next())
	f.skip(1)
	hdop, height := f.next(), f.next()
	if quality == 0 || quality > 8 || p.blank {
		d.void(gga, clock)
		d.noHeight(gga)
		return
	}
	own, ok := d.own(clock, p.ok)
	if !ok {
		return
	}
	d.dilutionAt(hdop, own)
	d.fix(gga, own, p.Point)
	d.climbing(gga, own, height)
}

// gns: time, place, a mode letter per satellite system, satellites, HDOP,
// altitude, separation, age, station, navigation status.
func (d *NMEA) gns(f fields) {
	clock := f.next()
	p := f.place()
	modes := f.next()
	f.skip(1)
	hdop, height := f.next(), f.next()
	f.skip(3)
	if status := one(f.next()); !anyFix(modes) || status == 'U' || p.blank {
		d.void(gns, clock)
		d.noHeight(gns)
		return
	}
	own, ok := d.own(clock, p.ok)
	if !ok {
		return
	}
	d.dilutionAt(hdop, own)
	d.fix(gns, own, p.Point)
	d.climbing(gns, own, height)
}

// anyFix says whether one of the satellite systems has a fix. (gpsd looks at
// the first letter, GPS, only; a fix from Galileo alone is one.)
func anyFix(modes []byte) bool {
	for _, m := range modes {
		if m != 'N' {
			return true
		}
	}
	return false
}

// gll: place, time, A or V, mode.
func (d *NMEA) gll(f fields) {
	p := f.place()
	clock, status, mode := f.next(), one(f.next()), one(f.next())
	if status != 'A' || mode == 'N' || p.blank {
		d.void(gll, clock)
		return
	}
	own, ok := d.own(clock, p.ok)
	if !ok {
		return
	}
	d.fix(gll, own, p.Point)
}

// vtg: course T, course M, knots N, km/h K, mode. It carries no time: it
// belongs to the sentence with a time before it.
func (d *NMEA) vtg(f fields) {
	course := f.next()
	f.skip(3)
	knots := f.next()
	f.skip(1)
	fast := f.next()
	f.skip(1)
	mode := one(f.next())
	if !d.clock.known() {
		return
	}
	speed := kmh(knots)
	if n, ok := micro(fast); ok && n >= 0 && speed.IsNull() {
		speed = thousandths(n / 1000)
	}
	if mode == 'N' {
		d.count.Void++
		speed, course = sense.NullValue(), nil
	}
	d.moving(vtg, d.clock.epoch, speed, degrees(course))
}

// zda: time, day, month, year. RMC's time goes before it: some receivers send a
// ZDA that is seconds ahead of the fix.
func (d *NMEA) zda(f fields) {
	clock := f.next()
	day, ok1 := number(f.next())
	month, ok2 := number(f.next())
	year, ok3 := number(f.next())
	if len(clock) == 0 || !ok1 || !ok2 || !ok3 {
		return // a receiver without a fix leaves them empty
	}
	tod, ok1 := timeOfDay(clock)
	midnight, ok2 := dateOf(year, month, day)
	if !ok1 || !ok2 {
		d.count.Malformed++
		return
	}
	if own := midnight.Add(tod); d.date(own) && !d.clock.byRMC(own) {
		d.flush(own)
		d.clock.set(own, false)
	}
}

// gst: time, rms, ellipse (3), latitude error, longitude error (m, one sigma).
func (d *NMEA) gst(f fields) {
	f.skip(5)
	lat, ok1 := micro(f.next())
	lon, ok2 := micro(f.next())
	lat, lon = lat/1000, lon/1000 // millimetres
	if !ok1 || !ok2 || lat <= 0 || lon <= 0 || lat > 1e9 || lon > 1e9 {
		return
	}
	d.drms, d.drmsAt = root(lat*lat+lon*lon), d.clock.latest
}

// root returns the whole square root.
func root(n int64) int64 {
	x := n
	for y := (x + 1) / 2; y < x; y = (x + n/x) / 2 {
		x = y
	}
	return x
}

func (d *NMEA) dilution(field []byte) { d.dilutionAt(field, d.clock.latest) }

// dilutionAt keeps an HDOP; 0 and 99.99 mean none.
func (d *NMEA) dilutionAt(field []byte, own sense.Instant) {
	if n, ok := micro(field); ok && n >= 1e4 && n < 90e6 {
		d.hdop, d.hdopAt = n, own
	}
}

// accuracy returns the radius within which the place lies in 95 % of cases, in
// millimetres: from GST, else from HDOP, else none.
func (d *NMEA) accuracy(own sense.Instant) int64 {
	fresh := func(at sense.Instant) bool { return at.Sub(own) <= qualityLasts && own.Sub(at) <= qualityLasts }
	switch {
	case d.drms > 0 && fresh(d.drmsAt):
		return 2 * d.drms
	case d.hdop > 0 && fresh(d.hdopAt):
		return d.hdop * rangeError / 1e6
	}
	return sense.NoAccuracy
}

// kmh reads a speed in knots as km/h, in whole metres an hour.
func kmh(knots []byte) sense.Value {
	n, ok := micro(knots)
	if !ok || n < 0 || n > 1e12 {
		return sense.NullValue()
	}
	return thousandths((n*1852 + 500_000) / 1e6)
}

// degrees reads a course from 0 up to but not including 360.
func degrees(field []byte) sense.Value {
	n, ok := micro(field)
	if !ok || n < 0 || n > 360e6 {
		return sense.NullValue()
	}
	return thousandths(n % 360e6 / 1000)
}

// thousandths makes the double that is nearest to n/1000.
func thousandths(n int64) sense.Value { return sense.DoubleValue(float64(n) / 1000) }
