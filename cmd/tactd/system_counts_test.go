package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a campaign comes to.

// checkCaps counts what was shown to each customer on all devices, and what the hub says was.
func (c *campaign) checkCaps() {
	c.t.Helper()
	shown, all := map[string]int{}, 0
	for _, d := range c.devices {
		for _, l := range d.seen {
			if l.Action == "coupon" && l.Customer != nil && *l.Customer != passenger { // she begins anew each time
				shown[*l.Customer]++
				all++
			}
		}
	}
	for n := range people {
		who := person(n)
		_, text, err := call("GET", c.w.hubURL+"/v1/customers/"+who, c.w.operator(), "")
		if err != nil {
			c.t.Fatal(err)
		}
		made := 0
		for _, m := range reading[struct {
			Made []struct{ Action string }
		}](c.t, text).Made {
			if m.Action == "coupon" {
				made++
			}
		}
		if shown[who] > couponCap || made > couponCap || shown[who] > made {
			c.t.Errorf("%s was shown %d coupons, %d of them at the hub: at most %d may be", who, shown[who], made, couponCap)
		}
	}
	if all == 0 {
		c.t.Error("no coupon was ever shown: this says nothing of caps")
	}
	c.t.Logf("coupons shown: %v", shown)
}

// checkTogether looks whether each device knows of everybody what the hub knows.
func (c *campaign) checkTogether() {
	c.t.Helper()
	for n := range people {
		at, code := c.w.customer(person(n))
		if code != 200 {
			c.t.Errorf("customer %s: %d", person(n), code)
			continue
		}
		want := said(at)
		for _, d := range c.devices {
			session := fmt.Sprintf("check-%d", n)
			d.tell(fmt.Sprintf(`{"identify":%q,"by":"card","session":%q}`, person(n), session))
			got := ""
			if !becomes(15*time.Second, func() bool {
				code, text, err := call("GET", d.url+"/v1/known?session="+session, "", "")
				if err != nil || code != 200 {
					return false
				}
				k := reading[struct {
					Slice bool
					Facts []struct {
						Name  string
						Value json.RawMessage
					}
					Consents []struct {
						Purpose string
						Granted bool
					}
					Interactions []struct{ Interaction, Ref string }
				}](c.t, text)
				var all []string
				for _, f := range k.Facts {
					all = append(all, f.Name+"="+string(f.Value))
				}
				for _, x := range k.Consents {
					all = append(all, fmt.Sprintf("%s=%v", x.Purpose, x.Granted))
				}
				for _, i := range k.Interactions {
					if i.Interaction == "complaint" || i.Interaction == "resolved" {
						all = append(all, i.Interaction+" "+i.Ref)
					}
				}
				slices.Sort(all)
				got = strings.Join(all, ", ")
				return k.Slice && got == want
			}) {
				c.t.Errorf("%s knows of %s: %s\nthe hub: %s", d.id, person(n), got, want)
			}
			if n == d.number && d.news != nil && !strings.Contains(want, fmt.Sprintf("news=%v", *d.news)) {
				c.t.Errorf("%s was told news=%v last, and the hub has %s", d.id, *d.news, want)
			}
		}
	}
}

// said is what is compared of a customer.
func said(c customer) string {
	var all []string
	for _, f := range c.Facts {
		all = append(all, f.Name+"="+string(f.Value))
	}
	for _, x := range c.Consents {
		all = append(all, fmt.Sprintf("%s=%v", x.Purpose, x.Granted))
	}
	for _, i := range c.Interactions {
		if i.Kind == "complaint" || i.Kind == "resolved" {
			all = append(all, i.Kind+" "+i.Ref)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// checkErasures forgets the passenger for the last time, and wants every erasure confirmed.
func (c *campaign) checkErasures() {
	c.t.Helper()
	if a := c.w.feed(crmToken, fmt.Sprintf(`{"forget":%q}`, passenger)); a.Accepted != 1 {
		c.t.Errorf("the hub answered %+v", a)
	}
	var last string
	if !becomes(30*time.Second, func() bool {
		_, last, _ = call("GET", c.w.hubURL+"/v1/erasures?open=true", c.w.operator(), "")
		return strings.Contains(last, `"erasures":[]`)
	}) {
		c.t.Errorf("erasures that nobody confirms: %s", last)
	}
	_, text, err := call("GET", c.w.hubURL+"/v1/erasures", c.w.operator(), "")
	if err != nil {
		c.t.Fatal(err)
	}
	all := reading[struct{ Erasures []struct{ Erasure string } }](c.t, text).Erasures
	for _, e := range all {
		_, receipt, err := call("GET", c.w.hubURL+"/v1/erasures/"+e.Erasure, c.w.operator(), "")
		if err != nil {
			c.t.Fatal(err)
		}
		if r := command(c.t, c.w.dir, receipt, c.w.bin.tact, "hub", "verify", "--receipt", "-", "--key", filepath.Join(c.w.hubDir, "hub.signpub")); r.code != 0 {
			c.t.Errorf("receipt of %s: exit %d\n%s%s", e.Erasure, r.code, r.stdout, r.stderr)
		}
	}
	c.t.Logf("%d erasures, each with a receipt", len(all))
}

// checkBounds looks at memory and files. The race detector takes several times what the product does.
func (c *campaign) checkBounds() {
	c.t.Helper()
	most := 64.0
	if raceDetector() {
		most = 640
	}
	for _, p := range append(c.processes(), c.w.hub) {
		if mb := memory(c.t, p.command.Process.Pid, "VmHWM:"); mb > most {
			c.t.Errorf("%s took %.0f MB, at most %.0f are allowed", p.name, mb, most)
		}
	}
	for _, d := range c.devices {
		// Moments have a bound of their own, see store.max_moments.
		size, list := sizeOf(c.t, filepath.Join(d.dir, "store"))
		moments := int64(0)
		for _, x := range list {
			if name, n, _ := strings.Cut(x, " "); strings.HasSuffix(name, ".moments") {
				bytes, err := strconv.ParseInt(n, 10, 64)
				if err != nil {
					c.t.Fatal(err)
				}
				moments += bytes
			}
		}
		if moments > 16<<20 || size-moments > 8<<20 {
			c.t.Errorf("the store of %s has %d bytes, and %d of moments: %v", d.id, size-moments, moments, list)
		}
	}
}

func sizeOf(t testing.TB, dir string) (size int64, list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
			list = append(list, fmt.Sprintf("%s %d", filepath.Base(path), info.Size()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size, list
}

// checkLedger asks the hub's own verifier, while the hub runs and after it has stopped.
func (c *campaign) checkLedger() {
	c.t.Helper()
	if r := c.w.verify(); r.code != 0 || !strings.Contains(r.stdout, " 0 findings") {
		c.t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, d := range c.devices {
		var records, last, given uint64
		// An unasked showing may end, and be recorded, at any moment.
		if !becomes(10*time.Second, func() bool {
			s := d.state()
			records, last = c.counted(d.id, s.Epoch)
			given = d.state().Outbox.Next - 1
			return records == given && last == given
		}) {
			c.t.Errorf("%s: the hub has %d records of the present epoch, the last is %d; the device has given %d", d.id, records, last, given)
		}
	}
	for _, p := range append([]*process{c.w.hub}, c.processes()...) {
		if code := p.stop(c.t); code != 0 {
			c.t.Errorf("%s ended with %d", p.name, code)
		}
	}
	if r := c.w.verify(); r.code != 0 {
		c.t.Errorf("tact hub verify after the hub has stopped: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// counted is how many records the hub's verifier sees of an epoch, and the last one's number.
func (c *campaign) counted(device, epoch string) (records, last uint64) {
	c.t.Helper()
	report := reading[struct {
		Epochs []struct {
			Device, Epoch string
			Records, Last uint64
		}
	}](c.t, c.w.verify("--json").stdout)
	for _, e := range report.Epochs {
		if e.Device == device && e.Epoch == epoch {
			return e.Records, e.Last
		}
	}
	return 0, 0
}

func (c *campaign) processes() (all []*process) {
	for _, d := range c.devices {
		all = append(all, d.process)
	}
	slices.SortFunc(all, func(a, b *process) int { return cmp.Compare(a.name, b.name) })
	return all
}

// scan looks for the name of the passenger, who was forgotten, in every file of hub, devices and logs.
func (c *campaign) scan() {
	c.t.Helper()
	dirs := []string{c.w.hubDir}
	for _, d := range c.devices {
		dirs = append(dirs, filepath.Join(d.dir, "store"), d.log)
	}
	scan(c.t, []string{passengerName}, append(dirs, c.w.hub.log)...)
}

// scan fails where a file below one of these paths holds one of the texts.
func scan(t testing.TB, texts []string, paths ...string) {
	t.Helper()
	files := 0
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, text := range texts {
				if bytes.Contains(raw, []byte(text)) {
					t.Errorf("%s holds %q", path, text)
				}
			}
			files++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files == 0 {
		t.Errorf("nothing was scanned in %v", paths)
	}
}
