package policy

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
)

// strikes reads after how many negative experiences what changes, and after how long without any
// interaction a customer sleeps.
func (c *compiler) strikes() {
	if v, ok := c.plain("sleeping_after"); ok {
		if c.b.Sleeping = c.duration(v, "sleeping_after"); c.b.Sleeping <= 0 {
			c.fail(v, "bad_duration", "as in sleeping_after: 2y", "nobody sleeps after no time")
		}
	}
	if _, ok := c.keys["strikes"]; !ok {
		return
	}
	f := c.settings("strikes", strikesKeys...)
	at := c.keys["strikes"]
	s := &catalog.Strikes{}
	if v, ok := f.get("count"); ok {
		c.word(v, "count", "negative")
	} else {
		c.fail(at, "missing_key", "count: negative", "strikes do not say what they count")
	}
	if v, ok := f.get("in"); !ok {
		c.fail(at, "missing_key", "as in in: 90d", "strikes do not say within what time they count")
	} else if s.In = c.duration(v, "in"); s.In <= 0 {
		c.fail(v, "bad_duration", "as in in: 90d", "strikes are counted over some time")
	}
	v, ok := f.get("at")
	if !ok {
		c.fail(at, "missing_key", "as in at: {1: recovery, 2: no_sales_and_offer_person, 3: hand_over}", "strikes do not say what they lead to")
		return
	}
	places := map[int64]value{}
	for _, e := range c.entries(v, "at") {
		n, err := strconv.ParseInt(e.name, 10, 32)
		if err != nil || n < 1 {
			c.fail(e.key, "wrong_number", "as in 2: no_sales_and_offer_person", "strikes are counted from 1, not %s", e.name)
			continue
		}
		word, ok := c.word(e.val, "at "+e.name, "recovery", "no_sales_and_offer_person", "hand_over")
		if !ok {
			continue
		}
		then, _ := catalog.ParseStrikeEffect(word)
		if _, twice := places[n]; twice {
			c.fail(e.key, "duplicate_key", "remove one of the two", "strike %d stands here twice", n)
			continue
		}
		places[n] = e.key
		s.At = append(s.At, catalog.Strike{Count: n, Then: then})
	}
	slices.SortFunc(s.At, func(a, b catalog.Strike) int { return int(a.Count - b.Count) })
	for k := 1; k < len(s.At); k++ {
		if s.At[k].Then <= s.At[k-1].Then {
			c.fail(places[s.At[k].Count], "strikes_order", "recovery, then no_sales_and_offer_person, then hand_over: each includes those before it", "strike %d leads to no more than strike %d does", s.At[k].Count, s.At[k-1].Count)
		}
	}
	c.b.Strikes = s
}
