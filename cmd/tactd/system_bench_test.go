package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shipped builds tactd as devices get it.
func shipped(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "tactd")
	c := exec.Command("go", "build", "-tags", "nethttpomithttp2", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// manyActions is a policy of a thousand actions over signals and facts.
func manyActions() string {
	var y strings.Builder
	y.WriteString("policy: many\nversion: 1\ncurrency: EUR\nlanguages: [en]\nzone: Europe/Amsterdam\n" +
		"purposes:\n  service: {basis: contract, for: {en: \"to help you\"}}\n  offers: {basis: consent, for: {en: \"for offers\"}}\nsignals:\n")
	for k := range 20 {
		fmt.Fprintf(&y, "  s%d: {type: double, max_age: 1h}\n", k)
	}
	y.WriteString("facts:\n")
	for k := range 10 {
		fmt.Fprintf(&y, "  f%d: {type: string, purposes: [service, offers], from: [declared], keep: 2y}\n", k)
	}
	y.WriteString("interactions:\n  purchase: {keep: 7y, purposes: [service, offers], blocks: {offer_of: same}}\nslots:\n  home: {channel: kiosk}\nactions:\n")
	for k := range 1000 {
		fmt.Fprintf(&y, "  a%d:\n    intent: sales\n    purpose: offers\n    about: product:p%d\n    slots: [home]\n    applicable: \"s%d > %d.0\"\n    suitable: \"f%d == 'v%d'\"\n"+
			"    value: %d.00\n    propensity: 0.10\n    bother: 0.05\n    say_personal: {en: \"{f%d}, this is text %d.\"}\n", k, k, k%20, k%37, k%10, k%7, 1+k%9, k%10, k)
	}
	return y.String()
}

// BenchmarkSystem measures the shipped agent at work: a thousand actions, a
// hundred customers with slices from a hub over Mosquitto, each of them shown something.
func BenchmarkSystem(b *testing.B) {
	w := newWorld(b, manyActions())
	w.bin.tactd = shipped(b)
	const customers = 100
	var facts, here, ask []string
	for c := range customers {
		for f := range 10 {
			facts = append(facts, fmt.Sprintf(`{"fact":"f%d","customer":"crm:%d","value":"v%d","provenance":"declared"}`, f, c, (c+f)%7))
		}
		for p := range 5 {
			facts = append(facts, fmt.Sprintf(`{"interaction":"purchase","customer":"crm:%d","about":"product:p%d"}`, c, c+p))
		}
		facts = append(facts, fmt.Sprintf(`{"consent":"offers","customer":"crm:%d","granted":true}`, c))
		here = append(here, fmt.Sprintf(`{"identify":"crm:%d","by":"card","session":"s%d"}`, c, c))
		ask = append(ask, fmt.Sprintf(`{"ask":"home","session":"s%d"}`, c))
	}
	w.mustFeed(facts...)
	d := w.newDevice("kiosk-1")
	d.up()
	await(b, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "many@1" })
	d.tell(here...)
	for c := range customers {
		await(b, "all slices are there", 30*time.Second, func() bool {
			_, text, err := call("GET", fmt.Sprintf("%s/v1/known?session=s%d", d.url, c), "", "")
			return err == nil && strings.Contains(text, `"slice":true`)
		})
	}
	for k := range 20 {
		d.tell(fmt.Sprintf(`{"signal":"s%d","value":%d}`, k, 40))
	}
	for _, a := range ask {
		code, text, err := call("POST", d.url+"/v1/events?wait=1&rejected=0", "", a)
		if err != nil || code != 200 || !strings.Contains(text, `"action":"a`) {
			b.Fatalf("%s brought no offer: %d %v %s", a, code, err, text)
		}
	}
	d.handsOver(30 * time.Second)

	// One signal that flips a condition, and the decision for it, answered: durable on the disk.
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		lines := fmt.Sprintf("{\"signal\":\"s0\",\"value\":%d}\n{\"ask\":\"home\",\"session\":\"s%d\"}", 40-39*(n%2), n%customers)
		begun := time.Now()
		code, text, err := call("POST", d.url+"/v1/events?wait=1&rejected=0", "", lines)
		took = append(took, time.Since(begun))
		if err != nil || code != 200 || !strings.Contains(text, `"decision"`) {
			b.Fatalf("%d %v %s", code, err, text)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "tactd.signal_to_decision:ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "tactd.signal_to_decision.p99:ms")
	b.ReportMetric(memory(b, d.command.Process.Pid, "VmRSS:"), "tactd.rss:MB")
	b.ReportMetric(25, "tactd.rss:MB:at-most")
	b.ReportMetric(memory(b, d.command.Process.Pid, "VmHWM:"), "tactd.rss.peak:MB")
}

// memory reads a line of /proc/PID/status in MB.
func memory(b testing.TB, pid int, field string) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for l := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(l, field); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) * 1024 / 1e6
		}
	}
	b.Fatalf("no %s", field)
	return 0
}
