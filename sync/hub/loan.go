package hub

import (
	"encoding/hex"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// loan is what a holder is lent in one message, and how that is told where it has more subjects than a message names.
//
// What is told of each subject that is not named is safe for every one of them: those for which less is left are named,
// or are among those of which there is none. The ledger then counts it against every subject of the bundle.
type loan struct {
	*account
	step           *step
	to             holder
	sha            string // of the bundle
	epoch, through uint64
	until, asked   sense.Instant
	most           int // shares that a message names
}

// make works out the shares, and notes what is lent in the ledger.
func (l *loan) make() (told []wire.Budget, each []wire.BudgetEach, err error) {
	list := units(l.bundle)
	shares := make([]share, len(list))
	n, size := 0, 0
	for k, u := range list {
		if shares[k], err = l.share(u, l.to, l.epoch, l.through, l.until); err != nil {
			return nil, nil, err
		}
		if !shares[k].empty() {
			n, size = n+1, size+shares[k].told.Msgsize()
		}
	}
	if n <= l.most && size <= mostBudgetBytes {
		for k := range shares {
			if !shares[k].empty() {
				told = append(told, l.lent(&shares[k]))
			}
		}
		return told, nil, nil
	}
	return l.makeMany(list, shares)
}

// empty says whether there is nothing to tell of a share: nothing is left, and nothing comes back soon.
func (x *share) empty() bool { return x.told.Units == 0 && x.spent }

// lent notes a share in the ledger.
func (l *loan) lent(x *share) wire.Budget {
	if x.told.Units > 0 { // else others have what is left, and may give it back any time: it is worth asking again soon
		x.kept.Asked = max(x.kept.Asked, l.asked)
		l.step.write(PutGrant{x.kept})
	}
	return x.told
}

// makeMany tells of more shares than fit: first those that are like no other, then as many as there is room for, and the
// others as of each that is not named.
func (l *loan) makeMany(list []unit, shares []share) (told []wire.Budget, each []wire.BudgetEach, err error) {
	usual := usualShares(list, shares)
	room := mostBudgetBytes
	named := make([]bool, len(list))
	name := func(which func(u unit, told uint32) bool) {
		for k, u := range list {
			x := &shares[k]
			if size := x.told.Msgsize(); !x.empty() && which(u, x.told.Units) && len(told) < l.most && size <= room {
				room, named[k] = room-size, true
				told = append(told, l.lent(x))
			}
		}
	}
	name(func(u unit, _ uint32) bool { return !u.limit.About })
	name(func(u unit, told uint32) bool { return u.limit.About && told != usual[u.limit] })
	each = l.eachBut(list, shares, named, usual)
	each = slices.DeleteFunc(each, func(e wire.BudgetEach) bool {
		if e.Msgsize() > room {
			return true // too many are different: then only those that are named
		}
		room -= e.Msgsize()
		return false
	})
	name(func(u unit, told uint32) bool { return u.limit.About && told == usual[u.limit] })
	each = slices.DeleteFunc(each, func(e wire.BudgetEach) bool {
		k := slices.IndexFunc(list, func(u unit) bool { return u.limit.Name == e.Limit })
		left := false // somebody who is not named
		for n := k; n < len(list) && list[n].limit == list[k].limit; n++ {
			left = left || !named[n] && shares[n].told.Units >= e.Units
		}
		if left {
			g := l.shareOfEach(list[k].limit, l.sha, int64(e.Units), l.to, l.epoch, l.through, l.until)
			g.Asked = max(g.Asked, l.asked)
			l.step.write(PutGrant{g})
		}
		return !left
	})
	return told, each, nil
}

// usualShares returns what most subjects of a limit are lent.
func usualShares(list []unit, shares []share) map[*catalog.Limit]uint32 {
	usual := map[*catalog.Limit]uint32{}
	many := map[*catalog.Limit]map[uint32]int{}
	for k, u := range list {
		if !u.limit.About || shares[k].empty() {
			continue
		}
		if many[u.limit] == nil {
			many[u.limit] = map[uint32]int{}
		}
		n, of := shares[k].told.Units, many[u.limit]
		of[n]++
		if best := usual[u.limit]; of[n] > of[best] || of[n] == of[best] && n < best {
			usual[u.limit] = n
		}
	}
	return usual
}

// eachBut is what is lent of every subject of a limit that is not named: what is usual, but of none of which there is less.
func (l *loan) eachBut(list []unit, shares []share, named []bool, usual map[*catalog.Limit]uint32) (each []wire.BudgetEach) {
	id, err := hex.DecodeString(l.sha)
	if err != nil || len(id) < len(wire.BundleID{}) {
		return nil // of no bundle that a device could name
	}
	for k, u := range list {
		units := usual[u.limit]
		if units == 0 {
			continue
		}
		if n := len(each); n == 0 || each[n-1].Limit != u.limit.Name {
			each = append(each, wire.BudgetEach{Limit: u.limit.Name, Units: units, Bundle: wire.BundleID(id[:len(wire.BundleID{})])})
		}
		if x := &each[len(each)-1]; !named[k] && shares[k].told.Units < units {
			x.But = append(x.But, u.about)
		}
	}
	return each
}
