package main_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBalanceUnderKills kills agents, hub and broker with SIGKILL while customers
// come and go, and counts afterwards. TACT_KILLS is how many kills (16);
// TACT_SEED repeats their order.
func TestBalanceUnderKills(t *testing.T) {
	t.Parallel()
	kills := number(t, "TACT_KILLS", 16)
	seed := uint64(number(t, "TACT_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("TACT_SEED=%d TACT_KILLS=%d", seed, kills)
	w := newWorld(t, shop(1))
	c := &campaign{w: w, t: t, random: rand.New(rand.NewPCG(seed, 1))}
	for k := range 3 {
		c.bundles = append(c.bundles, w.buildBundle(fmt.Sprintf("shop-%d", k+2), "shop", shop(k+2)))
		d := &witness{device: w.newDevice("kiosk-" + strconv.Itoa(k+1))}
		c.devices = append(c.devices, d)
		d.up()
		d.stream = d.follow("")
	}
	for _, d := range c.devices {
		await(t, d.id+" has the policy", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	}
	begun := time.Now()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.backOffice(ctx) })
	for _, d := range c.devices {
		running.Go(func() { d.day(ctx) })
	}
	c.kill(kills)
	stop()
	running.Wait()
	busy := time.Since(begun)
	begun = time.Now()
	for _, d := range c.devices {
		await(t, d.id+" has handed everything over", 60*time.Second, d.drained)
	}
	newest := fmt.Sprintf("shop@%d", c.published+1)
	for _, d := range c.devices {
		await(t, d.id+" has "+newest, 60*time.Second, func() bool { return d.state().Bundle == newest })
	}
	drained := time.Since(begun)
	c.balance()
	t.Logf("%d kills in %.1fs; all handed over %.1fs after the last line", kills, busy.Seconds(), drained.Seconds())
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number above 0", name, text)
	}
	return n
}

// campaign is one run of kills.
type campaign struct {
	w         *world
	t         *testing.T
	random    *rand.Rand
	devices   []*witness
	bundles   []string // newer versions, to be published on the way
	published int
	fed       []string // ids of the purchases that the hub has answered
}

// people who come to the devices.
const people = 6

func person(n int) string { return fmt.Sprintf("crm:%d", n%people+1) }

// kill kills one after the other, in a random order in which every victim has
// its turn, and starts it again a moment later.
func (c *campaign) kill(kills int) {
	c.t.Helper()
	type victim struct {
		*process
		ready func()
	}
	all := []victim{{c.w.hub, c.w.awaitHub}, {c.w.broker, c.w.awaitBroker}}
	for _, d := range c.devices {
		all = append(all, victim{d.process, d.answers})
	}
	var bag []victim
	tally := map[string]int{}
	for done := 0; done < kills; {
		if len(bag) == 0 {
			bag = slices.Clone(all)
			c.random.Shuffle(len(bag), func(a, b int) { bag[a], bag[b] = bag[b], bag[a] })
		}
		atOnce := min(1+c.random.IntN(4)/3, len(bag), kills-done) // every fourth time two of them
		victims := bag[:atOnce]
		bag, done = bag[atOnce:], done+atOnce
		c.pass(time.Duration(300+c.random.IntN(1200)) * time.Millisecond)
		for _, v := range victims {
			v.kill()
			tally[v.name]++
		}
		c.pass(time.Duration(c.random.IntN(1000)) * time.Millisecond)
		for _, v := range victims {
			v.start(c.t)
			v.ready()
		}
		if c.published < len(c.bundles) && done > (c.published+1)*kills/(len(c.bundles)+1) {
			if code, text := c.w.publish(c.bundles[c.published]); code != 200 {
				c.t.Errorf("the hub answered bundle %d with %d %s", c.published+2, code, text)
			}
			c.published++
		}
	}
	c.pass(time.Second)
	c.t.Logf("killed %v", tally)
}

func (c *campaign) pass(d time.Duration) { <-time.After(d) }

// passenger comes, is forgotten, and comes again.
const passenger = "crm:99"

// backOffice tells the hub of customers and their purchases, each line again
// until the hub has answered.
func (c *campaign) backOffice(ctx context.Context) {
	beat := time.NewTicker(40 * time.Millisecond)
	defer beat.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		again := n%5 == 4 // as a source does whose answer was lost
		id := fmt.Sprintf("p%d", n)
		lines := fmt.Sprintf("{\"id\":\"f%d\",\"fact\":\"name.first\",\"customer\":%q,\"value\":\"Anna\",\"provenance\":\"declared\"}\n"+
			"{\"id\":\"c%d\",\"consent\":\"offers\",\"customer\":%q,\"granted\":true}\n"+
			"{\"id\":%q,\"interaction\":\"purchase\",\"customer\":%q,\"about\":\"thing:%s\"}", n, person(n), n, person(n), id, person(n), id)
		if n > people { // the names and consents are there: from here on it is purchases
			lines = lines[strings.LastIndex(lines, "\n")+1:]
		}
		switch n % 40 {
		case 10: // refused while she has not come back: nobody needs to know the answer
			_, _, _ = call("POST", c.w.hubURL+"/v1/events", crmToken, strings.ReplaceAll(annaName+"\n"+annaConsent, "crm:1", passenger))
		case 30:
			lines += fmt.Sprintf("\n{\"forget\":%q}", passenger)
		}
		for ctx.Err() == nil {
			code, text, err := call("POST", c.w.hubURL+"/v1/events", crmToken, lines)
			if err == nil && code == 200 {
				var a taken
				if err := json.Unmarshal([]byte(text), &a); err != nil || len(a.Rejected) > 0 {
					c.t.Errorf("the hub answered %s", text)
					return
				}
				if !again {
					c.fed = append(c.fed, id)
					break
				}
				again = false
			}
			<-beat.C
		}
		<-beat.C
	}
}

// witness is a device with what it was seen to decide and to take.
type witness struct {
	*device
	stream   <-chan told
	answered map[string]bool // decisions that came as an answer
	visits   []string        // ids of interactions that the device has answered
	asks     int             // answered
	failed   int             // not answered: the device was being killed
}

// day is a steady stream of customers, questions and outcomes; what is not
// answered is said again.
func (d *witness) day(ctx context.Context) {
	d.answered = map[string]bool{}
	beat := time.NewTicker(25 * time.Millisecond)
	defer beat.Stop()
	temperature := 20
	for n := 0; ctx.Err() == nil; n++ {
		var lines []string
		visit := ""
		switch n % 10 {
		case 0:
			who := person(n / 10)
			if n/10%(people+1) == people {
				who = passenger
			}
			lines = append(lines, fmt.Sprintf(`{"identify":%q,"by":"card"}`, who))
		case 3:
			visit = fmt.Sprintf("%s-v%d-%d", d.id, n, n/10%people)
			lines = append(lines, d.visit(visit))
		case 4: // as an app does whose answer was lost; the device may have been killed meanwhile
			if len(d.visits) > 0 {
				lines = append(lines, d.visit(d.visits[len(d.visits)-1]))
			}
		case 5:
			temperature = 50 - temperature // 20 and 30: the board has something to say every other time
			lines = append(lines, fmt.Sprintf(`{"signal":"temperature","value":%d}`, temperature))
		case 7:
			lines = append(lines, `{"outcome":"accepted","decision":"last","slot":"counter"}`)
		case 9:
			lines = append(lines, `{"identify":null}`)
		}
		if n%2 == 0 {
			lines = append(lines, `{"ask":"counter"}`)
		}
		if len(lines) > 0 {
			d.say(ctx, beat, lines, visit)
		}
		<-beat.C
	}
}

// visit is the line of a visit; the last part of its id says whose it is.
func (d *witness) visit(id string) string {
	return fmt.Sprintf(`{"id":%q,"source":"till","interaction":"visit","customer":%q,"about":"visit:%s"}`, id, person(int(id[len(id)-1]-'0')), id)
}

func (d *witness) say(ctx context.Context, beat *time.Ticker, lines []string, visit string) {
	for ctx.Err() == nil {
		code, text, err := call("POST", d.url+"/v1/events?wait=1&rejected=0", "", strings.Join(lines, "\n"))
		if err != nil || code == 503 {
			d.failed++
			<-beat.C
			continue
		}
		var a taken
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			d.t.Errorf("%s answered %d %s", d.id, code, text)
			return
		}
		for _, r := range a.Rejected {
			// The decision before may lie in the life before, and its session with it.
			if !strings.Contains(lines[r.Line-1], `"outcome"`) {
				d.t.Errorf("%s refused %s: %s", d.id, lines[r.Line-1], r.Error)
			}
		}
		for _, l := range a.Lines {
			if l.Clear != "" {
				continue
			}
			if d.answered[l.Decision] {
				d.t.Errorf("%s answered %s twice", d.id, l.Decision)
			}
			d.answered[l.Decision] = true
			d.asks++
		}
		if visit != "" {
			d.visits = append(d.visits, visit)
		}
		return
	}
}

// balance compares what was seen on the devices with what the hub has.
func (c *campaign) balance() {
	t, w := c.t, c.w
	t.Helper()
	at := map[string]decided{}
	type run struct{ device, epoch string }
	numbers := map[run][]uint64{}
	seqs := map[string]string{}
	for _, d := range w.decisions() {
		if before, twice := at[d.Decision]; twice {
			t.Errorf("decision %s is at the hub twice: arrivals %d and %d", d.Decision, before.Arrival, d.Arrival)
		}
		at[d.Decision] = d
		seq := fmt.Sprintf("%s %s %d", d.Device, d.Epoch, d.Seq)
		if other := seqs[seq]; other != "" {
			t.Errorf("record %s is both %s and %s", seq, other, d.Decision)
		}
		seqs[seq] = d.Decision
		n, err := strconv.ParseUint(d.Decision[strings.LastIndex(d.Decision, "-")+1:], 10, 64)
		if err != nil || !strings.HasPrefix(d.Decision, d.Device+"-"+d.Epoch+"-") {
			t.Errorf("decision %s of %s, epoch %s", d.Decision, d.Device, d.Epoch)
		}
		numbers[run{d.Device, d.Epoch}] = append(numbers[run{d.Device, d.Epoch}], n)
	}
	for r, all := range numbers {
		slices.Sort(all)
		for k, n := range all {
			if n != uint64(k+1) {
				t.Errorf("%s, epoch %s: decision %d is where %d belongs", r.device, r.epoch, n, k+1)
				break
			}
		}
	}
	if len(numbers) != len(c.devices) {
		t.Errorf("%d epochs of %d devices: a kill must not begin a new one", len(numbers), len(c.devices))
	}
	decisions := 0
	for _, d := range c.devices {
		decisions += d.check(at)
	}
	c.checkEvents()
	c.checkLedger()
	if decisions == 0 {
		t.Error("nothing was decided: this test says nothing")
	}
	t.Logf("%d decisions seen on devices, %d at the hub (more: those whose answer a kill swallowed)", decisions, len(at))
}

// check looks for every decision that the device was seen to make.
func (d *witness) check(hub map[string]decided) (seen int) {
	streamed := map[string]bool{}
	for more := true; more; {
		select {
		case m := <-d.stream:
			switch {
			case strings.HasPrefix(m.kind, "unreadable"):
				d.t.Errorf("stream of %s: %s", d.id, m.kind)
			case m.kind == "decision":
				streamed[m.Decision] = true
			}
		default:
			more = false
		}
	}
	for _, list := range []struct {
		how string
		ids map[string]bool
	}{{"answered", d.answered}, {"shown", streamed}} {
		lost := 0
		for id := range list.ids {
			if _, ok := hub[id]; !ok {
				if lost++; lost <= 5 {
					d.t.Errorf("decision %s was %s, and is not at the hub", id, list.how)
				}
			}
		}
		if lost > 5 {
			d.t.Errorf("%s: %d decisions that were %s are not at the hub", d.id, lost, list.how)
		}
	}
	unasked := 0
	for id := range streamed {
		if hub[id].Slot == "board" {
			unasked++
		}
		d.answered[id] = true
	}
	if unasked == 0 {
		d.t.Errorf("%s showed nothing unasked", d.id)
	}
	if len(streamed) == 0 || d.asks == 0 {
		d.t.Errorf("%s: %d asks answered, %d decisions on the stream", d.id, d.asks, len(streamed))
	}
	s := d.state()
	d.t.Logf("%s: boot %d, %d decisions answered, %d on the stream, %d of them unasked, %d visits, %d requests swallowed by kills; records through %d",
		d.id, s.Boot, d.asks, len(streamed), unasked, len(d.visits), d.failed, s.Outbox.Acknowledged)
	return len(d.answered)
}

// checkEvents looks whether what was answered at hub and devices is at the hub exactly once.
func (c *campaign) checkEvents() {
	c.t.Helper()
	got := map[string]int{}
	for n := range people {
		who, code := c.w.customer(person(n))
		if code != 200 {
			c.t.Errorf("customer %s: %d", person(n), code)
		}
		for _, i := range who.Interactions {
			_, id, _ := strings.Cut(i.About, ":")
			got[id]++
		}
	}
	want := slices.Clone(c.fed)
	for _, d := range c.devices {
		want = append(want, d.visits...)
	}
	known := map[string]bool{}
	for _, id := range want {
		known[id] = true
		if got[id] != 1 {
			c.t.Errorf("event %s was answered, and is at the hub %d times", id, got[id])
		}
	}
	for id, n := range got {
		if n > 1 && !known[id] {
			c.t.Errorf("event %s, which was not answered, is at the hub %d times", id, n)
		}
	}
	c.t.Logf("%d events of the back office, %d of customers at devices, each once", len(c.fed), len(want)-len(c.fed))
}

// checkLedger asks the hub's own verifier, while the hub runs and after it has stopped.
func (c *campaign) checkLedger() {
	c.t.Helper()
	r := command(c.t, c.w.dir, "", c.w.bin.tact, "hub", "verify", "--dir", c.w.hubDir)
	if r.code != 0 || !strings.Contains(r.stdout, " 0 findings") {
		c.t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, d := range c.devices {
		var records, last, given uint64
		// An unasked showing may end, and be recorded, at any moment.
		if !becomes(10*time.Second, func() bool {
			records, last = c.counted(d.id)
			given = d.state().Outbox.Next - 1
			return records == given && last == given
		}) {
			c.t.Errorf("%s: the hub has %d records, the last is %d; the device has given %d", d.id, records, last, given)
		}
	}
	for _, p := range append([]*process{c.w.hub}, c.processes()...) {
		if code := p.stop(c.t); code != 0 {
			c.t.Errorf("%s ended with %d", p.name, code)
		}
	}
	if r := command(c.t, c.w.dir, "", c.w.bin.tact, "hub", "verify", "--dir", c.w.hubDir); r.code != 0 {
		c.t.Errorf("tact hub verify after the hub has stopped: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// counted is how many records the hub's verifier sees of a device, and the last one's number.
func (c *campaign) counted(device string) (records, last uint64) {
	c.t.Helper()
	report := reading[struct {
		Epochs []struct {
			Device        string
			Records, Last uint64
		}
	}](c.t, must(c.t, c.w.dir, c.w.bin.tact, "hub", "verify", "--dir", c.w.hubDir, "--json"))
	for _, e := range report.Epochs {
		if e.Device == device {
			records += e.Records
			last += e.Last
		}
	}
	return records, last
}

func (c *campaign) processes() (all []*process) {
	for _, d := range c.devices {
		all = append(all, d.process)
	}
	slices.SortFunc(all, func(a, b *process) int { return cmp.Compare(a.name, b.name) })
	return all
}
