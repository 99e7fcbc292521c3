package engine

import (
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/sense"
)

// eligibility says which candidates of a slot a decision looks at. The rules keep which actions are eligible; of the
// others most fall by a condition, and nothing but the list of those that fell asks at which.
type eligibility struct {
	words    []slotWord // in order; of 64 actions none of which names the slot there is none
	purposes []int32    // an action for each purpose of those that are looked at while they are eligible
}

// slotWord is 64 actions, as bits.
type slotWord struct {
	at       int32
	always   uint64 // that ask for more than words, conditions and a purpose
	eligible uint64 // that are looked at while they are eligible
}

func eligibilityOf(candidates [][]int32, quick []quick) []eligibility {
	all := make([]eligibility, len(candidates))
	for slot, list := range candidates {
		l, seen := &all[slot], catalog.PurposeSet(0)
		for _, a := range list {
			if n := len(l.words); n == 0 || l.words[n-1].at != a>>6 {
				l.words = append(l.words, slotWord{at: a >> 6})
			}
			q, word, bit := &quick[a], &l.words[len(l.words)-1], uint64(1)<<(a&63)
			if !q.plain || q.purpose < 0 && !q.ambient {
				word.always |= bit
				continue
			}
			word.eligible |= bit
			if !q.ambient && !seen.Has(q.purpose) {
				seen |= 1 << uint(q.purpose)
				l.purposes = append(l.purposes, a)
			}
		}
	}
	return all
}

// lookAt passes candidates of the slot through the stages before ranking: those on which the decision rests, and when
// to decide again. The others fall by a condition, a language or a purpose, and time alone lets none of them through.
func (m *Mind) lookAt(at *setting) {
	of := at.of
	if !m.sees(at) {
		m.lookAtRest(at)
		return
	}
	all := of.candidates
	for _, w := range m.plan.eligible[of.slot].words {
		word := w.always
		if w.eligible != 0 {
			word |= w.eligible & at.on.EligibleWord(int(w.at))
		}
		for ; word != 0; word &= word - 1 {
			all = append(all, candidate{})
			m.stand(at, &all[len(all)-1], w.at<<6+int32(bits.TrailingZeros64(word)))
		}
	}
	of.candidates = all
}

// sees says whether eligible candidates can be told from the others without looking at each: not where a state of
// attention or the law holds back until some time, which is the candidate's too; nor where nothing is kept.
func (m *Mind) sees(at *setting) bool {
	if m.plainly || !at.quiet.OK() || at.spoken < 0 {
		return false
	}
	for _, a := range m.plan.eligible[at.of.slot].purposes {
		if d := m.lawful(at, guard.Candidate{Action: &m.bundle.Actions[a]}); d.Until > m.now {
			return false
		}
	}
	return true
}

// lookAtRest passes the candidates of the slot through the stages that were not looked at.
func (m *Mind) lookAtRest(at *setting) {
	of := at.of
	if of.whole {
		return
	}
	of.whole = true
	list := m.plan.candidates[of.slot]
	looked := of.candidates
	if len(looked) == len(list) {
		return
	}
	all := slices.Grow(of.spare[:0], len(list))
	for _, a := range list {
		if len(looked) > 0 && looked[0].action == a {
			all, looked = append(all, looked[0]), looked[1:]
			continue
		}
		all = append(all, candidate{})
		m.stand(at, &all[len(all)-1], a)
	}
	of.candidates, of.spare = all, of.candidates
}

// tellsSilence says whether the candidates that were looked at tell the cause of a silence: one of them came further
// than any other did. Where nobody knows what time it is, any may tell.
func (m *Mind) tellsSilence(at *setting) bool {
	return m.clock != sense.ClockUnknown && slices.ContainsFunc(at.of.candidates, func(c candidate) bool { return c.stage > catalog.StageSuitable })
}
