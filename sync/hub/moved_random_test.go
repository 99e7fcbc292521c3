package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// logged is a record of a device's log that is not acknowledged.
type logged struct {
	seq uint64
	raw []byte
	at  int64 // names the decision in it
	out bool  // it was sent in this life: an acknowledgement may mean it
}

// life is a device that does what devices do with their log, and whose store is copied and put back.
type life struct {
	epoch, next, n uint64
	log            []logged
	unsure         bool // just put back: nothing that the hub says counts before it has answered for it
}

func (l life) copy() life {
	l.log = slices.Clone(l.log)
	return l
}

// random is a world of one device over a link that loses, doubles and delays.
type random struct {
	*world
	r        *rand.Rand
	l        life
	copies   []life
	late     []hub.Input
	made     int64
	safe     map[int64]bool // decisions that the device let go of: the hub has said that it has them
	epochs   uint64
	failures []string
}

func (x *random) decide() {
	x.made++
	x.l.n++
	d := decision(x.l.n)
	d.At = x.made
	x.l.log = append(x.l.log, logged{seq: x.l.next, raw: x.raw(d), at: x.made})
	x.l.next++
}

// move leaves the epoch.
func (x *random) move() {
	old := x.l.epoch
	x.epochs++
	x.l.epoch, x.l.next, x.l.n, x.l.unsure = x.epochs, 1, 0, false
	for k := range x.l.log {
		e := &x.l.log[k]
		e.raw = x.raw(&wire.Moved{Epoch: old, Seq: e.seq, Body: e.raw})
		e.seq, e.out = x.l.next, false
		x.l.next++
	}
}

// hear takes in what the hub said.
func (x *random) hear(re string) {
	sent := x.sent
	x.sent = nil
	for _, m := range sent {
		topic, err := wire.ParseTopic(m.Topic)
		x.sure(err)
		if topic.Class == wire.ClassCmd && topic.Name == "epoch" {
			c, err := wire.DecodeCommand("epoch", m.Payload)
			x.sure(err)
			if c.(*wire.NewEpoch).Epoch == x.l.epoch {
				x.move()
			}
		}
		if topic.Class != wire.ClassAck || x.r.IntN(8) == 0 { // lost
			continue
		}
		down, err := wire.DecodeDown(wire.ClassAck, m.Payload)
		x.sure(err)
		x.acknowledged(down.(*wire.Ack), re)
	}
}

func (x *random) acknowledged(a *wire.Ack, re string) {
	if a.Epoch != x.l.epoch || a.Through >= x.l.next {
		return
	}
	head := x.l.next
	if len(x.l.log) > 0 {
		head = x.l.log[0].seq
	}
	if x.l.unsure {
		if re == "" || a.Re != re {
			return
		}
		if a.Through >= head { // the last of them is said once more, and what the hub says of it counts
			k := 0
			for k+1 < len(x.l.log) && x.l.log[k+1].seq <= a.Through {
				k++
			}
			epoch := x.l.epoch
			x.deliver(x.message(k, k+1))
			x.hear("")
			if x.l.epoch != epoch {
				return
			}
		}
		x.l.unsure = false
		for k := range x.l.log { // it is what the hub has, and so is all below it
			x.l.log[k].out = x.l.log[k].seq <= a.Through
		}
	}
	x.l.log = slices.DeleteFunc(x.l.log, func(e logged) bool {
		here := e.seq <= a.Through
		for _, r := range a.Ranges {
			here = here || r.First <= e.seq && e.seq <= r.Last
		}
		if here && e.out {
			x.safe[e.at] = true
		}
		return here && e.out
	})
}

func (x *random) message(from, to int) hub.Input {
	b := &wire.Batch{Device: "k1", Epoch: x.l.epoch, First: x.l.log[from].seq}
	for k := from; k < to && x.l.log[k].seq == b.First+uint64(k-from); k++ {
		b.Records = append(b.Records, x.l.log[k].raw)
		x.l.log[k].out = true
	}
	msg, err := x.pack.Encode(b)
	x.sure(err)
	return hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: "k1"}.Of(wire.Up, wire.ClassLog), Payload: msg}
}

func (x *random) deliver(in hub.Input) {
	if a := x.do(in)[0]; a.Err != nil && !errors.Is(a.Err, hub.ErrConflict) {
		x.failures = append(x.failures, a.Err.Error())
	}
}

// say sends something down a bad line.
func (x *random) say(in hub.Input, re string) {
	switch x.r.IntN(10) {
	case 0: // lost
	case 1:
		x.late = append(x.late, in)
	case 2:
		x.deliver(in)
		x.deliver(in)
	default:
		x.deliver(in)
	}
	x.hear(re)
}

func (x *random) hello() {
	first := x.l.next
	if len(x.l.log) > 0 {
		first = x.l.log[0].seq
	}
	id := fmt.Sprint("hello-", x.r.Uint64())
	b, err := wire.EncodeRequest(&wire.Hello{ID: id, Epoch: x.l.epoch, First: first, Next: x.l.next})
	x.sure(err)
	x.say(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: "k1"}.Of(wire.Up, wire.ClassReq), Payload: b}, id)
}

func (x *random) send() {
	if x.l.unsure || len(x.l.log) == 0 {
		x.hello()
		return
	}
	from := x.r.IntN(min(3, len(x.l.log)))
	x.say(x.message(from, min(from+1+x.r.IntN(4), len(x.l.log))), "")
}

// Whatever is lost, doubled, delayed, copied and put back: no decision counts twice, and none is missing
// that its device let go of.
func TestMovedAtRandom(t *testing.T) {
	for seed := range uint64(300) {
		x := &random{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 7)), l: life{epoch: 1, next: 1}, epochs: 1, safe: map[int64]bool{}}
		for range 120 {
			switch op := x.r.IntN(20); {
			case op < 6:
				x.decide()
			case op < 13:
				x.send()
			case op < 15:
				x.hello()
			case op == 15 && len(x.late) > 0:
				k := x.r.IntN(len(x.late))
				in := x.late[k]
				x.late = slices.Delete(x.late, k, k+1)
				x.deliver(in)
				x.hear("")
			case op == 16:
				x.copies = append(x.copies, x.l.copy())
			case op == 17 && len(x.copies) > 0:
				x.l = x.copies[x.r.IntN(len(x.copies))].copy()
				x.l.unsure = true
				for k := range x.l.log {
					x.l.log[k].out = false
				}
			case op == 18 && x.r.IntN(4) == 0: // on another machine
				x.move()
			}
		}
		for n := 0; (len(x.l.log) > 0 || x.l.unsure) && n < 1000; n++ {
			x.hello()
			x.send()
		}
		list, err := x.l0().Decisions(context.Background(), ledger.Filter{Limit: ledger.MaxDecisions})
		x.sure(err)
		seen := map[int64]int{}
		for k := range list {
			d, _, err := list[k].Decision()
			x.sure(err)
			seen[d.At]++
		}
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf("seed %d: "+format, append([]any{seed}, args...)...)
		}
		for at, n := range seen {
			if n != 1 {
				fail("decision %d counts %d times", at, n)
			}
		}
		for at := range x.safe {
			if seen[at] == 0 {
				fail("decision %d was let go of, and is not here", at)
			}
		}
		if len(x.l.log) > 0 || x.l.unsure {
			fail("the device does not come to rest: %d records wait, unsure %v", len(x.l.log), x.l.unsure)
		}
		if n := x.count(); int(n.Decisions) != len(list) {
			fail("%d decisions are counted, %d are here", n.Decisions, len(list))
		}
		r, err := x.l0().Verify(context.Background())
		x.sure(err)
		for _, f := range r.Findings {
			if f.Code != "gap" && f.Code != "decision_gap" && f.Code != "lost" { // what a lost life had not sent, or its copy passed over
				fail("%+v", f)
			}
		}
		if len(x.failures) > 0 {
			fail("refused: %s", strings.Join(x.failures, "; "))
		}
		if t.Failed() {
			return
		}
	}
}

func (x *random) l0() ledger.Ledger { return x.world.l } // l is the device here
