package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/tact-edge/tact/context/sense"
)

var (
	// ErrBusy says that another process has the store open.
	ErrBusy = errors.New("store is in use by another process")
	// ErrFull says that the disk, or the file up to its limit, is full.
	ErrFull = errors.New("store is full")
	// ErrDamaged says that stored bytes are not what was written.
	ErrDamaged = errors.New("stored data is damaged")
)

const (
	lockWait   = 2 * time.Second
	pageSize   = 4096 // also where the machine's are larger: each commit writes some
	minAlloc   = 128 << 10
	maxAlloc   = 4 << 20
	keptAside  = 3 // damaged files kept for people to look at
	asideStamp = "20060102T150405.000Z"
)

// replaceFile writes a file whole: what is there after a crash is the old file
// or the new one.
func replaceFile(path string, data []byte) error {
	temp := path + newSuffix
	if err := writeFile(temp, data); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return full(err)
	}
	return syncDir(filepath.Dir(path))
}

// replaceSecret is replaceFile that overwrites the first bytes of the old file as
// well, which helps on disks that write in place and costs little on those that
// do not: without them the rest is of no use.
func replaceSecret(path string, data []byte, first int) error {
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		old = nil // the first time, or not ours to overwrite
	}
	if err := replaceFile(path, data); err != nil {
		return errors.Join(err, closeFile(old))
	}
	if old != nil {
		wipe(old, first)
	}
	return nil
}

func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return full(err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return full(errors.Join(err, f.Close()))
}

// overwriteFile writes over the begin of a file that is there, which takes no room.
func overwriteFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return full(err)
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	return full(errors.Join(err, f.Close()))
}

func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// wipe overwrites a file that has no name any more. It is more than is promised
// (the epoch key is gone already), so its errors change nothing.
func wipe(f *os.File, first int) {
	if _, err := f.WriteAt(make([]byte, first), 0); err == nil {
		_ = f.Sync()
	}
	_ = f.Close()
}

// wipeAside overwrites the first bytes of what was set aside of a file, and removes it.
func wipeAside(path string, first int) error {
	list, err := filepath.Glob(path + ".*.damaged")
	if err != nil || len(list) == 0 {
		return err
	}
	for _, name := range list {
		if f, bad := os.OpenFile(name, os.O_WRONLY, 0); bad == nil {
			wipe(f, first)
		}
		err = errors.Join(err, removeFile(name))
	}
	return errors.Join(err, syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return full(errors.Join(d.Sync(), d.Close()))
}

// full marks the errors of a full disk, or of a file at its limit, as ErrFull.
func full(err error) error {
	if err == nil || errors.Is(err, ErrFull) {
		return err
	}
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, berrors.ErrMaxSizeReached} {
		// bbolt does not wrap what it met when the file was to grow.
		if errors.Is(err, e) || strings.Contains(err.Error(), e.Error()) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}

// unreadable marks what a disk answers for a place that it has lost as ErrDamaged.
func unreadable(err error) error {
	if errors.Is(err, syscall.EIO) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// openDB opens a bbolt file, made as a temporary file and renamed where there
// is none, since a power cut in the very first write leaves what is no database.
// The error is ErrBusy where somebody else has it, ErrDamaged where it is broken.
func openDB(path string, maxSize int64, wrote func(int64), crash func(string)) (*database, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := createDB(path); err != nil {
			return nil, err
		}
		wrote(4 * pageSize)
	case err != nil:
		return nil, err
	case info.Size() == 0: // bbolt would take it for a new one, and what was in it would be lost unseen
		return nil, fmt.Errorf("open %s: it was emptied: %w", path, ErrDamaged)
	}
	db, file, err := boltOpen(path, maxSize)
	switch {
	case err == nil:
	case errors.Is(err, ErrBusy), errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open %s: %w", path, ErrBusy)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum), errors.Is(err, ErrDamaged), errors.Is(err, io.EOF), errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("open %s: %w: %w", path, ErrDamaged, err)
	default:
		return nil, fmt.Errorf("open %s: %w", path, full(err))
	}
	return &database{DB: db, file: file, path: path, max: maxSize, wrote: wrote, crash: crash}, nil
}

func createDB(path string) error {
	temp := path + newSuffix
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, _, err := boltOpen(temp, 0)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, full(err))
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("create %s: %w", path, full(err))
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// boltOpen opens a file that may be damaged: it is verified behind its lock, and
// what bbolt answers with a panic all the same becomes ErrDamaged.
func boltOpen(path string, maxSize int64) (db *bolt.DB, file *os.File, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, errors.Join(fmt.Errorf("%w: %v", ErrDamaged, r), closeFile(file))
			file = nil
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout: lockWait,
		// The list of free pages is made anew when the file is opened, which reads every page anyhow, and not
		// written with each commit. As an array it gives the lowest page first, so that what is written lies
		// together; it never gets long, since files are bounded and compacted.
		FreelistType:   bolt.FreelistArrayType,
		NoFreelistSync: true,
		PageSize:       pageSize,
		MaxSize:        int(maxSize),
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := openVerified(name, flag, mode)
			file = f
			return f, err
		},
	})
	if err != nil {
		return nil, nil, err
	}
	growBy(db, 0)
	return db, file, nil
}

// openVerified opens a database file, takes its lock, which bbolt then finds
// taken by itself, and verifies what is in it.
func openVerified(name string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, flag, mode)
	if err != nil {
		return nil, err
	}
	err = lockFile(f)
	if err == nil {
		err = sameName(f, name)
	}
	if info, bad := f.Stat(); err == nil && (bad != nil || info.Size() > 0) {
		err = unreadable(verifyDB(f))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockFile waits a while for who has the file open.
func lockFile(f *os.File) error {
	for end := time.Now().Add(lockWait); ; time.Sleep(lockWait / 40) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(end) {
			return ErrBusy
		}
	}
}

// sameName is ErrBusy where the name is another file's by now: who had the lock
// has exchanged it.
func sameName(f *os.File, name string) error {
	ours, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(name)
	if err != nil || !os.SameFile(ours, there) {
		return errors.Join(ErrBusy, err)
	}
	return nil
}

// growBy sets the step in which the file of a database grows: each costs a sync,
// and what is not used of it lies idle.
func growBy(db *bolt.DB, size int64) {
	db.AllocSize = int(min(max(size/16, minAlloc), maxAlloc))
}

// setAside renames a damaged file, so that the device goes on and people can
// look at it later; only the newest few are kept.
func setAside(path string, now sense.Instant) (string, error) {
	aside := asideName(path, now)
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("set aside %s: %w", path, full(err))
	}
	if err := pruneAside(path, aside); err != nil {
		return "", err
	}
	return aside, syncDir(filepath.Dir(path))
}

func asideName(path string, now sense.Instant) string {
	return path + "." + now.Time().Format(asideStamp) + ".damaged"
}

// pruneAside removes all but the newest few of what was set aside, and never keep.
func pruneAside(path, keep string) error {
	old, err := filepath.Glob(path + ".*.damaged")
	if err != nil {
		return fmt.Errorf("set aside %s: %w", path, err)
	}
	slices.Sort(old) // the stamp sorts by time
	for _, f := range old[:max(0, len(old)-keptAside)] {
		if f != keep && strings.HasSuffix(f, ".damaged") {
			if err := os.Remove(f); err != nil {
				return fmt.Errorf("set aside %s: %w", path, err)
			}
		}
	}
	return nil
}

// dropOldestAside makes room on a full disk. It says whether there was one.
func dropOldestAside(dir string) bool {
	list, err := filepath.Glob(filepath.Join(dir, "*.damaged"))
	if err != nil || len(list) == 0 {
		return false
	}
	oldest := slices.MinFunc(list, func(a, b string) int { return strings.Compare(stampOf(a), stampOf(b)) })
	return os.Remove(oldest) == nil
}

// stampOf is the time in the name of a file that was set aside.
func stampOf(path string) string {
	base := strings.TrimSuffix(path, ".damaged")
	return base[max(0, len(base)-len(asideStamp)):]
}
