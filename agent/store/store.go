package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/tact-edge/tact/context/sense"
)

// Names of the files below the folder.
const (
	OutboxFile = "outbox.db"
	StateFile  = "state.db"
	KeysFile   = "keys"
	DeviceFile = "device.key"
)

// Limits of the files where Options does not say.
const (
	DefaultMaxOutbox = 64 << 20
	DefaultMaxState  = 64 << 20
)

// Options of a store.
type Options struct {
	Dir       string        // made with mode 0700 where it is not there
	DeviceKey [32]byte      // what wraps all other keys, see DeviceKey
	MaxOutbox int64         // bytes of outbox.db
	MaxState  int64         // bytes of state.db
	Now       sense.Instant // stands in the name of a file that is set aside
	Machine   string        // names the machine, see Machine; empty: not known, and not compared

	Crash func(point string) // for tests: called at labelled points
}

func (o Options) withDefaults() Options {
	if o.MaxOutbox <= 0 {
		o.MaxOutbox = DefaultMaxOutbox
	}
	if o.MaxState <= 0 {
		o.MaxState = DefaultMaxState
	}
	return o
}

// Store is the open store.
type Store struct {
	Outbox    *Outbox
	State     *State
	Keys      *Keys
	Recovered []Recovery
	Cloned    bool // outbox.db was made on another machine: a copy that needs an epoch of its own, see NewEpoch

	dir      string
	crashAt  func(point string)
	flash    *flash
	opening  *opening
	counting sync.Mutex
}

// Recovery is a file that was damaged and set aside.
type Recovery struct {
	File  string // base name
	Aside string // path that it has now; empty where it could not be kept
	Err   error  // what was wrong
}

// Open opens or makes the store. What is damaged is set aside and begun anew,
// and named in Recovered; an error is ErrBusy, ErrFull, or the system's own.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{dir: o.Dir, crashAt: o.Crash, flash: &flash{}, opening: beginOpening(o.Dir)}
	defer s.opening.through()
	// The log of record comes first: its lock keeps a second process from the keys.
	err := s.recover(o, OutboxFile, func(path string) (err error) {
		s.Outbox, err = openOutbox(path, o.MaxOutbox, s.flash, o.Crash)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	_, day, today, err := s.Outbox.readMeta()
	s.flash.begin(o.Now, day, today)
	if err == nil {
		s.Cloned, err = s.Outbox.checkMachine(o.Machine)
	}
	if err = errors.Join(err, s.sweep()); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Outbox.close())
	}
	err = s.recover(o, KeysFile, func(path string) (err error) {
		s.Keys, err = openKeys(path, o.DeviceKey, s.flash.adder(KeysFile))
		return err
	})
	if err == nil {
		err = s.recover(o, StateFile, func(path string) (err error) {
			s.State, err = openState(path, o, s.flash, s.Keys)
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Outbox.close())
	}
	return s, nil
}

// sweep removes what a crash left of files that were not yet in place. The lock
// of outbox.db is held.
func (s *Store) sweep() (err error) {
	for _, name := range []string{OutboxFile, StateFile, KeysFile} {
		path := filepath.Join(s.dir, name)
		err = errors.Join(err, removeFile(path+newSuffix), removeFile(path+nextSuffix))
	}
	return err
}

// recover opens a file; a damaged one is set aside, once. So is one at which the
// process has died again and again.
func (s *Store) recover(o Options, name string, openFile func(path string) error) error {
	path := filepath.Join(o.Dir, name)
	var err error
	if _, missing := os.Stat(path); s.opening.at(name) && missing == nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, errDied)
	} else {
		err = openFile(path)
	}
	if err == nil || !errors.Is(err, ErrDamaged) {
		return err
	}
	aside, moved := setAside(path, o.Now)
	for errors.Is(moved, ErrFull) && dropOldestAside(o.Dir) {
		aside, moved = setAside(path, o.Now)
	}
	if moved != nil {
		return errors.Join(err, moved)
	}
	why := err
	// What people may want to look at is worth less than a device that works.
	for err = openFile(path); errors.Is(err, ErrFull) && dropOldestAside(o.Dir); {
		err = openFile(path)
	}
	if _, gone := os.Stat(aside); gone != nil {
		aside = ""
	}
	s.Recovered = append(s.Recovered, Recovery{File: name, Aside: aside, Err: why})
	return err
}

// Begin sets outbox.db aside and begins an empty one: for a queue that package
// outbox finds unsound. To leave an epoch, see NewEpoch.
func (s *Store) Begin(o Options, why error) error {
	o = o.withDefaults()
	path := filepath.Join(o.Dir, OutboxFile)
	if err := s.Outbox.close(); err != nil {
		return fmt.Errorf("begin outbox: %w", err)
	}
	aside, err := setAside(path, o.Now)
	if err != nil {
		return fmt.Errorf("begin outbox: %w", err)
	}
	s.Recovered = append(s.Recovered, Recovery{File: OutboxFile, Aside: aside, Err: why})
	n, err := openOutbox(path, o.MaxOutbox, s.flash, s.crashAt)
	if err == nil {
		*s.Outbox = *n // who holds the old one holds the new
		err = n.setMachine(o.Machine)
	}
	if err != nil {
		return fmt.Errorf("begin outbox: %w", err)
	}
	s.Cloned = false
	return nil
}

// Count returns a saved counter, one more than the last time: of lives, of connections.
// One whose file cannot be read begins anew.
func (s *Store) Count(name string) (uint64, error) {
	s.counting.Lock()
	defer s.counting.Unlock()
	path := filepath.Join(s.dir, name+".count")
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	n++
	text := strconv.AppendUint(nil, n, 10)
	err = replaceFile(path, text)
	if errors.Is(err, ErrFull) && overwriteFile(path, text) == nil { // who cannot connect for want of room never gets any
		err = removeFile(path + newSuffix)
	}
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	s.flash.add(name+".count", 1)
	return n, nil
}

// Close closes the files. Nothing is written: what had to be durable is.
func (s *Store) Close() error {
	return errors.Join(s.Outbox.close(), s.State.close())
}
