package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// alreadyBought (already_bought) holds back the offer of what was just bought, in any channel:
// nothing says more clearly that a company does not know its customer.
func alreadyBought(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Intent != catalog.Sales || a.About == "" {
		return Verdict{}
	}
	var d Verdict
	v.each(func(k *catalog.Kind) bool { return k.BlocksOffers }, func(k *catalog.Kind, i *profile.Interaction) {
		if !sameOffer(v.Bundle, k, i.About, a.About) {
			return
		}
		end := i.Happened.Add(min(again(k, i.About), k.Keep))
		if v.Now >= end || !d.OK() && end < d.Until { // the one that holds longest is named
			return
		}
		if undone, _ := v.Slice.Undone(v.Bundle, k, i, v.Now); !undone {
			d = v.refuse(catalog.AlreadyBought, v.dated(i))
			d.Until = end
		}
	})
	return d
}

// again returns how long an offer of something of that type is held back.
func again(k *catalog.Kind, about event.Subject) sense.Duration {
	for _, a := range k.Again {
		if a.Type == about.Type() {
			return a.After
		}
	}
	return sense.Forever
}

func sameOffer(b *catalog.Bundle, k *catalog.Kind, bought, offered event.Subject) bool {
	if bought.Touches(offered) {
		return true
	}
	if !k.SameKind || bought.Type() != offered.Type() {
		return false
	}
	x, y := bought.ID(), offered.ID()
	kx, ky := b.KindOf(x), b.KindOf(y)
	return kx != "" && (kx == y || kx == ky) || ky != "" && ky == x
}
