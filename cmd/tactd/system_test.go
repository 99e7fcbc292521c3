package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
)

// The tests in the files system*_test.go look at the product from outside: the
// real programs as processes, a real Mosquitto between them, and nothing but
// files, HTTP, MQTT, signals and exit codes.

// programs are the built binaries; they are made once, when a test first wants them.
type programs struct{ tact, tactd string }

var builds struct {
	dir  string
	once sync.Once
	made programs
	err  error
}

func TestMain(m *testing.M) {
	if at := os.Getenv(crashAt); at != "" {
		os.Exit(crashing(at, os.Args[1:]))
	}
	code := m.Run()
	if builds.dir != "" {
		if err := os.RemoveAll(builds.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// build builds tact and tactd, with the race detector where the test has it.
func build(t testing.TB) programs {
	t.Helper()
	builds.once.Do(func() {
		if builds.dir, builds.err = os.MkdirTemp("", "tact-system-"); builds.err != nil {
			return
		}
		args := []string{"build", "-o", builds.dir + "/"}
		if raceDetector() {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, ".", "../tact")...).CombinedOutput()
		if err != nil {
			builds.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
		builds.made = programs{tact: filepath.Join(builds.dir, "tact"), tactd: filepath.Join(builds.dir, "tactd")}
	})
	if builds.err != nil {
		t.Fatal(builds.err)
	}
	return builds.made
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// await looks until ok, or fails.
func await(t testing.TB, what string, within time.Duration, ok func() bool) {
	t.Helper()
	if !becomes(within, ok) {
		t.Fatalf("after %v still not: %s", within, what)
	}
}

func becomes(within time.Duration, ok func() bool) bool {
	late := time.After(within)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-late:
			return ok()
		case <-look.C:
		}
	}
	return true
}

// process is a program that can be killed and started again.
type process struct {
	name     string
	program  string
	args     []string
	crashing []string // arguments of the test's own binary as the same program with labelled points; none where it has no such
	log      string   // file with stdout and stderr of all its lives
	command  *exec.Cmd
	ended    chan struct{}
}

func newProcess(t testing.TB, name, dir, program string, args ...string) *process {
	p := &process{name: name, program: program, args: args, log: filepath.Join(dir, name+".log")}
	t.Cleanup(func() {
		p.kill()
		p.complain(t)
	})
	return p
}

// environment is the test's own; the race detector waits a second at each exit
// where nobody says otherwise.
func environment() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=0") }

func (p *process) start(t testing.TB) {
	t.Helper()
	p.launch(t, p.program, p.args)
}

func (p *process) launch(t testing.TB, program string, args []string, env ...string) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.command = exec.Command(program, args...)
	p.command.Env = append(environment(), env...)
	p.command.Stdout, p.command.Stderr = log, log
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	p.ended = make(chan struct{})
	go func(c *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = c.Wait() // a killed one ends with an error, as it should
	}(p.command, p.ended)
}

func (p *process) running() bool {
	if p.command == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Kill() // one that has ended cannot be killed
	<-p.ended
}

// stop asks it to end, and returns its exit code.
func (p *process) stop(t testing.TB) int {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop %s: %v", p.name, err)
	}
	return p.wait(t, 15*time.Second)
}

// wait waits for the end, and returns the exit code.
func (p *process) wait(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.kill()
		t.Errorf("%s did not end within %v", p.name, within)
	}
	return p.command.ProcessState.ExitCode()
}

func (p *process) logged() string {
	raw, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// complain fails a test whose process panicked or raced, and prints the end of
// the log of a test that failed.
func (p *process) complain(t testing.TB) {
	text := p.logged()
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if at := strings.Index(text, bad); at >= 0 {
			t.Errorf("%s: %s", p.name, text[at:min(len(text), at+6000)])
			return
		}
	}
	if t.Failed() {
		t.Logf("--- %s\n%s", p.log, text[max(0, len(text)-3000):])
	}
}

// ran is what a program that ended by itself left.
type ran struct {
	code           int
	stdout, stderr string
}

// command runs a program to its end, in dir.
func command(t testing.TB, dir, stdin, program string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	var out, errs bytes.Buffer
	c.Env = environment()
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, strings.NewReader(stdin), &out, &errs
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	return ran{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must is command for what has to go well.
func must(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	r := command(t, dir, "", program, args...)
	if r.code != 0 {
		t.Fatalf("%s %v: exit %d\n%s%s", filepath.Base(program), args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// ports are given out one after the other, from below those that the system
// gives to connections: a killed process finds its port free again.
var ports atomic.Int64

func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20000 + (os.Getpid()*101+int(ports.Add(1)))%12000
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func writeFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// world is a broker, a hub and a signing key, from which devices can be made.
type world struct {
	t          testing.TB
	dir        string
	bin        programs
	brokerPort int
	broker     *process
	hub        *process
	hubURL     string
	hubDir     string

	setting    setting
	ledger     string               // as the hub is told; empty for the file in its folder
	authority  *certstest.Authority // of the broker's certificates; nil where it has none
	clients    map[string]certs.Files
	links      []*shapedLink // of devices and of the hub; none where they connect directly
	devicePort int           // where devices find the broker, and
	hubPort    int           // where the hub does, if not at brokerPort
}

const (
	crmToken  = "crm-token-of-the-test"
	mailToken = "mail-token-of-the-test"
)

// newWorld starts Mosquitto and a hub with the bundle of the given policy.
func newWorld(t testing.TB, policy string) *world {
	t.Helper()
	w := newFolder(t)
	w.startBroker()
	w.buildBundle("shop", "shop", policy)
	w.startHub("--bundle", w.path("shop.bundle"))
	return w
}

// newFolder makes a world of programs and keys alone.
func newFolder(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), bin: build(t), brokerPort: freePort(t)}
	must(t, w.dir, w.bin.tact, "keys", "new", "shop")
	return w
}

func (w *world) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// buildBundle compiles and signs a policy into NAME.bundle.
func (w *world) buildBundle(name, key, policy string) string {
	w.t.Helper()
	writeFile(w.t, w.path(name, "policy.yaml"), policy)
	must(w.t, w.dir, w.bin.tact, "build", name, "-o", name+".bundle", "--key", key+".key")
	return w.path(name + ".bundle")
}

// startBroker starts a real Mosquitto that keeps nothing when it is killed.
func (w *world) startBroker(more ...string) {
	w.t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		w.t.Fatal("mosquitto is not installed: run `make tools`")
	}
	// user root: started by root it would give up the right to read the test's folder.
	conf := fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"+
		"message_size_limit 131072\nmax_queued_messages 10000\npersistence false\n%s\n", w.brokerPort, strings.Join(more, "\n"))
	w.broker = newProcess(w.t, "mosquitto", w.dir, program, "-c", writeFile(w.t, w.path("mosquitto.conf"), conf))
	w.broker.start(w.t)
	w.awaitBroker()
}

func (w *world) awaitBroker() {
	w.t.Helper()
	await(w.t, "Mosquitto listens", 10*time.Second, func() bool {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", w.brokerPort), time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// startHub starts a hub process over the world's broker.
func (w *world) startHub(more ...string) {
	w.t.Helper()
	port := freePort(w.t)
	w.hubURL, w.hubDir = fmt.Sprintf("http://127.0.0.1:%d", port), w.path("hub")
	args := []string{"hub", "run", "--dir", w.hubDir, "--tenant", "main", "--http", fmt.Sprintf("127.0.0.1:%d", port),
		"--source", "crm=" + crmToken, "--source", "mail=" + mailToken, "--trust", w.path("shop.pub")}
	if w.ledger != "" {
		args = append(args, "--ledger", w.ledger)
	}
	w.hub = newProcess(w.t, "hub", w.dir, w.bin.tact, slices.Concat(args, w.brokerArgs(), more)...)
	w.hub.crashing = w.crashingHub(fmt.Sprintf("127.0.0.1:%d", port))
	w.hub.start(w.t)
	w.awaitHub()
}

func (w *world) awaitHub() {
	w.t.Helper()
	await(w.t, "the hub answers", 20*time.Second, func() bool {
		code, _, err := call("GET", w.hubURL+"/healthz", "", "")
		if !w.hub.running() {
			w.t.Fatalf("the hub has ended:\n%s", w.hub.logged())
		}
		return err == nil && code == 200
	})
}

func (w *world) operator() string {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.hubDir, "operator.token"))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// device is an agent process with its own folder and port.
type device struct {
	*process
	t   testing.TB
	id  string
	dir string
	url string
}

// newDevice writes a configuration; more are further lines of it.
func (w *world) newDevice(id string, more ...string) *device {
	w.t.Helper()
	return w.deviceIn(id, id, more...)
}

// deviceIn is newDevice for one whose process and folder have another name than itself.
func (w *world) deviceIn(name, id string, more ...string) *device {
	w.t.Helper()
	dir, port := w.path(name), freePort(w.t)
	config := fmt.Sprintf("device: {id: %s}\nstore: {dir: %s}\nbundle: {keys: [%s]}\n"+
		"%s\nhub: {keys: [%s]}\nlocal: {listen: '127.0.0.1:%d', socket: none}\n%s\n",
		id, filepath.Join(dir, "store"), w.path("shop.pub"), w.brokerOf(id), filepath.Join(w.hubDir, "hub.signpub"), port, strings.Join(more, "\n"))
	d := &device{t: w.t, id: id, dir: dir, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	path := writeFile(w.t, filepath.Join(dir, "config.yaml"), config)
	d.process = newProcess(w.t, name, w.dir, w.bin.tactd, "run", "--config", path)
	d.crashing = []string{"tactd", path}
	return d
}

// up starts the device and waits until it answers.
func (d *device) up() {
	d.t.Helper()
	d.start(d.t)
	d.answers()
}

func (d *device) answers() {
	d.t.Helper()
	await(d.t, d.id+" answers", 20*time.Second, func() bool {
		if !d.running() {
			d.t.Fatalf("%s has ended:\n%s", d.id, d.logged())
		}
		code, _, err := call("GET", d.url+"/healthz", "", "")
		return err == nil && code == 200
	})
}

var client = http.Client{Timeout: 10 * time.Second}

// call sends one request.
func call(method, url, token, body string) (code int, answer string, err error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// ask is call of a device for who waits no longer than so long.
func ask(url, body string, patience time.Duration) (code int, answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// reading decodes JSON that has to be good.
func reading[T any](t testing.TB, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// taken answers events, at the hub and on devices.
type taken struct {
	Accepted int `json:"accepted"`
	Rejected []struct {
		Line  int    `json:"line"`
		Error string `json:"error"`
	} `json:"rejected"`
	Lines []line `json:"lines"`
	Error string `json:"error"`
}

// line is a decision line, or a clear line where Clear is set.
type line struct {
	At       string          `json:"at"`
	Decision string          `json:"decision"`
	Slot     string          `json:"slot"`
	Session  string          `json:"session"`
	Customer *string         `json:"customer"`
	Action   string          `json:"action"`
	Text     json.RawMessage `json:"text"`
	Cause    *string         `json:"cause"`
	Value    *float64        `json:"value"`
	Clear    string          `json:"clear"`
	Rejected []struct {
		Action, Stage, Reason string
	} `json:"rejected"`
}

// why says at which stage and why an action was rejected.
func (l *line) why(action string) string {
	for _, r := range l.Rejected {
		if r.Action == action {
			return r.Stage + " " + r.Reason
		}
	}
	return "not rejected"
}

func (l *line) cause() string {
	if l.Cause == nil {
		return ""
	}
	return *l.Cause
}

// tell posts event lines to the device, which have to be taken, and returns
// what came of them.
func (d *device) tell(lines ...string) []line {
	d.t.Helper()
	code, text, err := call("POST", d.url+"/v1/events?wait=1", "", strings.Join(lines, "\n"))
	if err != nil {
		d.t.Fatal(err)
	}
	a := reading[taken](d.t, text)
	if code != 200 || len(a.Rejected) > 0 || a.Accepted != len(lines) {
		d.t.Fatalf("%s answered %d %s", d.id, code, text)
	}
	return a.Lines
}

// ask asks for a decision and returns it.
func (d *device) ask(slot string) line {
	d.t.Helper()
	all := d.tell(fmt.Sprintf(`{"ask":%q}`, slot))
	for _, l := range all {
		if l.Clear == "" && l.Slot == slot {
			return l
		}
	}
	d.t.Fatalf("no decision for %s among %v", slot, all)
	return line{}
}

// state is what GET /v1/status says.
type state struct {
	Bundle    string   `json:"bundle"`
	Epoch     string   `json:"epoch"`
	Boot      uint64   `json:"boot"`
	Online    bool     `json:"online"`
	Steps     uint64   `json:"steps"`
	Refused   uint64   `json:"messages_refused"`
	Dropped   uint64   `json:"messages_dropped"`
	Recovered []string `json:"recovered"`
	Outbox    struct {
		Records      int    `json:"records"`
		Next         uint64 `json:"next"`
		Acknowledged uint64 `json:"acknowledged"`
	} `json:"outbox"`
}

func (d *device) state() (s state) {
	code, text, err := call("GET", d.url+"/v1/status", "", "")
	if err != nil || code != 200 {
		return s
	}
	return reading[state](d.t, text)
}

// drained says whether the hub has acknowledged all that was ever recorded.
func (d *device) drained() bool {
	s := d.state()
	return s.Outbox.Next > 0 && s.Outbox.Acknowledged+1 == s.Outbox.Next
}

// handsOver waits until the hub has acknowledged everything.
func (d *device) handsOver(within time.Duration) {
	d.t.Helper()
	if !becomes(within, d.drained) {
		d.stuck("has not handed everything over", within)
	}
}

// stuck fails the test with what the device says of itself.
func (d *device) stuck(what string, within time.Duration) {
	d.t.Helper()
	code, text, err := call("GET", d.url+"/v1/status", "", "")
	d.t.Fatalf("after %v %s %s: %d %v\n%s", within, d.id, what, code, err, text)
}

// profile is what GET /v1/known says, as far as these tests look.
type profile struct {
	Customer *string `json:"customer"`
	Slice    bool    `json:"slice"`
	Facts    []struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
	} `json:"facts"`
}

func (d *device) known() (p profile) {
	code, text, err := call("GET", d.url+"/v1/known", "", "")
	if err != nil || code != 200 {
		return p
	}
	return reading[profile](d.t, text)
}

// told is one message of a device's stream.
type told struct {
	kind string
	line
	at time.Time
}

// follow follows the stream over restarts of the device until the test ends.
func (d *device) follow(query string) <-chan told {
	out := make(chan told, 4096)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	d.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		for ctx.Err() == nil {
			d.read(ctx, query, out)
			select {
			case <-again.C:
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// read follows one stream until it breaks.
func (d *device) read(ctx context.Context, query string, out chan<- told) {
	r, err := http.NewRequestWithContext(ctx, "GET", d.url+"/v1/stream"+query, nil)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 1<<20)
	kind := ""
	for in.Scan() {
		if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
			kind = name
		}
		if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
			m := told{kind: kind, at: time.Now()}
			if json.Unmarshal([]byte(data), &m.line) != nil {
				m.kind = "unreadable " + data
			}
			select {
			case out <- m:
			case <-ctx.Done():
				return
			}
		}
	}
}

// feed posts lines to the hub as a source; what is refused comes back.
func (w *world) feed(token string, lines ...string) taken {
	w.t.Helper()
	_, text, err := call("POST", w.hubURL+"/v1/events", token, strings.Join(lines, "\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	return reading[taken](w.t, text)
}

// mustFeed is feed for lines that have to be taken.
func (w *world) mustFeed(lines ...string) {
	w.t.Helper()
	if a := w.feed(crmToken, lines...); a.Accepted != len(lines) || a.Error != "" {
		w.t.Fatalf("the hub answered %+v", a)
	}
}

// decided is a decision as the hub lists it.
type decided struct {
	Arrival  int64   `json:"arrival"`
	Device   string  `json:"device"`
	Epoch    string  `json:"epoch"`
	Seq      uint64  `json:"seq"`
	Decision string  `json:"decision"`
	Slot     string  `json:"slot"`
	Action   string  `json:"action"`
	Cause    *string `json:"cause"`
}

// decisions reads all decisions of the hub, some at a time.
func (w *world) decisions() (all []decided) {
	w.t.Helper()
	after := int64(0)
	for {
		code, text, err := call("GET", fmt.Sprintf("%s/v1/decisions?after=%d&limit=500", w.hubURL, after), w.operator(), "")
		if err != nil || code != 200 {
			w.t.Fatalf("decisions of the hub: %d %v %s", code, err, text)
		}
		if text == "" {
			return all
		}
		for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
			all = append(all, reading[decided](w.t, l))
		}
		if all[len(all)-1].Arrival <= after {
			w.t.Fatalf("arrivals do not rise: %d after %d", all[len(all)-1].Arrival, after)
		}
		after = all[len(all)-1].Arrival
	}
}

// customer is what the hub says of a customer.
type customer struct {
	Facts []struct {
		Name   string          `json:"fact"`
		Value  json.RawMessage `json:"value"`
		Source string          `json:"source"`
	} `json:"facts"`
	Consents []struct {
		Purpose string `json:"consent"`
		Granted bool   `json:"granted"`
	} `json:"consents"`
	Interactions []struct {
		Kind   string `json:"interaction"`
		About  string `json:"about"`
		Ref    string `json:"ref"`
		Source string `json:"source"`
	} `json:"interactions"`
}

func (w *world) customer(id string) (c customer, code int) {
	w.t.Helper()
	code, text, err := call("GET", w.hubURL+"/v1/customers/"+id, w.operator(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	if code != 200 {
		return c, code
	}
	return reading[customer](w.t, text), code
}

// health are the counts of the hub.
func (w *world) health() (h struct {
	Ledger map[string]any   `json:"ledger"`
	Counts map[string]int64 `json:"counts"`
}) {
	w.t.Helper()
	code, text, err := call("GET", w.hubURL+"/healthz", "", "")
	if err != nil || code != 200 {
		w.t.Fatalf("health of the hub: %d %v %s", code, err, text)
	}
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// shopPolicy is the policy of these tests; its version is put in.
const shopPolicy = `policy: shop
version: %d
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to look after you"}}
  offers:  {basis: consent,  for: {en: "for personal offers"}}
signals:
  temperature: {type: double, max_age: 1h}
facts:
  name.first: {type: string, purposes: [service, offers], from: [declared], keep: 2y}
  wish:       {type: string, purposes: [offers], from: [declared], keep: 2y}
interactions:
  purchase:  {keep: 7y, purposes: [service, offers], blocks: {offer_of: same}}
  visit:     {keep: 2y, purposes: [service]}
  complaint: {keep: 2y, purposes: [service], negative: true, open_until: resolved, cool_off: 14d}
slots:
  counter: {channel: kiosk, show_for: 10m}
  board:   {channel: sign,  unasked: true, show_for: 1s}
actions:
  model-x:
    intent: sales
    purpose: offers
    about: product:model-x
    slots: [counter]
    value: 400.00
    propensity: 0.10
    bother: 0.05
    say_personal: {en: "{name.first}, EUR 1,000 off the X now."}
  first-service:
    intent: service
    purpose: service
    about: service:first
    slots: [counter]
    value: 30.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Shall we plan the first service?"}
  ice:
    intent: sales
    about: grocery:ice
    slots: [board]
    applicable: "temperature > 25"
    value: 2.00
    propensity: 0.10
    bother: 0.05
    say: {en: "Hot today: ice cream."}
`

func shop(version int) string { return fmt.Sprintf(shopPolicy, version) }
