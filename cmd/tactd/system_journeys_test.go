package main_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/wire"
)

// walkPolicy has what the journeys 02, 09, 16, 29, 30, 37, 39, 40 and 41 want.
const walkPolicy = `policy: walk
version: %d
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to look after you"}}
  offers:  {basis: %s, for: {en: "for personal offers"}}
  health:  {basis: consent, explicit: true, for: {en: "for a discount when you walk"}}
signals:
  steps:      {type: int, max_age: 1h, scope: person, special: health, purposes: [health], consent: health, why: {en: "to see whether you walk"}, leaves_device: never}
  heart_rate: {type: int, max_age: 1h, scope: person, special: health, purposes: [health], consent: health, why: {en: "to see whether you rest"}, leaves_device: never}
derived:
  claim.goal: {is: "steps >= 8000 && heart_rate < 999999999", special: health, purposes: [health], leaves_device: value, keep: 90d, why: {en: "so that the discount can be given"}}
facts:
  name.first: {type: string, purposes: [offers, service], from: [declared], keep: 2y}
  wish:       {type: string, purposes: [offers], from: [declared], keep: 2y}
  address:    {type: string, purposes: [service], from: [declared], keep: 2y}
  interests:  {type: list<string>, one_of: [garden, kitchen], purposes: [offers], from: [declared], keep: 2y, preference: true}
interactions:
  booking:   {keep: 2y, purposes: [service, offers], reaches: goal, undone_by: {cancelled: 24h}}
  complaint: {keep: 2y, purposes: [service], negative: true, open_until: resolved, cool_off: 14d}
subjects:
  rose: {kind: garden}
  pan:  {kind: kitchen}
slots:
  counter: {channel: kiosk, show_for: 1h}
  trip:    {channel: kiosk, show_for: 1h}
  ideas:   {channel: kiosk, show_for: 1h}
  ads:     {channel: kiosk, show_for: 1h}
  next:    {channel: kiosk, show_for: 1h}
  wrist:   {channel: kiosk, show_for: 1h}
actions:
  sale:     {intent: sales, purpose: offers, about: product:model-x, slots: [counter], value: 400.00, propensity: 0.10, bother: 0.05, say_personal: {en: "{name.first}, EUR 1,000 off."}}
  recovery: {intent: recovery, purpose: service, slots: [counter], mandatory: true, eligible: "open(complaint)", say_personal: {en: "We have your complaint."}}
  rome:     {intent: sales, purpose: offers, about: hotel:rome, goal: hotel:rome, slots: [trip], value: 30.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Rome, three nights."}}
  milan:    {intent: sales, purpose: offers, about: hotel:milan, goal: hotel:milan, slots: [trip], value: 20.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Milan, two nights."}}
  pan-offer:  {intent: sales, purpose: offers, about: product:pan, slots: [ideas], value: 90.00, propensity: 0.10, bother: 0.05, say_personal: {en: "A pan."}}
  rose-offer: {intent: sales, purpose: offers, about: product:rose, slots: [ideas], value: 80.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Roses."}}
  mats:     {intent: sales, purpose: offers, about: product:mats, slots: [ads], value: 4.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Mats?"}}
  sponge:   {intent: sales, purpose: offers, about: product:sponge, slots: [next], value: 3.00, propensity: 0.10, bother: 0.05, say_personal: {en: "A sponge?"}}
  discount: {intent: service, purpose: health, slots: [wrist], applicable: "claim.goal", value: 5.00, propensity: 0.50, bother: 0.05, say_personal: {en: "Your discount is in."}}
  letter:   {intent: service, purpose: service, about: letter:card, slots: [counter], eligible: "address != ''", value: 1.00, propensity: 0.10, bother: 0.05, say_personal: {en: "Your card comes by letter."}}
contact:
  pauses:
    - {about: same, after: never, for: ever}
    - {about: same, after: later, for: 1h}
  pressure: {unit: EUR, half_life: 7d, ignored: 0.10, dismissed: 0.40, accepted: -0.20, floor: 0.05}
`

// What may be said of it on the wire, and what may not.
const (
	steps, heartRate = 87654321, 76543219   // never leave the device, in whatever form
	queuedWish       = "a yellow submarine" // was for a purpose that ended before it could leave
	forgottenName    = "Wilhelmina the forgotten"
	forgottenWish    = "a tandem for the forgotten"
	lawWish          = "a wish that the law took"
)

// walk is a fleet of three, of which one is cut off now and then.
type walk struct {
	*world
	t       *testing.T
	devices []*device
	third   *device
	link    *shapedLink
	tap     *wireTap
}

// soon is how long a change may take to an online device.
func soon() time.Duration {
	if raceDetector() {
		return 5 * time.Second
	}
	return time.Second
}

// TestJourneysOverTheFleet walks through journeys with three devices, of which one is away meanwhile.
func TestJourneysOverTheFleet(t *testing.T) {
	t.Parallel()
	f := newWalk(t)
	f.online()
	f.cutOff()
	begun := time.Now()
	erasure := f.away()
	if took := time.Since(begun); took > 2*time.Minute {
		t.Errorf("it took %v", took) // leases and ages would tell another story
	}
	f.back()
	f.together(erasure)
	f.lawChanges()
	f.nothingLeft()
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	w := newFolder(t)
	w.startBroker()
	w.buildBundle("walk", "shop", fmt.Sprintf(walkPolicy, 1, "consent"))
	f := &walk{world: w, t: t, tap: w.tap(t)}
	w.startHub("--bundle", w.path("walk.bundle"))
	f.link = newLink(t, "third", w.brokerPort)
	for k := range 3 {
		if k == 2 {
			w.devicePort = f.link.port
		}
		d := w.newDevice(fmt.Sprintf("k%d", k+1))
		f.devices = append(f.devices, d)
		d.up()
	}
	f.third = f.devices[2]
	for _, d := range f.devices {
		await(t, d.id+" has the policy", 20*time.Second, func() bool { return d.state().Bundle == "walk@1" })
	}
	var lines, here []string
	for _, n := range []int{2, 9, 16, 29, 30, 37, 39, 40, 41} {
		name := fmt.Sprintf("Anna %d", n)
		if n == 30 {
			name = forgottenName
		}
		lines = append(lines, fmt.Sprintf(`{"fact":"name.first","customer":"crm:%d","value":%q,"provenance":"declared"}`, n, name),
			fmt.Sprintf(`{"consent":"offers","customer":"crm:%d","granted":true}`, n))
		here = append(here, fmt.Sprintf(`{"identify":"crm:%d","by":"login","session":"j%d"}`, n, n))
	}
	lines = append(lines, `{"fact":"wish","customer":"crm:41","value":"`+lawWish+`","provenance":"declared"}`, `{"fact":"address","customer":"crm:41","value":"Dorpsstraat 1","provenance":"declared"}`)
	w.mustFeed(lines...)
	for _, d := range f.devices {
		d.tell(here...)
		for _, l := range here {
			session := reading[struct{ Session string }](t, l).Session
			await(t, "the slices are on "+d.id, 20*time.Second, func() bool { return strings.Contains(d.knows(session), `"slice":true`) })
		}
	}
	return f
}

// knows is what a device says that it knows of who is there.
func (d *device) knows(session string) string {
	_, text, err := call("GET", d.url+"/v1/known?session="+session, "", "")
	if err != nil {
		return ""
	}
	return text
}

// asks asks in a session.
func (d *device) asks(slot, session string) line {
	d.t.Helper()
	for _, l := range d.tell(fmt.Sprintf(`{"ask":%q,"session":%q}`, slot, session)) {
		if l.Clear == "" && l.Slot == slot {
			return l
		}
	}
	d.t.Fatalf("%s: no decision for %s", d.id, slot)
	return line{}
}

// shows waits until a device decides so, and why the other one lost. It says how long it took.
func (f *walk) shows(d *device, journey int, slot, action string, within time.Duration, lost ...string) {
	f.t.Helper()
	begun := time.Now()
	var x line
	if !becomes(within, func() bool {
		x = d.asks(slot, fmt.Sprintf("j%d", journey))
		return x.Action == action && (len(lost) == 0 || x.why(lost[0]) == lost[1])
	}) {
		f.t.Errorf("journey %d: %s shows %s because %q (%v), want %s, %v", journey, d.id, x.Action, x.cause(), x.Rejected, action, lost)
		return
	}
	f.t.Logf("journey %d: %s shows %s after %v", journey, d.id, action, time.Since(begun).Round(time.Millisecond))
}

func (f *walk) says(d *device, journey int, form string, args ...any) {
	f.t.Helper()
	line := fmt.Sprintf(form, args...)
	d.tell(strings.TrimSuffix(line, "}") + fmt.Sprintf(`,"session":"j%d"}`, journey))
}

// online is before anything happens: everything competes, and the claim of journey 09 leaves.
func (f *walk) online() {
	for _, d := range f.devices {
		f.shows(d, 2, "counter", "sale", soon())
		f.shows(d, 16, "trip", "rome", soon())
		f.shows(d, 37, "ideas", "pan-offer", soon())
		f.shows(d, 39, "ideas", "pan-offer", soon())
		f.shows(d, 40, "counter", "sale", soon())
		f.shows(d, 41, "counter", "sale", soon())
	}
	watch := f.devices[1]
	f.shows(watch, 9, "wrist", "silence", soon())
	f.says(watch, 9, `{"signal":"steps","value":%d}`, steps)
	f.shows(watch, 9, "wrist", "silence", soon(), "discount", "legal special_needs_explicit_consent")
	f.says(watch, 9, `{"consent":"health","customer":"crm:9","granted":true,"text":"v3"}`)
	f.says(watch, 9, `{"signal":"heart_rate","value":%d}`, heartRate)
	f.says(watch, 9, `{"signal":"steps","value":%d}`, steps)
	f.shows(watch, 9, "wrist", "discount", soon())
	await(f.t, "the claim is at the hub", 20*time.Second, func() bool {
		c, _ := f.customer("crm:9")
		for _, x := range c.Facts {
			if x.Name == "claim.goal" && string(x.Value) == "true" {
				return true
			}
		}
		return false
	})
}

// cutOff takes the third device from the broker.
func (f *walk) cutOff() {
	f.t.Helper()
	f.link.set("away", nil)
	f.link.cut()
	await(f.t, "the third device knows that it is away", 20*time.Second, func() bool { return !f.third.state().Online })
}

func (f *walk) backAgain() {
	f.t.Helper()
	f.link.set("good", nil)
	await(f.t, "the third device is back", 60*time.Second, func() bool { return f.third.state().Online })
}

// away is what happens while the third device is cut off. It returns the id of the erasure.
func (f *walk) away() (erasure string) {
	t, online := f.t, f.devices[:2]
	// 02: a complaint.
	f.mustFeed(`{"interaction":"complaint","customer":"crm:2","ref":"c1"}`)
	for _, d := range online {
		f.shows(d, 2, "counter", "recovery", soon(), "sale", "guard open_complaint")
		f.shows(d, 40, "counter", "sale", soon()) // hers is another's
	}
	f.shows(f.third, 2, "counter", "sale", soon()) // it cannot know

	// 16: a booking on the phone.
	f.mustFeed(`{"interaction":"booking","customer":"crm:16","about":"hotel:rome","channel":"phone"}`)
	for _, d := range online {
		f.shows(d, 16, "trip", "milan", soon(), "rome", "guard goal_reached")
	}

	// 29: ignored here, there, and where nobody hears of it.
	for k, d := range online {
		f.worth(d, 29, "ads", 0.35-0.1*float64(k))
		f.says(d, 29, `{"outcome":"ignored","decision":"last","slot":"ads"}`)
	}
	f.worth(f.third, 29, "ads", 0.35)
	f.says(f.third, 29, `{"outcome":"ignored","decision":"last","slot":"ads"}`)

	// 37: what she wants, said on one device.
	f.says(online[0], 37, `{"fact":"interests","customer":"crm:37","value":["garden"],"provenance":"declared"}`)
	for _, d := range online {
		f.shows(d, 37, "ideas", "rose-offer", soon(), "pan-offer", "guard outside_preference")
	}
	f.shows(f.third, 37, "ideas", "pan-offer", soon())

	// 39: never, said on one; and two names turn out to be one.
	f.shows(online[0], 39, "ideas", "pan-offer", soon())
	f.says(online[0], 39, `{"outcome":"never","decision":"last","slot":"ideas"}`)
	for _, d := range online {
		f.shows(d, 39, "ideas", "rose-offer", soon(), "pan-offer", "contact asked_never")
	}
	f.mustFeed(`{"consent":"offers","customer":"crm:139","granted":true}`, `{"merge":["crm:39","crm:139"]}`)
	online[1].tell(`{"identify":"crm:139","by":"login","session":"j139"}`)
	f.shows(online[1], 139, "ideas", "rose-offer", 10*time.Second, "pan-offer", "contact asked_never")

	// 40: withdrawn on the device that is away.
	f.says(f.third, 40, `{"fact":"wish","customer":"crm:40","value":%q,"provenance":"declared"}`, queuedWish)
	f.says(f.third, 40, `{"consent":"offers","customer":"crm:40","granted":false}`)
	if x := f.third.asks("counter", "j40"); x.why("sale") != "legal consent_withdrawn" {
		t.Errorf("journey 40: the very next decision is %s, the sale %s", x.Action, x.why("sale"))
	}
	f.shows(online[0], 40, "counter", "sale", soon())

	// 30: forgotten, while something of hers waits on the device that is away.
	f.says(f.third, 30, `{"fact":"wish","customer":"crm:30","value":%q,"provenance":"declared"}`, forgottenWish)
	begun := time.Now()
	f.mustFeed(`{"forget":"crm:30"}`)
	var e erased
	await(t, "the erasure is there", 5*time.Second, func() bool {
		_, text, err := call("GET", f.hubURL+"/v1/erasures?open=true", f.operator(), "")
		if err != nil {
			return false
		}
		all := reading[struct{ Erasures []erased }](t, text).Erasures
		if len(all) == 1 {
			e = all[0]
		}
		return len(all) == 1 && e.how("k1") == "confirmed" && e.how("k2") == "confirmed"
	})
	t.Logf("journey 30: confirmed by both online devices after %v", time.Since(begun).Round(time.Millisecond))
	if e.how("k3") != "waiting" || e.Completed != nil {
		t.Errorf("journey 30: the erasure is %+v", e)
	}
	for _, d := range online {
		if text := d.knows("j30"); strings.Contains(text, forgottenName) {
			t.Errorf("journey 30: %s knows %s", d.id, text)
		}
	}
	if a := f.feed(crmToken, `{"fact":"name.first","customer":"crm:30","value":"`+forgottenName+`","provenance":"declared"}`); a.Accepted != 0 || len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Error, "forgotten") {
		t.Errorf("journey 30: a later fact: %+v", a)
	}
	return e.Erasure
}

// erased is an erasure, as the hub tells it.
type erased struct {
	Erasure   string
	Completed *string
	Devices   []struct{ Device, How string }
}

func (e *erased) how(device string) string {
	for _, d := range e.Devices {
		if d.Device == device {
			return d.How
		}
	}
	return "not there"
}

// worth wants an action to be worth so much.
func (f *walk) worth(d *device, journey int, slot string, want float64) {
	f.t.Helper()
	var x line
	if !becomes(soon(), func() bool {
		x = d.asks(slot, fmt.Sprintf("j%d", journey))
		return x.Value != nil && math.Abs(*x.Value-want) < 0.005
	}) {
		f.t.Errorf("journey %d: %s shows %s for %v, want %.2f", journey, d.id, x.Action, x.Value, want)
	}
}

// back is after the third device has come back: it does as the others.
func (f *walk) back() {
	f.backAgain()
	began := time.Now()
	d := f.third
	f.shows(d, 2, "counter", "recovery", soon(), "sale", "guard open_complaint")
	f.shows(d, 16, "trip", "milan", soon(), "rome", "guard goal_reached")
	f.shows(d, 37, "ideas", "rose-offer", soon(), "pan-offer", "guard outside_preference")
	f.shows(d, 39, "ideas", "rose-offer", soon(), "pan-offer", "contact asked_never")
	f.t.Logf("back, and told all after %v", time.Since(began).Round(time.Millisecond))
}

// together is what all three say after that.
func (f *walk) together(erasure string) {
	t := f.t
	for _, d := range f.devices {
		f.shows(d, 29, "next", "silence", soon(), "sponge", "value not_worth_bother") // ignored three times, each counted once
		f.shows(d, 40, "counter", "silence", soon(), "sale", "legal consent_withdrawn")
	}
	var e erased
	await(t, "the third device has confirmed as well", 20*time.Second, func() bool {
		_, text, err := call("GET", f.hubURL+"/v1/erasures/"+erasure, f.operator(), "")
		if err != nil {
			return false
		}
		e = reading[struct{ Payload erased }](t, text).Payload
		return e.Completed != nil
	})
	if e.how("k3") != "confirmed" {
		t.Errorf("journey 30: the erasure is %+v", e)
	}
	receipt := f.path("receipt.json")
	must(t, f.dir, f.bin.tact, "hub", "customer", "receipt", erasure, "--dir", f.hubDir, "--wait", "-o", receipt)
	must(t, f.dir, f.bin.tact, "hub", "verify", "--receipt", receipt, "--key", filepath.Join(f.hubDir, "hub.signpub"))
	for _, d := range f.devices {
		d.handsOver(30 * time.Second)
	}
	if c, _ := f.customer("crm:40"); said(c) != `name.first="Anna 40", offers=false` {
		t.Errorf("journey 40: the hub has %s", said(c))
	}
}

// lawChanges takes the basis of offers away while the third device is cut off.
func (f *walk) lawChanges() {
	t := f.t
	for _, d := range f.devices {
		if !strings.Contains(d.knows("j41"), lawWish) {
			t.Errorf("journey 41: %s knows no wish: %s", d.id, d.knows("j41"))
		}
	}
	f.cutOff()
	if code, text := f.publish(f.buildBundle("walk-2", "shop", fmt.Sprintf(walkPolicy, 2, "none"))); code != 200 {
		t.Fatalf("the hub answered %d %s", code, text)
	}
	gone := func(d *device) {
		t.Helper()
		await(t, d.id+" has the new policy", 20*time.Second, func() bool { return d.state().Bundle == "walk@2" })
		f.shows(d, 41, "counter", "letter", soon(), "sale", "legal no_basis")
		if k := d.knows("j41"); strings.Contains(k, lawWish) || !strings.Contains(k, "Dorpsstraat") {
			t.Errorf("journey 41: %s knows %s", d.id, k)
		}
	}
	for _, d := range f.devices[:2] {
		gone(d)
	}
	f.shows(f.third, 41, "counter", "sale", soon())
	f.backAgain()
	gone(f.third)
	await(t, "what was held for offers alone is gone from the hub", 20*time.Second, func() bool {
		c, _ := f.customer("crm:41")
		return !strings.Contains(said(c), lawWish) && strings.Contains(said(c), "Dorpsstraat")
	})
}

// nothingLeft stops everything, and looks at every byte.
func (f *walk) nothingLeft() {
	t := f.t
	for _, d := range f.devices {
		d.handsOver(30 * time.Second)
		if code := d.stop(t); code != 0 {
			t.Errorf("%s ended with %d", d.id, code)
		}
	}
	if code := f.hub.stop(t); code != 0 {
		t.Errorf("the hub ended with %d", code)
	}
	if r := f.verify(); r.code != 0 {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	paths := []string{f.hubDir, f.hub.log}
	for _, d := range f.devices {
		paths = append(paths, filepath.Join(d.dir, "store"), d.log)
	}
	scan(t, append(forms(steps, heartRate), forgottenName, forgottenWish, queuedWish, lawWish), paths...)

	unpacker, err := wire.NewUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	never := append(forms(steps, heartRate), queuedWish, forgottenWish, "heart_rate", "crm:")
	seen, batches := false, 0
	for _, m := range f.tap.all() {
		if strings.Contains(m.topic, "crm") {
			t.Errorf("a customer is in the topic %s", m.topic)
		}
		plain := m.payload
		if strings.HasSuffix(m.topic, "/up/log") {
			batches++
			b, err := unpacker.Decode(m.payload)
			if err != nil {
				t.Fatalf("%s: %v", m.topic, err)
			}
			plain = bytes.Join(b.Records, nil)
			seen = seen || bytes.Contains(plain, []byte("garden"))
		}
		for _, text := range never {
			if bytes.Contains(plain, []byte(text)) && !allowed(m.topic, text) {
				t.Errorf("%s carried %q", m.topic, text)
			}
		}
	}
	if !seen || batches == 0 {
		t.Errorf("of %d batches none says what may leave: this says nothing", batches)
	}
}

// allowed are names of the policy in the policy itself, which travels as a bundle, and in its symbols; and
// who a slice is of, which the hub tells the device that asked.
func allowed(topic, text string) bool {
	return text == "heart_rate" && (strings.Contains(topic, "/dn/blob/") || strings.HasSuffix(topic, "/up/req")) ||
		text == "crm:" && strings.Contains(topic, "/dn/slice/")
}

// forms are numbers as they may stand in a message or a file.
func forms(numbers ...int64) (all []string) {
	for _, n := range numbers {
		all = append(all, fmt.Sprint(n), string(binary.BigEndian.AppendUint32(nil, uint32(n))), string(binary.LittleEndian.AppendUint32(nil, uint32(n))),
			string(binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(n)))))
	}
	return all
}
