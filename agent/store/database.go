package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// When a database is compacted: bbolt gives nothing back by itself.
const (
	minGain       = 1 << 20 // bytes that there must be to gain
	mostCompacted = 8 << 20 // bytes in use that are copied at most: the mind waits meanwhile
	copyBytes     = 1 << 20 // of one transaction of a copy
)

// database is a bbolt file that counts what it writes and can be compacted.
type database struct {
	*bolt.DB
	file   *os.File
	path   string
	max    int64
	wrote  func(bytes int64)
	crash  func(point string)
	gaveUp int64                 // bytes in use when a compaction failed
	dead   atomic.Pointer[error] // a panic that bbolt did not come out of: its locks may be held for ever
}

// guard is deferred around what bbolt may answer with a panic.
func (d *database) guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, r)
		dead := *err
		d.dead.Store(&dead)
	}
}

// update is one durable transaction. What goes wrong before the commit, or for
// want of room, has written nothing.
func (d *database) update(change func(tx *bolt.Tx) error) (err error) {
	if dead := d.dead.Load(); dead != nil {
		return *dead
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer d.guard(&err)
	var last *bolt.Tx
	err = full(d.DB.Update(func(tx *bolt.Tx) error {
		last = tx
		growBy(d.DB, tx.Size())
		return change(tx)
	}))
	if last != nil {
		stats := last.Stats()
		if n := stats.GetPageAlloc(); n > 0 && d.wrote != nil {
			d.wrote(n + pageSize) // and the meta page
		}
	}
	if errors.Is(err, berrors.ErrIncompatibleValue) || errors.Is(err, berrors.ErrBucketNotFound) {
		return fmt.Errorf("%w: %w", ErrDamaged, err) // a bucket that is none
	}
	return err
}

// view is one look, which is over when it returns.
func (d *database) view(look func(tx *bolt.Tx) error) (err error) {
	if dead := d.dead.Load(); dead != nil {
		return *dead
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer d.guard(&err)
	return d.DB.View(look)
}

// size returns the bytes of the file, and how many of them are in use.
func (d *database) size() (file, used int64, err error) {
	info, err := os.Stat(d.path)
	if err != nil {
		return 0, 0, err
	}
	err = d.view(func(tx *bolt.Tx) error {
		used = tx.Size()
		return nil
	})
	s := d.Stats()
	return info.Size(), used - int64(s.FreePageN+s.PendingPageN)*pageSize, err
}

// compact copies what is in use into a new file that takes the place of this
// one, where the file is more than twice as large, there is enough to gain, and
// little enough to copy. A crash leaves the one file or the other. After an error
// the old one stays, and it is not tried again until half as much is in use.
func (d *database) compact() error {
	file, used, err := d.size()
	if err != nil || file < 2*used || file-used < minGain || used > mostCompacted || d.gaveUp > 0 && used > d.gaveUp/2 {
		return err
	}
	if err := d.exchange(); err != nil {
		d.gaveUp = used
		return errors.Join(fmt.Errorf("compact %s: %w", d.path, err), removeFile(d.path+nextSuffix))
	}
	d.gaveUp = 0
	return nil
}

func (d *database) exchange() error {
	next := d.path + nextSuffix
	if err := removeFile(next); err != nil {
		return err
	}
	db, file, err := boltOpen(next, d.max)
	if err != nil {
		return full(err)
	}
	n := &database{DB: db, file: file, wrote: d.wrote}
	if err := d.view(func(tx *bolt.Tx) error { return copyAll(tx, n) }); err != nil {
		return errors.Join(err, n.close())
	}
	d.reach(CrashCompacted)
	if err := os.Rename(next, d.path); err != nil {
		return errors.Join(full(err), n.close())
	}
	old := &database{DB: d.DB, file: d.file}
	d.DB, d.file = n.DB, n.file // its lock is held since it was made
	err = syncDir(filepath.Dir(d.path))
	d.reach(CrashExchanged)
	return errors.Join(err, old.close())
}

func (d *database) reach(point string) {
	if d.crash != nil {
		d.crash(point)
	}
}

// copyAll copies the buckets, which have none in them, in order and full pages.
func copyAll(from *bolt.Tx, to *database) error {
	return from.ForEach(func(name []byte, b *bolt.Bucket) error {
		c := b.Cursor()
		k, v := c.First()
		for first := true; first || k != nil; first = false {
			err := to.update(func(tx *bolt.Tx) error {
				out, err := tx.CreateBucketIfNotExists(name)
				if err != nil {
					return err
				}
				out.FillPercent = 1
				for size := 0; k != nil && size < copyBytes; k, v = c.Next() {
					if err := out.Put(k, v); err != nil {
						return err
					}
					size += len(k) + len(v)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// close closes the file. A dead one is let go of without bbolt, which would wait
// for itself; its memory stays mapped.
func (d *database) close() (err error) {
	if d.dead.Load() != nil {
		return d.file.Close()
	}
	defer d.guard(&err)
	return d.Close()
}
