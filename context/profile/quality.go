package profile

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Quality returns how far fact number k of the bundle may be relied on at an instant, in millionths:
//
//	quality      = completeness x currency x accuracy, rounded toward zero after each product
//	completeness = 1 where a value is held, else 0
//	currency     = 2^(-age / fresh), with the fact's keep for fresh where it has none; 1 where it has neither
//	accuracy     = 9^n / (9^n + 1), rounded to the nearest millionth
//
// where n is the number of sources that say what is held, less that of those that say otherwise, by
// the last word of each. Completeness, currency and accuracy are the usual dimensions of the quality
// of data (Batini and Scannapieco, Data and Information Quality, 2016, ch. 2). A currency that
// declines exponentially is that of a value that ceases to hold at a constant rate (Heinrich and
// Klier, Decision Support Systems 72, 2015); here half are taken to hold still at the age up to which
// the policy trusts them. The accuracy is the odds, after Bayes, of sources that each err once in
// ten times, with nothing known before: 0.5 at n = 0, 0.9 at 1, 0.987805 at 2.
func (s *Slice) Quality(b *catalog.Bundle, k int32, owners []event.Owner, now sense.Instant) catalog.Micro {
	d := &b.Facts[k]
	f := s.find(d, owners)
	if f == nil {
		return 0
	}
	c := f.holding(d, now)
	if c.Value.IsNull() || now >= c.Happened.Add(d.Keep) {
		return 0
	}
	half := d.Fresh
	if half == sense.Forever {
		half = d.Keep
	}
	currency := catalog.One
	if half != sense.Forever {
		currency = Decay(catalog.One, now.Sub(c.Happened), half)
	}
	return currency * accuracy(f.agreement(&c, d, now)) / catalog.One
}

// agreement returns how many sources say what a claim says, its own among them, less those that say otherwise.
func (f *Fact) agreement(held *Claim, d *catalog.Fact, now sense.Instant) int {
	n := 1
	vote := func(c *Claim) {
		switch {
		case c.Source == held.Source, c.Value.IsNull(), now >= c.Happened.Add(d.Keep):
		case c.Value.Equal(held.Value):
			n++
		default:
			n--
		}
	}
	// Newest first, what holds where it belongs: the last word of each source counts.
	own := f.claim()
	told := false
	for k := range f.Claims {
		c := &f.Claims[k]
		if !told && newerFirst(own, *c) < 0 {
			vote(&own)
			told = true
		}
		if told && c.Source == own.Source || f.saidLater(k) {
			continue
		}
		vote(c)
	}
	if !told && !f.saidLater(len(f.Claims)) {
		vote(&own)
	}
	return n
}

// saidLater says whether the source of claim number k (of what holds, where k is past them) has a
// newer one among the claims.
func (f *Fact) saidLater(k int) bool {
	source := f.Source
	if k < len(f.Claims) {
		source = f.Claims[k].Source
	}
	for n := range f.Claims[:k] {
		if f.Claims[n].Source == source {
			return true
		}
	}
	return false
}

// accuracy returns 9^n / (9^n + 1) in millionths, to the nearest.
func accuracy(n int) catalog.Micro {
	odds := int64(1)
	for k := 0; k < max(n, -n) && k < MostClaims; k++ {
		odds *= 9
	}
	if n >= 0 {
		return (2*odds*catalog.One + odds + 1) / (2 * (odds + 1))
	}
	return (2*catalog.One + odds + 1) / (2 * (odds + 1))
}
