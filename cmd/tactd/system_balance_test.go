package main_test

import (
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

// TestBalanceUnderKills kills agents, hub and broker with SIGKILL, at random and at each
// labelled point, and puts stores back from copies, while customers come and go; and
// counts afterwards. TACT_KILLS is how many kills (64), over all worlds; with it set
// there is one over PostgreSQL too. TACT_SEED repeats their order. A world begins anew
// after killsAWorld: six people who are spoken to ten times a second have thousands of contacts
// soon, more than people have in years, and the hub looks through all of somebody's at each.
func TestBalanceUnderKills(t *testing.T) {
	kills, seed := number(t, "TACT_KILLS", 64), seed(t)
	worlds := []setting{{broker: "shipped"}, {broker: "plain"}, {broker: "embedded"}}
	if os.Getenv("TACT_KILLS") != "" {
		worlds = append(worlds, setting{broker: "shipped", postgres: true})
	}
	t.Logf("TACT_SEED=%d TACT_KILLS=%d", seed, kills)
	each := (kills + len(worlds) - 1) / len(worlds)
	for n := 0; each > 0; n, each = n+1, each-killsAWorld {
		for k, s := range worlds {
			most := min(each, killsAWorld)
			t.Run(s.String(), func(t *testing.T) {
				t.Parallel()
				c := newCampaign(t, newWorldOf(t, s, fleetShop(1)), rand.New(rand.NewPCG(seed, uint64(n*len(worlds)+k))), 2)
				c.run(func() { c.kill(most) })
			})
		}
	}
}

const killsAWorld = 64

// seed of what a test draws: TACT_SEED, or another one each time.
func seed(t *testing.T) uint64 {
	return uint64(number(t, "TACT_SEED", int(time.Now().UnixNano()&0xffffff)))
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

// fleetShop is the policy of the shop with coupons, of which a customer gets at most
// couponCap a day on all devices together, and with news, which she grants on a device.
func fleetShop(version int) string {
	y := strings.Replace(shop(version), "signals:\n", "  news:    {basis: consent,  for: {en: \"for our letter\"}}\nsignals:\n", 1)
	y = strings.Replace(y, "\nactions:\n", "\n  till:    {channel: kiosk, show_for: 10m}\nactions:\n"+
		"  coupon: {intent: sales, purpose: offers, about: product:coupon, slots: [till], value: 5.00, propensity: 0.10, bother: 0.05, say_personal: {en: \"{name.first}, a coupon.\"}}\n"+
		"  letter: {intent: sales, purpose: news, about: product:letter, slots: [till], value: 1.00, propensity: 0.10, bother: 0.05, say_personal: {en: \"Have you read our letter?\"}}\n", 1)
	return y + fmt.Sprintf("contact:\n  limits:\n    - {action: coupon, at_most: %d, counting: shown, per: rolling 1d}\n", couponCap)
}

const couponCap = 3

// campaign is one world whose devices are busy while something is done to it.
type campaign struct {
	w         *world
	t         *testing.T
	random    *rand.Rand
	devices   []*witness
	bundles   []string // newer versions, to be published on the way
	published int
	fed       []string // ids of the purchases that the hub has answered
	tally     map[string]int
}

func newCampaign(t *testing.T, w *world, random *rand.Rand, devices int) *campaign {
	t.Helper()
	c := &campaign{w: w, t: t, random: random, tally: map[string]int{}}
	for k := range devices {
		c.bundles = append(c.bundles, w.buildBundle(fmt.Sprintf("shop-%d", k+2), "shop", fleetShop(k+2)))
		d := &witness{device: w.newDevice("kiosk-" + strconv.Itoa(k+1)), number: k, seen: map[string]line{}, epochs: 1}
		c.devices = append(c.devices, d)
		d.up()
		d.stream = d.follow("")
	}
	for _, d := range c.devices {
		await(t, d.id+" has the policy", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	}
	return c
}

// run lets everybody work while trouble is made, waits until all is handed over, and counts.
func (c *campaign) run(trouble func()) {
	c.t.Helper()
	begun := time.Now()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.backOffice(ctx) })
	for _, d := range c.devices {
		running.Go(func() { d.day(ctx) })
	}
	func() {
		defer func() { stop(); running.Wait() }() // also where the trouble failed the test
		trouble()
	}()
	for range couponCap {
		for _, d := range c.devices {
			d.comeForCoupons()
		}
	}
	busy := time.Since(begun)
	begun = time.Now()
	for _, d := range c.devices {
		d.handsOver(60 * time.Second)
	}
	newest := fmt.Sprintf("shop@%d", c.published+1)
	for _, d := range c.devices {
		await(c.t, d.id+" has "+newest, 60*time.Second, func() bool { return d.state().Bundle == newest })
	}
	drained := time.Since(begun)
	begun = time.Now()
	c.balance()
	c.t.Logf("%.1fs of trouble %v; all handed over %.1fs after the last line, counted in %.1fs", busy.Seconds(), c.tally, drained.Seconds(), time.Since(begun).Seconds())
}

// people who come to the devices.
const people = 6

func person(n int) string { return fmt.Sprintf("crm:%d", n%people+1) }

func (c *campaign) pass(d time.Duration) { <-time.After(d) }

// passenger comes, is forgotten, and comes again.
const (
	passenger     = "crm:99"
	passengerName = "Zebedeus of the passengers"
)

// Of these the back office tells more than purchases.
const (
	complaining = 5 // number of the person who complains now and then
	wavering    = 4 // number of the person who grants and withdraws
)

// backOffice tells the hub of customers and their purchases, each line again
// until the hub has answered.
func (c *campaign) backOffice(ctx context.Context) {
	beat := time.NewTicker(40 * time.Millisecond)
	defer beat.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		again := n%5 == 4 // as a source does whose answer was lost
		id := fmt.Sprintf("p%d", n)
		lines := []string{fmt.Sprintf(`{"id":%q,"interaction":"purchase","customer":%q,"about":"thing:%s"}`, id, person(n), id)}
		if n <= people {
			lines = append(lines, fmt.Sprintf(`{"id":"f%d","fact":"name.first","customer":%q,"value":"Anna","provenance":"declared"}`, n, person(n)),
				fmt.Sprintf(`{"id":"c%d","consent":"offers","customer":%q,"granted":true}`, n, person(n)))
		}
		switch n % 40 {
		case 5:
			lines = append(lines, fmt.Sprintf(`{"id":"m%d","interaction":"complaint","customer":%q,"ref":"c%d"}`, n, person(complaining), n/40))
		case 25:
			lines = append(lines, fmt.Sprintf(`{"id":"r%d","interaction":"resolved","customer":%q,"ref":"c%d"}`, n, person(complaining), n/40))
		case 10: // refused while she has not come back: nobody needs to know the answer
			_, _, _ = call("POST", c.w.hubURL+"/v1/events", crmToken, strings.NewReplacer("crm:1", passenger, "Anna", passengerName).Replace(annaName+"\n"+annaConsent))
		case 30:
			lines = append(lines, fmt.Sprintf(`{"forget":%q}`, passenger))
		case 15, 35:
			lines = append(lines, fmt.Sprintf(`{"id":"w%d","consent":"offers","customer":%q,"granted":%v}`, n, person(wavering), n%40 == 35),
				fmt.Sprintf(`{"id":"n%d","fact":"name.first","customer":%q,"value":"Anna %d","provenance":"declared"}`, n, person(n), n))
		}
		for ctx.Err() == nil {
			code, text, err := call("POST", c.w.hubURL+"/v1/events", crmToken, strings.Join(lines, "\n"))
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
	number   int          // among the devices
	gate     sync.RWMutex // held while something is said that has to be answered
	stream   <-chan told
	seen     map[string]line // decisions that were seen, as an answer or on the stream
	epochs   int             // that the device has had
	news     *bool           // what its person granted or withdrew last
	copied   uint64          // next record of the device when its store was copied; 0 for no copy
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
		case 6:
			if n/10%people == d.number { // her own person grants or withdraws here
				granted := d.news == nil || !*d.news
				lines = append(lines, fmt.Sprintf(`{"consent":"news","customer":%q,"granted":%v}`, person(d.number), granted))
				if d.say(ctx, beat, lines, "") {
					d.news = &granted
				}
				lines = nil
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
		if n%10 == 3 {
			lines = append(lines, `{"ask":"till"}`)
		}
		if len(lines) > 0 {
			d.say(ctx, beat, lines, visit)
		}
		<-beat.C
	}
}

// comeForCoupons has everybody come and ask once more, when nothing is in the way any longer: on all
// devices together they ask more often than a coupon may be shown.
func (d *witness) comeForCoupons() {
	beat := time.NewTicker(25 * time.Millisecond)
	defer beat.Stop()
	for n := range people {
		d.say(context.Background(), beat, []string{fmt.Sprintf(`{"identify":%q,"by":"card"}`, person(n)), `{"ask":"till"}`}, "")
	}
	d.say(context.Background(), beat, []string{`{"identify":null}`}, "")
}

// visit is the line of a visit; the last part of its id says whose it is.
func (d *witness) visit(id string) string {
	return fmt.Sprintf(`{"id":%q,"source":"till","interaction":"visit","customer":%q,"about":"visit:%s"}`, id, person(int(id[len(id)-1]-'0')), id)
}

func (d *witness) say(ctx context.Context, beat *time.Ticker, lines []string, visit string) (answered bool) {
	d.gate.RLock()
	defer d.gate.RUnlock()
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
			return false
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
			d.answered[l.Decision], d.seen[l.Decision] = true, l
			d.asks++
		}
		if visit != "" {
			d.visits = append(d.visits, visit)
		}
		return true
	}
	return false
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
	epochs := 0
	for _, d := range c.devices {
		epochs += d.epochs
	}
	if len(numbers) != epochs {
		t.Errorf("%d epochs, want %d: a store that was put back begins a new one, and a kill must not", len(numbers), epochs)
	}
	decisions := 0
	for _, d := range c.devices {
		decisions += d.check(at)
	}
	c.checkCaps()
	c.checkEvents()
	c.checkTogether()
	c.checkErasures()
	c.checkBounds()
	c.checkLedger()
	c.scan()
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
				streamed[m.Decision], d.seen[m.Decision] = true, m.line
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
			if _, id, counted := strings.Cut(i.About, ":"); counted {
				got[id]++
			}
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
