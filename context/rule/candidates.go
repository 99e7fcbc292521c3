package rule

import "math/bits"

// Words returns how many words of 64 candidates the eligible set has.
func (plan *Plan) Words() int { return (len(plan.order) + 63) / 64 }

// Order returns the candidates by rank, the highest score first: bit r of the set is candidate Order()[r]. Callers do
// not change it.
func (plan *Plan) Order() []int32 { return plan.order }

// EligibleWord returns word w of the eligible set, the candidates of ranks 64w to 64w+63, as of the last Settle.
func (e *Eval) EligibleWord(w int) uint64 {
	if e.device == nil {
		return e.counters.set[w] & e.plan.alone[w]
	}
	return e.counters.set[w] & e.device.counters.set[w]
}

// Eligible appends the candidates that are eligible, in order of rank.
func (e *Eval) Eligible(to []int32) []int32 {
	for w := range e.counters.set {
		for word := e.EligibleWord(w); word != 0; word &= word - 1 {
			to = append(to, e.plan.order[w<<6+bits.TrailingZeros64(word)])
		}
	}
	return to
}

// Best returns the eligible candidate with the highest score; ok is false where none is.
func (e *Eval) Best() (candidate int32, ok bool) {
	for w := range e.counters.set {
		if word := e.EligibleWord(w); word != 0 {
			return e.plan.order[w<<6+bits.TrailingZeros64(word)], true
		}
	}
	return -1, false
}

// Moved says whether the eligible set of this session may be another since this step began.
func (e *Eval) Moved() bool {
	if e.device == nil {
		return len(e.counters.shifted) > 0
	}
	if e.counters.moved {
		return true
	}
	d := &e.device.counters
	for k, w := range d.shifted {
		if (d.was[k]^d.set[w])&e.counters.set[w] != 0 {
			return true
		}
	}
	return false
}
