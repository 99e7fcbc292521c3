package wire

import "strconv"

// words are the closed lists of the contract: outcomes, the cause of a fallback, and
// reason codes. No bundle has them among its symbols. Their codes are on the wire: new
// ones go to the end, none is taken out, and there is room for 126.
var words = [...]string{
	"shown", "accepted", "dismissed", "ignored", "later", "never", "negative", "abandoned", "failed", "fallback", "at_the_wheel", "in_call",
	"do_not_disturb", "alarm_active", "busy_screen", "customer_quiet_hours", "device_quiet_hours", "no_basis", "consent_unknown",
	"consent_denied", "consent_withdrawn", "consent_expired", "objected", "restricted", "erased", "special_needs_explicit_consent",
	"age_too_low", "partner_not_agreed", "not_in_bundle", "not_yet_valid", "expired", "outside_hours", "paused_by_operator",
	"language_missing", "group_not_eligible", "group_not_applicable", "group_not_suitable", "not_eligible", "not_applicable", "not_suitable",
	"input_unknown", "signal_stale", "fact_stale", "fact_missing", "condition_error", "left_place", "too_late", "already_bought",
	"already_booked", "goal_reached", "open_complaint", "complaint_cool_off", "already_known", "one_question_a_visit", "not_needed",
	"his_goal_first", "three_strikes", "passive_sighting", "unasked_without_opt_in", "weak_identity", "shared_identity", "not_alone",
	"bystander_unknown", "sensitive_subject", "inferred_not_told", "third_party_not_told", "behaviour_elsewhere", "outside_preference",
	"stale_profile", "lease_ended", "sleeping_customer", "quality_too_low", "control_group", "waiting_for_response",
	"conversation_open_elsewhere", "significant_needs_person", "cap_reached", "cap_unknown", "cooling_off", "asked_later", "asked_never",
	"volume_spent", "minimum_wait", "budget_not_leased", "not_worth_bother", "below_minimum", "exploration_limit", "immature",
	"lost_by_value", "lost_to_mandatory", "lost_tie_break", "list_full", "not_drawn", "placeholder_unknown", "no_treatment_for_slot",
	"no_treatment_for_language", "text_too_long", "no_policy", "bundle_refused", "store_recovered", "clock_untrusted", "no_candidates",
	"nothing_asked",
}

// wordOf is what each code says. One of a newer version reads as "word-" and its code,
// and is written back as that code.
var wordOf = func() (all [firstWord]string) {
	for code := firstCode; code < len(all); code++ {
		all[code] = "word-" + strconv.Itoa(code)
	}
	copy(all[firstCode:], words[:])
	return all
}()

// wordSlots finds the code of a word: each stands at its hash, or at the next free place
// behind. It is never changed. (A map takes four times as long, and this is done for each
// loser of each decision.)
var wordSlots = func() (slots [512]uint8) {
	for code := firstCode; code < len(wordOf); code++ {
		at := wordHash(wordOf[code])
		for slots[at%512] != 0 {
			at++
		}
		slots[at%512] = uint8(code)
	}
	return slots
}()

func wordHash(s string) uint {
	n := len(s)
	return uint(n)*307 + uint(s[0])*276 + uint(s[n/2])*104 + uint(s[n-1])*152 // tried out: few words share a place
}

// codeOfWord returns the code of a word that is not empty, or 1.
func codeOfWord(s string) uint64 {
	for at := wordHash(s); ; at++ {
		code := wordSlots[at%512] & (firstWord - 1)
		if code == 0 {
			return 1
		}
		if wordOf[code] == s {
			return uint64(code)
		}
	}
}
