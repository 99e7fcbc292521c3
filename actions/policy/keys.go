package policy

import (
	"slices"

	"github.com/tact-edge/tact/context/event"
)

// The keys of each part of a policy, in the order in which authors find them in the help.
var (
	purposeKeys  = []string{"basis", "explicit", "objection", "unasked", "least_age", "for"}
	partnerKeys  = []string{"purpose", "for"}
	signalKeys   = []string{"type", "unit", "max_age", "scope", "purposes", "why", "leaves_device", "consent", "from", "special"}
	derivedKeys  = []string{"is", "when", "until", "debounce", "hold", "purposes", "leaves_device", "keep", "why", "special"}
	stateKeys    = []string{"channels", "when", "until", "unknown", "absent"}
	placeKeys    = []string{"circle", "polygon", "inside", "outside", "file", "key", "margin"}
	circleKeys   = []string{"at", "radius"}
	factKeys     = []string{"type", "owner", "one_of", "between", "in_past", "format", "purposes", "from", "keep", "fresh", "special", "preference", "leaves_device", "why"}
	kindKeys     = []string{"keep", "purposes", "means", "negative", "blocks", "undone_by", "reaches", "open_until", "cool_off", "closed_by", "overdue_after", "worth"}
	blocksKeys   = []string{"offer_of", "again"}
	subjectKeys  = []string{"kind", "sensitive"}
	measureKeys  = []string{"from", "control"}
	slotKeys     = []string{"channel", "shared_screen", "unasked", "show_for", "fallback", "minimum", "least_identity", "max_text"}
	groupKeys    = []string{"issue", "lever", "weights", "eligible", "applicable", "suitable"}
	weightKeys   = []string{"when", "lever"}
	visitKeys    = []string{"ends_after"}
	sessionKeys  = []string{"ends", "after", "at_most"}
	quietKeys    = []string{"hours", "pass"}
	strikesKeys  = []string{"count", "in", "at"}
	contactKeys  = []string{"limits", "pauses", "pressure", "profile", "minimum_wait", "volume"}
	limitKeys    = []string{"intent", "action", "group", "channel", "about", "at_most", "counting", "per", "zone"}
	pauseKeys    = []string{"about", "action", "group", "intent", "channel", "customer", "after", "for"}
	waitKeys     = []string{"intent", "action", "group", "same", "for"}
	volumeKeys   = []string{"intent", "action", "group", "at_most", "per"}
	profileKeys  = []string{"max_stale"}
	pressureKeys = slices.Concat([]string{"unit", "half_life", "floor"}, event.Outcomes, []string{"visit"})
	actionKeys   = []string{
		"intent", "purpose", "partner", "group", "slots", "about", "goal", "before", "valid", "hours", "at", "keep_armed",
		"eligible", "applicable", "suitable", "value", "propensity", "bother", "lever", "weights", "completes", "quality",
		"price", "normal", "disclose", "mandatory", "exempt", "repeat_after", "follows", "after", "else_after", "measure", "least_identity", "household", "significant",
		"asks", "confirms", "serves", "because", "in_return", "retry", "needs", "hands_over", "say_personal", "say",
	}
	validKeys     = []string{"from", "until"}
	completesKeys = []string{"elsewhere"}
	exemptKeys    = []string{"since", "by"}
	handOverKeys  = []string{"tells"}
	treatmentKeys = []string{"title", "text", "image", "button", "link"}
)

// notYet are keys of the language that this version refuses, with what they are for.
var notYet = map[string]string{
	"explore": "exploration, which comes with learning",
	"every":   "an action by interval; at: takes times of the day",
}
