package peers

import "math/bits"

// Engine keeps the eligible actions of a workload while its attributes change.
type Engine interface {
	Name() string
	// Update gives an attribute a value, or none, at an instant in milliseconds since 1970 that never decreases.
	// Afterwards the eligible set is right; it stands as bits, nobody is made to list it.
	Update(attribute int32, v Value, now int64)
	// Eligible appends the eligible actions, from the highest score to the lowest.
	Eligible(dst []int32) []int32
	// Best returns the eligible action of the highest score, -1 where none is eligible.
	Best() int32
}

// set is an eligible set: a bit an action, by rank, so that the first is the best.
type set struct {
	words  []uint64
	byRank []int32
}

func newSet(w *Workload) set {
	return set{words: make([]uint64, (len(w.Actions)+63)/64), byRank: w.ByRank}
}

func (s *set) put(rank int, yes bool) {
	if yes {
		s.words[rank>>6] |= 1 << (rank & 63)
	} else {
		s.words[rank>>6] &^= 1 << (rank & 63)
	}
}

func (s *set) list(dst []int32) []int32 {
	for k, word := range s.words {
		for ; word != 0; word &= word - 1 {
			dst = append(dst, s.byRank[k<<6+bits.TrailingZeros64(word)])
		}
	}
	return dst
}

func (s *set) best() int32 {
	for k, word := range s.words {
		if word != 0 {
			return s.byRank[k<<6+bits.TrailingZeros64(word)]
		}
	}
	return -1
}
