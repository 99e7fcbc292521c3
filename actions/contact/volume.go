package contact

import (
	"sort"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/sense"
)

// volumeSpent: "at most N" over all customers of the device together, asked or not.
func volumeSpent(v *guard.View, a *catalog.Action) guard.Verdict {
	if a.ExemptCaps {
		return guard.Verdict{}
	}
	for k := range v.Bundle.Contact.Volume {
		x := &v.Bundle.Contact.Volume[k]
		if !Counts(v.Bundle, x, a) || x.AtMost > 0 && untimely(v, x.Per) {
			continue
		}
		var spent []sense.Instant
		if k < len(v.Spent) {
			spent = v.Spent[k]
		}
		kept := TrimSpent(v.Bundle, k, spent, v.Now)
		n := int64(len(kept))
		if n < x.AtMost {
			continue
		}
		d := guard.Verdict{
			Reason:  catalog.VolumeSpent,
			Because: v.Room.Because(catalog.Because{Name: "volume", Value: sense.IntValue(n), Age: catalog.NoAge, Needed: x.Name}),
		}
		if x.AtMost > 0 { // they are in order: when so many have gone, one more fits
			if d.Until = endOf(&v.Bundle.Zone, x.Per, x.Window, kept[n-x.AtMost]); d.Until == sense.Never {
				d.Until = 0
			}
		}
		return d
	}
	return guard.Verdict{}
}

// Counts says whether showing an action counts for a volume.
func Counts(b *catalog.Bundle, x *catalog.Volume, a *catalog.Action) bool {
	return (x.Intent == 0 || x.Intent == a.Intent) &&
		(x.Action < 0 || b.Actions[x.Action].Name == a.Name) &&
		(x.Group < 0 || x.Group == a.Group)
}

// TrimSpent returns what still counts for volume number k now, of instants that are in order; the
// result shares their memory.
func TrimSpent(b *catalog.Bundle, k int, spent []sense.Instant, now sense.Instant) []sense.Instant {
	x := &b.Contact.Volume[k]
	first := since(&b.Zone, x.Per, x.Window, now)
	return spent[sort.Search(len(spent), func(i int) bool { return spent[i] >= first }):]
}
