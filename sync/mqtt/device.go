package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// Queue is the outbox as the link uses it; *outbox.Outbox is one.
type Queue interface {
	Status() outbox.Status
	Peek(at sense.Instant, from uint64, n, size int) (outbox.Run, error)
	Acknowledge(epoch, through uint64, ranges []wire.Range) error
}

// Device is the link of a device to its hub.
type Device struct {
	broker  Broker
	session *uplink.Session
	queue   Queue
	counter func() (uint64, error)
	up      func(uplink.Event)
	start   time.Time

	inbox    chan uplink.Arrived
	happened chan report
	nudge    chan struct{} // there are told inputs, or the outbox has grown
	mu       sync.Mutex
	told     []uplink.Input

	overflow atomic.Bool   // the inbox was full: begin anew
	dropped  atomic.Uint64 // messages
	reads    int           // that failed in a row

	client paho.Client
	life   uint64        // of the present client; what an older one reports is void
	gone   chan struct{} // closed with the present client
}

// report is what a client's goroutines tell the one of Run.
type report struct {
	life  uint64
	input uplink.Input
}

// DeviceConfig is what a link is made of.
type DeviceConfig struct {
	Broker  Broker // ClientID and Username default to the device id
	Session uplink.Config
	Queue   Queue
	// Counter returns the connect counter, one more than the last, saved durably.
	Counter func() (uint64, error)
	// Up takes what is for the device, on the goroutine of Run. It must not block.
	Up func(uplink.Event)
}

const (
	inboxSize = 128 // messages; at most 8 MiB
	toldMost  = 1024
)

// ErrBusy says that the link has too much to take in.
var ErrBusy = errors.New("link is busy")

// NewDevice checks c and makes a link that Run will open.
func NewDevice(c DeviceConfig) (*Device, error) {
	if c.Broker.ClientID == "" {
		c.Broker.ClientID = c.Session.Device
	}
	if c.Broker.Username == "" {
		c.Broker.Username = c.Broker.ClientID
	}
	if err := c.Broker.check(); err != nil {
		return nil, err
	}
	s, err := uplink.New(c.Session)
	if err != nil {
		return nil, err
	}
	return &Device{broker: c.Broker, session: s, queue: c.Queue, counter: c.Counter, up: c.Up, start: time.Now(),
		inbox: make(chan uplink.Arrived, inboxSize), happened: make(chan report, 64), nudge: make(chan struct{}, 1)}, nil
}

// Appended says that the outbox has grown, or was opened anew. It never blocks.
func (d *Device) Appended() {
	select {
	case d.nudge <- struct{}{}:
	default: // one is on its way
	}
}

// Tell gives the session an input of the device: Self, Ask, Cancel, Send or Greet. It
// never blocks; ErrBusy means that it was not taken.
func (d *Device) Tell(in uplink.Input) error {
	switch in.(type) {
	case uplink.Self, uplink.Ask, uplink.Cancel, uplink.Send, uplink.Greet:
	default:
		return fmt.Errorf("tell link %T: not for a device to say", in)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.told) >= toldMost {
		return fmt.Errorf("tell link %T: %w", in, ErrBusy)
	}
	d.told = append(d.told, in)
	d.Appended()
	return nil
}

// Dropped counts the messages that were dropped, too large or too many.
func (d *Device) Dropped() uint64 { return d.dropped.Load() }

// now is the session's clock: wall time at the start, and then monotonic.
func (d *Device) now() sense.Instant {
	return sense.InstantOf(d.start).Add(sense.Duration(time.Since(d.start).Milliseconds()))
}

// Run opens the link and keeps it until ctx ends; then it says goodbye and returns.
func (d *Device) Run(ctx context.Context) error {
	done := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	look, stop := d.broker.recheck()
	defer stop()
	wake, ended := d.take(d.logNow())
	for !ended {
		timer.Reset(d.until(wake))
		select {
		case <-done:
			done = nil
			wake, ended = d.take(uplink.Stop{})
		case r := <-d.happened:
			if r.life == d.life {
				wake, ended = d.take(r.input)
			}
		case m := <-d.inbox:
			wake, ended = d.take(m)
		case <-d.nudge:
			wake, ended = d.takeTold()
		case <-look:
			if d.certsChanged() && d.client != nil {
				d.close()
				wake, ended = d.take(uplink.Disconnected{Cause: errChanged.Error()})
			}
		case <-timer.C:
			wake, ended = d.take(uplink.Tick{})
		}
		if !ended && d.overflow.Swap(false) {
			d.close()
			d.up(uplink.Problem{Code: uplink.ProblemMessage, Detail: fmt.Sprintf("%d messages were dropped, the link is begun anew", d.dropped.Load())})
			wake, ended = d.take(uplink.Disconnected{Cause: "inbox full"})
		}
	}
	return nil
}

// until is how long to wait for an instant, within reason for a timer.
func (d *Device) until(wake sense.Instant) time.Duration {
	ms := max(0, min(int64(wake.Sub(d.now())), int64(sense.Hour)))
	if wake == sense.Never {
		ms = int64(sense.Hour)
	}
	return time.Duration(ms) * time.Millisecond
}

func (d *Device) takeTold() (wake sense.Instant, ended bool) {
	d.mu.Lock()
	told := d.told
	d.told = nil
	d.mu.Unlock()
	for _, in := range told {
		if _, ended = d.take(in); ended {
			return sense.Never, true
		}
	}
	return d.take(d.logNow())
}

func (d *Device) logNow() uplink.Log {
	s := d.queue.Status()
	return uplink.Log{Epoch: s.Epoch, Head: s.Head, Next: s.Next, Records: s.Records, Bytes: s.Bytes}
}

// take steps the session and performs what it says, and what follows from that.
func (d *Device) take(in uplink.Input) (wake sense.Instant, ended bool) {
	for in != nil {
		out := d.session.Step(d.now(), in)
		in = d.perform(out)
		wake, ended = out.Wake, ended || out.Stopped
	}
	return wake, ended
}

// perform does what out says, in its order, and returns the input that it owes.
func (d *Device) perform(out uplink.Output) (next uplink.Input) {
	if a := out.Acknowledge; a != nil {
		if err := d.queue.Acknowledge(a.Epoch, a.Through, a.Ranges); err != nil {
			d.up(uplink.Problem{Code: uplink.ProblemAck, Detail: err.Error()})
		}
	}
	for _, e := range out.Up {
		d.up(e)
	}
	if out.Connect {
		next = d.connect()
	}
	if len(out.Subscribe) > 0 {
		d.subscribe(out.Subscribe)
	}
	for _, p := range out.Publish {
		d.publish(p)
	}
	if out.Read != nil {
		next = d.read(*out.Read)
	}
	if out.Disconnect {
		d.close()
	}
	if next == nil && out.Acknowledge != nil && !out.Stopped {
		next = d.logNow()
	}
	return next
}

// read peeks into the outbox. A failure is told, and tried again later.
func (d *Device) read(r uplink.Read) uplink.Input {
	run, err := d.queue.Peek(d.now(), r.From, r.Records, r.Bytes)
	if err != nil {
		if d.reads++; d.reads == 1 {
			d.up(uplink.Problem{Code: "outbox_unreadable", Detail: err.Error()})
		}
		return uplink.Records{}
	}
	d.reads = 0
	return uplink.Records{First: run.First, Bundle: run.Bundle, Clock: run.Clock, Records: run.Records}
}

// certsChanged reads the certificates again; what is wrong with them is told.
func (d *Device) certsChanged() bool {
	changed, err := d.broker.refresh()
	if err != nil {
		d.up(uplink.Problem{Code: problemCerts, Detail: err.Error()})
	}
	return changed
}

// connect opens a new client; the end of it is reported.
func (d *Device) connect() uplink.Input {
	d.close()
	d.certsChanged()
	counter, err := d.counter()
	if err != nil {
		d.up(uplink.Problem{Code: "counter_unsaved", Detail: err.Error()})
		return uplink.Disconnected{Cause: err.Error()}
	}
	life, gone := d.life, d.gone
	o := d.broker.options(d.session.Will(d.now(), counter))
	o.SetConnectionLostHandler(func(_ paho.Client, err error) {
		d.report(life, gone, uplink.Disconnected{Cause: err.Error()})
	})
	o.SetDefaultPublishHandler(d.receive)
	d.client = paho.NewClient(o)
	for _, f := range d.session.Filters() {
		d.client.AddRoute(f, d.receive)
	}
	token := d.client.Connect()
	go func() {
		<-token.Done()
		if err := token.Error(); err != nil {
			d.report(life, gone, uplink.Disconnected{Cause: err.Error()})
			return
		}
		d.report(life, gone, uplink.Connected{Counter: counter})
	}()
	return nil
}

// receive is called by paho, for one message after the other, and never blocks.
func (d *Device) receive(_ paho.Client, m paho.Message) {
	if len(m.Payload()) > wire.MaxMessage {
		d.dropped.Add(1)
		return
	}
	select {
	case d.inbox <- uplink.Arrived{Topic: m.Topic(), Payload: m.Payload()}:
	default:
		d.dropped.Add(1)
		d.overflow.Store(true) // whoever empties the inbox sees it
	}
}

func (d *Device) report(life uint64, gone chan struct{}, in uplink.Input) {
	select {
	case d.happened <- report{life, in}:
	case <-gone:
	}
}

func (d *Device) subscribe(filters []string) {
	if d.client == nil {
		return
	}
	life, gone := d.life, d.gone
	token := d.client.SubscribeMultiple(atLeastOnce(filters), nil)
	go func() {
		select {
		case <-token.Done():
		case <-gone:
			return
		}
		if token.Error() != nil {
			return // the connection is at its end, which is reported apart
		}
		d.report(life, gone, uplink.Subscribed{Refused: refused(filters, token.(*paho.SubscribeToken).Result())})
	}()
}

// publish sends p while the connection is open. What paho then says of it counts
// for nothing but the goodbye: only the hub's acknowledgement does.
func (d *Device) publish(p uplink.Publish) {
	if d.client == nil || !d.client.IsConnectionOpen() {
		return
	}
	token := d.client.Publish(p.Topic, p.QoS, p.Retain, p.Payload)
	if !p.Retain {
		return
	}
	life, gone := d.life, d.gone
	go func() {
		select {
		case <-token.Done():
			d.report(life, gone, uplink.Published{ID: p.ID, OK: token.Error() == nil})
		case <-gone:
		}
	}()
}

// close ends the present client; whatever it still reports is void.
func (d *Device) close() {
	if d.gone != nil {
		close(d.gone)
	}
	d.gone = make(chan struct{})
	d.life++
	if d.client != nil {
		d.client.Disconnect(100)
		d.client = nil
	}
	for { // what it received belongs to it; hello brings it again
		select {
		case <-d.inbox:
			continue
		default:
		}
		break
	}
}
