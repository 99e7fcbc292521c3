package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tact-edge/tact/sync/outbox"
)

// Labelled points of Options.Crash.
const (
	CrashEpochWritten = "new epoch written"  // the new outbox.db is durable under another name
	CrashEpochBegun   = "new epoch begun"    // it has the name, durably
	CrashCompacted    = "compaction written" // the compacted copy is durable under another name
	CrashExchanged    = "compaction done"    // it has the name, durably
)

// Files that are not yet in place.
const (
	newSuffix  = ".new"  // one that is written whole, or made
	nextSuffix = ".next" // a database that takes the place of another
)

// NewEpoch begins outbox.db anew under the epoch of m, with what m makes of the
// records of the present one, which is set aside: one step, whatever happens in
// it. Until the new file is durable and has the name the old one stays in use,
// also after an error; a crash leaves the old or the new, whole. o is as for Open.
//
// The queue above must not be used meanwhile: call it within outbox.Outbox.Renew,
// which takes over what is there then.
func (s *Store) NewEpoch(o Options, why error, m outbox.Move) error {
	if err := s.newEpoch(o.withDefaults(), why, m); err != nil {
		return fmt.Errorf("begin epoch: %w", err)
	}
	return nil
}

func (s *Store) newEpoch(o Options, why error, m outbox.Move) error {
	path := filepath.Join(o.Dir, OutboxFile)
	next := path + nextSuffix
	if err := removeFile(next); err != nil {
		return err
	}
	n, err := s.fillEpoch(o, next, m)
	if err != nil {
		return errors.Join(err, removeFile(next))
	}
	s.crash(CrashEpochWritten)
	// The old file gets a second name before it loses its own, so that there is
	// one at every instant. Where the file system has no links it is not kept.
	aside := asideName(path, o.Now)
	if os.Link(path, aside) != nil {
		aside = ""
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(full(err), n.close(), removeFile(next))
	}
	old := *s.Outbox
	n.db.path = path
	*s.Outbox = *n
	if err := syncDir(o.Dir); err != nil {
		return errors.Join(err, old.close())
	}
	s.crash(CrashEpochBegun)
	s.Cloned = false
	s.Recovered = append(s.Recovered, Recovery{File: OutboxFile, Aside: aside, Err: why})
	return errors.Join(old.close(), pruneAside(path, aside))
}

// fillEpoch makes the new file. Its lock is held from then on.
func (s *Store) fillEpoch(o Options, next string, m outbox.Move) (*Outbox, error) {
	db, file, err := boltOpen(next, o.MaxOutbox)
	if err != nil {
		return nil, full(err)
	}
	s.flash.add(OutboxFile, 4*pageSize)
	n := &Outbox{db: &database{DB: db, file: file, path: next, max: o.MaxOutbox, wrote: s.flash.adder(OutboxFile), crash: s.crashAt}, flash: s.flash}
	err = n.makeBuckets()
	if err == nil {
		err = n.setMachine(o.Machine)
	}
	if err == nil {
		err = m.Copy(s.Outbox, n)
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (s *Store) crash(point string) {
	if s.crashAt != nil {
		s.crashAt(point)
	}
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
