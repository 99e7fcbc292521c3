package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	annaName    = `{"fact":"name.first","customer":"crm:1","value":"Anna","provenance":"declared"}`
	annaConsent = `{"consent":"offers","customer":"crm:1","granted":true}`
	annaWish    = `{"fact":"wish","customer":"crm:1","value":"a blue one","provenance":"declared"}`
	annaIsHere  = `{"identify":"crm:1","by":"card"}`
)

// arrival waits until the slice of who is there has come.
func (d *device) arrival() {
	d.t.Helper()
	await(d.t, "the slice is on "+d.id, 10*time.Second, func() bool { return d.known().Slice })
}

// expect waits for a message of the stream and returns it.
func expect(t testing.TB, stream <-chan told, what string, ok func(*told) bool) told {
	t.Helper()
	late := time.After(15 * time.Second)
	var seen []string
	for {
		select {
		case m := <-stream:
			if ok(&m) {
				return m
			}
			seen = append(seen, fmt.Sprintf("%s %s%s %s", m.kind, m.Decision, m.Clear, m.cause()))
		case <-late:
			t.Fatalf("the stream never brought %s, only %s", what, strings.Join(seen, "; "))
		}
	}
}

// TestSliceAndComplaint walks through what the back office says, seen on a device.
func TestSliceAndComplaint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	kiosk, car := w.newDevice("kiosk-1"), w.newDevice("car-1")
	for _, d := range []*device{kiosk, car} {
		d.up()
	}
	for _, d := range []*device{kiosk, car} {
		await(t, d.id+" has the policy", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	}
	stream := kiosk.follow("?slot=counter")

	// Facts at the back office come as a slice when she is identified.
	w.mustFeed(annaName, annaConsent)
	if p := kiosk.known(); p.Slice {
		t.Errorf("a slice is there before anybody was identified: %+v", p)
	}
	begun := time.Now()
	kiosk.tell(annaIsHere)
	kiosk.arrival()
	t.Logf("identify -> slice %v", time.Since(begun).Round(100*time.Microsecond))
	if p := kiosk.known(); p.Customer == nil || len(p.Facts) != 1 || string(p.Facts[0].Value) != `"Anna"` {
		t.Errorf("known is %+v", p)
	}
	sale := kiosk.ask("counter")
	if sale.Action != "model-x" || !strings.Contains(string(sale.Text), "Anna, EUR 1,000") {
		t.Fatalf("decided %s %s", sale.Action, sale.Text)
	}
	expect(t, stream, "the sale", func(m *told) bool { return m.kind == "decision" && m.Decision == sale.Decision })

	kiosk.tell(annaWish)
	await(t, "her wish is at the hub", 20*time.Second, func() bool { return w.wishes("crm:1") == 1 })

	if may := w.may(t, "sales"); may != `{"may":true,"reason":null,"until":null}` {
		t.Errorf("may before the complaint: %s", may)
	}

	// A complaint at the back office takes the sale down.
	begun = time.Now()
	if a := w.feed(mailToken, `{"interaction":"complaint","customer":"crm:1","channel":"mail","ref":"c1"}`); a.Accepted != 1 {
		t.Fatalf("the hub answered %+v", a)
	}
	answered := time.Since(begun)
	down := expect(t, stream, "the end of the sale", func(m *told) bool { return m.kind == "clear" && m.Clear == sale.Decision })
	t.Logf("complaint at the hub -> answered %v, sale taken down %v", answered.Round(100*time.Microsecond), down.at.Sub(begun).Round(100*time.Microsecond))
	if down.cause() != "open_complaint" {
		t.Errorf("cleared because %s, want open_complaint", down.cause())
	}
	after := kiosk.ask("counter")
	if after.Action != "first-service" || after.why("model-x") != "guard open_complaint" {
		t.Errorf("with a complaint: %s, model-x %s", after.Action, after.why("model-x"))
	}
	if may := w.may(t, "sales"); may != `{"may":false,"reason":"open_complaint","until":null}` {
		t.Errorf("may with the complaint: %s", may)
	}
	if may := w.may(t, "service"); may != `{"may":true,"reason":null,"until":null}` {
		t.Errorf("may for service: %s", may)
	}

	// Resolved, sales cool off; a withdrawn consent stops them at the device itself, offline.
	w.withdrawOffline(t, kiosk, car)
	w.forget(t, kiosk, car)
}

// wishes is how many wishes of a customer the hub knows.
func (w *world) wishes(id string) (n int) {
	w.t.Helper()
	c, _ := w.customer(id)
	for _, f := range c.Facts {
		if f.Name == "wish" {
			n++
		}
	}
	return n
}

// may asks as a mailing tool does.
func (w *world) may(t *testing.T, intent string) string {
	t.Helper()
	code, text, err := call("POST", w.hubURL+"/v1/may", mailToken,
		fmt.Sprintf(`{"customer":"crm:1","about":"product:model-x","intent":%q,"channel":"mail"}`, intent))
	if err != nil || code != 200 {
		t.Fatalf("may: %d %v %s", code, err, text)
	}
	return strings.TrimSpace(text)
}

// withdrawOffline withdraws a consent on a device whose broker is away.
func (w *world) withdrawOffline(t *testing.T, kiosk, car *device) {
	t.Helper()
	// Another customer, whom no complaint holds back, is served on both devices.
	w.mustFeed(strings.ReplaceAll(annaName, "crm:1", "crm:2"), strings.ReplaceAll(annaConsent, "crm:1", "crm:2"))
	for _, d := range []*device{kiosk, car} {
		d.tell(strings.ReplaceAll(annaIsHere, "crm:1", "crm:2"))
		d.arrival()
		if x := d.ask("counter"); x.Action != "model-x" {
			t.Fatalf("%s decided %s, model-x %s", d.id, x.Action, x.why("model-x"))
		}
	}
	shown := car.follow("?slot=counter")
	w.broker.kill()
	await(t, "the kiosk knows that it is offline", 10*time.Second, func() bool { return !kiosk.state().Online })
	kiosk.tell(strings.ReplaceAll(annaWish, "crm:1", "crm:2")) // waits for the broker, for a purpose that ends now
	lines := kiosk.tell(`{"consent":"offers","customer":"crm:2","granted":false}`)
	if len(lines) != 1 || lines[0].Clear == "" || lines[0].cause() != "consent_withdrawn" {
		t.Errorf("withdrawing brought %+v, want the sale cleared", lines)
	}
	x := kiosk.ask("counter")
	if x.Action != "first-service" || x.why("model-x") != "legal consent_withdrawn" {
		t.Errorf("the very next decision is %s, model-x %s", x.Action, x.why("model-x"))
	}
	begun := time.Now()
	w.broker.start(t)
	w.awaitBroker()
	await(t, "the hub knows of the withdrawal", 60*time.Second, func() bool {
		c, _ := w.customer("crm:2")
		return len(c.Consents) == 1 && !c.Consents[0].Granted
	})
	t.Logf("broker back -> withdrawal at the hub %v", time.Since(begun).Round(time.Millisecond))
	m := expect(t, shown, "the end of the sale on the other device", func(m *told) bool { return m.kind == "clear" })
	t.Logf("broker back -> sale taken down on the other device %v", m.at.Sub(begun).Round(time.Millisecond))
	if m.cause() != "consent_withdrawn" {
		t.Errorf("the other device cleared because %s", m.cause())
	}
	await(t, "the kiosk has handed everything over", 30*time.Second, kiosk.drained)
	if w.wishes("crm:2") != 0 {
		t.Error("what waited for the purpose was sent after the consent was withdrawn")
	}
}

// forget erases a customer at the hub while she stands at both devices.
func (w *world) forget(t *testing.T, kiosk, car *device) {
	t.Helper()
	begun := time.Now()
	if a := w.feed(crmToken, `{"forget":"crm:2"}`); a.Accepted != 1 {
		t.Fatalf("the hub answered %+v", a)
	}
	for _, d := range []*device{kiosk, car} {
		await(t, "the slice is gone from "+d.id, 30*time.Second, func() bool { p := d.known(); return !p.Slice && len(p.Facts) == 0 })
	}
	t.Logf("forget at the hub -> gone from both devices %v", time.Since(begun).Round(time.Millisecond))
	if x := car.ask("counter"); x.Action == "model-x" || strings.Contains(string(x.Text), "Anna") {
		t.Errorf("after the forget: %s %s", x.Action, x.Text)
	}
	for _, token := range []string{crmToken, mailToken} {
		a := w.feed(token, strings.ReplaceAll(annaName, "crm:1", "crm:2"))
		if a.Accepted != 0 || len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Error, "forgotten") {
			t.Errorf("a later fact at the hub: %+v", a)
		}
	}
	code, text, err := call("POST", kiosk.url+"/v1/events", "", strings.ReplaceAll(annaName, "crm:1", "crm:2"))
	if err != nil || code != 400 || !strings.Contains(text, "erased") {
		t.Errorf("a later fact at the device: %d %v %s", code, err, text)
	}
	if c, code := w.customer("crm:2"); code == 200 && len(c.Facts)+len(c.Consents)+len(c.Interactions) > 0 {
		t.Errorf("the hub still knows %+v", c)
	}
	for _, d := range []*device{kiosk, car} {
		d.handsOver(30 * time.Second)
	}
	if r := command(t, w.dir, "", w.bin.tact, "hub", "verify", "--dir", w.hubDir); r.code != 0 {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
