package local

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// device answers as a test wants.
type device struct {
	feed   *agent.Feed
	got    []event.Event
	answer agent.Answer
	err    error
	known  map[string]engine.Known
	handed []engine.HandOver
}

func (d *device) Submit(_ context.Context, events []event.Event) (agent.Answer, error) {
	d.got = append(d.got, events...)
	a := d.answer
	a.Accepted = len(events) - len(a.Rejected)
	return a, d.err
}
func (d *device) Known(_ context.Context, session string) (engine.Known, bool, error) {
	k, ok := d.known[session]
	return k, ok, d.err
}
func (d *device) HandOvers(session string) (list []engine.HandOver) {
	for _, h := range d.handed {
		if session == "" || h.Session == session {
			list = append(list, h)
		}
	}
	return list
}
func (d *device) Status() agent.Status {
	return agent.Status{Device: "kiosk-1", Epoch: 7, Online: true}
}
func (d *device) Ping(context.Context) error { return d.err }
func (d *device) Feed() *agent.Feed          { return d.feed }

func serve(t *testing.T, cfg Config, d *device) *Server {
	t.Helper()
	if d.feed == nil {
		d.feed = agent.NewFeed()
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	s, err := Listen(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call sends one request; head holds `Name: value` lines.
func call(t *testing.T, s *Server, method, path, body string, head ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range head {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

func TestEvents(t *testing.T) {
	d := &device{answer: agent.Answer{Rejected: []agent.Rejection{{Index: 1, Err: io.ErrNoProgress}}}}
	s := serve(t, Config{}, d)
	code, body, _ := call(t, s, "POST", "/v1/events", "{\"signal\":\"rain\",\"value\":true}\n\n{\"signal\":1}\n{\"ask\":\"home\"}\n{\"nonsense\":true}\n{\"tick\":true}\r\n")
	var got taken
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err, body)
	}
	if code != 200 || got.Accepted != 2 || len(got.Rejected) != 3 || got.Lines != nil {
		t.Fatalf("%d %s", code, body)
	}
	for k, want := range []int{3, 4, 5} { // malformed, refused by the mind, unknown
		if got.Rejected[k].Line != want || got.Rejected[k].Error == "" {
			t.Errorf("rejected %d: %+v, want line %d", k, got.Rejected[k], want)
		}
	}
	if len(d.got) != 3 {
		t.Errorf("%d events came through, want the three good lines", len(d.got))
	}
}

func TestNothingRejectedIsAnEmptyList(t *testing.T) {
	s := serve(t, Config{}, &device{})
	if code, body, _ := call(t, s, "POST", "/v1/events", `{"tick":true}`); code != 200 || body != "{\"accepted\":1,\"rejected\":[]}\n" {
		t.Errorf("%d %s", code, body)
	}
	if code, body, _ := call(t, s, "POST", "/v1/events", ``); code != 200 || body != "{\"accepted\":0,\"rejected\":[]}\n" {
		t.Errorf("empty body: %d %s", code, body)
	}
	if code, _, _ := call(t, s, "POST", "/v1/events", `{`); code != 400 {
		t.Errorf("nothing good in it: %d, want 400", code)
	}
}

func TestWaitAnswersWhatCameOfIt(t *testing.T) {
	d := &device{answer: agent.Answer{
		Cleared:   []engine.Clear{{Decision: "k-1-1", Session: "main", Slot: "home", Cause: "replaced"}},
		Decisions: []*engine.Decision{{ID: "k-1-2", Session: "main", Slot: "home", Action: "silence", Cause: "no_policy"}},
	}}
	s := serve(t, Config{}, d)
	_, body, _ := call(t, s, "POST", "/v1/events?wait=1", `{"ask":"home"}`)
	var got struct{ Lines []map[string]any }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Lines) != 2 {
		t.Fatalf("%v %s", err, body)
	}
	if got.Lines[0]["clear"] != "k-1-1" || got.Lines[1]["decision"] != "k-1-2" || got.Lines[1]["cause"] != "no_policy" {
		t.Errorf("lines %v", got.Lines)
	}
}

func TestGuards(t *testing.T) {
	s := serve(t, Config{Token: "secret", Origins: []string{"https://kiosk.example"}}, &device{known: map[string]engine.Known{"main": {}}})
	const token = "Authorization: Bearer secret"
	tests := []struct {
		name         string
		method, path string
		head         []string
		want         int
	}{
		{"token", "GET", "/v1/status", []string{token}, 200},
		{"no token", "GET", "/v1/status", nil, 401},
		{"wrong token", "GET", "/v1/status", []string{"Authorization: Bearer secreT"}, 401},
		{"longer token", "GET", "/v1/status", []string{"Authorization: Bearer secret2"}, 401},
		{"token of another kind", "GET", "/v1/status", []string{"Authorization: Basic secret"}, 401},
		{"bare token", "GET", "/v1/status", []string{"Authorization: secret"}, 401},
		{"health without token", "GET", "/healthz", nil, 200},
		{"another host", "GET", "/v1/status", []string{token, "Host: evil.example"}, 403},
		{"another host for health", "GET", "/healthz", []string{"Host: evil.example"}, 403},
		{"host that begins like one", "GET", "/v1/status", []string{token, "Host: 127.0.0.1.evil.example"}, 403},
		{"localhost", "GET", "/v1/status", []string{token, "Host: localhost:7433"}, 200},
		{"IPv6", "GET", "/v1/status", []string{token, "Host: [::1]:7433"}, 200},
		{"network address", "GET", "/v1/status", []string{token, "Host: 192.0.2.1"}, 403},
		{"another origin", "GET", "/v1/status", []string{token, "Origin: https://evil.example"}, 403},
		{"no origin at all", "GET", "/v1/status", []string{token, "Origin: null"}, 403},
		{"configured origin", "GET", "/v1/status", []string{token, "Origin: https://kiosk.example"}, 200},
		{"asked before, without token", "OPTIONS", "/v1/events", []string{"Origin: https://kiosk.example"}, 204},
		{"wrong method", "GET", "/v1/events", []string{token}, 405},
		{"unknown path", "GET", "/v2/events", []string{token}, 404},
		{"known", "GET", "/v1/known", []string{token}, 200},
		{"no such session", "GET", "/v1/known?session=other", []string{token}, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, body, head := call(t, s, test.method, test.path, "", test.head...)
			if code != test.want {
				t.Errorf("%d %s, want %d", code, body, test.want)
			}
			cors := head.Get("Access-Control-Allow-Origin")
			if wants := strings.Contains(strings.Join(test.head, " "), "kiosk.example"); wants != (cors == "https://kiosk.example") {
				t.Errorf("CORS header %q", cors)
			}
		})
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	d := &device{}
	s := serve(t, Config{}, d)
	if code, _, _ := call(t, s, "POST", "/v1/events", strings.Repeat("x", maxBody+1)); code != 413 {
		t.Errorf("body too long: %d", code)
	}
	if code, _, _ := call(t, s, "POST", "/v1/events", strings.Repeat("{\"tick\":true}\n", maxEvents+1)); code != 413 {
		t.Errorf("too many events: %d", code)
	}
	if len(d.got) != 0 {
		t.Error("something of it was taken")
	}
	code, body, _ := call(t, s, "POST", "/v1/events", "{\"tick\":true}\n"+strings.Repeat("y", event.MaxLine+1)+"\n{\"tick\":true}")
	if code != 200 || !strings.Contains(body, `"accepted":2`) || !strings.Contains(body, `"line":2`) {
		t.Errorf("one line too long: %d %.200s", code, body)
	}
}

func TestBusyAsksToComeBack(t *testing.T) {
	s := serve(t, Config{}, &device{err: fmt.Errorf("submit: %w", agent.ErrBusy)})
	code, body, head := call(t, s, "POST", "/v1/events", `{"tick":true}`)
	if code != 503 || head.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", code, body, head)
	}
	if code, _, _ := call(t, s, "GET", "/healthz", ""); code != 503 {
		t.Errorf("health: %d", code)
	}
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:80", ":0", "kiosk.example:80", "nonsense"} {
		if s, err := Listen(Config{Listen: address}, &device{feed: agent.NewFeed()}); err == nil {
			t.Errorf("%s was listened on", address)
			_ = s.Close()
		}
	}
}

func TestSocketWantsNoToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "agent.sock")
	s := serve(t, Config{Token: "secret", Socket: path}, &device{})
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://tact/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("over the socket: %d", resp.StatusCode)
	}
	if code, _, _ := call(t, s, "GET", "/v1/status", ""); code != 401 {
		t.Errorf("over TCP: %d", code)
	}
}

// follow reads the stream's events into a channel of `id kind data`.
func follow(t *testing.T, s *Server, path string, head ...string) (<-chan string, *http.Response) {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range head {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	out := make(chan string, 1024)
	go func() {
		defer close(out)
		in := bufio.NewScanner(resp.Body)
		in.Buffer(nil, 1<<20)
		var parts []string
		for in.Scan() {
			switch name, value, _ := strings.Cut(in.Text(), ": "); {
			case name == "id" || name == "event" || name == "data" || name == "":
				parts = append(parts, value)
			}
			if in.Text() == "" {
				if len(parts) > 1 {
					out <- strings.TrimSpace(strings.Join(parts, " "))
				}
				parts = nil
			}
		}
	}()
	return out, resp
}

func next(t *testing.T, c <-chan string) string {
	t.Helper()
	for {
		select {
		case m, more := <-c:
			if !more {
				t.Fatal("the stream ended")
			}
			if !strings.HasPrefix(m, "begins") && m != "resumed" {
				return m
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came")
		}
	}
}

func decision(n int, session, slot string) *engine.Decision {
	return &engine.Decision{ID: fmt.Sprintf("k-1-%d", n), Session: session, Slot: slot, Action: "offer"}
}

func TestStream(t *testing.T) {
	d := &device{feed: agent.NewFeed()}
	s := serve(t, Config{}, d)
	d.feed.Show(decision(1, "main", "home"))
	d.feed.Show(decision(2, "main", "wrist"))
	c, _ := follow(t, s, "/v1/stream?slot=home&session=main")
	if m := next(t, c); !strings.HasPrefix(m, "1 decision {") || !strings.Contains(m, `"decision":"k-1-1"`) {
		t.Errorf("begins with %s, want what stands there", m)
	}
	d.feed.Show(decision(3, "other", "home"))
	d.feed.Session(5, "main", true)
	d.feed.Clear(engine.Clear{Decision: "k-1-1", Session: "main", Slot: "home", Cause: "expired"})
	if m := next(t, c); !strings.HasPrefix(m, "4 session {") {
		t.Errorf("then %s, want the session of this screen and nothing of others", m)
	}
	if m := next(t, c); !strings.HasPrefix(m, "5 clear {") || !strings.Contains(m, `"cause":"expired"`) {
		t.Errorf("then %s", m)
	}
	// Who comes back gets what came since; who never was here, what stands there: nothing.
	back, _ := follow(t, s, "/v1/stream?slot=home&session=main", "Last-Event-ID: 4")
	if m := next(t, back); !strings.HasPrefix(m, "5 clear {") {
		t.Errorf("resumed with %s", m)
	}
	d.feed.Show(decision(4, "main", "home"))
	fresh, _ := follow(t, s, "/v1/stream?slot=home&session=main", "Last-Event-ID: 999")
	if m := next(t, fresh); !strings.HasPrefix(m, "6 decision {") {
		t.Errorf("with the id of another life it began with %s", m)
	}
}

// TestSlowReaderIsCutOff uses a writer that never takes anything.
func TestSlowReaderIsCutOff(t *testing.T) {
	d := &device{feed: agent.NewFeed()}
	s := serve(t, Config{}, d)
	w := &stuck{head: http.Header{}, release: make(chan struct{}), wrote: make(chan string, 1024)}
	r := httptest.NewRequest("GET", "http://127.0.0.1/v1/stream", nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Handler().ServeHTTP(w, r)
	}()
	<-w.wrote // the head is being written, and sticks
	for n := range 1000 {
		d.feed.Show(decision(n, "main", "home"))
	}
	close(w.release)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the slow reader was not cut off")
	}
	close(w.wrote)
	last, n := "", 0
	for m := range w.wrote {
		last = m
		n++
	}
	if !strings.Contains(last, "clear everything and come back") || n > 400 {
		t.Errorf("%d messages, the last %q", n, last)
	}
}

type stuck struct {
	head    http.Header
	release chan struct{}
	wrote   chan string
}

func (s *stuck) Header() http.Header { return s.head }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Flush()              {}
func (s *stuck) Write(b []byte) (int, error) {
	s.wrote <- string(b)
	<-s.release
	return len(b), nil
}

func TestReadersAreBounded(t *testing.T) {
	s := serve(t, Config{}, &device{})
	for range maxReaders {
		s.readers <- struct{}{}
	}
	if code, _, head := call(t, s, "GET", "/v1/stream", ""); code != 503 || head.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", code)
	}
	for range maxReaders {
		<-s.readers
	}
}

func TestCloseEndsStreams(t *testing.T) {
	d := &device{feed: agent.NewFeed()}
	s, err := Listen(Config{Listen: "127.0.0.1:0"}, d)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := follow(t, s, "/v1/stream")
	d.feed.Session(1, "main", true)
	next(t, c)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range c { // ends
	}
}

// TestKnownSaysWhy: all that is known, with why, for what, until when it is kept, and whether it leaves the device.
func TestKnownSaysWhy(t *testing.T) {
	at := sense.Instant(1_772_442_000_000)
	d := &device{known: map[string]engine.Known{"main": {
		Customer: "anna", By: event.ByCard, Here: true, Until: sense.Never, Signals: []string{"speed"},
		Aliases: []string{"card:1"}, Language: "nl", Purposes: []engine.Purpose{{Name: "service", For: "om u te helpen", Basis: "contract", May: true}, {Name: "offers", For: "voor aanbiedingen", Basis: "consent"}},
		Said: []engine.Holding{{Name: "purchase", For: []string{"service"}, Until: at.Add(sense.Day)}},
		Slice: profile.Slice{Interactions: []profile.Interaction{{Kind: "purchase", About: "product:x", Channel: "web", Source: "shop", Value: sense.IntValue(5), Due: sense.Never, Happened: at}},
			Objections: []profile.Objection{{Purpose: "offers", Raised: true, Happened: at}}, Folded: []profile.Folded{{Action: "old", Times: 3}},
			Exposures: []profile.Exposure{{Decision: "kiosk-2-77-5", Action: "bench", About: "product:x", Channel: "kiosk", Slot: "home", At: at, Outcomes: []profile.Outcome{{Outcome: "later", At: at}}}},
			Facts: []profile.Fact{{Name: "size", Value: sense.StringValue("M"), Provenance: event.Declared, Source: "web", Happened: at,
				Claims: []profile.Claim{{Value: sense.StringValue("L"), Provenance: event.Observed, Source: "shop", Happened: at - 1}}}}},
		Facts:   []engine.Holding{{Name: "size", Why: "to fit", For: []string{"service"}, Leaves: true, Until: at.Add(sense.Year)}},
		Derived: []engine.Holding{{Name: "score", Value: sense.IntValue(80), Why: "to reward", Formula: "100 - count(hard_brake, 30d)", For: []string{"premium"}, Leaves: true, Since: at}},
		Read:    []engine.Holding{{Name: "speed", Why: "safe driving", For: []string{"care"}, Since: at}},
	}}}
	s := serve(t, Config{}, d)
	_, body, _ := call(t, s, "GET", "/v1/known", "")
	for _, want := range []string{
		`"facts":[{"name":"size","value":"M","provenance":"declared","source":"web","happened":"2026-03-02T09:00:00.000Z","why":"to fit","purposes":["service"],"leaves_device":true,"kept_until":"2027-03-02T09:00:00.000Z","others":[{"value":"L","provenance":"observed","source":"shop","happened":"2026-03-02T08:59:59.999Z"}]}]`,
		`"derived":[{"name":"score","value":80,"formula":"100 - count(hard_brake, 30d)","why":"to reward","purposes":["premium"],"leaves_device":true,"left":"2026-03-02T09:00:00.000Z"}]`,
		`"customer":"anna","aliases":["card:1"],"by":"card","language":"nl","slice":true`,
		`"purposes":[{"name":"service","for":"om u te helpen","basis":"contract","may_be_used":true},{"name":"offers","for":"voor aanbiedingen","basis":"consent","may_be_used":false}]`,
		`"objections":[{"purpose":"offers","raised":true,"happened":"2026-03-02T09:00:00.000Z"}]`,
		`"interactions":[{"interaction":"purchase","about":"product:x","channel":"web","value":5,"source":"shop","happened":"2026-03-02T09:00:00.000Z","purposes":["service"],"kept_until":"2026-03-03T09:00:00.000Z"}]`,
		`"shown":[{"decision":"kiosk-2-77-5","device":"kiosk-2","action":"bench","about":"product:x","channel":"kiosk","slot":"home","at":"2026-03-02T09:00:00.000Z","outcomes":["later"]}],"shown_before":[{"action":"old","times":3}]`,
		`"signals":["speed"],"sensors":[{"name":"speed","why":"safe driving","purposes":["care"],"leaves_device":false,"since":"2026-03-02T09:00:00.000Z"}]`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("known\n%s\nlacks\n%s", body, want)
		}
	}
}

// TestHandOver: staff hear of it on the stream of the session, or when they come to the device.
func TestHandOver(t *testing.T) {
	h := engine.HandOver{At: 1_772_442_000_000, Session: "main", Customer: "anna", Decision: "k-1-1", Action: "recovery-call",
		Question:   &engine.Asked{At: 1_772_442_000_000, Slot: "home", Intent: "service", About: "product:x"},
		Complaints: []profile.Interaction{{Kind: "complaint", Ref: "c1", Happened: 1_772_442_000_000}},
		Decisions:  []engine.Decided{{At: 1_772_442_000_000, Decision: "k-1-1", Slot: "home", Action: "recovery-call", Outcome: "accepted"}}}
	const line = `{"at":"2026-03-02T09:00:00.000Z","session":"main","customer":"anna","decision":"k-1-1","action":"recovery-call","strikes":0,` +
		`"question":{"at":"2026-03-02T09:00:00.000Z","slot":"home","intent":"service","about":"product:x"},"answers":[],"facts":[],` +
		`"complaints":[{"interaction":"complaint","about":null,"channel":null,"ref":"c1","happened":"2026-03-02T09:00:00.000Z"}],"interactions":[],` +
		`"decisions":[{"at":"2026-03-02T09:00:00.000Z","decision":"k-1-1","slot":"home","action":"recovery-call","cause":null,"value":0,"outcome":"accepted"}]}`
	d := &device{feed: agent.NewFeed(), handed: []engine.HandOver{h}}
	s := serve(t, Config{}, d)
	screen, _ := follow(t, s, "/v1/stream?slot=home&session=main")
	staff, _ := follow(t, s, "/v1/stream?session=main")
	d.feed.Session(5, "main", true)
	next(t, screen)
	next(t, staff) // both follow now
	d.feed.HandOver(&h)
	d.feed.Show(decision(2, "main", "home"))
	if m := next(t, staff); m != "2 handover "+line {
		t.Errorf("staff hear %s", m)
	}
	if m := next(t, screen); !strings.HasPrefix(m, "3 decision ") {
		t.Errorf("a screen hears %s", m)
	}
	if _, body, _ := call(t, s, "GET", "/v1/handover?session=main", ""); body != `{"handovers":[`+line+"]}\n" {
		t.Errorf("at the device: %s", body)
	}
	if _, body, _ := call(t, s, "GET", "/v1/handover?session=other", ""); body != `{"handovers":[]}`+"\n" {
		t.Errorf("of another session: %s", body)
	}
}
