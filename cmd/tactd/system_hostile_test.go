package main_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/klauspost/compress/zstd"
	"github.com/tinylib/msgp/msgp"

	"github.com/tact-edge/tact/sync/wire"
)

// wireTap keeps all that crosses the wire.
type wireTap struct {
	mu   sync.Mutex
	list []tapped
}

type tapped struct {
	topic   string
	payload []byte
	maybe   bool // one bit may be one that says nothing, as in the name of a JSON key
}

// tap subscribes to everything.
func (w *world) tap(t *testing.T) *wireTap {
	t.Helper()
	tap := &wireTap{}
	done(t, w.mqttClient(t).Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		tap.mu.Lock()
		defer tap.mu.Unlock()
		tap.list = append(tap.list, tapped{topic: m.Topic(), payload: bytes.Clone(m.Payload())})
	}))
	return tap
}

func (w *wireTap) all() []tapped {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]tapped(nil), w.list...)
}

// TestHostileMessages replays, forges, cuts and swells what really crossed the wire. Hub and
// devices count it, stay small, and go on as if nothing had been said.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	seed := seed(t)
	t.Logf("TACT_SEED=%d", seed)
	w := newWorld(t, shop(1))
	tap := w.tap(t)
	d, other := w.newDevice("kiosk-1"), w.newDevice("kiosk-2")
	w.mustFeed(annaName, annaConsent)
	for _, d := range []*device{d, other} {
		d.up()
		await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	}
	d.tell(annaIsHere)
	d.arrival()
	for range 12 { // enough for a batch that is packed
		if x := d.ask("counter"); x.Action != "model-x" {
			t.Fatalf("decided %s", x.Action)
		}
	}
	d.handsOver(20 * time.Second)
	w.mustFeed(`{"consent":"offers","customer":"crm:1","granted":false}`)
	await(t, "the withdrawal is on the device", 20*time.Second, func() bool { x := d.ask("counter"); return x.why("model-x") == "legal consent_withdrawn" })
	await(t, "everything is handed over", 20*time.Second, func() bool { return d.drained() && other.drained() })
	real := tap.all()
	before, at := d.state(), len(w.decisions())

	attack := hostile(t, real, rand.New(rand.NewPCG(seed, 4)))
	c := w.mqttClient(t)
	for _, m := range attack {
		token := c.Publish(m.topic, 1, false, m.payload)
		if !token.WaitTimeout(20 * time.Second) {
			t.Fatalf("the broker does not take %d bytes for %s", len(m.payload), m.topic)
		}
	}
	// What is no copy of a message that was right has to be refused by whom it is sent to.
	wrong, right := 0, map[string]bool{}
	for _, m := range real {
		right[m.topic+string(m.payload)] = true
	}
	for _, m := range attack {
		if strings.HasPrefix(m.topic, "tact/v1/main/kiosk-1/dn/") && strings.Count(m.topic, "/") <= 7 && !m.maybe && !right[m.topic+string(m.payload)] {
			wrong++
		}
	}
	if !becomes(20*time.Second, func() bool { s := d.state(); return s.Refused-before.Refused+s.Dropped-before.Dropped >= uint64(wrong) }) {
		t.Errorf("of %d messages that are wrong the device has counted %d as refused and %d as dropped", wrong, d.state().Refused-before.Refused, d.state().Dropped-before.Dropped)
	}
	// All of it went by when what comes after it is answered.
	for _, d := range []*device{d, other} {
		d.ask("counter")
		d.handsOver(60 * time.Second)
	}
	s, health := d.state(), w.health().Counts
	t.Logf("%d messages of %d kinds; the device refused %d and dropped %d; the hub: garbage %d, too large %d, foreign %d, conflicts %d",
		len(attack), len(real), s.Refused-before.Refused, s.Dropped-before.Dropped, health["refused_garbage"], health["refused_too_large"], health["refused_foreign"], health["refused_conflict"])
	for _, name := range []string{"refused_garbage", "refused_too_large", "refused_foreign"} {
		if health[name] == 0 {
			t.Errorf("the hub has counted no %s", name)
		}
	}
	if s.Refused == before.Refused || s.Dropped == before.Dropped {
		t.Errorf("the device has not counted: %+v", s)
	}
	if s.Bundle != "shop@1" || s.Boot != 1 || s.Epoch != before.Epoch {
		t.Errorf("the device was %+v and is %+v", before, s)
	}
	// What was withdrawn stays so though the old slice came again, signed by the hub.
	if x := d.ask("counter"); x.why("model-x") != "legal consent_withdrawn" {
		t.Errorf("the device decided %s, model-x %s", x.Action, x.why("model-x"))
	}
	if p := d.known(); !p.Slice || len(p.Facts) != 1 {
		t.Errorf("the device knows %+v", p)
	}
	if p := other.known(); p.Slice || len(p.Facts) > 0 {
		t.Errorf("the other device knows %+v", p)
	}
	most := 96.0
	if raceDetector() {
		most = 640
	}
	for _, p := range []*process{w.hub, d.process, other.process} {
		if mb := memory(t, p.command.Process.Pid, "VmHWM:"); mb > most {
			t.Errorf("%s took %.0f MB, at most %.0f are allowed", p.name, mb, most)
		}
	}
	await(t, "three decisions more are at the hub", 30*time.Second, func() bool { return d.drained() && other.drained() && len(w.decisions()) == at+3 })
	if r := w.verify(); r.code != 0 || strings.Contains(r.stdout, "stranger") {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// hostile makes messages of real ones.
func hostile(t *testing.T, real []tapped, random *rand.Rand) (all []tapped) {
	t.Helper()
	own, mine := "tact/v1/main/kiosk-1/", "tact/v1/main/kiosk-2/"
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	send := func(topic string, payload []byte) { all = append(all, tapped{topic: topic, payload: payload}) }
	var slices []string // topics
	for _, m := range real {
		rest, ofDevice := strings.CutPrefix(m.topic, own)
		if !ofDevice || len(m.payload) == 0 || strings.HasPrefix(rest, "st/") {
			continue
		}
		if strings.HasPrefix(rest, "dn/slice/") {
			slices = append(slices, rest)
		}
		if rest != "up/req" { // what a device asks for is answered again
			send(m.topic, m.payload)
		}
		send(mine+rest, m.payload)                                        // as said by, or to, another device
		send(strings.Replace(m.topic, "/main/", "/other/", 1), m.payload) // in another tenant
		for range 3 {
			send(m.topic, m.payload[:random.IntN(len(m.payload))])
			flipped := bytes.Clone(m.payload)
			flipped[random.IntN(len(flipped))] ^= byte(1 + random.IntN(255))
			if rest != "up/req" && !strings.HasPrefix(rest, "up/log") { // a batch whose record is another is a store put back
				all = append(all, tapped{m.topic, flipped, true})
			}
			send(mine+rest, flipped)
		}
		if strings.HasPrefix(rest, "dn/") {
			for _, to := range []string{"dn/ack", "dn/want", "dn/sig", "dn/blob/x", "dn/cmd/new_epoch", "dn/slice/00112233445566778899aabbccddeeff"} {
				if to != rest {
					send(own+to, m.payload) // signed for another topic
				}
			}
		}
	}
	if len(slices) < 2 {
		t.Fatalf("only %d slices crossed the wire", len(slices))
	}
	handle, err := wire.ParseHandle(strings.TrimPrefix(slices[0], "dn/slice/"))
	if err != nil {
		t.Fatal(err)
	}
	for topic, m := range map[string]wire.DownMessage{slices[0]: &wire.Forget{Handle: handle, ID: "forged"}, "dn/ack": &wire.Ack{Epoch: 1, Through: 1 << 40}} {
		raw, err := wire.EncodeDown(m)
		if err == nil {
			raw, err = wire.Sign(own+topic, raw, key)
		}
		if err != nil {
			t.Fatal(err)
		}
		send(own+topic, raw) // by a key that nobody trusts
	}
	for _, topic := range []string{own + "up/log", own + "up/req", own + "up/learn/x", own + slices[0], own + "dn/ack", own + "dn/want", own + "dn/blob/x", "tact/v1/main/stranger/up/log", "tact/v1/main/stranger/up/req"} {
		for _, b := range bombs(t) {
			send(topic, b)
		}
	}
	random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

// bombs are small messages that want to be large, or deep.
func bombs(t *testing.T) (all [][]byte) {
	t.Helper()
	long := binary.BigEndian.AppendUint32(nil, 1<<31)
	for _, head := range []byte{0xdd, 0xdf, 0xc6, 0xdb, 0xc9} { // array, map, bin, str, ext of 2 GiB
		all = append(all, append([]byte{head}, long...), append([]byte{0x9a, 2, 0xa7, 'k', 'i', 'o', 's', 'k', '-', '1', 1, 1, 1, head}, long...), append([]byte{1, 0x98, head}, long...))
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zeros := encoder.EncodeAll(make([]byte, 32<<20), nil)
	for _, device := range []string{"kiosk-1", "stranger"} {
		batch := msgp.AppendArrayHeader(nil, 10)
		batch = msgp.AppendUint8(batch, wire.SchemaVersion)
		batch = msgp.AppendString(batch, device)
		batch = msgp.AppendUint64(batch, 1)
		batch = msgp.AppendUint64(batch, 1)
		batch = msgp.AppendUint64(batch, 1)
		batch = msgp.AppendUint32(batch, 1<<31)
		batch = msgp.AppendBytes(batch, make([]byte, 8))
		batch = msgp.AppendUint8(batch, 1)
		batch = msgp.AppendUint8(batch, uint8(wire.Zstd))
		all = append(all, msgp.AppendBytes(batch, zeros[:min(len(zeros), 60<<10)]))
	}
	return append(all,
		bytes.Repeat([]byte{0x91}, 60<<10), bytes.Repeat([]byte{0x81, 0xa1, 'a'}, 20<<10), bytes.Repeat([]byte("["), 60<<10), bytes.Repeat([]byte(`{"a":`), 12<<10),
		append([]byte(`{"key":"`), bytes.Repeat([]byte("k"), 60<<10)...), []byte(`{"revision":1e999999999}`), bytes.Repeat([]byte("x"), 70<<10), bytes.Repeat([]byte("x"), 120<<10))
}
