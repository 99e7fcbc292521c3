package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/sense"
)

// madeOf compiles a policy that a test writes.
func madeOf(t *testing.T, text string) *catalog.Bundle {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %v", findings, err)
	}
	return b
}

// TestAKilledDeviceKeepsNobodyWaiting: it dies right after it was lent the only unit, which no file of it tells of, and
// comes back. Another device has the unit within a minute where nothing was said, and not within the window where
// it was.
func TestAKilledDeviceKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	b := madeOf(t, strings.ReplaceAll(oncePolicy, "rolling 20m", "rolling 7d"))
	for _, said := range []bool{false, true} {
		o := newOnce(t, b, 0)
		o.SetLink(Link{Least: 2, Most: 50})
		o.pass(5 * sense.Second)
		o.on("a", comes)
		o.pass(5 * sense.Second)
		o.on("b", comes)
		o.pass(5 * sense.Second)
		o.on("b", asks)
		if len(o.shown) != 0 {
			t.Fatal("b has a unit, and so has a")
		}
		if said {
			o.on("a", asks) // it dies before it has sent that
		}
		o.must(o.Crash("a"))
		o.pass(sense.Minute)
		o.on("b", asks)
		if len(o.shown) != 1 {
			t.Errorf("said %v: %d coupons were shown: %s", said, len(o.shown), o.last)
		}
		for n := range 7 * 12 {
			o.on("b", asks)
			if o.pass(2 * sense.Hour); len(o.shown) != 1 && n < 7*12-2 {
				t.Fatalf("said %v: %d coupons within the window, at %s", said, len(o.shown), o.Now())
			}
		}
	}
}

// TestALateSubjectOfManyIsSaid: a policy has more subjects than a message names, and one of the last is said by each of three
// devices, of which two are cut off, as often as it was lent that, and by all of them as often as may be.
func TestALateSubjectOfManyIsSaid(t *testing.T) {
	t.Parallel()
	text, _, _ := strings.Cut(oncePolicy, "actions:")
	text = strings.Replace(text, "slots:\n", "slots:\n  wall: {channel: kiosk}\n", 1) + "actions:\n"
	for n := range 600 {
		text += fmt.Sprintf("  b%03d: {intent: sales, purpose: offers, about: product:b%03d, slots: [wall], value: 5.00, propensity: 0.10, bother: 0.05, say_personal: {en: \"B.\"}}\n", n, n)
	}
	text += `  coupon: {intent: sales, purpose: offers, about: product:coupon, slots: [counter], value: 5.00, propensity: 0.10, bother: 0.05, say_personal: {en: "A coupon."}}
contact:
  limits:
    - {about: same, at_most: 4, counting: shown, per: rolling 2h}
`
	o := newOnce(t, madeOf(t, text), 0)
	o.SetLink(Link{Least: 2, Most: 50})
	o.pass(5 * sense.Second)
	for _, n := range onceDevices {
		o.on(n, comes)
		o.pass(5 * sense.Second)
	}
	o.must(o.Cut("a"))
	o.must(o.Cut("b"))
	for _, want := range []struct {
		device string
		most   int
	}{{"a", 2}, {"b", 3}, {"c", 4}} {
		for range 5 {
			o.on(want.device, asks)
			o.pass(40 * sense.Second)
		}
		if len(o.shown) != want.most {
			t.Errorf("after %s %d coupons were shown, want %d: %s", want.device, len(o.shown), want.most, o.last)
		}
	}
	// c goes on alone, and may not say what the others may have said; when they are back and nothing counts any more, it may.
	for range 6 {
		o.pass(15 * sense.Minute)
		o.on("c", asks)
	}
	if len(o.shown) != 4 {
		t.Errorf("%d coupons within two hours", len(o.shown))
	}
	o.must(o.Join("a"))
	o.must(o.Join("b"))
	o.on("a", goes)
	o.on("b", goes)
	o.pass(sense.Hour)
	o.on("c", asks)
	if len(o.shown) != 5 {
		t.Errorf("%d coupons after two hours: %s", len(o.shown), o.last)
	}
}
