package serve

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/wire"
)

const token = "secret-of-crm"

func dealer(version int64) []byte {
	return catalog.Encode(&catalog.Bundle{Name: "dealer", Version: version, Currency: "EUR", Languages: []string{"en"}, Zone: sense.UTC, VisitEnds: 10 * sense.Minute,
		Purposes: []catalog.Purpose{{Name: "service", Basis: catalog.BasisContract, Unasked: -1, Born: -1}},
		Kinds: []catalog.Kind{{Name: "complaint", Keep: sense.Year, Purposes: 1, Negative: true, OpenUntil: 1, ClosedBy: -1, CoolOff: sense.Day},
			{Name: "resolved", Keep: sense.Year, Purposes: 1, OpenUntil: -1, ClosedBy: -1}},
		Slots: []catalog.Slot{{Name: "home", Channel: "kiosk", Fallback: -1, ShowFor: 30 * sense.Second}},
		Actions: []catalog.Action{{Name: "help", Intent: catalog.Service, Purpose: 0, Group: -1, Slots: []int32{0}, Before: -1, Measure: -1, Partner: -1, Asks: -1, Confirms: -1, Serves: -1,
			Eligible: rule.None, Applicable: rule.None, Suitable: rule.None, Lever: catalog.One, Repeat: sense.Forever}},
	})
}

// start starts a hub in dir, over a broker where one is named.
func start(t testing.TB, dir, broker string, trusted ...update.PublicKey) *Hub {
	t.Helper()
	h, err := Start(context.Background(), Config{Dir: dir, Tenant: "shop", HTTP: "127.0.0.1:0", Broker: mqtt.Broker{Address: broker},
		Sources: map[string]string{"crm": token, "mail": "secret-of-mail"}, Trusted: trusted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// call makes a request and returns code and body.
func call(t testing.TB, method, url, token, kind, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, strings.TrimSpace(string(text))
}

func TestHTTP(t *testing.T) {
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, t.TempDir(), "", public)
	op := h.OperatorToken()
	file := dealer(3)
	signature, err := update.Sign(file, secret, "dealer@3")
	if err != nil {
		t.Fatal(err)
	}
	post := func(file, signature []byte) string {
		b, err := json.Marshal(Posted{Bundle: file, Signature: string(signature)})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const plain = "application/jsonl"
	for _, c := range []struct {
		name, method, path, token, kind, body string
		code                                  int
		says                                  string
	}{
		{"no token", "POST", "/v1/events", "", plain, "{}", 401, "Authorization: Bearer TOKEN"},
		{"wrong token", "POST", "/v1/events", "wrong", plain, "{}", 401, "--source NAME=TOKEN"},
		{"a source reads", "GET", "/v1/customers/crm:77", token, "", "", 403, "operator"},
		{"unsigned bundle", "POST", "/v1/bundles", op, "", post(file, nil), 403, "signed"},
		{"changed bundle", "POST", "/v1/bundles", op, "", post(append([]byte{1}, file...), signature), 403, "broken"},
		{"bundle", "POST", "/v1/bundles", op, "", post(file, signature), 200, "sha256"},
		{"the same again", "POST", "/v1/bundles", op, "", post(file, signature), 200, "sha256"},
		{"lines, one bad", "POST", "/v1/events", token, plain,
			"{\"interaction\":\"complaint\",\"customer\":\"crm:77\",\"ref\":\"c1\",\"id\":\"1\"}\n\nnonsense\n{\"interaction\":\"dance\",\"customer\":\"crm:77\"}\n{\"interaction\":\"complaint\",\"customer\":\"crm:77\",\"ref\":\"c1\",\"id\":\"1\"}",
			200, `{"accepted":2,"rejected":[{"line":3,"error":"column 1: expected an object, found 'n'"},{"line":4,"error":"interaction \"dance\" is not declared`},
		{"no line", "POST", "/v1/events", token, plain, "", 200, `{"accepted":0,"rejected":[]}`},
		{"a line too long", "POST", "/v1/events", token, plain, strings.Repeat("x", event.MaxLine+1), 200, "65536"},
		{"a body too large", "POST", "/v1/events", token, plain, strings.Repeat("\n", maxEvents+1), 413, "send the rest in parts"},
		{"bad lines without end", "POST", "/v1/events", token, plain, strings.Repeat("x\n", 5000), 400, "was not read"},
		{"cloud event", "POST", "/v1/events", token, "application/cloudevents+json; charset=utf-8",
			`{"specversion":"1.0","id":"9","source":"/crm","type":"t","time":"2026-01-01T00:00:00Z","data":{"interaction":"complaint","customer":"crm:78"}}`, 200, `{"accepted":1,`},
		{"cloud event of another version", "POST", "/v1/events", token, "application/cloudevents+json", `{"specversion":"0.3"}`, 400, "1.0 is wanted"},
		{"cloud event without data", "POST", "/v1/events", token, "application/cloudevents+json", `{"specversion":"1.0","id":"9","source":"/crm","type":"t"}`, 400, "data must be"},
		{"may", "POST", "/v1/may", token, "", `{"customer":"crm:77","about":"product:x","intent":"sales","channel":"mail"}`, 200, `{"may":false,"reason":"open_complaint","until":null}`},
		{"may, nobody", "POST", "/v1/may", token, "", `{"customer":"crm:1","about":"product:x","intent":"sales","channel":"mail"}`, 200, `{"may":true,"reason":null,"until":null}`},
		{"may, no intent", "POST", "/v1/may", token, "", `{"customer":"crm:77"}`, 400, "none of sales"},
		{"may, no json", "POST", "/v1/may", token, "", `customer=1`, 400, "it looks like"},
		{"may, strange key", "POST", "/v1/may", token, "", `{"custommer":"crm:77"}`, 400, "custommer"},
		{"customer", "GET", "/v1/customers/crm:77", op, "", "", 200, `"interaction":"complaint"`},
		{"nobody", "GET", "/v1/customers/crm:1", op, "", "", 404, "not known"},
		{"forget", "POST", "/v1/events", "secret-of-mail", plain, `{"forget":"crm:77"}`, 200, `{"accepted":1,`},
		{"forgotten", "GET", "/v1/customers/crm:77", op, "", "", 410, "forgotten"},
		{"a fact for the forgotten", "POST", "/v1/events", token, plain, `{"interaction":"complaint","customer":"crm:77"}`, 200, "erased"},
		{"decisions", "GET", "/v1/decisions?limit=5&since=2026-01-01T00:00:00Z", op, "", "", 200, ""},
		{"decisions, bad limit", "GET", "/v1/decisions?limit=0", op, "", "", 400, "1 to 10000"},
		{"decisions, bad time", "GET", "/v1/decisions?since=today", op, "", "", 400, "RFC 3339"},
		{"decisions, strange parameter", "GET", "/v1/decisions?form=x", op, "", "", 400, "none of since"},
		{"health", "GET", "/healthz", "", "", "", 200, `"ledger_errors":0`},
		{"nothing there", "GET", "/v1/secrets", op, "", "", 404, ""},
	} {
		code, body := call(t, c.method, h.URL()+c.path, c.token, c.kind, c.body)
		if code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %.300s\nwant %d saying %q", c.name, code, body, c.code, c.says)
		}
	}
	old := dealer(2)
	if signature, err = update.Sign(old, secret, "dealer@2"); err != nil {
		t.Fatal(err)
	}
	if code, body := call(t, "POST", h.URL()+"/v1/bundles", op, "", post(old, signature)); code != 409 || !strings.Contains(body, "dealer@3 is in charge") {
		t.Errorf("an older bundle: %d %s", code, body)
	}
}

func TestStartRefuses(t *testing.T) {
	good := Config{Dir: t.TempDir(), Tenant: "shop", HTTP: "127.0.0.1:0"}
	for name, change := range map[string]func(*Config){
		"no folder":   func(c *Config) { c.Dir = "" },
		"tenant":      func(c *Config) { c.Tenant = "a/b" },
		"short token": func(c *Config) { c.Sources = map[string]string{"crm": "1234567"} },
		"operator":    func(c *Config) { c.Sources = map[string]string{"operator": "12345678"} },
		"same token":  func(c *Config) { c.Sources = map[string]string{"a": "12345678", "b": "12345678"} },
		"broker":      func(c *Config) { c.Broker.Address = "nonsense" },
		"address":     func(c *Config) { c.HTTP = "256.0.0.1:1" },
	} {
		c := good
		change(&c)
		if h, err := Start(context.Background(), c); err == nil {
			h.Close()
			t.Errorf("%s: started", name)
		}
	}
	if _, err := embedded.Start("0.0.0.0:0"); err == nil {
		t.Error("the embedded broker listens to the world")
	}
}

func TestKeysStay(t *testing.T) {
	dir := t.TempDir()
	h := start(t, dir, "")
	key, operator := h.SignKey(), h.OperatorToken()
	if _, err := Start(context.Background(), h.cfg); !errors.Is(err, ErrRunning) {
		t.Errorf("a second hub in the folder: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadAddress(dir); err == nil {
		t.Error("a hub that has ended is still found")
	}
	h = start(t, dir, "")
	if !key.Equal(h.SignKey()) || operator != h.OperatorToken() {
		t.Error("keys have changed")
	}
	for _, f := range []string{signKeyFile, openKeyFile, secretFile, OperatorFile, LedgerFile} {
		if i, err := os.Stat(filepath.Join(dir, f)); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, i.Mode(), err)
		}
	}
	h.Close()
	if err := os.WriteFile(filepath.Join(dir, signKeyFile), []byte("xx"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(context.Background(), h.cfg); err == nil || !strings.Contains(err.Error(), signKeyFile) {
		t.Errorf("a broken key: %v", err)
	}
}

// device is a device by hand: it has nothing of the agent.
type device struct {
	t    *testing.T
	path wire.Path
	c    paho.Client
	down chan paho.Message
	keys wire.Keys
	pack *wire.Packer
}

func newDevice(t *testing.T, broker, id string, hub ed25519.PublicKey) *device {
	t.Helper()
	d := &device{t: t, path: wire.Path{Tenant: "shop", Device: id}, down: make(chan paho.Message, 256), keys: wire.KeysOf(hub)}
	var err error
	if d.pack, err = wire.NewPacker(); err != nil {
		t.Fatal(err)
	}
	d.c = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID(id).SetUsername(id))
	d.wait(d.c.Connect())
	t.Cleanup(func() { d.c.Disconnect(50) })
	d.wait(d.c.Subscribe(d.path.Below(), 1, func(_ paho.Client, m paho.Message) { d.down <- m }))
	return d
}

func (d *device) wait(t paho.Token) {
	d.t.Helper()
	if !t.WaitTimeout(10*time.Second) || t.Error() != nil {
		d.t.Fatalf("broker: %v", t.Error())
	}
}

func (d *device) publish(topic string, payload []byte) {
	d.t.Helper()
	d.wait(d.c.Publish(topic, 1, false, payload))
}

func (d *device) request(r wire.Request) {
	d.t.Helper()
	b, err := wire.EncodeRequest(r)
	if err != nil {
		d.t.Fatal(err)
	}
	d.publish(d.path.Of(wire.Up, wire.ClassReq), b)
}

// hear waits for a message of a class and checks its signature.
func (d *device) hear(class string) []byte {
	d.t.Helper()
	limit := time.After(15 * time.Second)
	for {
		select {
		case m := <-d.down:
			topic, err := wire.ParseTopic(m.Topic())
			if err != nil {
				d.t.Fatal(err)
			}
			payload, err := wire.Open(m.Topic(), m.Payload(), d.keys)
			if err != nil {
				d.t.Fatal(err)
			}
			if topic.Class == class {
				return bytes.Clone(payload)
			}
		case <-limit:
			d.t.Fatalf("device %s heard no %s", d.path.Device, class)
		}
	}
}

func hear[M wire.DownMessage](d *device, class string) M {
	d.t.Helper()
	m, err := wire.DecodeDown(class, d.hear(class))
	if err != nil {
		d.t.Fatal(err)
	}
	x, ok := m.(M)
	if !ok {
		d.t.Fatalf("device %s heard %T", d.path.Device, m)
	}
	return x
}

func (d *device) log(first uint64, n int) {
	d.t.Helper()
	b := &wire.Batch{Device: d.path.Device, Epoch: 7, First: first}
	for k := range n {
		raw, err := wire.AppendRecord(nil, &wire.Decision{N: first + uint64(k), At: 1_772_442_000_000, Slot: wire.Named("home"), Action: wire.Named("help"), Propensity: 1, Value: 350000})
		if err != nil {
			d.t.Fatal(err)
		}
		b.Records = append(b.Records, raw)
	}
	msg, err := d.pack.Encode(b)
	if err != nil {
		d.t.Fatal(err)
	}
	d.publish(d.path.Of(wire.Up, wire.ClassLog), msg)
}

// brokers are those that the hub is tested over.
func brokers(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("embedded", func(t *testing.T) {
		b, err := embedded.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		test(t, b.Address())
	})
	t.Run("mosquitto", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		conf := filepath.Join(t.TempDir(), "mosquitto.conf")
		_, port, _ := net.SplitHostPort(address)
		if err := os.WriteFile(conf, fmt.Appendf(nil, "user root\nlistener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n", port), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("mosquitto", "-c", conf)
		if err := cmd.Start(); err != nil {
			t.Fatalf("start mosquitto: %v: install it", err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		// The hub goes on trying until it is there; the device of the test does not.
		until(t, "mosquitto to listen", func() bool {
			c, err := net.Dial("tcp", address)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		test(t, "tcp://"+address)
	})
}

func until(t testing.TB, what string, yes func() bool) {
	t.Helper()
	limit := time.After(15 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func TestEndToEnd(t *testing.T) {
	brokers(t, func(t *testing.T, broker string) {
		public, secret, err := update.NewKeys(nil)
		if err != nil {
			t.Fatal(err)
		}
		h := start(t, t.TempDir(), broker, public)
		until(t, "the hub to hear itself", h.counts.heard.Load)
		file := dealer(1)
		signature, err := update.Sign(file, secret, "dealer@1")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Publish(context.Background(), file, signature, ""); err != nil {
			t.Fatal(err)
		}
		d := newDevice(t, broker, "kiosk-1", h.SignKey())
		d.request(&wire.Echo{ID: "e"})
		if c, err := wire.DecodeCommand("echo", d.hear(wire.ClassCmd)); err != nil || c.(*wire.EchoAnswer).Re != "e" {
			t.Fatalf("%+v, %v", c, err)
		}
		d.request(&wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1})
		var want wire.Want
		if err := wire.DecodeJSON(d.hear(wire.ClassWant), &want); err != nil || want.Bundle == nil {
			t.Fatalf("want is %+v, %v", want, err)
		}
		d.request(&wire.BundleRequest{ID: "b", SHA256: want.Bundle.SHA256})
		if b := hear[*wire.Blob](d, wire.ClassBlob); !bytes.Equal(b.Bytes, file) {
			t.Error("the bundle came as something else")
		}
		if _, err := update.Verify(file, []byte(want.Bundle.Signature), []update.PublicKey{public}); err != nil {
			t.Error(err)
		}
		handle := wire.Handle{1}
		sealed, err := wire.SealToHub(want.HubKey, [32]byte{5}, handle, "card:1")
		if err != nil {
			t.Fatal(err)
		}
		d.request(&wire.SliceRequest{ID: "s", Handle: handle, Customer: sealed})
		if s := hear[*wire.Slice](d, wire.ClassSlice); s.Re != "s" || len(s.Interactions) != 0 {
			t.Errorf("slice is %+v", s)
		}
		// Journey 02: the complaint at the back office is on the device within a second.
		began := time.Now()
		if code, body := call(t, "POST", h.URL()+"/v1/events", token, "", `{"interaction":"complaint","customer":"card:1","ref":"c1"}`); code != 200 {
			t.Fatal(code, body)
		}
		s := hear[*wire.Slice](d, wire.ClassSlice)
		if took := time.Since(began); took > time.Second || len(s.Interactions) != 1 {
			t.Errorf("after %v: %+v", took, s)
		}
		d.log(1, 40)
		if a := hear[*wire.Ack](d, wire.ClassAck); a.Epoch != 7 {
			t.Errorf("ack is %+v", a)
		}
		until(t, "forty decisions", func() bool {
			n, err := h.Ledger().Count(context.Background())
			return err == nil && n.Decisions == 40
		})
		if code, body := call(t, "GET", h.URL()+"/v1/decisions?device=kiosk-1&limit=1", h.OperatorToken(), "", ""); code != 200 ||
			!strings.Contains(body, `"decision":"kiosk-1-7-1"`) || !strings.Contains(body, `"action":"help"`) || !strings.Contains(body, `"value":0.35,`) {
			t.Errorf("%d %s", code, body)
		}
		// Another device's name, garbage, and too much: counted, and nothing changes.
		d.publish("tact/v1/shop/kiosk-2/up/log", []byte("\x93garbage"))
		d.publish(d.path.Of(wire.Up, wire.ClassLog), bytes.Repeat([]byte{0x93}, 4000))
		d.publish("tact/v1/bank/kiosk-1/up/log", []byte("x"))
		until(t, "two refusals", func() bool { return h.counts.messagesRefused.Load() == 2 })
		if r, err := h.Ledger().Verify(context.Background()); err != nil || len(r.Findings) != 0 || len(r.Epochs) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func FuzzPostEvents(f *testing.F) {
	h := start(f, f.TempDir(), "")
	f.Add("application/json", `{"interaction":"complaint","customer":"crm:77"}`)
	f.Add("application/cloudevents+json", `{"specversion":"1.0","id":"9","source":"/crm","type":"t","data":{"forget":"a"}}`)
	f.Add("", "\n\nx\n")
	f.Fuzz(func(t *testing.T, kind, body string) {
		if strings.ContainsFunc(kind, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // no header can say so
		}
		code, text := call(t, "POST", h.URL()+"/v1/events", token, kind, body)
		if code != 200 && code != 400 || !json.Valid([]byte(text)) {
			t.Errorf("%d %s", code, text)
		}
	})
}
