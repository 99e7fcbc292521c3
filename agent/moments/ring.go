package moments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// Bounds where Options does not say.
const (
	DefaultMaxBytes = 16 << 20
	DefaultKeep     = 30 * sense.Day
	// LeastBytes is the smallest ring that holds anything.
	LeastBytes = 256 << 10
	segments   = 8   // of a ring: what goes at a time is an eighth
	mostQueued = 256 // moments that wait to be written
)

// Keys seal and open, agent/store. They are safe for concurrent use.
type Keys interface {
	Make(handles ...engine.Handle) error
	Seal(h engine.Handle, about string, plain []byte) ([]byte, error)
	Open(h engine.Handle, about string, sealed []byte) ([]byte, error)
}

const about = "moment"

// Options of a ring.
type Options struct {
	Dir      string         // made where it is not there
	MaxBytes int64          // of all files; at least LeastBytes, DefaultMaxBytes where 0
	Keep     sense.Duration // how long a moment is kept; DefaultKeep where 0
	Keys     Keys
	Gone     func(error) bool // whether an error of Keys says that the key was destroyed
}

// Status is how a ring is.
type Status struct {
	Records  int
	Bytes    int64
	Segments int
	Lost     uint64 // moments that were not written: no room in the queue or on the disk
	Damaged  uint64 // records that could not be read
	Written  int64  // bytes written to the files since the ring was opened
	Err      error  // of the last write that failed; nil while all is well
}

// Ring is the open ring. Its methods may be called from any goroutine.
type Ring struct {
	o      Options
	wake   chan struct{}
	closed chan struct{}
	done   chan struct{}
	once   sync.Once

	queue  sync.Mutex // guards what follows
	moved  *sync.Cond
	wait   []engine.Moment
	hold   map[engine.Handle]bool // who is held from now on; nil where nothing was said
	now    sense.Instant
	busy   bool
	status Status

	files sync.Mutex // guards what follows; taken by the writer and by readers
	list  []*segment // oldest first
	out   *os.File   // the last of them; nil where the next record begins a new one
	own   bool       // the key for nobody in particular is there
	wrote int64
}

// Open opens or makes a ring. What is torn at the end of its last file is cut off.
func Open(o Options) (*Ring, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.MaxBytes < LeastBytes {
		return nil, fmt.Errorf("open moments: %d bytes are fewer than %d, which is the least", o.MaxBytes, LeastBytes)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open moments: %w", err)
	}
	r := &Ring{o: o, wake: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{})}
	r.moved = sync.NewCond(&r.queue)
	if err := r.scan(); err != nil {
		return nil, fmt.Errorf("open moments: %w", err)
	}
	go r.run()
	return r, nil
}

// scan learns what the files hold. A file that is no segment, or cannot be read, is counted as damaged and
// goes with its turn.
func (r *Ring) scan() error {
	numbers, err := listSegments(r.o.Dir)
	if err != nil {
		return err
	}
	for k, n := range numbers {
		path := segmentPath(r.o.Dir, n)
		s := &segment{number: n, handles: map[engine.Handle]bool{}}
		r.list = append(r.list, s)
		raw, err := readSegment(path, r.o.MaxBytes)
		if err != nil {
			if errors.Is(err, fs.ErrPermission) {
				return err
			}
			r.status.Damaged++
			continue
		}
		frames, sound, damaged := framesOf(raw)
		for i := range frames {
			s.note(&frames[i], 0)
		}
		s.size = int64(len(raw))
		r.status.Damaged += uint64(damaged)
		if sound == 0 && len(raw) >= len(magic) {
			r.status.Damaged++
		}
		if k == len(numbers)-1 && sound > 0 && sound < len(raw) {
			if err := os.Truncate(path, int64(sound)); err != nil {
				return err
			}
			s.size = int64(sound)
		}
	}
	return nil
}

// Append queues the moments of decisions that are durable and shown. It never waits.
func (r *Ring) Append(list []engine.Moment) {
	if len(list) == 0 {
		return
	}
	r.queue.Lock()
	room := max(0, mostQueued-len(r.wait))
	if len(list) > room {
		r.status.Lost += uint64(len(list) - room)
		list = list[:room]
	}
	r.wait = append(r.wait, list...)
	if r.hold != nil { // who was decided for since is held as well
		for k := range list {
			r.hold[list[k].Handle] = true
		}
	}
	r.queue.Unlock()
	r.stir()
}

// Hold says whose slices are held under lease now: the moments of all others leave the files. Those
// of nobody in particular stay. It never waits.
func (r *Ring) Hold(handles []engine.Handle, now sense.Instant) {
	r.queue.Lock()
	r.hold, r.now = map[engine.Handle]bool{{}: true}, now
	for _, h := range handles {
		r.hold[h] = true
	}
	r.queue.Unlock()
	r.stir()
}

func (r *Ring) stir() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run writes until the ring is closed, and then what still waits.
func (r *Ring) run() {
	defer close(r.done)
	for {
		select {
		case <-r.wake:
			r.work()
		case <-r.closed:
			r.work()
			return
		}
	}
}

// work writes what waits, and takes out what is not held any more.
func (r *Ring) work() {
	for {
		r.queue.Lock()
		list, hold, now := r.wait, r.hold, r.now
		r.wait, r.hold = nil, nil
		r.busy = len(list) > 0 || hold != nil
		if !r.busy {
			r.moved.Broadcast()
			r.queue.Unlock()
			return
		}
		r.queue.Unlock()
		r.files.Lock()
		lost, err := uint64(0), error(nil)
		for k := range list {
			if one := r.write(&list[k]); one != nil {
				lost++
				err = one
			}
		}
		if hold != nil {
			err = errors.Join(err, r.sweep(hold, now))
		}
		r.files.Unlock()
		r.queue.Lock()
		r.status.Lost += lost
		if len(list) > 0 || err != nil {
			r.status.Err = err
		}
		r.queue.Unlock()
	}
}

// write seals one moment and appends it. Of a customer whose key is gone nothing is written.
func (r *Ring) write(m *engine.Moment) error {
	if m.Handle == (engine.Handle{}) && !r.own {
		if err := r.o.Keys.Make(m.Handle); err != nil {
			return fmt.Errorf("write moment: %w", err)
		}
		r.own = true
	}
	record := Record{At: m.Decision.At, Handle: m.Handle, Decision: m.Decision.ID, Said: SaidOf(m.Decision), Moment: m.Bytes}
	sealed, err := r.o.Keys.Seal(m.Handle, about, record.appendPlain(nil))
	if err != nil {
		if r.o.Gone != nil && r.o.Gone(err) {
			return nil
		}
		return fmt.Errorf("write moment: %w", err)
	}
	f := frame{at: record.At, handle: record.Handle, sealed: sealed}
	raw := f.append(nil)
	if len(raw) > maxRecord {
		return fmt.Errorf("write moment: %d bytes are more than %d", len(raw), maxRecord)
	}
	if err := r.room(int64(len(raw)), record.At); err != nil {
		return fmt.Errorf("write moment: %w", err)
	}
	s := r.list[len(r.list)-1]
	r.wrote += int64(len(raw))
	if _, err := r.out.Write(raw); err != nil {
		// What was written of it is a torn tail: the next record goes into a new file.
		return errors.Join(fmt.Errorf("write moment: %w", err), r.end())
	}
	s.note(&f, len(raw))
	return nil
}

// room lets the oldest go until a record fits, and opens the file that takes it.
func (r *Ring) room(size int64, now sense.Instant) error {
	if r.out != nil && r.list[len(r.list)-1].size+size > r.o.MaxBytes/segments {
		if err := r.end(); err != nil {
			return err
		}
	}
	if err := r.expire(now, size+int64(len(magic))); err != nil {
		return err
	}
	if r.out != nil {
		return nil
	}
	if n := len(r.list); n > 0 && r.list[n-1].size >= int64(len(magic)) && r.list[n-1].size+size <= r.o.MaxBytes/segments {
		return r.open(r.list[n-1], os.O_APPEND)
	}
	s := &segment{number: 1, handles: map[engine.Handle]bool{}}
	if n := len(r.list); n > 0 {
		s.number = r.list[n-1].number + 1
	}
	if err := r.open(s, os.O_CREATE|os.O_TRUNC); err != nil {
		return err
	}
	r.list = append(r.list, s)
	n, err := r.out.WriteString(magic)
	s.size = int64(n)
	if err != nil {
		err = errors.Join(err, r.end())
	}
	return err
}

func (r *Ring) open(s *segment, how int) (err error) {
	r.out, err = os.OpenFile(segmentPath(r.o.Dir, s.number), os.O_WRONLY|how, 0o600)
	return err
}

// end closes the file that is written to; the next record begins a new one where it does not fit.
func (r *Ring) end() error {
	if r.out == nil {
		return nil
	}
	err := errors.Join(r.out.Sync(), r.out.Close())
	r.out = nil
	return err
}

// expire removes segments whose newest moment is past its time, and the oldest until so many bytes fit.
func (r *Ring) expire(now sense.Instant, size int64) error {
	total := size
	for _, s := range r.list {
		total += s.size
		s.newest = min(s.newest, now) // a clock that was ahead dated it: its time begins now
	}
	for len(r.list) > 0 {
		s := r.list[0]
		old := s.newest.Add(r.o.Keep) <= now
		if total <= r.o.MaxBytes && !old {
			return nil
		}
		if len(r.list) == 1 {
			if err := r.end(); err != nil {
				return err
			}
		}
		if err := os.Remove(segmentPath(r.o.Dir, s.number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= s.size
		r.list = r.list[1:]
	}
	return nil
}

// sweep writes the segments anew that hold moments of others than those held.
func (r *Ring) sweep(hold map[engine.Handle]bool, now sense.Instant) error {
	var errs error
	for _, s := range slices.Clone(r.list) {
		if !s.strangers(hold) {
			continue
		}
		if s == r.list[len(r.list)-1] {
			if err := r.end(); err != nil {
				return fmt.Errorf("sweep moments: %w", err)
			}
		}
		if err := r.rewrite(s, hold); err != nil {
			errs = errors.Join(errs, fmt.Errorf("sweep moments: %w", err))
		}
	}
	if err := r.expire(now, 0); err != nil {
		errs = errors.Join(errs, fmt.Errorf("sweep moments: %w", err))
	}
	return errs
}

func (s *segment) strangers(hold map[engine.Handle]bool) bool {
	for h := range s.handles { // order: only whether there is one
		if !hold[h] {
			return true
		}
	}
	return false
}

// rewrite writes a segment without the moments of those who are not held.
func (r *Ring) rewrite(s *segment, hold map[engine.Handle]bool) error {
	path := segmentPath(r.o.Dir, s.number)
	raw, err := readSegment(path, r.o.MaxBytes)
	if err != nil {
		return err
	}
	frames, _, _ := framesOf(raw)
	kept := segment{number: s.number, handles: map[engine.Handle]bool{}}
	b := []byte(magic)
	for k := range frames {
		if f := &frames[k]; hold[f.handle] {
			b = f.append(b)
			kept.note(f, 0)
		}
	}
	kept.size = int64(len(b))
	r.wrote += int64(len(b))
	if err := writeSegment(path, b); err != nil {
		return err
	}
	*s = kept
	return nil
}

// Flush returns when all that was appended before is written, or lost.
func (r *Ring) Flush() {
	r.queue.Lock()
	defer r.queue.Unlock()
	for len(r.wait) > 0 || r.hold != nil || r.busy {
		select {
		case <-r.done:
			return
		default:
		}
		r.moved.Wait()
	}
}

// Read hands over the moments that can be opened, oldest first, until yield wants no more. What waits to
// be written comes too. Those whose key is gone are passed over.
func (r *Ring) Read(yield func(Record) bool) error {
	r.Flush()
	r.files.Lock()
	var paths []string
	for _, s := range r.list {
		paths = append(paths, segmentPath(r.o.Dir, s.number))
	}
	r.files.Unlock()
	for _, path := range paths {
		raw, err := r.load(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // its turn came meanwhile
		}
		if err != nil {
			return fmt.Errorf("read moments: %w", err)
		}
		frames, _, _ := framesOf(raw)
		for k := range frames {
			f := &frames[k]
			plain, err := r.o.Keys.Open(f.handle, about, f.sealed)
			if err != nil {
				continue
			}
			record := Record{At: f.at, Handle: f.handle}
			if record.readPlain(plain) == nil && !yield(record) {
				return nil
			}
		}
	}
	return nil
}

// load reads one file while nobody writes to it.
func (r *Ring) load(path string) ([]byte, error) {
	r.files.Lock()
	defer r.files.Unlock()
	return readSegment(path, r.o.MaxBytes)
}

// Status returns how the ring is.
func (r *Ring) Status() Status {
	r.files.Lock()
	records, bytes, n, wrote := 0, int64(0), len(r.list), r.wrote
	for _, s := range r.list {
		records += s.records
		bytes += s.size
	}
	r.files.Unlock()
	r.queue.Lock()
	defer r.queue.Unlock()
	s := r.status
	s.Records, s.Bytes, s.Segments, s.Written = records, bytes, n, wrote
	return s
}

// Close writes what waits and closes the files.
func (r *Ring) Close() error {
	r.once.Do(func() { close(r.closed) })
	<-r.done
	r.files.Lock()
	defer r.files.Unlock()
	return r.end()
}
