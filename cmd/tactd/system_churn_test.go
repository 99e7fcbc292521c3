package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestManySlices lets thousands of customers come and go at one device, each with a slice from the hub
// that goes on changing. Memory and files keep to their bounds, everything is handed over, and who comes
// back finds what the hub knows. TACT_SLICES is how many (2000; 300 where the race detector makes the hub
// thirty times as slow).
func TestManySlices(t *testing.T) {
	t.Parallel()
	const atOnce = 100
	usual := 2000
	if raceDetector() {
		usual = 300
	}
	all := number(t, "TACT_SLICES", usual)
	w := newWorld(t, shop(1))
	d := w.newDevice("kiosk-1")
	text, err := os.ReadFile(filepath.Join(d.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(d.dir, "config.yaml"), strings.Replace(string(text), "store: {", "store: {max_slices: 1MiB, max_moments: 1MiB, ", 1))
	d.up()
	await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })

	pid := d.command.Process.Pid
	early, begun := 0.0, time.Now()
	for from := 0; from < all; from += atOnce {
		var known, here, asks []string
		for n := from; n < from+atOnce; n++ {
			known = append(known, fmt.Sprintf(`{"fact":"name.first","customer":"crm:%d","value":"Anna %d","provenance":"declared"}`, n, n), fmt.Sprintf(`{"consent":"offers","customer":"crm:%d","granted":true}`, n))
			for k := range 5 {
				known = append(known, fmt.Sprintf(`{"interaction":"purchase","customer":"crm:%d","about":"thing:%d-%d"}`, n, n, k))
			}
			here = append(here, fmt.Sprintf(`{"identify":"crm:%d","by":"card","session":"s%d"}`, n, n%atOnce))
			asks = append(asks, fmt.Sprintf(`{"ask":"counter","session":"s%d"}`, n%atOnce), fmt.Sprintf(`{"outcome":"shown","decision":"last","slot":"counter","session":"s%d"}`, n%atOnce))
		}
		w.mustFeed(known...)
		d.tell(here...)
		last := fmt.Sprintf("s%d", atOnce-1)
		await(t, "the last slice is there", 20*time.Second, func() bool { return strings.Contains(d.knows(last), `"slice":true`) })
		if from > 0 { // who has left hears of news all the same, for as long as the slice is held
			w.mustFeed(fmt.Sprintf(`{"interaction":"purchase","customer":"crm:%d","about":"thing:late-%d"}`, from/2, from))
		}
		if code, text, err := call("POST", d.url+"/v1/events?wait=1&rejected=0", "", strings.Join(asks, "\n")); err != nil || code != 200 {
			t.Fatalf("%d %s %v", code, text, err)
		}
		if from <= all/4 {
			early = memory(t, pid, "VmRSS:")
		}
	}
	churned := time.Since(begun)
	d.handsOver(60 * time.Second)
	rss := memory(t, pid, "VmRSS:")
	size, files := sizeOf(t, filepath.Join(d.dir, "store"))
	t.Logf("%d customers in %.1fs: %.1f MB after a quarter, %.1f MB at the end; %d bytes of files: %v", all, churned.Seconds(), early, rss, size, files)
	most := 64.0
	if raceDetector() {
		most = 384
	}
	if rss > most || rss > 1.5*early+8 {
		t.Errorf("%.1f MB after a quarter and %.1f MB at the end, at most %.0f are allowed", early, rss, most)
	}
	// Snapshot and log are written whole at a clean stop.
	if code := d.stop(t); code != 0 {
		t.Errorf("stopped with %d", code)
	}
	if size, files := sizeOf(t, filepath.Join(d.dir, "store")); size > 12<<20 {
		t.Errorf("the store has %d bytes: %v", size, files)
	}
	d.up()
	for k := range 10 { // long gone, or still held
		n := k * all / 10
		d.tell(fmt.Sprintf(`{"identify":"crm:%d","by":"card","session":"again"}`, n))
		await(t, fmt.Sprintf("crm:%d is known again", n), 20*time.Second, func() bool {
			return strings.Contains(d.knows("again"), fmt.Sprintf(`"Anna %d"`, n)) && strings.Contains(d.knows("again"), fmt.Sprintf("thing:%d-4", n))
		})
	}
	d.handsOver(60 * time.Second)
	if got := len(w.decisions()); got != all {
		t.Errorf("%d decisions at the hub, want %d", got, all)
	}
	if r := w.verify(); r.code != 0 {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
