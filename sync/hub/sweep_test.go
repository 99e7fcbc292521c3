package hub_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// rows counts the grants and the handles that the ledger has.
func (w *world) rows() (grants, holdings int) {
	w.t.Helper()
	tx, err := w.l.Begin(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	g, err := tx.GrantsAfter(hub.Grant{}, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := tx.HoldingsAfter("", wire.Handle{}, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(g), len(h)
}

// passes lets days go by, in which the hub wakes now and then.
func (w *world) passes(days int) {
	for range days {
		w.now = w.now.Add(sense.Day)
		w.do(hub.Tick{})
	}
}

func weekly(about bool) catalog.Limit {
	l := sales(2, 7*sense.Day)
	l.Name, l.About = "weekly", about
	return l
}

// Months of customers who come once: what was lent to them goes when nothing of it counts, and the handles when nothing that
// was said under them matters; who was answered never is remembered.
func TestWhatIsOverGoes(t *testing.T) {
	l := newLender(t, weekly(false), weekly(true))
	const days = 60
	for day := range days {
		who := fmt.Sprintf("k1/c%02d", day)
		l.handles[who] = wire.Handle{1, byte(day)} // more than the lender names
		device, h := "k1", l.handles[who]
		if day == 0 {
			if err := l.request(device, &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.log(device, &wire.Identified{At: int64(l.now), Handle: h, Sealed: l.sealed(h, who[3:]), By: 2}); err != nil {
			t.Fatal(err)
		}
		l.ask(who)
		n := l.says(who, "stay")
		switch day {
		case 1:
			if err := l.log(device, answerTo(0, n, h, "never", l.now)); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := l.log(device, answerTo(0, n, h, "ignored", l.now)); err != nil {
				t.Fatal(err)
			}
		}
		if day%2 == 0 {
			l.giveBack(who, 0)
		}
		l.passes(1)
	}
	grants, holdings := l.rows()
	// Half of them never gave it back: those of the last week and a day count on, of four units each.
	if grants < 4*4 || grants > 5*4 || holdings != days {
		t.Errorf("%d grants and %d handles after %d days", grants, holdings, days)
	}
	l.passes(9)
	if grants, holdings = l.rows(); grants != 0 || holdings != days {
		t.Errorf("%d grants and %d handles are left a week later", grants, holdings)
	}
	l.passes(360) // 429 in all; the first lease ended on the 7th, and its handle is kept for 432 more
	if _, holdings = l.rows(); holdings != days {
		t.Errorf("%d handles are left while the first may still matter", holdings)
	}
	l.passes(120)
	if _, holdings = l.rows(); holdings != 1 {
		t.Errorf("%d handles are left, want that of her who said never", holdings)
	}
	// Her never is heard of on any device, and what was said to the others stays countable, with nobody's name.
	l.ask("k2/c01")
	if x := l.heard.(*wire.Slice).Exposures; len(x) != 1 || x[0].Outcomes[0].Outcome != "never" {
		t.Errorf("told %+v", x)
	}
	c, err := l.l.Count(context.Background())
	if err != nil || c.Decisions != days {
		t.Errorf("%d decisions, %v", c.Decisions, err)
	}
}

// What a policy counts for longer than a year is known for that long.
func TestWhatCountsForLongStays(t *testing.T) {
	for _, c := range []struct {
		name   string
		window sense.Duration
		days   int
		want   int
	}{{"a week", 7 * sense.Day, 450, 0}, {"two years", 2 * sense.Year, 700, 1}, {"two years, over", 2 * sense.Year, 780, 0}, {"for ever", sense.Forever, 1500, 1}} {
		l := newLender(t, sales(4, c.window))
		l.ask("k1/a")
		l.says("k1/a", "stay")
		l.giveBack("k1/a", 0)
		l.passes(c.days)
		if _, holdings := l.rows(); holdings != c.want {
			t.Errorf("%s: %d handles after %d days, want %d", c.name, holdings, c.days, c.want)
		}
	}
}

// What somebody refuses on a device that is cut off is heard whenever it comes back.
func TestALateNeverIsHeard(t *testing.T) {
	for _, days := range []int{300, 520} {
		l := newLender(t, weekly(false))
		presence := func(state string, counter uint64) {
			b, err := wire.EncodeJSON(wire.Conn{State: state, Counter: counter})
			if err != nil {
				t.Fatal(err)
			}
			l.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/conn", Payload: b})
		}
		presence(wire.Online, 1)
		l.ask("k1/a")
		n := l.says("k1/a", "stay")
		presence(wire.Offline, 1)
		told := l.now.Add(sense.Hour)
		l.passes(days)
		presence(wire.Online, 2)
		l.do(hub.Tick{})
		if err := l.log("k1", answerTo(0, n, l.handles["k1/a"], "never", told)); err != nil {
			t.Fatal(err)
		}
		l.handles["k2/a"] = wire.Handle{2, 77}
		l.ask("k2/a")
		if x := l.heard.(*wire.Slice).Exposures; len(x) != 1 || len(x[0].Outcomes) != 1 || x[0].Outcomes[0].Outcome != "never" {
			t.Errorf("after %d days another device knows %+v", days, x)
		}
	}
}
