package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/store"
)

var hubKey = base64.StdEncoding.EncodeToString(make([]byte, 32))

// write makes a configuration file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// do calls the command.
func do(t *testing.T, ctx context.Context, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = tactd(ctx, args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

func TestEnvironmentOverFileOverDefault(t *testing.T) {
	path := write(t, "device:\n  id: kiosk-1\n  owners: {vehicle: car-7, site: s1}\nbroker:\n  password: secret\nlog: {level: warn}\n")
	code, out, errs := do(t, context.Background(), []string{"TACT_DEVICE__ID=kiosk-2", "TACT_DEVICE__GROUPS=north,shop", "HOME=/root", "TACT_UNRELATED=1"},
		"config", "show", "--origin", "--config", path)
	if code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	for _, want := range []string{
		`(?m)^  id: kiosk-2 # environment TACT_DEVICE__ID$`,
		`(?m)^  groups: \[north, shop\] # environment TACT_DEVICE__GROUPS$`,
		`(?m)^  owners: {vehicle: car-7, site: s1} # .*config\.yaml:3:3$`,
		`(?m)^  tenant: main # default$`,
		`(?m)^  level: warn # .*config\.yaml:6:7$`,
		`(?m)^  password: # \(set\) .*config\.yaml:5:3$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("nothing matches %s in\n%s", want, out)
		}
	}
	if strings.Contains(out, "secret") {
		t.Error("a secret was printed")
	}
}

// What config show prints is a file: read again, it is the same configuration, whatever its values look like.
func TestShownConfigurationIsAFile(t *testing.T) {
	first := write(t, "device: {id: kiosk-1, groups: ['true', '007', 'a'], owners: {vehicle: 'no'}}\nbroker: {username: 'x: # y', password: secret}\n"+
		"local: {socket: none}\nsources:\n  - {kind: nmea, serial: /dev/ttyUSB0, baud: 4800}\n  - kind: jsonl\n    tcp: 127.0.0.1:9000\n")
	code, shown, errs := do(t, context.Background(), nil, "config", "show", "--config", first)
	if code != 0 || strings.Contains(shown, "secret") {
		t.Fatalf("%d %s%s", code, errs, shown)
	}
	second := write(t, shown)
	code, again, errs := do(t, context.Background(), nil, "config", "show", "--config", second)
	if code != 0 || again != strings.Replace(shown, "password: # (set)", "password:", 1) {
		t.Errorf("%d %s\n%s\nbecame\n%s", code, errs, shown, again)
	}
	a, err := readConfig(first, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := readConfig(second, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys() {
		if key != "broker.password" && !slices.Equal(a.list(key), b.list(key)) {
			t.Errorf("%s: %q became %q", key, a.list(key), b.list(key))
		}
	}
	if len(a.sources) != 2 || !reflect.DeepEqual(a.sources, b.sources) {
		t.Errorf("%+v became %+v", a.sources, b.sources)
	}
}

func TestVersionIsTheBuilt(t *testing.T) {
	version = "v1.2.3"
	defer func() { version = "" }()
	if _, out, _ := do(t, context.Background(), nil, "version"); !strings.HasPrefix(out, "tactd v1.2.3 go") {
		t.Error(out)
	}
	want := fmt.Sprintf(`{"version":"v1.2.3","go":%q,"os":%q,"arch":%q}`, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if _, out, _ := do(t, context.Background(), nil, "version", "--json"); strings.TrimSpace(out) != want {
		t.Errorf("%s, want %s", out, want)
	}
}

func TestBadConfigurations(t *testing.T) {
	tests := []struct {
		name, text string
		environ    []string
		want       []string // in stderr
	}{
		{"unknown key with a proposal", "device: {id: a}\nbroker: {adress: x}", nil, []string{`:2:10: error: there is no key "broker.adress"; hint: did you mean "broker.address"?`}},
		{"unknown section", "devices: {id: a}", nil, []string{`:1:1: error: there is no section "devices"; hint: did you mean "device"?`, "device.id is missing"}},
		{"unknown variable", "device: {id: a}", []string{"TACT_BROKER__ADRESS=x"}, []string{`environment TACT_BROKER__ADRESS: error: there is no key "broker.adress"`}},
		{"all at once", "device: {id: 'a b'}\nlocal: {listen: 0.0.0.0:80, socket: rel}\nlog: {level: loud}", nil,
			[]string{`device.id: "a b" is no id`, `local.listen: "0.0.0.0:80" is not a loopback address`, `local.socket: "rel" is not one path`, `log.level: "loud" is none of`}},
		{"no YAML", "device: [", nil, []string{"config.yaml: error: "}},
		{"a list where keys belong", "- device", nil, []string{"wants keys with values"}},
		{"section without keys", "device: kiosk", nil, []string{"device wants keys with values"}},
		{"value of the wrong shape", "device: {id: {x: y}}", nil, []string{"device.id: wants a plain value"}},
		{"twice", "device:\n  id: a\n  id: b", nil, []string{"error: "}},
		{"broker without a key to trust", "device: {id: a}\nbroker: {address: tcp://b:1883}", nil, []string{"hub.keys is missing", "TACT_HUB__KEYS"}},
		{"no address", "device: {id: a}\nbroker: {address: b}\nhub: {keys: [" + hubKey + "]}", nil, []string{`broker.address: "b" is no address`}},
		{"TLS settings without TLS", "device: {id: a}\nbroker: {address: 'tcp://b:1883', server_name: b.example, ca_file: /ca}\nhub: {keys: [" + hubKey + "]}", nil,
			[]string{"broker.server_name has no use with tcp://b:1883", "broker.ca_file has no use"}},
		{"a server name that is none", "device: {id: a}\nbroker: {address: 'ssl://b:8883', server_name: 'https://b'}\nhub: {keys: [" + hubKey + "]}", nil, []string{`"https://b" is not the name of a host`}},
		{"certificate without key", "device: {id: a}\nbroker: {address: 'ssl://b:8883', cert_file: /c}\nhub: {keys: [" + hubKey + "]}", nil, []string{"broker.key_file is missing"}},
		{"no key", "device: {id: a}\nhub: {keys: [abc]}", nil, []string{"hub.keys: \"abc\" is no Ed25519 public key"}},
		{"bundle without trust", "device: {id: a}\nbundle: {file: /b}", nil, []string{"bundle.keys is missing"}},
		{"two passwords", "device: {id: a}\nbroker: {password: x, password_file: /y}", nil, []string{"both set"}},
		{"size", "device: {id: a}\nstore: {max_outbox: 3 parsecs}", nil, []string{`"3 parsecs" is not a size`}},
		{"owners", "device: {id: a, owners: [car-7]}", nil, []string{"device.owners"}},
		{"source of no kind", "device: {id: a}\nsources:\n  - {kind: sonar}", nil, []string{`:3:5: error: source: kind: "sonar" is none of`}},
		{"source with an unknown key", "device: {id: a}\nsources:\n  - {kind: nmea, serail: /dev/x}", nil, []string{"serail"}},
		{"sources of no list", "device: {id: a}\nsources: nmea", nil, []string{"sources wants a list"}},
		{"a tag that swallows", "device: {id: !x y}", nil, []string{"device.id: wants a plain value"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, _, errs := do(t, context.Background(), test.environ, "config", "--config", write(t, test.text))
			if code != exitConfiguration {
				t.Errorf("exit %d, want 78", code)
			}
			for _, w := range test.want {
				if !strings.Contains(errs, w) {
					t.Errorf("nothing says %q in\n%s", w, errs)
				}
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{
		{nil, 2}, {[]string{"walk"}, 2}, {[]string{"run", "--speed"}, 2}, {[]string{"doctor", "now"}, 2}, {[]string{"--help"}, 0}, {[]string{"run", "--help"}, 0},
		{[]string{"version"}, 0}, {[]string{"version", "--json"}, 0}, {[]string{"run", "--config", "/not/there.yaml"}, 78},
	} {
		if code, out, errs := do(t, context.Background(), nil, test.args...); code != test.want || code == 0 && out == "" || code != 0 && errs == "" {
			t.Errorf("%v: exit %d, want %d; %q %q", test.args, code, test.want, out, errs)
		}
	}
}

func environ(dir string, more ...string) []string {
	return append([]string{"TACT_DEVICE__ID=kiosk-1", "TACT_STORE__DIR=" + filepath.Join(dir, "store"), "TACT_LOCAL__SOCKET=" + filepath.Join(dir, "agent.sock"), "TACT_LOCAL__LISTEN=none"}, more...)
}

// postOnce sends event lines over the agent's socket and returns the answer.
func postOnce(dir, lines string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "agent.sock"))
	}}}
	resp, err := client.Post("http://tact/v1/events?wait=1", "application/json", strings.NewReader(lines))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	return b.String(), err
}

// systemd listens as systemd does, and hands on what it is told.
func systemd(t *testing.T) (path string, told <-chan string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	out := make(chan string, 100)
	go func() {
		defer close(out)
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			out <- string(b[:n])
		}
	}()
	return path, out
}

func await(t *testing.T, told <-chan string, what string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case s := <-told:
			if strings.Contains(s, what) {
				return
			}
		case <-late:
			t.Fatalf("systemd was not told %s", what)
		}
	}
}

func TestRunTellsSystemdAndStopsCleanly(t *testing.T) {
	dir := t.TempDir()
	path, told := systemd(t)
	env := environ(dir, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=100000")
	for life := range 2 {
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan int)
		var errs bytes.Buffer
		go func() { ended <- tactd(ctx, []string{"run"}, env, &bytes.Buffer{}, &errs) }()
		await(t, told, "READY=1")
		await(t, told, "WATCHDOG=1")
		got, err := postOnce(dir, `{"ask":"home"}`)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, `"cause":"no_policy"`) || !strings.Contains(got, map[int]string{0: "-1\"", 1: "-2\""}[life]) {
			t.Errorf("life %d answered %s", life, got)
		}
		stop()
		await(t, told, "STOPPING=1")
		if code := <-ended; code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
	}
}

func TestSecondRunIsBusy(t *testing.T) {
	dir := t.TempDir()
	path, told := systemd(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int)
	go func() {
		ended <- tactd(ctx, []string{"run"}, environ(dir, "NOTIFY_SOCKET="+path), &bytes.Buffer{}, &bytes.Buffer{})
	}()
	await(t, told, "READY=1")
	if code, _, errs := do(t, context.Background(), environ(dir), "run"); code != exitBusy || !strings.Contains(errs, store.ErrBusy.Error()) {
		t.Errorf("exit %d, want 75: %s", code, errs)
	}
	stop()
	<-ended
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	env := environ(dir, "TACT_HUB__KEYS="+hubKey, "TACT_BROKER__ADDRESS=tcp://"+broker.Addr().String())
	code, out, errs := do(t, context.Background(), env, "doctor", "--json")
	if code != 0 || !strings.Contains(out, `"check":"broker","state":"good"`) || !strings.Contains(out, `"check":"bundle","state":"warning"`) {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "store")); err == nil {
		t.Error("doctor has made the store's folder")
	}
	broker.Close()
	if code, out, _ := do(t, context.Background(), env, "doctor"); code != exitUnreachable || !strings.Contains(out, "bad      broker") {
		t.Errorf("without a broker: exit %d, want 69\n%s", code, out)
	}
	path := write(t, "device: {id: a}\nstore: {dir: "+dir+"/store}\nlocal: {socket: none}\nsources:\n  - {kind: nmea, serial: /dev/not-there}\n")
	if code, out, _ := do(t, context.Background(), nil, "doctor", "--config", path); code != exitIO || !strings.Contains(out, "/dev/not-there is not there") {
		t.Errorf("without a receiver: exit %d, want 74\n%s", code, out)
	}
}
