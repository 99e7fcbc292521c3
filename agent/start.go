package agent

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/agent/zones"
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

	epoch, boot uint64
	wants       wants
	present     wire.BundleRef
	tables      map[wire.BundleID]*symbols
	catalogs    map[wire.BundleID]*catalog.Bundle
	fetch       fetch
	leases      map[engine.Handle]*leased
	served      map[string]bool // sessions in which somebody is identified
	lastUse     map[engine.Handle]uint64
	dirty       int // changes since the last snapshot
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
		cfg: cfg, tell: cfg.Tell, inbox: newInbox(), feed: NewFeed(), done: make(chan struct{}),
		tables: map[wire.BundleID]*symbols{}, catalogs: map[wire.BundleID]*catalog.Bundle{},
		leases: map[engine.Handle]*leased{}, served: map[string]bool{}, fetch: fetch{due: sense.Never}, lastUse: map[engine.Handle]uint64{},
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
		Dir: a.cfg.Dir, DeviceKey: a.cfg.DeviceKey, MaxState: a.cfg.MaxState, Now: a.cfg.Clock.Wall(),
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
	if err = a.openQueue(); errors.Is(err, outbox.ErrDamaged) || err == nil && a.ahead() {
		if err == nil {
			err = errors.New("the log ends before the snapshot: it was restored from a copy, or its disk lost what it had promised")
		}
		if err = a.store.Begin(a.storeOptions(), err); err == nil {
			err = a.openQueue()
		}
	}
	if err != nil {
		return err
	}
	a.folder = update.Folder(filepath.Join(a.cfg.Dir, BundleFolder))
	a.bundles = update.NewStore(a.folder, a.cfg.Trusted, bundleName)
	a.boot, err = a.store.Count("boot")
	return err
}

func (a *Agent) openQueue() (err error) {
	var epoch [8]byte
	rand.Read(epoch[:])
	a.queue, err = outbox.Open(a.store.Outbox, outbox.Options{
		Epoch: max(1, binary.BigEndian.Uint64(epoch[:])>>1), MaxBytes: a.cfg.MaxOutbox, Open: a.codec.opener(a.hubKey),
	})
	if err == nil {
		a.epoch = a.queue.Status().Epoch
		a.codec.epoch = a.epoch
	}
	return err
}

// ahead says whether the snapshot knows numbers that the log never gave.
func (a *Agent) ahead() bool {
	snap, epoch, _ := a.store.State.Load()
	return epoch == a.epoch && snap.Applied >= a.queue.Status().Next
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
	a.stamp = newStamper(a.cfg.Clock, a.store.State.Floor())
	if err := a.reportRecovered(); err != nil {
		return err
	}
	a.openMoments()
	first, err := a.restore()
	if err != nil {
		return err
	}
	a.body = &Body{Log: a.queue, Keys: a.store.Keys, Screens: append([]Screen{a.feed}, a.cfg.Screens...), Want: a.want, Tell: a.tell,
		Crash: a.cfg.Crash, Full: func(full bool) { a.full.Store(full) }, Stored: a.stored, Moments: a.keepMoments, Tells: a.handOver, codec: a.codec, names: a.firstNames(first)}
	if err := a.startLink(); err != nil {
		return err
	}
	if err := a.startBoard(); err != nil {
		return err
	}
	a.health = a.stamp.now()
	now := a.stamp.now()
	boot := event.Event{At: now, HasAt: true, Happened: now, Session: event.MainSession, Body: &event.Boot{Clock: a.stamp.state, Absent: a.cfg.Absent}}
	if _, err := a.step(ctx, engine.Input{At: now, Bundle: first, Events: []event.Event{boot}}, nil); err != nil {
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

// restore makes the mind from the snapshot and the records above it, and returns
// the bundle to begin with, nil where there is none.
func (a *Agent) restore() (*engine.BundleUpdate, error) {
	first, err := a.loadActive()
	if err != nil {
		return nil, err
	}
	snap, epoch, unread := a.store.State.Load()
	if unread > 0 {
		a.tell.Warn("customers could not be read, their keys are gone", "count", unread)
	}
	s := a.queue.Status()
	if epoch != a.epoch {
		// Numbers of another line say nothing of this one. No decision may get a number
		// again: those in the log are folded, and of the dropped ones there were no more
		// than records.
		snap.Applied, snap.Decisions = s.First-1, s.First-1
		for k := range snap.Customers {
			for j := range snap.Customers[k].Pending {
				snap.Customers[k].Pending[j].Seq = 0
			}
		}
		for k := range snap.Volume {
			for j := range snap.Volume[k].Shown {
				snap.Volume[k].Shown[j].N = 0
			}
		}
	}
	above, err := a.above(snap)
	if err != nil {
		return nil, err
	}
	a.mind, err = engine.Restore(engine.Config{Device: a.cfg.Device, Epoch: a.epoch, Secret: a.store.State.Secret(), Slots: a.cfg.Slots, Owners: a.cfg.Owners, Absent: a.cfg.Absent,
		Sessions: a.cfg.Sessions, Customers: a.cfg.Customers, Zone: zones.Zone, Moments: a.moments != nil}, snap, above)
	if err != nil {
		return nil, err
	}
	if epoch == a.epoch {
		a.queue.Applied(snap.Applied)
	}
	a.stamp.reach(a.mind.Now())
	for _, h := range a.store.Keys.Handles() {
		a.lastUse[h] = s.Next - 1 // records with it may wait
	}
	if err := a.finishForgets(above); err != nil {
		return nil, err
	}
	a.dirty = len(above)
	a.saveBy = a.stamp.now().Add(snapshotAfter)
	return first, nil
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
	u, err := a.load(b.Data)
	if err != nil {
		a.tell.Error("the active bundle cannot be read, going on without a policy", "error", err)
		return nil, nil
	}
	return u, nil
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
// gaps: what is none of the mind's keeps its place, empty.
func (a *Agent) above(snap engine.Snapshot) ([]engine.Record, error) {
	customers := map[engine.Handle]string{}
	for k := range snap.Customers {
		customers[snap.Customers[k].Handle] = snap.Customers[k].Customer
	}
	var list []engine.Record
	lost := 0
	err := a.queue.Read(snap.Applied+1, func(seq uint64, bundle wire.BundleID, raw []byte) bool {
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
		if r.Identified != nil {
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

// begin sets the log aside, for an epoch that the hub refuses.
func (a *Agent) begin(why error) error {
	a.tell.Error("the hub wants another epoch: the log is set aside", "error", why)
	return a.store.Begin(a.storeOptions(), why)
}

func (a *Agent) startLink() error {
	if a.cfg.Broker == nil {
		return nil
	}
	s := a.cfg.Session
	s.Tenant, s.Device, s.Groups, s.Keys, s.Boot = a.cfg.Tenant, a.cfg.Device, a.cfg.Groups, a.cfg.HubKeys, a.boot
	if s.Seed == 0 {
		s.Seed = a.epoch ^ a.boot // two devices shall not come back at one instant
	}
	link, err := mqtt.NewDevice(mqtt.DeviceConfig{Broker: *a.cfg.Broker, Session: s, Queue: crashQueue{a.queue, a.cfg.Crash},
		Counter: func() (uint64, error) { return a.store.Count("connection") }, Up: a.inbox.fromHub})
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
	a.stop = stop
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
	return nil
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
