package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/board"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// Config of an agent. Only Device, Dir and what the device is to do are needed.
type Config struct {
	Tenant, Device string
	Groups         []string
	Version        string        // of the program; empty takes that of the build
	Slots          []string      // slots that the device has; nil for all
	Owners         []event.Owner // what the device belongs to
	Absent         []string      // sources that the device does not have
	Sessions       int           // how many may be open; 0 takes engine.DefaultSessions
	Customers      int           // how many may be held; 0 takes engine.DefaultCustomers

	Dir       string   // of the stores
	DeviceKey [32]byte // see store.DeviceKey
	MaxOutbox int64    // bytes of records that may wait; 0 takes the default
	MaxState  int64    // bytes of state.db; 0 takes the default
	MaxSlices int64    // bytes held of customers; 0 takes DefaultMaxSlices

	FlashBudget int64          // bytes that may be written in a day before what can wait is written less often; 0 takes DefaultFlashBudget
	SliceWait   sense.Duration // how long an ask waits for the slice of who was just identified; 0 takes DefaultSliceWait, below 0 it does not wait

	MaxMoments  int64          // bytes of what decisions looked at; 0 takes the default, below 0 none is kept
	KeepMoments sense.Duration // how long it is kept; 0 takes the default

	BundleFile string             // provisioned with the device, FILE.minisig beside it; empty for none
	Trusted    []update.PublicKey // keys that may sign bundles

	Broker  *mqtt.Broker  // nil: the device stands alone
	HubKeys wire.Keys     // keys that may sign what comes from the hub
	Session uplink.Config // further settings of the link; ids, groups and keys are filled in

	Sources     []board.Config
	Ports       board.Ports
	SourceNames []string // told in the birth

	Machine string             // names the machine, so that a store that was taken to another is noticed; empty takes store.Machine
	Clock   Clock              // nil takes the machine's
	Screens []Screen           // besides the feed
	Tell    *slog.Logger       // nil says nothing
	Crash   func(point string) // for tests: called at labelled points
}

// Defaults of Config.
const (
	DefaultMaxSlices   = 16 << 20
	DefaultFlashBudget = 60 << 20
	DefaultSliceWait   = 300 * sense.Millisecond
)

// Agent is a running device.
type Agent struct {
	cfg     Config
	tell    *slog.Logger
	store   *store.Store
	saver   Saver
	queue   *outbox.Outbox
	codec   *codec
	mind    *engine.Mind
	body    *Body
	commit  commit
	ctx     context.Context // of the loop
	failed  error           // that ends it
	stamp   *stamper
	inbox   *inbox
	feed    *Feed
	handed  handOvers
	link    Uplink
	sources Sources
	board   *board.Board
	folder  update.Folder
	bundles *update.Store
	moments *moments.Ring // nil where none are kept

	momentsLost uint64 // of those that could not be written, how many were told
	flash       flash
	clockState  atomic.Uint32
	seen        atomic.Int64 // the time, for who is not the mind's goroutine
	saved       uint64       // the last record in the last snapshot
	appended    sense.Instant

	epoch, boot uint64
	life        uint64          // see newLife
	former      []engine.Former // epochs that were left, the last last
	unsure      bool            // leases are not used, because nobody knows the time
	recoveries  atomic.Pointer[[]store.Recovery]
	wants       wants
	present     wire.BundleRef
	tables      map[wire.BundleID]*symbols
	catalogs    map[wire.BundleID]*catalog.Bundle
	fetch       fetch
	lent        lending
	wait        waiting
	served      map[string]bool // sessions in which somebody is identified
	lastUse     map[engine.Handle]uint64
	dirty       int  // changes since the last snapshot
	sweep       bool // keys may be needed no more
	unswept     bool // such could not be destroyed
	saveBy      sense.Instant
	health      sense.Instant
	recovered   int
	inCharge    atomic.Pointer[string]   // name@version of the bundle
	reading     atomic.Pointer[[]string] // signals that may be read now

	seal    atomic.Pointer[[]byte] // the hub's key for sealing
	online  atomic.Bool
	full    atomic.Bool // waits for room on the disk
	steps   atomic.Uint64
	refused atomic.Uint64 // messages of the broker
	stop    context.CancelFunc
	done    chan struct{} // closed when the loop has ended
	closing sync.Once
	err     error
	links   sync.WaitGroup
}

// Start opens the stores, restores the mind and runs the agent until ctx ends or
// Close is called. What is damaged is set aside and reported, not an error. Errors
// are those of the store (store.ErrBusy, store.ErrFull), of a bundle file that is
// no good, and of a configuration that does not hold.
func Start(ctx context.Context, cfg Config) (*Agent, error) {
	a := &Agent{
		cfg: cfg, ctx: ctx, tell: cfg.Tell, inbox: newInbox(), feed: NewFeed(), done: make(chan struct{}),
		tables: map[wire.BundleID]*symbols{}, catalogs: map[wire.BundleID]*catalog.Bundle{},
		served: map[string]bool{}, fetch: fetch{due: sense.Never}, lastUse: map[engine.Handle]uint64{},
	}
	if a.tell == nil {
		a.tell = slog.New(slog.DiscardHandler)
	}
	if a.cfg.Version == "" {
		a.cfg.Version = buildVersion()
	}
	if a.cfg.Clock == nil {
		a.cfg.Clock = SystemClock()
	}
	if !wire.ValidID(cfg.Device) {
		return nil, fmt.Errorf("start agent: device %.70q is no id: letters, digits, - and _, at most 64", cfg.Device)
	}
	if err := a.open(); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	if err := a.begun(ctx); err != nil {
		a.closeMoments()
		return nil, errors.Join(fmt.Errorf("start agent: %w", err), a.store.Close())
	}
	return a, nil
}

func (a *Agent) storeOptions() store.Options {
	max := a.cfg.MaxOutbox
	if max <= 0 {
		max = outbox.DefaultMaxBytes
	}
	return store.Options{
		Dir: a.cfg.Dir, DeviceKey: a.cfg.DeviceKey, MaxState: a.cfg.MaxState, Now: a.cfg.Clock.Wall(), Machine: cmp.Or(a.cfg.Machine, store.Machine()), Crash: a.cfg.Crash,
		MaxOutbox: 2*max + 4<<20, // pages are seldom full, and the queue's own bound shall come first
	}
}

// open opens the stores and the queue. A queue that is unsound is set aside.
func (a *Agent) open() (err error) {
	if a.store, err = store.Open(a.storeOptions()); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.store.Close())
		}
	}()
	a.saver = a.store.State
	a.codec = &codec{device: a.cfg.Device, secret: a.store.State.Secret(), keys: a.store.Keys}
	if err = a.openQueue(); errors.Is(err, outbox.ErrDamaged) {
		if err = a.store.Begin(a.storeOptions(), err); err == nil {
			err = a.openQueue()
		}
	}
	if err != nil {
		return err
	}
	a.folder = update.Folder(filepath.Join(a.cfg.Dir, BundleFolder))
	a.bundles = update.NewStore(a.folder, a.cfg.Trusted, readBundle)
	a.loadFormer()
	a.life = cmp.Or(a.cfg.Session.Seed, newLife())
	a.boot, err = a.store.Count("boot")
	return err
}

// newLife draws what tells this process from others that have its store and its identity.
func newLife() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return max(1, binary.BigEndian.Uint64(b[:]))
}

func (a *Agent) openQueue() (err error) {
	a.queue, err = outbox.Open(a.store.Outbox, outbox.Options{Epoch: newEpoch(), MaxBytes: a.cfg.MaxOutbox, Open: a.codec.opener(a.hubKey)})
	if err == nil {
		a.setEpoch()
	}
	return err
}

// begun restores the mind, takes the first steps and starts the goroutines.
func (a *Agent) begun(ctx context.Context) error {
	if err := a.loadWants(); err != nil {
		return err
	}
	if err := a.provision(); err != nil {
		return err
	}
	for _, r := range a.store.Recovered {
		a.recovered++
		a.tell.Error("damaged store was set aside, going on without it", "file", r.File, "aside", r.Aside, "error", r.Err)
	}
	a.stamp = newStamper(a.cfg.Clock, cmp.Or(a.store.State.Floor(), a.wants.signed()))
	a.queue.Clock(a.stamp.state)
	if err := a.reportRecovered(); err != nil {
		return err
	}
	a.openMoments()
	a.lend()
	first, left, err := a.restore()
	if err != nil {
		return err
	}
	a.recoveries.Store(new(slices.Clone(a.store.Recovered)))
	a.body = &Body{Log: a.queue, Keys: a.store.Keys, Screens: append([]Screen{a.feed}, a.cfg.Screens...), Want: a.want, Tell: a.tell,
		Crash: a.cfg.Crash, Full: func(full bool) { a.full.Store(full) }, Stored: a.stored, Moments: a.keepMoments, Tells: a.handOver, codec: a.codec, names: a.firstNames(first)}
	if left.err != nil {
		a.save()
	}
	if err := a.startLink(); err != nil {
		return err
	}
	if err := a.startBoard(); err != nil {
		return err
	}
	a.health = a.stamp.now()
	now := a.stamp.now()
	if _, err := a.step(ctx, engine.Input{At: now, Bundle: first, Events: a.boots(now)}, nil); err != nil {
		a.closeBoard()
		return err
	}
	if err := a.reportLeft(ctx, left); err != nil {
		a.closeBoard()
		return err
	}
	a.describeNow()
	a.fetchWanted() // what was on its way when the last life ended
	a.run(ctx)
	return nil
}

// reportRecovered puts the loss of a store into the log, for the hub.
func (a *Agent) reportRecovered() error {
	for _, r := range a.store.Recovered {
		raw, err := wire.AppendRecord(nil, &wire.Report{At: int64(a.stamp.now()), Code: wire.ReportStoreRecovered, Detail: r.File, Count: 1})
		if err == nil {
			_, err = a.queue.Append(wire.BundleID{}, [][]byte{raw})
		}
		if err != nil && !isFull(err) {
			return fmt.Errorf("report %s of %s: %w", wire.ReportStoreRecovered, r.File, err)
		}
	}
	return nil
}

// restore makes the mind from the snapshot and the records above it, and returns the bundle to begin
// with, nil where there is none, and why the epoch of the log was left, if it was.
func (a *Agent) restore() (first *engine.BundleUpdate, left whyLeave, err error) {
	if first, err = a.loadActive(); err != nil {
		return nil, left, err
	}
	names := a.firstNames(first)
	snap, epoch, unread := a.store.State.Load()
	if unread > 0 {
		a.tell.Warn("customers could not be read, their keys are gone", "count", unread)
	}
	applied := snap.Applied
	left = a.mustLeave(applied, epoch)
	above, err := a.catchUp(&snap, epoch, names)
	if err != nil {
		return nil, left, err
	}
	if a.stamp.state == sense.ClockSynced { // a clock that was ahead of the truth has stamped what is here
		right := notAfter(a.stamp.now())
		right.snapshot(&snap)
		right.records(above)
	}
	if a.mind, err = a.remember(snap, above); err != nil {
		return nil, left, err
	}
	a.stamp.reach(a.mind.Now())
	s := a.queue.Status()
	if epoch == a.epoch && left.err == nil {
		a.queue.Applied(snap.Applied)
	}
	for _, h := range a.store.Keys.Handles() {
		a.lastUse[h] = s.Next - 1 // records with it may wait
	}
	if err := a.finishForgets(above); err != nil {
		return nil, left, err
	}
	a.dirty = len(above)
	a.saveBy = a.nextSave()
	if left.err == nil {
		return first, left, nil
	}
	a.tell.Error("the epoch is left: what the hub does not have is taken over into another", "epoch", a.epoch, "error", left.err)
	snap = a.mind.Snapshot()
	switch err := a.moveOn(&snap, names, left.err); {
	case isFull(err) && snap.Applied+1 == a.queue.Status().Next:
		// It goes on as it is: the hub knows two records under one number apart, and asks for it again.
		a.tell.Error("there is no room to leave the epoch", "error", err)
		if epoch == a.epoch {
			a.queue.Applied(applied)
		}
		return first, whyLeave{}, nil
	case err != nil:
		return nil, left, err
	}
	a.mind, err = a.remember(snap, nil)
	a.dirty, a.saveBy = a.dirty+1, 0
	return first, left, err
}

// mustLeave says why the numbers of the log may not be given on, if they may not: others may have
// been given under them.
func (a *Agent) mustLeave(applied, epoch uint64) (why whyLeave) {
	s := a.queue.Status()
	switch {
	case a.store.Cloned:
		return whyLeave{wire.ReportDuplicateIdentity, errors.New("the store was made on another machine: this is a copy of it")}
	case slices.ContainsFunc(a.former, func(f engine.Former) bool { return f.Epoch == a.epoch }):
		return whyLeave{wire.ReportStoreRestored, errors.New("the log is of an epoch that was left: it was put back from a copy, or there was no room to leave it")}
	case epoch == a.epoch && applied >= s.Next:
		return whyLeave{wire.ReportStoreRestored, errors.New("the log ends before the snapshot: it was put back from a copy, or its disk lost what it had promised")}
	case epoch == a.epoch && applied+1 < s.First, epoch != a.epoch && s.First > 1:
		return whyLeave{wire.ReportStoreRestored, errors.New("the snapshot is older than what the log has let go of: it was put back from a copy, or lost")}
	}
	return whyLeave{}
}

// catchUp brings a snapshot of an epoch to the numbers of the log, and returns the records that it does not have.
func (a *Agent) catchUp(snap *engine.Snapshot, epoch uint64, names *symbols) ([]engine.Record, error) {
	s := a.queue.Status()
	if epoch == a.epoch {
		snap.Applied = max(snap.Applied, s.First-1)
		return a.above(*snap, func([]byte) bool { return false })
	}
	// Another line: either it was left, and what was moved here is in the snapshot up to its mark, or the
	// log was lost.
	known := snap.Applied
	moved, err := a.movedFrom(epoch)
	if err != nil {
		return nil, err
	}
	if epoch != 0 && !slices.ContainsFunc(a.former, func(f engine.Former) bool { return f.Epoch == epoch }) {
		if err := a.moveLost(snap, names, epoch, 1, moved); err != nil && !isFull(err) {
			return nil, err
		}
	}
	renumber(snap, moved, s.First-1)
	return a.above(*snap, func(raw []byte) bool {
		n := numberIn(epoch, raw)
		return n != 0 && n <= known
	})
}

// loadActive reads the bundle in charge; one before it where the last is damaged.
func (a *Agent) loadActive() (*engine.BundleUpdate, error) {
	b, err := a.bundles.Active()
	if errors.Is(err, update.ErrNone) {
		a.tell.Warn("no policy is in charge yet", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if b.Damage != nil {
		a.tell.Error("the bundle activated last is damaged, the one before it is in charge", "error", b.Damage)
	}
	a.body = &Body{} // load sets its names; the body proper comes after
	return a.load(&b), nil
}

// firstNames are the symbols of the first bundle, or none.
func (a *Agent) firstNames(first *engine.BundleUpdate) *symbols {
	if first != nil {
		if s := a.tables[wire.BundleID(first.Hash[:8])]; s != nil {
			return s
		}
	}
	return symbolsOf(wire.BundleID{}, nil)
}

// above reads the records that the snapshot does not have, in order and without
// gaps: what is none of the mind's, or by the word of in has come under another number, keeps its
// place, empty.
func (a *Agent) above(snap engine.Snapshot, in func(raw []byte) bool) ([]engine.Record, error) {
	customers := map[engine.Handle]string{}
	for k := range snap.Customers {
		customers[snap.Customers[k].Handle] = snap.Customers[k].Customer
	}
	var list []engine.Record
	lost := 0
	err := a.queue.Read(snap.Applied+1, func(seq uint64, bundle wire.BundleID, raw []byte) bool {
		if in(raw) {
			list = append(list, engine.Record{Seq: seq})
			return true
		}
		s := a.tables[bundle]
		if s == nil {
			s = symbolsOf(bundle, nil)
		}
		r, err := a.codec.decode(seq, raw, s, func(h engine.Handle) string { return customers[h] })
		if err != nil {
			if !errors.Is(err, errNotMind) {
				lost++
				a.tell.Error("a record of the log cannot be folded in again", "record", seq, "error", err)
			}
			r = engine.Record{Seq: seq}
		}
		if r.Identified != nil && r.Handle == r.Identified.Handle {
			customers[r.Identified.Handle] = r.Identified.Customer
		}
		if r.Decision != nil {
			r.Exposure = exposureOf(a.catalogs[bundle], r.Decision)
		}
		list = append(list, r)
		return true
	})
	return list, err
}

// exposureOf is the contact that a decision reserved, as the mind makes it.
func exposureOf(b *catalog.Bundle, d *engine.Decision) *profile.Exposure {
	if b == nil || d.Action == silence {
		return nil
	}
	x := &profile.Exposure{Decision: d.ID, Action: d.Action, Slot: d.Slot, At: d.At}
	if act := b.Action(d.Action); act != nil {
		x.Intent, x.About = act.Intent.String(), act.About
		if act.Group >= 0 {
			x.Group = b.Groups[act.Group].Name
		}
	}
	if slot := b.Slot(d.Slot); slot != nil {
		x.Channel = slot.Channel
	}
	return x
}

// finishForgets destroys the keys whose receipt is in the log: the process may
// have ended between the two.
func (a *Agent) finishForgets(above []engine.Record) error {
	var handles []engine.Handle
	for _, r := range above {
		if r.Event == nil {
			continue
		}
		if _, forget := r.Event.Body.(*event.Forget); forget && r.Handle != ownerHandle && a.store.Keys.Has(r.Handle) {
			handles = append(handles, r.Handle)
		}
	}
	if len(handles) == 0 {
		return nil
	}
	return a.store.Keys.Destroy(handles...)
}

func (a *Agent) startLink() error {
	if a.cfg.Broker == nil {
		return nil
	}
	s := a.cfg.Session
	s.Tenant, s.Device, s.Groups, s.Keys, s.Boot = a.cfg.Tenant, a.cfg.Device, a.cfg.Groups, a.cfg.HubKeys, a.boot
	s.Seed = a.life // two devices shall not come back at one instant, nor take answers for their own that were given to a copy
	link, err := mqtt.NewDevice(mqtt.DeviceConfig{Broker: *a.cfg.Broker, Session: s, Queue: crashQueue{a.queue, a.cfg.Crash},
		Counter: func() (uint64, error) { return a.store.Count("connection") }, Up: a.arrived})
	if err != nil {
		return err
	}
	a.link = link
	return nil
}

// crashQueue is the queue with the labelled point of an acknowledgement.
type crashQueue struct {
	*outbox.Outbox
	crash func(string)
}

func (q crashQueue) Acknowledge(epoch, through uint64, ranges []wire.Range) error {
	err := q.Outbox.Acknowledge(epoch, through, ranges)
	if q.crash != nil {
		q.crash(CrashAfterAcknowledge)
	}
	return err
}

func (a *Agent) startBoard() (err error) {
	if len(a.cfg.Sources) == 0 {
		return nil
	}
	if a.board, err = board.Start(a.cfg.Sources, nil, a.cfg.Ports, a.inbox.source); err != nil {
		return err
	}
	a.sources = a.board
	return nil
}

func (a *Agent) closeBoard() {
	if a.board != nil {
		a.inbox.close() // sources that wait for room return
		a.board.Close()
	}
}

// run starts the goroutines of mind and link.
func (a *Agent) run(ctx context.Context) {
	loop, stop := context.WithCancel(ctx)
	a.stop, a.ctx = stop, loop
	link, unlink := context.WithCancel(context.Background())
	if a.link != nil {
		a.links.Go(func() {
			if err := a.link.Run(link); err != nil {
				a.tell.Error("link has ended", "error", err)
			}
		})
	}
	go func() {
		defer close(a.done)
		a.err = a.loop(loop)
		left := a.inbox.close()
		if a.err == nil {
			a.err = a.finish(left)
		}
		a.feed.Close()
		a.closeBoard()
		unlink()
		a.links.Wait()
		a.closeMoments()
		a.err = errors.Join(a.err, a.store.Close())
		stop()
	}()
}

// finish takes in what still waited when the agent was told to stop, and saves.
func (a *Agent) finish(left taken) error {
	ctx := context.Background()
	if err := a.goOn(ctx, true); err != nil {
		return err
	}
	for _, r := range left.requests {
		if r.ask != nil {
			r.ask(a.mind)
			continue
		}
		stop, cancel := context.WithTimeout(ctx, finishTime)
		answer, err := a.take(stop, r.events, false)
		cancel()
		if err != nil {
			return err
		}
		if r.answer != nil {
			r.answer <- answer
		}
	}
	a.save()
	if isFull(a.failed) {
		return nil // it was told; what is not in the log was shown to nobody
	}
	return a.failed
}

// Done is closed when the agent has stopped; Err then says why, nil after Close
// or the end of its context.
func (a *Agent) Done() <-chan struct{} { return a.done }

// Err returns what stopped the agent.
func (a *Agent) Err() error {
	select {
	case <-a.done:
		return a.err
	default:
		return nil
	}
}

// Close stops the agent: what waits is taken in, a snapshot saved, offline
// published. It returns what stopped it, nil as a rule.
func (a *Agent) Close() error {
	a.closing.Do(a.stop)
	<-a.done
	return a.err
}

// Feed is what screens follow.
func (a *Agent) Feed() *Feed { return a.feed }
