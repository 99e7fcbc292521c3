package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// armed is an action that stays right for keep_armed after its moment has passed unseen.
type armed struct {
	action int32
	pulse  bool // its moment is one step: its condition reads became or changed
}

// armedOf returns the actions of a bundle that have keep_armed.
func armedOf(b *catalog.Bundle) (all []armed) {
	pulse := restingOn(b, rule.Became, rule.Changed)
	for k := range b.Actions {
		a := &b.Actions[k]
		if a.KeepArmed > 0 {
			group, own, _, _ := conditions(b, a, catalog.StageApplicable)
			all = append(all, armed{action: int32(k), pulse: isPulse(pulse, group) || isPulse(pulse, own)})
		}
	}
	return all
}

func isPulse(pulse []bool, n rule.Node) bool { return n >= 0 && int(n) < len(pulse) && pulse[n] }

// armAll notes which actions are right now, whether or not this is a moment to say them: what becomes
// right at the wheel waits until the car stands still.
func (m *Mind) armAll(s *session) {
	for _, one := range m.plan.armed {
		m.arm(s, one)
	}
}

func (m *Mind) arm(s *session, one armed) {
	a := &m.bundle.Actions[one.action]
	u := s.memory[one.action]
	group, own, _, _ := conditions(m.bundle, a, catalog.StageApplicable)
	right := m.true(s, group) && m.true(s, own)
	switch {
	case u.serve: // it was shown
		u.right, u.armed = false, 0
	case right && !one.pulse:
		u.armed = 0 // its time begins when it ceases to be right
	case right, u.right && !one.pulse:
		// Armed from the last instant at which it was right; of what is right for one step only, from that step.
		u.armed = m.now.Add(a.KeepArmed)
	}
	if !right && (m.now >= u.armed || m.left(s, group, own)) {
		u.armed = 0
	}
	u.right = right && !u.serve
	if u == s.memory[one.action] {
		return
	}
	s.memory[one.action] = u
	if u.armed != 0 && !slices.Contains(s.served, one.action) {
		s.served = append(s.served, one.action)
	}
}

// true says whether a condition holds certainly; none holds always.
func (m *Mind) true(s *session, n rule.Node) bool {
	return n == rule.None || m.moment.Truth(s.name, n) == rule.True
}

// left says whether a condition is false since a place was left.
func (m *Mind) left(s *session, nodes ...rule.Node) bool {
	for _, n := range nodes {
		if n == rule.None || !m.plan.entering[n] {
			continue
		}
		if reason, _ := m.moment.Why(s.name, n); reason == catalog.LeftPlace {
			return true
		}
	}
	return false
}

// stillArmed lets an action pass whose moment has passed unseen, within keep_armed; also where one
// request says otherwise, and its moment has not passed but for that.
func (m *Mind) stillArmed(s *session, index int32, reason catalog.Reason) bool {
	if m.bundle.Actions[index].KeepArmed <= 0 || reason == catalog.LeftPlace {
		return false
	}
	u := s.memory[index]
	return u.right || m.now < u.armed
}
