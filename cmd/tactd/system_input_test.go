package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// tenMistakes is the policy of a bad day. Each mistake stands in one line, with
// the code of its finding behind it.
const tenMistakes = `policy: bad
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
session: {ends: "!presence", after: 20s}
purposes:
  offers: {basis: consnet, for: {en: "for offers"}} ## unknown_word
signals:
  presence: {type: bool, max_age: 5s}
  people: {type: int, max_age: 5s}
  rain: {type: bool, max_age: 30m}
  snow: {type: bool, max_age: 30m}
  position: {type: position, max_age: 10s, scope: person, purposes: [offers], why: {en: "to see where you are"}}
states:
  alone: {when: "people == 1", unknown: not_alone}
places:
  store: {circle: {at: [52.09, 5.12], radius: 40 m}}
facts:
  name.first: {type: string, purposes: [offers], from: [declared], keep: 2y}
  vehicle.tyres: {type: string, one_of: [summer, winter], purposes: [offers], keep: 3y}
slots:
  kiosk.home: {channel: kiosk, shared_screen: true}
actions:
  first:
    intent: sales
    purpose: offers
    about: product:x
    eligible: !inside(store) ## yaml_tag
    applicable: rain and snow ## word_operator
    suitable: "vehicle.tyres == 'Winter'" ## never_equal
    value: 1
    value: 2 ## duplicate_key
    mandatory: yes ## yaml_bool
    propensty: 0.1 ## unknown_key
    say_personal:
      en: {name.first}, welcome ## unquoted_placeholder
    say:
      en: Let op: glad ## unquoted_colon
  second: ## about_missing
    intent: sales
    slots: [kiosk.hom] ## unknown_name
    applicable: held(rain) > duration("1d") ## duration_literal
    say: {en: "Hi"}
`

// TestPolicyWithMistakes wants every mistake named at once, and no bundle.
func TestPolicyWithMistakes(t *testing.T) {
	t.Parallel()
	w := newFolder(t)
	text, want := "", map[string]bool{} // "LINE CODE"
	for k, l := range strings.Split(tenMistakes, "\n") {
		l, code, marked := strings.Cut(l, " ## ")
		text += l + "\n"
		if marked {
			want[fmt.Sprintf("%d %s", k+1, code)] = true
		}
	}
	writeFile(t, w.path("bad", "policy.yaml"), text)
	r := command(t, w.dir, "", w.bin.tact, "check", "bad", "--json")
	if r.code != 1 {
		t.Errorf("check: exit %d, want 1\n%s", r.code, r.stderr)
	}
	found := map[string]bool{}
	for l := range strings.Lines(r.stdout) {
		f := reading[struct {
			File, Severity, Code, Message, Hint string
			Line, Column                        int
		}](t, l)
		if f.File != "bad/policy.yaml" || f.Column < 1 || f.Message == "" || f.Hint == "" {
			t.Errorf("finding %s", l)
		}
		found[fmt.Sprintf("%d %s", f.Line, f.Code)] = true
	}
	for mistake := range want {
		if !found[mistake] {
			t.Errorf("nothing names the mistake of line %s; found %v", mistake, found)
		}
	}
	for mistake := range found {
		if !want[mistake] {
			t.Errorf("there is no mistake of line %s", mistake)
		}
	}
	if len(want) < 10 {
		t.Errorf("the policy has only %d mistakes", len(want))
	}
	// For people: the place, the source line with a caret, the hint.
	r = command(t, w.dir, "", w.bin.tact, "check", "bad")
	shown := "bad/policy.yaml:29:15: error: a value that starts with ! is a tag in YAML"
	if r.code != 1 || !strings.Contains(r.stdout, shown) || !strings.Contains(r.stdout, "eligible: !inside(store)\n                  ^\n    hint: ") {
		t.Errorf("check for people: exit %d\n%s", r.code, r.stdout)
	}
	if r := command(t, w.dir, "", w.bin.tact, "build", "bad", "-o", "bad.bundle", "--key", "shop.key"); r.code != 1 {
		t.Errorf("build: exit %d, want 1", r.code)
	}
	if _, err := os.Stat(w.path("bad.bundle")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a bundle was built of a bad policy: %v", err)
	}
	if r := command(t, w.dir, "", w.bin.tact, "check", "nowhere"); r.code != 74 {
		t.Errorf("check of a folder that is not there: exit %d, want 74: %s", r.code, r.stderr)
	}
}

// TestBadBundles offers a device and a hub what must not be put in charge.
func TestBadBundles(t *testing.T) {
	t.Parallel()
	w := newFolder(t)
	must(t, w.dir, w.bin.tact, "keys", "new", "foreign")
	first, second := w.buildBundle("first", "shop", shop(1)), w.buildBundle("second", "shop", shop(2))
	foreign := w.buildBundle("foreign", "foreign", shop(9))
	third := w.buildBundle("third", "shop", shop(3))
	good, err := os.ReadFile(third)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := os.ReadFile(third + ".minisig")
	if err != nil {
		t.Fatal(err)
	}
	half := w.path("half.bundle")
	writeFile(t, half, string(good[:len(good)/2]))
	writeFile(t, half+".minisig", string(signature))
	bare := writeFile(t, w.path("bare.bundle"), string(good))

	for _, x := range []struct {
		file, word string
		code       int
	}{{second, "", 0}, {half, "broken", 1}, {bare, "unsigned", 1}, {foreign, "untrusted", 1}} {
		r := command(t, w.dir, "", w.bin.tact, "bundle", "verify", x.file, "--pub", "shop.pub", "--json")
		v := reading[struct {
			Good    bool
			Refused string
		}](t, r.stdout)
		if r.code != x.code || v.Good != (x.code == 0) || v.Refused != x.word {
			t.Errorf("verify %s: exit %d %s, want %d %q", filepath.Base(x.file), r.code, r.stdout, x.code, x.word)
		}
	}
	if r := command(t, w.dir, "", w.bin.tact, "bundle", "verify", "nowhere.bundle", "--pub", "shop.pub"); r.code != 74 {
		t.Errorf("verify of a file that is not there: exit %d, want 74", r.code)
	}

	w.startBroker()
	w.startHub("--trust", w.path("foreign.pub")) // the hub trusts more than the device does
	for _, x := range []struct {
		file string
		code int
	}{{half, 403}, {bare, 403}} {
		if code, text := w.publish(x.file); code != x.code || !strings.Contains(text, "error") {
			t.Errorf("the hub answered %s with %d %s, want %d", filepath.Base(x.file), code, text, x.code)
		}
	}
	if code, text := w.publish(second); code != 200 {
		t.Fatalf("the hub answered the good bundle with %d %s", code, text)
	}
	if code, text := w.publish(first); code != 409 || !strings.Contains(text, "raise `version`") {
		t.Errorf("the hub answered the older bundle with %d %s, want 409", code, text)
	}
	d := w.newDevice("kiosk-1")
	d.up()
	await(t, "the good bundle is in charge", 20*time.Second, func() bool { return d.state().Bundle == "shop@2" })

	// The hub wants one that the device does not trust.
	reports := w.listen(t, "tact/v1/main/kiosk-1/st/rep")
	if code, text := w.publish(foreign); code != 200 {
		t.Fatalf("the hub answered the foreign bundle with %d %s", code, text)
	}
	d.refuses(t, reports, "shop@2")

	// Nor does a device take an older one than it has: this hub was set back.
	w.hub.kill()
	w.hubBack(t, first)
	other := w.newDevice("kiosk-2", "", "")
	provision(t, other, second)
	reports = w.listen(t, "tact/v1/main/kiosk-2/st/rep")
	other.up()
	if s := other.state(); s.Bundle != "shop@2" {
		t.Fatalf("provisioned with %q", s.Bundle)
	}
	other.refuses(t, reports, "shop@2")
	if x := other.ask("counter"); x.Action != "first-service" {
		t.Errorf("with the old bundle in charge: %s because %s", x.Action, x.cause())
	}

	// A provisioned bundle that is no good leaves the good one in charge; where there is
	// none, the agent says what is wrong.
	for _, bad := range []string{half, bare, foreign, w.path("nowhere.bundle")} {
		other.stop(t)
		provision(t, other, bad)
		other.up()
		if s := other.state(); s.Bundle != "shop@2" || !strings.Contains(other.logged(), filepath.Base(bad)) {
			t.Errorf("provisioned with %s: %q is in charge, and the log says\n%s", filepath.Base(bad), s.Bundle, other.logged())
		}
		fresh := w.newDevice("fresh-" + strings.TrimSuffix(filepath.Base(bad), ".bundle"))
		provision(t, fresh, bad)
		fresh.start(t)
		code, want := fresh.wait(t, 10*time.Second), 1
		if strings.Contains(bad, "nowhere") {
			want = 74
		}
		if code != want || !strings.Contains(fresh.logged(), filepath.Base(bad)) {
			t.Errorf("with nothing but %s: exit %d, want %d:\n%s", filepath.Base(bad), code, want, fresh.logged())
		}
	}
}

// provision puts a bundle beside the device's configuration.
func provision(t *testing.T, d *device, bundle string) {
	t.Helper()
	path := filepath.Join(d.dir, "config.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for l := range strings.Lines(string(raw)) {
		if keys, is := strings.CutPrefix(l, "bundle: {"); is {
			_, keys, _ = strings.Cut(keys, "keys:")
			l = "bundle: {file: " + bundle + ", keys:" + keys
		}
		lines = append(lines, l)
	}
	writeFile(t, path, strings.Join(lines, ""))
}

// refuses waits for the device's report of a refused bundle, and looks whether
// it goes on with the old one.
func (d *device) refuses(t *testing.T, reports <-chan paho.Message, old string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case m := <-reports:
			if len(m.Payload()) == 0 {
				continue
			}
			r := reading[struct {
				Bundle struct{ Name, Version string }
				Items  []struct{ Name, Error string }
			}](t, string(m.Payload()))
			if len(r.Items) == 0 || r.Items[0].Error == "" {
				continue
			}
			t.Logf("%s reports: %s", d.id, r.Items[0].Error)
			if r.Bundle.Name+"@"+r.Bundle.Version != old || d.state().Bundle != old {
				t.Errorf("%s reports %s@%s and runs %s, want %s", d.id, r.Bundle.Name, r.Bundle.Version, d.state().Bundle, old)
			}
			return
		case <-late:
			t.Fatalf("%s did not report that it refused the bundle", d.id)
		}
	}
}

// publish posts a bundle to the hub as an operator.
func (w *world) publish(file string) (code int, answer string) {
	w.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	signature, err := os.ReadFile(file + ".minisig")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"bundle": base64.StdEncoding.EncodeToString(raw), "signature": string(signature)})
	if err != nil {
		w.t.Fatal(err)
	}
	code, answer, err = call("POST", w.hubURL+"/v1/bundles", w.operator(), string(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return code, answer
}

// hubBack starts a hub with the keys of the old one, without its ledger.
func (w *world) hubBack(t *testing.T, bundle string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.hubDir, "hub.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("ledger: %v %v", files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	w.startHub("--bundle", bundle)
}

// mqttClient connects to the broker past hub and agents.
func (w *world) mqttClient(t *testing.T) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", w.brokerPort)).
		SetClientID(fmt.Sprintf("witness-%d", time.Now().UnixNano())).SetAutoReconnect(false))
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func done(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(10 * time.Second) {
		t.Fatal("the broker does not answer")
	}
	if token.Error() != nil {
		t.Fatal(token.Error())
	}
}

// listen subscribes to a topic.
func (w *world) listen(t *testing.T, topic string) <-chan paho.Message {
	t.Helper()
	out := make(chan paho.Message, 1000)
	done(t, w.mqttClient(t).Subscribe(topic, 1, func(_ paho.Client, m paho.Message) { out <- m }))
	return out
}

// TestGarbageOverMQTT publishes what no device or hub would.
func TestGarbageOverMQTT(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	d := w.newDevice("kiosk-1")
	d.up()
	await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	w.mustFeed(annaName, annaConsent)
	d.tell(annaIsHere)
	d.arrival()
	before := d.ask("counter")
	if before.Action != "model-x" {
		t.Fatalf("decided %s", before.Action)
	}
	d.handsOver(20 * time.Second)
	health, decisions := w.health(), len(w.decisions())

	c := w.mqttClient(t)
	payloads := [][]byte{
		[]byte("\x00"), []byte("garbage"), []byte(`{"revision":99999,"bundle":{"name":"evil","version":"9","size":10,"sha256":"00"}}`),
		bytes.Repeat([]byte{0xdf, 0xff, 0xff, 0xff, 0xff}, 20), bytes.Repeat([]byte{0x91}, 5000), bytes.Repeat([]byte("x"), 100<<10),
	}
	up, down := 0, 0
	for _, p := range payloads {
		for _, topic := range []string{"kiosk-1/up/log", "kiosk-1/up/req", "stranger/up/log", "stranger/up/req", "kiosk-1/up/learn/x", "kiosk-1/st/birth", "kiosk-1/st/rep", "kiosk-1/st/health"} {
			done(t, c.Publish("tact/v1/main/"+topic, 1, false, p))
			up++
		}
		for _, topic := range []string{"want", "ack", "slice/0011223344556677", "slice/" + strings.Repeat("a", 32), "blob/x", "cmd/rebirth", "cmd/new_epoch", "sig", "nothing", "want/a/b/c/d"} {
			done(t, c.Publish("tact/v1/main/kiosk-1/dn/"+topic, 1, true, p)) // retained, to make it worse
			down++
		}
	}
	// All of it went by when what was published after it has been refused too.
	await(t, "the hub has looked at it", 20*time.Second, func() bool {
		return w.health().Counts["messages_refused"] >= health.Counts["messages_refused"]+int64(len(payloads)*4)
	})
	after := w.health()
	for _, name := range []string{"refused_garbage", "refused_too_large"} {
		t.Logf("%s: %d -> %d", name, health.Counts[name], after.Counts[name])
		if after.Counts[name] <= health.Counts[name] {
			t.Errorf("the hub has not counted %s: %v", name, after.Counts)
		}
	}
	// Topics with too many levels never reach the device: it does not subscribe to them.
	await(t, "the device has looked at it, and told so, which it does once a minute", 90*time.Second, func() bool { s := d.state(); return s.Refused+s.Dropped >= uint64(down) })
	s := d.state()
	t.Logf("%d messages to the hub, %d to the device, which refused %d and dropped %d as too large", up, down, s.Refused, s.Dropped)
	if s.Refused == 0 || s.Dropped == 0 {
		t.Errorf("the device has not counted: %+v", s)
	}

	// Nothing good was lost.
	if s.Bundle != "shop@1" || s.Boot != 1 {
		t.Errorf("the device is %+v", s)
	}
	if p := d.known(); !p.Slice || len(p.Facts) != 1 {
		t.Errorf("the device knows %+v", p)
	}
	if x := d.ask("counter"); x.Action != "model-x" {
		t.Errorf("the device decided %s, model-x %s", x.Action, x.why("model-x"))
	}
	await(t, "the device's log flows", 30*time.Second, func() bool { return d.drained() && len(w.decisions()) == decisions+1 })
	if r := command(t, w.dir, "", w.bin.tact, "hub", "verify", "--dir", w.hubDir); r.code != 0 || strings.Contains(r.stdout, "stranger") {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	// The retained garbage is there when the device comes back.
	d.kill()
	d.up()
	d.tell(annaIsHere)
	d.arrival()
	if x := d.ask("counter"); x.Action != "model-x" {
		t.Errorf("after a restart the device decided %s, model-x %s", x.Action, x.why("model-x"))
	}
}

// TestMalformedLines posts good and bad lines together, at the hub and on a device.
func TestMalformedLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	d := w.newDevice("kiosk-1")
	d.up()
	await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	bad := []struct{ line, says string }{
		{`{"interaction":"visit","customer":"crm:1"`, ""},
		{`{"interaction":"visit","customer":"crm:1","colour":"red"}`, "colour"},
		{`{"interaction":"visit","fact":"name.first","customer":"crm:1"}`, ""},
		{`{"fact":"name.first","customer":"crm:1","value":"A","provenance":"rumour"}`, "rumour"},
		{`{"fact":"shoe_size","customer":"crm:1","value":44,"provenance":"declared"}`, "shoe_size"},
		{`{"fact":"name.first","customer":"crm:1","value":44,"provenance":"declared"}`, "name.first"},
		{`{"interaction":"earthquake","customer":"crm:1"}`, "earthquake"},
		{`{"consent":"world_domination","customer":"crm:1","granted":true}`, "world_domination"},
		{`{"interaction":"visit","customer":"crm:1","happened":"yesterday"}`, "yesterday"},
		{`[1,2,3]`, ""},
		{"\xff\xfe{}", ""},
		{`{"interaction":"visit","customer":"crm:1","ref":"` + strings.Repeat("x", 70<<10) + `"}`, "65536"},
	}
	var lines []string
	for k, b := range bad {
		lines = append(lines, fmt.Sprintf(`{"interaction":"visit","customer":"crm:1","about":"visit:%d"}`, k), b.line)
	}
	body := strings.Join(lines, "\n")
	for _, at := range []struct{ where, url, token string }{{"hub", w.hubURL, crmToken}, {"device", d.url, ""}} {
		code, text, err := call("POST", at.url+"/v1/events", at.token, body)
		if err != nil || code != 200 {
			t.Fatalf("%s: %d %v %s", at.where, code, err, text)
		}
		a := reading[taken](t, text)
		if a.Accepted != len(bad) || len(a.Rejected) != len(bad) {
			t.Errorf("%s accepted %d and rejected %d of %d good and bad lines each: %s", at.where, a.Accepted, len(a.Rejected), len(bad), text)
		}
		for _, r := range a.Rejected {
			if r.Line%2 != 0 || r.Line > 2*len(bad) {
				t.Errorf("%s rejected line %d: %s", at.where, r.Line, r.Error)
				continue
			}
			if b := bad[r.Line/2-1]; r.Error == "" || !strings.Contains(r.Error, b.says) {
				t.Errorf("%s rejected %.80s with %q, which does not say %q", at.where, b.line, r.Error, b.says)
			}
		}
		if code, text, err := call("POST", at.url+"/v1/events", at.token, bad[1].line); err != nil || at.where == "device" && code != 400 || reading[taken](t, text).Accepted != 0 {
			t.Errorf("%s answered nothing but a bad line with %d %v %s", at.where, code, err, text)
		}
		if code, _, err := call("POST", at.url+"/v1/events", at.token, strings.Repeat("x", 9<<20)); err == nil && code != 413 && code != 400 {
			t.Errorf("%s answered 9 MiB with %d", at.where, code)
		}
	}
	// No line of a source without a token, or of an unknown slot.
	if code, _, err := call("POST", w.hubURL+"/v1/events", "wrong-token", annaName); err != nil || code != 401 {
		t.Errorf("a wrong token is answered with %d %v", code, err)
	}
	if code, text, err := call("POST", d.url+"/v1/events", "", `{"ask":"counte"}`); err != nil || code != 400 || !strings.Contains(text, "counte") {
		t.Errorf("an unknown slot is answered with %d %v %s", code, err, text)
	}
	d.handsOver(30 * time.Second)
	c, _ := w.customer("crm:1")
	if len(c.Interactions) != 2*len(bad) {
		t.Errorf("the hub has %d visits, want %d", len(c.Interactions), 2*len(bad))
	}
}

// TestBrokerDownAtStart starts hub and device before there is a broker.
func TestBrokerDownAtStart(t *testing.T) {
	t.Parallel()
	w := newFolder(t)
	w.buildBundle("shop", "shop", shop(1))
	w.startHub("--bundle", w.path("shop.bundle"))
	d := w.newDevice("kiosk-1")
	provision(t, d, w.path("shop.bundle"))
	d.up()
	if x := d.ask("counter"); x.Action != "first-service" {
		t.Errorf("without a broker: %s because %s", x.Action, x.cause())
	}
	if d.state().Online {
		t.Error("online without a broker")
	}
	begun := time.Now()
	w.startBroker()
	await(t, "the device is online and drained", 60*time.Second, func() bool { return d.state().Online && d.drained() })
	t.Logf("broker up -> online and drained %v", time.Since(begun).Round(time.Millisecond))
	if all := w.decisions(); len(all) != 1 {
		t.Errorf("the hub has %d decisions, want 1", len(all))
	}
}

// tries runs tactd with an environment of its own until it ends by itself.
func tries(t *testing.T, w *world, user *syscall.Credential, environ ...string) ran {
	t.Helper()
	c := exec.Command(w.bin.tactd, "run")
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0", "TACT_LOCAL__SOCKET=none", "TACT_LOCAL__LISTEN=none", "TACT_DEVICE__ID=kiosk-1"}, environ...)
	c.Dir = "/"
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: user}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		_ = c.Process.Kill()
		<-ended
		t.Errorf("tactd runs, and should not: %v\n%s", environ, errs.String())
	}
	return ran{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// TestStartsThatCannotBe wants a code of its own for each.
func TestStartsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newFolder(t)
	wants := func(what string, r ran, code int, says string) {
		t.Helper()
		if r.code != code || !strings.Contains(r.stderr, says) {
			t.Errorf("%s: exit %d, want %d, saying %q:\n%s", what, r.code, code, says, r.stderr)
		}
	}
	folder := func(name string) string { return "TACT_STORE__DIR=" + w.path(name) }

	bad := writeFile(t, w.path("bad.yaml"), "device: {id: kiosk-1, colour: red}\nbroker: {adress: 'tcp://b:1883'}\nlog: {level: loud}\n")
	r := command(t, w.dir, "", w.bin.tactd, "run", "--config", bad)
	wants("bad configuration", r, 78, `did you mean "broker.address"`)
	for _, place := range []string{"bad.yaml:1:23: ", "bad.yaml:2:10: ", "bad.yaml:3:7: "} {
		wants("bad configuration", r, 78, place)
	}
	wants("wrong variable", tries(t, w, nil, folder("a"), "TACT_BROKER__ADRESS=x"), 78, "TACT_BROKER__ADRESS")
	wants("no configuration file", command(t, w.dir, "", w.bin.tactd, "run", "--config", w.path("none.yaml")), 78, "none.yaml")

	w.hubDir = w.dir
	writeFile(t, w.path("hub.signpub"), base64.StdEncoding.EncodeToString(make([]byte, 32)))
	d := w.newDevice("kiosk-1")
	d.up()
	wants("folder of another tactd", tries(t, w, nil, "TACT_STORE__DIR="+filepath.Join(d.dir, "store")), 75, "")
	wants("port taken", tries(t, w, nil, folder("b"), "TACT_LOCAL__LISTEN="+strings.TrimPrefix(d.url, "http://")), 75, strings.TrimPrefix(d.url, "http://"))
	if code, _, err := call("GET", d.url+"/healthz", "", ""); err != nil || code != 200 {
		t.Errorf("the first tactd does not answer any more: %d %v", code, err)
	}
	if r := command(t, w.dir, "", w.bin.tact, "hub", "run", "--dir", w.path("h"), "--http", strings.TrimPrefix(d.url, "http://")); r.code != 75 {
		t.Errorf("tact hub run on a taken port: exit %d, want 75: %s", r.code, r.stderr)
	}

	wants("folder that cannot be", tries(t, w, nil, "TACT_STORE__DIR="+bad+"/store"), 74, "bad.yaml")
	if err := os.Chmod(builds.dir, 0o755); err != nil { // so that anybody may run the programs
		t.Fatal(err)
	}
	locked := filepath.Join(builds.dir, "locked")
	if err := os.MkdirAll(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	var nobody *syscall.Credential
	if os.Getuid() == 0 { // root may write anywhere
		nobody = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	wants("folder that may not be written", tries(t, w, nobody, "TACT_STORE__DIR="+filepath.Join(locked, "store")), 77, "locked")
}

// TestDamagedStores damages each file of a device's store.
func TestDamagedStores(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	d := w.newDevice("kiosk-1")
	for _, x := range []struct {
		file   string
		damage func(raw []byte) []byte
	}{
		{"outbox.db", func([]byte) []byte { return []byte("this is no database") }},
		{"outbox.db", func(raw []byte) []byte { return raw[:len(raw)/2] }},
		{"state.db", func(raw []byte) []byte { return bytes.Repeat([]byte{0xa5}, len(raw)) }},
		{"state.db", func([]byte) []byte { return nil }},
	} {
		d.up()
		await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
		before := d.ask("counter")
		d.handsOver(30 * time.Second)
		epoch := d.state().Epoch
		d.kill()
		path := filepath.Join(d.dir, "store", x.file)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, x.damage(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		d.up()
		s := d.state()
		// Where the log has already let go of what only the lost snapshot knew, the epoch is left as well.
		want := []string{x.file}
		if x.file == "state.db" && s.Epoch != epoch {
			want = append(want, "outbox.db")
		}
		if !slices.Equal(s.Recovered, want) {
			t.Errorf("%s: recovered %v, want %v", x.file, s.Recovered, want)
		}
		if s.Bundle != "shop@1" {
			t.Errorf("%s: %q is in charge", x.file, s.Bundle)
		}
		aside, err := filepath.Glob(path + ".*.damaged")
		if err != nil || len(aside) == 0 {
			t.Errorf("%s was not set aside: %v", x.file, err)
		}
		after := d.ask("counter")
		if after.Decision == before.Decision {
			t.Errorf("%s: decision %s was made twice", x.file, after.Decision)
		}
		d.handsOver(30 * time.Second)
		// A second start finds nothing damaged.
		if code := d.stop(t); code != 0 {
			t.Errorf("%s: stopped with %d", x.file, code)
		}
		d.up()
		if s := d.state(); len(s.Recovered) != 0 || s.Boot == 0 {
			t.Errorf("%s: the second start says %+v", x.file, s)
		}
		if code := d.stop(t); code != 0 {
			t.Errorf("%s: stopped with %d", x.file, code)
		}
	}
	if !strings.Contains(d.logged(), "set aside") {
		t.Error("the log does not say that something was set aside")
	}
	all := map[string]bool{}
	for _, x := range w.decisions() {
		if all[x.Decision] {
			t.Errorf("decision %s is at the hub twice", x.Decision)
		}
		all[x.Decision] = true
	}
	if len(all) != 8 {
		t.Errorf("the hub has %d decisions, want 8", len(all))
	}
	if r := command(t, w.dir, "", w.bin.tact, "hub", "verify", "--dir", w.hubDir); r.code != 0 {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
