package engine

import (
	"slices"
	"sort"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/context/sense"
)

// Volume is when one action was shown to anybody, for budgets over all customers of the device.
type Volume struct {
	Action string
	Shown  []Showing // oldest first
}

// Showing is one contact that was reserved, with whomever.
type Showing struct {
	N       uint64 // of the decision within the epoch; 0 of another epoch
	At      sense.Instant
	Settled bool // the screen has spoken: it is not given back any more
}

// budget is for how long, and how many, showings of an action can count.
type budget struct {
	most   int64 // 0 where no volume concerns the action
	window sense.Duration
}

// budgetsOf returns the budget of each action.
func budgetsOf(b *catalog.Bundle) []budget {
	if len(b.Contact.Volume) == 0 {
		return nil
	}
	all := make([]budget, len(b.Actions))
	for k := range b.Contact.Volume {
		v := &b.Contact.Volume[k]
		window := v.Window
		switch v.Per { // longer than any day, week or month of any zone
		case catalog.CalendarDay:
			window = 2 * sense.Day
		case catalog.CalendarWeek:
			window = 8 * sense.Day
		case catalog.CalendarMonth:
			window = 32 * sense.Day
		}
		for a := range b.Actions {
			if contact.Counts(b, v, &b.Actions[a]) {
				all[a] = budget{most: max(all[a].most, v.AtMost, 1), window: max(all[a].window, window)}
			}
		}
	}
	return all
}

// spend books a showing. Before a policy is in charge all are booked, since it may count any.
func (m *Mind) spend(action string, one Showing) {
	if m.bundle != nil && (len(m.plan.budgets) == 0 || m.budgetOf(action).most == 0) {
		return
	}
	k, found := slices.BinarySearchFunc(m.volume, action, func(v Volume, name string) int { return strings.Compare(v.Action, name) })
	if !found {
		m.volume = slices.Insert(m.volume, k, Volume{Action: action})
	}
	m.volume[k].Shown = append(m.volume[k].Shown, one)
	if m.bundle == nil {
		return
	}
	if m.trim(k) || m.spent == nil {
		m.spent = nil
		return
	}
	a := m.bundle.ActionIndex(action)
	for n := range m.spent {
		if a >= 0 && contact.Counts(m.bundle, &m.bundle.Contact.Volume[n], &m.bundle.Actions[a]) {
			m.spent[n] = append(m.spent[n], one.At) // the newest of all
		}
	}
}

// trim drops showings that no volume counts any more, and says whether there were any.
func (m *Mind) trim(k int) bool {
	v := &m.volume[k]
	b := m.budgetOf(v.Action)
	old := 0
	for old < len(v.Shown) && (int64(len(v.Shown)-old) > b.most || m.now >= v.Shown[old].At.Add(b.window)) {
		old++
	}
	v.Shown = v.Shown[old:]
	return old > 0
}

// trimVolume drops what no volume of the policy in charge counts any more.
func (m *Mind) trimVolume() {
	m.spent = nil
	if m.bundle == nil {
		return
	}
	m.volume = slices.DeleteFunc(m.volume, func(v Volume) bool {
		return len(m.plan.budgets) == 0 || m.budgetOf(v.Action).most == 0
	})
	for k := range m.volume {
		m.trim(k)
	}
}

func (m *Mind) budgetOf(action string) budget {
	if k := m.bundle.ActionIndex(action); k >= 0 {
		return m.plan.budgets[k]
	}
	return budget{}
}

// settleVolume takes an outcome of a decision of this epoch: the first word of the screen counts.
func (m *Mind) settleVolume(n uint64, outcome string, at sense.Instant) {
	for k := range m.volume {
		v := &m.volume[k]
		for i := len(v.Shown) - 1; i >= 0; i-- {
			one := &v.Shown[i]
			if one.N != n || one.Settled {
				continue
			}
			m.spent = nil
			if outcome == "failed" {
				v.Shown = slices.Delete(v.Shown, i, i+1)
				return
			}
			one.Settled = true
			if outcome == "shown" {
				one.At = max(at, one.At) // not before it was decided
			}
			sort.SliceStable(v.Shown, func(a, b int) bool { return v.Shown[a].At < v.Shown[b].At })
			return
		}
	}
}

// spentNow returns when contacts that fall under each volume of the policy were shown, oldest first.
func (m *Mind) spentNow() [][]sense.Instant {
	if len(m.plan.budgets) == 0 {
		return nil
	}
	if m.spent != nil {
		return m.spent
	}
	m.spent = make([][]sense.Instant, len(m.bundle.Contact.Volume))
	for k := range m.spent {
		for _, v := range m.volume {
			a := m.bundle.ActionIndex(v.Action)
			if a < 0 || !contact.Counts(m.bundle, &m.bundle.Contact.Volume[k], &m.bundle.Actions[a]) {
				continue
			}
			for _, one := range v.Shown {
				m.spent[k] = append(m.spent[k], one.At)
			}
		}
		slices.Sort(m.spent[k])
	}
	return m.spent
}

// renumberVolume gives the showings of a step the numbers that their decisions have now.
func (m *Mind) renumberVolume(number map[uint64]uint64) {
	for k := range m.volume {
		for i := range m.volume[k].Shown {
			if one := &m.volume[k].Shown[i]; one.At == m.now && number[one.N] != 0 {
				one.N = number[one.N]
			}
		}
	}
}
