package sim

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/uplink"
)

// Tenant of the world.
const Tenant = "world"

// Config of a world.
type Config struct {
	Seed    uint64
	Start   sense.Instant
	Bundle  *catalog.Bundle
	Devices []Device
	Link    Link
	Lease   sense.Duration // of slices; 0 takes the hub's default
	// Session holds further settings of the devices' delivery sessions. Zero fields take
	// those of the product.
	Session uplink.Config
	// Heard is called with each output of a device's mind, as it is performed. It may be nil.
	Heard func(device string, o *engine.Output)
	// Sent is called with each message that a device sends. It may be nil.
	Sent func(device string, p uplink.Publish)
}

// Device of a world.
type Device struct {
	Name   string
	Slots  []string // nil for all
	Owners []event.Owner
	Absent []string
}

// Link is how messages travel.
type Link struct {
	Least, Most sense.Duration // delay of one message
	Loss        float64        // share that is lost
	Double      float64        // share that arrives twice
}

// World is the devices, the hub and what is between them.
type World struct {
	cfg     Config
	now     sense.Instant
	rand    *rand.Rand
	queue   queue
	seq     uint64
	devices []*device
	byName  map[string]*device
	hub     *headquarters
	log     hash.Hash
	bundle  shipped // that the hub wants everywhere
}

// shipped is a bundle as devices get it.
type shipped struct {
	engine.BundleUpdate
	sha string
}

func ship(b *catalog.Bundle) (s shipped, file []byte) {
	file = catalog.Encode(b)
	sum := sha256.Sum256(file)
	return shipped{engine.BundleUpdate{Bundle: b, Hash: sum}, hex.EncodeToString(sum[:])}, file
}

// before is how long the world runs before its start.
const before = 10 * sense.Minute

// New makes a world and runs it until its start.
func New(cfg Config) (*World, error) {
	bundle, file := ship(cfg.Bundle)
	w := &World{cfg: cfg, now: cfg.Start - sense.Instant(before), rand: rand.New(rand.NewPCG(cfg.Seed, 0x7ac7)), byName: map[string]*device{}, log: sha256.New(), bundle: bundle}
	var err error
	if w.hub, err = newHub(w, file); err != nil {
		return nil, fmt.Errorf("make world: %w", err)
	}
	for k := range cfg.Devices {
		d := newDevice(w, cfg.Devices[k], uint64(k)+1)
		w.devices = append(w.devices, d)
		w.byName[d.cfg.Name] = d
		if err := d.boot(); err != nil {
			return nil, fmt.Errorf("make world: device %s: %w", d.cfg.Name, err)
		}
	}
	return w, w.Run(cfg.Start)
}

// Now returns the world's time.
func (w *World) Now() sense.Instant { return w.now }

// Log returns the running hash of all that was decided and sent.
func (w *World) Log() string { return hex.EncodeToString(w.log.Sum(nil)) }

// due is something that will happen.
type due struct {
	at  sense.Instant
	seq uint64
	do  func() error
}

type queue []due

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(due)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// after lets something happen after a while.
func (w *World) after(d sense.Duration, do func() error) {
	w.seq++
	heap.Push(&w.queue, due{at: w.now.Add(d), seq: w.seq, do: do})
}

// mostAtOnce bounds what may happen at one instant: more is a machine that runs in circles.
const mostAtOnce = 1 << 20

// Run lets time pass until an instant, and all that is due until then happen.
func (w *World) Run(until sense.Instant) error {
	at, count := w.now, 0
	for {
		next, d := w.next()
		if next > until {
			w.now = max(w.now, until)
			return nil
		}
		w.now = max(w.now, next)
		if w.now != at {
			at, count = w.now, 0
		}
		if count++; count > mostAtOnce {
			return fmt.Errorf("run world: more than %d things happen at %s", mostAtOnce, w.now)
		}
		var err error
		if d != nil {
			err = d.wakeUp()
		} else {
			err = heap.Pop(&w.queue).(due).do()
		}
		if err != nil {
			return fmt.Errorf("run world: at %s: %w", w.now, err)
		}
	}
}

// next returns when something happens next: in the queue (nil), or by a device itself.
func (w *World) next() (sense.Instant, *device) {
	at, who := sense.Never, (*device)(nil)
	if len(w.queue) > 0 {
		at = w.queue[0].at
	}
	for _, d := range w.devices {
		if t := d.wake(); t < at {
			at, who = t, d
		}
	}
	return at, who
}

// carry takes a message over the link: late, perhaps twice, perhaps never.
func (w *World) carry(arrive func() error) {
	copies := 1
	if w.cfg.Link.Loss > 0 || w.cfg.Link.Double > 0 {
		switch x := w.rand.Float64(); {
		case x < w.cfg.Link.Loss:
			copies = 0
		case x < w.cfg.Link.Loss+w.cfg.Link.Double:
			copies = 2
		}
	}
	for range copies {
		w.after(w.delay(), arrive)
	}
}

func (w *World) delay() sense.Duration {
	d := w.cfg.Link.Least
	if spread := int64(w.cfg.Link.Most - w.cfg.Link.Least); spread > 0 {
		d += sense.Duration(w.rand.Int64N(spread + 1))
	}
	return d
}

func (w *World) find(name string) (*device, error) {
	if d := w.byName[name]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("there is no device %q", name)
}

// Take gives a device the events of one instant, now. It returns the refusals, by index.
func (w *World) Take(name string, events []event.Event) ([]engine.Refusal, error) {
	d, err := w.find(name)
	if err != nil {
		return nil, err
	}
	refused, err := d.take(events)
	if err != nil {
		return refused, err
	}
	return refused, w.Run(w.now)
}

// Tell gives the hub an event of a source, now. The first error is why it was not taken.
func (w *World) Tell(source string, e event.Event) (refused, err error) {
	answer, err := w.hub.round(hub.FromSource{Source: source, Event: e})
	if err != nil {
		return nil, err
	}
	return answer.Err, w.Run(w.now)
}

// Ship publishes a bundle at the hub. Devices on the network have it after the link's
// delay, others when they are back.
func (w *World) Ship(b *catalog.Bundle) error {
	bundle, file := ship(b)
	answer, err := w.hub.round(hub.Publish{File: file})
	if err = errors.Join(err, answer.Err); err != nil {
		return fmt.Errorf("ship bundle: %w", err)
	}
	w.bundle = bundle
	for _, d := range w.devices {
		d.fetch()
	}
	return w.Run(w.now)
}

// May asks the hub whether somebody may be approached.
func (w *World) May(q hub.Question) (*hub.Verdict, error) {
	answer, err := w.hub.round(hub.Ask{Question: q})
	if err != nil {
		return nil, err
	}
	return answer.May, answer.Err
}

// Customer asks the hub what is known of somebody.
func (w *World) Customer(id string) (*hub.Customer, error) {
	answer, err := w.hub.round(hub.Look{Customer: id})
	if err != nil {
		return nil, err
	}
	return answer.View, answer.Err
}

// Mind returns a device's mind, for looking at.
func (w *World) Mind(name string) *engine.Mind {
	if d := w.byName[name]; d != nil {
		return d.mind
	}
	return nil
}

// Cut takes a device off the network; Join lets it back.
func (w *World) Cut(name string) error {
	d, err := w.find(name)
	if err != nil {
		return err
	}
	d.cut = true
	if err := d.disconnect("cut"); err != nil {
		return err
	}
	return w.Run(w.now)
}

// Join lets a device reach the network again; a try that waits gets through, or the next one does.
func (w *World) Join(name string) error {
	d, err := w.find(name)
	if err != nil {
		return err
	}
	d.cut = false
	if d.dialling != 0 {
		if err := d.guarded(func() error { return d.connected(d.dialling) }); err != nil {
			return err
		}
	}
	return w.Run(w.now)
}

// Crash takes a device's power, and gives it back.
func (w *World) Crash(name string) error {
	d, err := w.find(name)
	if err != nil {
		return err
	}
	return d.crash()
}

// SetLink changes how messages travel from now on.
func (w *World) SetLink(l Link) { w.cfg.Link = l }

func (w *World) note(parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(w.log, "%d:%s", len(p), p)
	}
	w.log.Write([]byte{'\n'})
}

// Balance says what is wrong between the devices and the hub: every record of
// every device is there once, every decision that was shown as well, and nothing waits.
func (w *World) Balance() error {
	report, err := w.hub.ledger.Verify(context.Background())
	if err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		f := report.Findings[0]
		return fmt.Errorf("%d findings in the ledger, the first: %s: %s: %s", len(report.Findings), f.Device, f.Code, f.Text)
	}
	for _, d := range w.devices {
		if err := d.balance(report); err != nil {
			return fmt.Errorf("device %s: %w", d.cfg.Name, err)
		}
	}
	return nil
}
