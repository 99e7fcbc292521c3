package store

import (
	"maps"
	"sync"

	"github.com/tact-edge/tact/context/sense"
)

// Written is what was written, in bytes as files get them: whole pages of 4 KiB,
// without what the file system writes for itself.
type Written struct {
	Total int64            // since the store was opened
	Today int64            // since the day began (UTC), over restarts
	Files map[string]int64 // since the store was opened, by base name
}

// clockSet is an instant before which a clock was never set: 2020.
const clockSet = sense.Instant(1_577_836_800_000)

// flash counts what is written. The sum of the day is kept in outbox.db, with
// each commit that is made anyway: what was written after the last one before a
// crash is not in it. It is safe for concurrent use.
type flash struct {
	mu    sync.Mutex
	total int64
	today int64
	day   int64 // since 1970
	since sense.Instant
	files map[string]int64
}

// begin takes over what was kept of a day, if it is still that day.
func (f *flash) begin(now sense.Instant, day, today int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.day, f.since = day, now
	f.today += today
	f.roll(now)
}

// roll begins a new day. A clock that was never set says nothing of which day it
// is, unless a whole one has passed.
func (f *flash) roll(now sense.Instant) {
	day := int64(now) / int64(sense.Day)
	unset := now < clockSet && day < f.day
	if day == f.day || unset && now.Sub(f.since) < sense.Day {
		return
	}
	if !unset {
		f.day = day
	}
	f.today, f.since = 0, now
}

// add counts n bytes of a file, which becomes whole pages.
func (f *flash) add(file string, n int64) {
	n = (n + pageSize - 1) / pageSize * pageSize
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files == nil {
		f.files = map[string]int64{}
	}
	f.total += n
	f.today += n
	f.files[file] += n
}

func (f *flash) adder(file string) func(int64) {
	return func(n int64) { f.add(file, n) }
}

// kept is what outbox.db keeps.
func (f *flash) kept() (day, today int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.day, f.today
}

// Written returns what was written until now, which is the time of the device.
func (s *Store) Written(now sense.Instant) Written {
	f := s.flash
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roll(now)
	return Written{Total: f.total, Today: f.today, Files: maps.Clone(f.files)}
}

// Wrote counts n bytes that others have written to a file of theirs on the same
// disk, so that they stand in Written as well.
func (s *Store) Wrote(file string, n int64) { s.flash.add(file, n) }
