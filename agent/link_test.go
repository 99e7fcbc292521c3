package agent

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// access lets everybody in.
type access struct{ mochi.HookBase }

func (*access) ID() string { return "access" }
func (*access) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*access) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*access) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// fakeHub answers one device over a real broker with the words of the wire.
type fakeHub struct {
	t       *testing.T
	broker  *mochi.Server
	addr    string
	sign    ed25519.PrivateKey
	seal    *ecdh.PrivateKey
	batches *wire.Unpacker
	path    wire.Path

	mu      sync.Mutex
	files   map[string][]byte
	slices  map[string]func(wire.Handle) *wire.Slice // by customer
	handles map[string]wire.Handle                   // as asked for
	log     map[uint64][]byte                        // records by number
	epoch   uint64
	report  wire.Reported
	conn    wire.Conn
}

func newHub(t *testing.T) *fakeHub {
	t.Helper()
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := wire.NewUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &fakeHub{t: t, addr: "tcp://" + l.Addr().String(), sign: sign, seal: seal, batches: batches, path: wire.Path{Tenant: "main", Device: "kiosk-1"},
		files: map[string][]byte{}, slices: map[string]func(wire.Handle) *wire.Slice{}, handles: map[string]wire.Handle{}, log: map[uint64][]byte{}}
	h.broker = mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	for _, hook := range []mochi.Hook{&access{}, embedded.OneAtATime()} {
		if err := h.broker.AddHook(hook, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.broker.AddListener(listeners.NewNet("test", l)); err != nil {
		t.Fatal(err)
	}
	if err := h.broker.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Shut(h.broker, l) })
	for k, filter := range []string{wire.AllUp("main"), wire.AllState("main")} {
		if err := h.broker.Subscribe(filter, k+1, func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) { h.take(p.TopicName, p.Payload) }); err != nil {
			t.Fatal(err)
		}
	}
	h.publish(wire.HubConn("main"), mustJSON(t, wire.Conn{State: wire.Online, Boot: 1, Counter: 1}), true)
	return h
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := wire.EncodeJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *fakeHub) publish(topic string, payload []byte, retain bool) {
	if err := h.broker.Publish(topic, payload, retain, 1); err != nil {
		h.t.Error(err)
	}
}

// say signs a message for its topic and sends it.
func (h *fakeHub) say(topic string, payload []byte, retain bool) {
	signed, err := wire.Sign(topic, payload, h.sign)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.publish(topic, signed, retain)
}

func (h *fakeHub) down(class, name string, m wire.DownMessage) {
	b, err := wire.EncodeDown(m)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.say(wire.Topic{Tenant: "main", Device: "kiosk-1", Plane: wire.Down, Class: class, Name: name}.String(), b, false)
}

func (h *fakeHub) want(w wire.Want) {
	w.HubKey, w.Time = h.seal.PublicKey().Bytes(), time.Now().UnixMilli()
	h.say(h.path.Of(wire.Down, wire.ClassWant), mustJSON(h.t, w), true)
}

// offer signs a bundle and lets the device want it.
func (h *fakeHub) offer(revision uint64, b *catalog.Bundle, key update.SecretKey) {
	data := catalog.Encode(b)
	signature, err := update.Sign(data, key, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	id := hex.EncodeToString(sum[:])
	h.mu.Lock()
	h.files[id] = data
	h.mu.Unlock()
	h.want(wire.Want{Revision: revision, Bundle: &wire.WantBundle{Name: b.Name, Version: fmt.Sprint(b.Version), Size: int64(len(data)), SHA256: id, Signature: string(signature)}})
}

func (h *fakeHub) take(topic string, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, err := wire.ParseTopic(topic)
	if err != nil {
		h.t.Error(err)
		return
	}
	switch p.Class {
	case wire.ClassConn:
		err = wire.DecodeJSON(payload, &h.conn)
	case wire.ClassReport:
		err = wire.DecodeJSON(payload, &h.report)
	case wire.ClassLog:
		err = h.takeLog(payload)
	case wire.ClassReq:
		err = h.answer(payload)
	}
	if err != nil {
		h.t.Error(err)
	}
}

func (h *fakeHub) takeLog(payload []byte) error {
	b, err := h.batches.Decode(payload)
	if err != nil {
		return err
	}
	h.epoch = b.Epoch
	for k, r := range b.Records {
		h.log[b.First+uint64(k)] = bytes.Clone(r)
	}
	h.acknowledge("")
	return nil
}

func (h *fakeHub) acknowledge(re string) {
	through := uint64(0)
	for h.log[through+1] != nil {
		through++
	}
	h.down(wire.ClassAck, "", &wire.Ack{Epoch: h.epoch, Through: through, Time: time.Now().UnixMilli(), Re: re})
}

func (h *fakeHub) answer(payload []byte) error {
	r, err := wire.DecodeRequest(payload)
	if err != nil {
		return err
	}
	switch r := r.(type) {
	case *wire.Echo:
		h.say(h.path.Named(wire.Down, wire.ClassCmd, "echo"), mustJSON(h.t, &wire.EchoAnswer{Re: r.ID, Time: time.Now().UnixMilli()}), false)
	case *wire.Hello:
		h.epoch = r.Epoch
		h.acknowledge(r.ID)
	case *wire.SliceRequest:
		customer, err := wire.OpenAtHub(h.seal, r.Handle, r.Customer)
		if err != nil {
			return err
		}
		h.handles[customer] = r.Handle
		if make := h.slices[customer]; make != nil {
			s := make(r.Handle)
			s.Re = r.ID
			h.down(wire.ClassSlice, r.Handle.String(), s)
		}
	case *wire.BundleRequest:
		data := h.files[r.SHA256]
		of := (len(data) + wire.ChunkSize - 1) / wire.ChunkSize
		for k := int(r.Index); k < min(of, int(r.Index)+max(1, int(r.Count))); k++ {
			h.down(wire.ClassBlob, r.SHA256, &wire.Blob{ID: r.SHA256, Index: uint32(k), Of: uint32(of), Bytes: data[k*wire.ChunkSize : min(len(data), (k+1)*wire.ChunkSize)], Re: r.ID})
		}
	}
	return nil
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(15 * time.Second)
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (h *fakeHub) seen(is func() bool) func() bool {
	return func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return is()
	}
}

func annaAt(h wire.Handle, revision uint64, more ...wire.SliceInteraction) *wire.Slice {
	now := time.Now()
	return &wire.Slice{Handle: h, Revision: revision, Until: now.Add(24 * time.Hour).UnixMilli(), Customer: "p1",
		Facts:        []wire.SliceFact{{Name: "name.first", Value: wire.ValueOf(sense.StringValue("Anna")), Provenance: 1, Happened: now.Add(-time.Hour).UnixMilli()}},
		Consents:     []wire.SliceConsent{{Purpose: "offers", Granted: true, Ever: true, Happened: now.Add(-time.Hour).UnixMilli()}},
		Interactions: more}
}

// TestFromHubToScreenAndBack lets one device live through bundle, slice, decision,
// clear, forget, a refused bundle and a clean stop, over a real broker.
func TestFromHubToScreenAndBack(t *testing.T) {
	b, findings, err := policy.Compile("../testdata/policies/dealer")
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t)
	h.offer(1, b, secret)
	h.slices["card:1"] = func(x wire.Handle) *wire.Slice { return annaAt(x, 1) }
	dir := t.TempDir()
	device := func(c *Config) {
		c.Broker = &mqtt.Broker{Address: h.addr}
		c.HubKeys = wire.KeysOf(h.sign.Public().(ed25519.PublicKey))
		c.Trusted = []update.PublicKey{public}
		c.Session = uplink.Config{Linger: -1}
		c.Tell = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	a := start(t, dir, device)
	name := fmt.Sprintf("dealer@%d", b.Version)
	until(t, "the bundle", func() bool { return a.Status().Bundle == name })

	submit(t, a, `{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"identify":"card:1","by":"card"}`)
	until(t, "the slice", func() bool {
		k, ok, err := a.Known(context.Background(), "main")
		return err == nil && ok && k.Here
	})
	screen, _ := a.Feed().Read(0, func(m *Message) bool { return m.Kind == KindClear })
	defer screen.Close()
	got := submit(t, a, `{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"kiosk.home"}`)
	if len(got.Decisions) != 1 || got.Decisions[0].Action != "model-x-1000-off" || got.Decisions[0].Text == nil || !strings.Contains(got.Decisions[0].Text.Text, "Anna") {
		t.Fatalf("decided %s", got.Decisions[0].AppendJSON(nil, -1))
	}
	shown := got.Decisions[0]

	h.mu.Lock()
	anna := h.handles["card:1"]
	h.mu.Unlock()
	h.down(wire.ClassSlice, anna.String(), annaAt(anna, 2, wire.SliceInteraction{Kind: "purchase", About: "product:model-x", Happened: time.Now().Add(-time.Minute).UnixMilli(), ID: "o1", Source: "shop"}))
	select {
	case m := <-screen.C:
		if !bytes.Contains(m.Line, []byte(`"cause":"already_bought"`)) || !bytes.Contains(m.Line, []byte(shown.ID)) {
			t.Errorf("cleared with %s", m.Line)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("what was just bought is still offered")
	}

	// Balance: what the device decided is what the hub has, and the device knows that.
	until(t, "acknowledgement of all", func() bool { s := a.queue.Status(); return s.Head == s.Next })
	h.mu.Lock()
	decisions := 0
	for _, raw := range h.log {
		if rec, err := wire.DecodeRecord(raw); err != nil {
			t.Error(err)
		} else if d, ok := rec.(*wire.Decision); ok {
			decisions++
			if d.N != shown.N || d.Handle != anna {
				t.Errorf("the hub has decision %d for %s", d.N, d.Handle)
			}
		}
		if bytes.Contains(raw, []byte("card:1")) || bytes.Contains(raw, []byte("Anna")) {
			t.Error("a record says who it is")
		}
	}
	h.mu.Unlock()
	if decisions != 1 {
		t.Errorf("the hub has %d decisions, one was made", decisions)
	}

	// Forget: the key goes, and the receipt names the order.
	h.down(wire.ClassSlice, anna.String(), &wire.Forget{Handle: anna, ID: "forget-1"})
	until(t, "the receipt", h.seen(func() bool {
		for _, raw := range h.log {
			var f wire.Forgotten
			if wire.Kind(raw[0]) == wire.KindForgotten && wire.DecodeInto(raw, &f) == nil {
				return f.ID == "forget-1" && f.Handle == anna
			}
		}
		return false
	}))

	// An older bundle, and one of a stranger, leave the present one in charge.
	older := *b
	older.Version--
	h.offer(2, &older, secret)
	until(t, "the refusal of an older bundle", h.seen(func() bool {
		return h.report.Revision == 2 && strings.Contains(h.report.Items[0].Error, "not newer")
	}))
	_, stranger, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	newer := *b
	newer.Version++
	h.offer(3, &newer, stranger)
	until(t, "the refusal of a stranger's bundle", h.seen(func() bool {
		return h.report.Revision == 3 && strings.Contains(h.report.Items[0].Error, "not trusted")
	}))
	h.offer(4, &newer, secret)
	next := fmt.Sprintf("dealer@%d", newer.Version)
	until(t, "the newer bundle", func() bool { return a.Status().Bundle == next })

	stop(t, a)
	until(t, "offline", h.seen(func() bool { return h.conn.State == wire.Offline }))
	a = start(t, dir, device)
	if s := a.Status(); s.Bundle != next || s.Outbox.First == 0 {
		t.Errorf("after a restart: bundle %s", s.Bundle)
	}
	until(t, "online again", h.seen(func() bool { return h.conn.State == wire.Online && h.conn.Counter == 2 }))
	stop(t, a)
}

// TestFetchGoesOnAfterARestart ends a life while the bundle is on its way: the want is
// kept, though the broker's retained one is no news any more.
func TestFetchGoesOnAfterARestart(t *testing.T) {
	b, _, err := policy.Compile("../testdata/policies/dealer")
	if err != nil || b == nil {
		t.Fatal(err)
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t)
	h.offer(1, b, secret)
	h.mu.Lock()
	files := h.files
	h.files = map[string][]byte{} // the hub does not send it yet
	h.mu.Unlock()
	dir := t.TempDir()
	device := func(c *Config) {
		c.Broker = &mqtt.Broker{Address: h.addr}
		c.HubKeys = wire.KeysOf(h.sign.Public().(ed25519.PublicKey))
		c.Trusted = []update.PublicKey{public}
	}
	a := start(t, dir, device)
	until(t, "the want", func() bool { return a.hubKey() != nil })
	stop(t, a)
	h.mu.Lock()
	h.files = files
	h.mu.Unlock()
	a = start(t, dir, device)
	defer stop(t, a)
	until(t, "the bundle", func() bool { return a.Status().Bundle != "" })
}
