package engine

import (
	"bytes"
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// priceOf returns what an action costs the customer now; 0 where its price does not depend on anything.
// A price that is not known, or below nothing, is no price: the action is not applicable.
func (m *Mind) priceOf(at *setting, a *catalog.Action) (price catalog.Micro, d guard.Verdict) {
	if a.Price == nil {
		return 0, d
	}
	if r := at.on.Result(a.Price.Node); r.Cause == rule.Known {
		if price, ok := money(r.Value); ok && price >= 0 {
			return price, d
		}
	}
	reason, because, memory := m.moment.Reasons(at.s.name).Why(m.lacks[:0], a.Price.Node)
	m.lacks = memory
	if reason == catalog.NoReason {
		reason = catalog.ConditionError
	}
	return 0, guard.Verdict{Reason: reason, Because: at.v.Room.Because(because...)}
}

// money reads an amount to the millionth.
func money(v sense.Value) (catalog.Micro, bool) {
	if v.Kind() == sense.Double {
		f := sense.Round(float64(v.Double() * float64(catalog.One)))
		return int64(f), f > -1<<53 && f < 1<<53
	}
	m, err := v.As(sense.Money)
	return m.Int(), err == nil && m.Kind() == sense.Money
}

// appendAmount appends money as people write it, with two decimals, rounded half away from zero.
func appendAmount(b []byte, n catalog.Micro) []byte {
	const cent = catalog.One / 100
	cents := n / cent
	switch rest := n % cent; {
	case rest >= cent/2:
		cents++
	case rest <= -cent/2:
		cents--
	}
	first := len(b)
	b = sense.AppendMicro(b, cents, 2)
	switch dot := bytes.IndexByte(b[first:], '.'); {
	case dot < 0:
		return append(b, ".00"...)
	case first+dot+2 == len(b):
		return append(b, '0')
	}
	return b
}

// appendPercent appends by how much a price differs from the normal one: whole percents, or tenths where it
// is no whole number, and never nothing where there is a difference. It is false where that cannot be said.
func appendPercent(b []byte, price, normal catalog.Micro) ([]byte, bool) {
	if normal == 0 {
		return b, false
	}
	diff := uint64(max(price, normal) - min(price, normal))
	base := uint64(max(normal, -normal))
	hi, lo := bits.Mul64(diff, 1000)
	lo, carry := bits.Add64(lo, base/2, 0)
	hi += carry
	if hi >= base {
		return b, false
	}
	tenths, _ := bits.Div64(hi, lo, base)
	if tenths == 0 && diff > 0 {
		tenths = 1
	}
	if tenths > uint64(1)<<40 {
		return b, false
	}
	return append(sense.AppendMicro(b, int64(tenths), 1), " %"...), true
}
