package guard

import "github.com/tact-edge/tact/actions/catalog"

// anything is a personal action without wishes of its own.
var anything = catalog.Action{Purpose: -1, Group: -1, Measure: -1}

// MayShow says whether what is personal of whom is served may be shown here and now, were it only as the
// reason of a decision: whoever is only seen, comes with a card that others share, is known less surely
// than the slot asks, or may not be alone before a screen that others see, is not told of there.
func MayShow(v *View) bool {
	if v.Presence == Nobody {
		return true // there is nothing personal to show
	}
	c := Candidate{Action: &anything}
	for _, rule := range [...]func(*View, Candidate) Verdict{passiveSighting, weakIdentity, sharedIdentity, notAlone} {
		if d := rule(v, c); !d.OK() {
			return false
		}
	}
	return true
}
