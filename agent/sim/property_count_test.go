package sim_test

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
)

// everyRequestAnswered: decision lines = asks + unasked showings; each is an action, a
// fallback or a silence with one cause; they are numbered from 1 without a gap.
func everyRequestAnswered(p *pair) error {
	taken := map[string]bool{} // ids
	n := uint64(0)
	for k := range p.base.steps {
		s := &p.base.steps[k]
		asks := 0
		for i := range s.events {
			e := &s.events[i]
			if s.refusedEvent(i) || e.ID != "" && taken[e.Source+" "+e.ID] {
				continue
			}
			if e.ID != "" {
				taken[e.Source+" "+e.ID] = true
			}
			if _, ok := e.Body.(*event.Ask); ok {
				asks++
			}
		}
		asked, shown, fallbacks, silences := 0, 0, 0, 0
		for _, d := range s.out.Show {
			if n++; d.N != n || d.ID != fmt.Sprintf("replay-0-%d", n) {
				return fmt.Errorf("at %s decision %s comes as number %d", d.At, d.ID, n)
			}
			if d.Asked {
				asked++
			} else if d.Action == "silence" || d.Cause != "" {
				return fmt.Errorf("%s was not asked for, and is %s because %s", d.ID, d.Action, d.Cause)
			}
			switch {
			case d.Action == "silence":
				silences++
				if _, known := catalog.ParseReason(d.Cause); !known {
					return fmt.Errorf("%s is silent because %q", d.ID, d.Cause)
				}
			case d.Cause == "fallback":
				fallbacks++
			case d.Cause == "" && d.Action != "":
				shown++
			default:
				return fmt.Errorf("%s is %q because %q", d.ID, d.Action, d.Cause)
			}
		}
		if asked != asks || shown+fallbacks+silences != len(s.out.Show) {
			return fmt.Errorf("at %s: %d asks, %d answers: %d actions, %d fallbacks, %d silences", s.out.At, asks, asked, shown, fallbacks, silences)
		}
	}
	return nil
}

// refusedEvent says whether event number i of the step was refused.
func (s *step) refusedEvent(i int) bool {
	return slices.ContainsFunc(s.out.Refused, func(r engine.Refusal) bool { return r.Index == i })
}

// reasonsOf are the reason codes of each stage, as the journeys list them.
var reasonsOf = map[string][]string{
	"quiet":      {"at_the_wheel", "in_call", "do_not_disturb", "alarm_active", "busy_screen", "customer_quiet_hours", "device_quiet_hours"},
	"legal":      {"no_basis", "consent_unknown", "consent_denied", "consent_withdrawn", "consent_expired", "objected", "restricted", "erased", "special_needs_explicit_consent", "age_too_low", "partner_not_agreed"},
	"active":     {"not_in_bundle", "not_yet_valid", "expired", "outside_hours", "paused_by_operator", "language_missing"},
	"eligible":   {"not_eligible", "group_not_eligible", "input_unknown", "signal_stale", "fact_stale", "fact_missing", "condition_error", "left_place", "too_late"},
	"applicable": {"not_applicable", "group_not_applicable", "input_unknown", "signal_stale", "fact_stale", "fact_missing", "condition_error", "left_place", "too_late"},
	"suitable":   {"not_suitable", "group_not_suitable", "input_unknown", "signal_stale", "fact_stale", "fact_missing", "condition_error", "left_place", "too_late"},
	"guard": {"already_bought", "already_booked", "goal_reached", "open_complaint", "complaint_cool_off", "already_known", "one_question_a_visit", "not_needed", "his_goal_first",
		"three_strikes", "passive_sighting", "unasked_without_opt_in", "weak_identity", "shared_identity", "not_alone", "bystander_unknown", "sensitive_subject", "inferred_not_told",
		"third_party_not_told", "behaviour_elsewhere", "outside_preference", "stale_profile", "lease_ended", "sleeping_customer", "quality_too_low", "control_group",
		"waiting_for_response", "conversation_open_elsewhere", "significant_needs_person"},
	"contact":   {"cap_reached", "cap_unknown", "cooling_off", "asked_later", "asked_never", "volume_spent", "minimum_wait", "budget_not_leased"},
	"value":     {"not_worth_bother", "below_minimum", "exploration_limit", "immature"},
	"ranked":    {"lost_by_value", "lost_to_mandatory", "lost_tie_break", "list_full", "not_drawn"},
	"treatment": {"placeholder_unknown", "no_treatment_for_slot", "no_treatment_for_language", "text_too_long"},
}

// candidatesAccounted: rejected names every action of the bundle that names the slot, but
// what is shown and listed, once, in order, with a reason that belongs to the stage.
func candidatesAccounted(p *pair) error {
	return p.base.decisions(func(d *engine.Decision) error {
		shown := []string{d.Action}
		for k := range d.List {
			shown = append(shown, d.List[k].Action)
		}
		var want, got []string
		slot := slices.IndexFunc(p.bundle.Slots, func(s catalog.Slot) bool { return s.Name == d.Slot })
		for k := range p.bundle.Actions {
			a := &p.bundle.Actions[k]
			if slices.Contains(a.Slots, int32(slot)) && !slices.Contains(shown, a.Name) {
				want = append(want, a.Name)
			}
		}
		for k := range d.Rejected {
			r := &d.Rejected[k]
			got = append(got, r.Action)
			if !slices.Contains(reasonsOf[r.Stage.String()], r.Reason.String()) {
				return fmt.Errorf("%s: %s fell at %s because %s", d.ID, r.Action, r.Stage, r.Reason)
			}
			if len(r.Because) > catalog.MostBecause {
				return fmt.Errorf("%s: %s names %d causes", d.ID, r.Action, len(r.Because))
			}
		}
		if !slices.Equal(want, got) {
			return fmt.Errorf("%s shows %v and rejects %v, of the candidates without them %v", d.ID, shown, got, want)
		}
		slices.Sort(shown)
		if len(slices.Compact(shown)) != 1+len(d.List) {
			return fmt.Errorf("%s lists an action twice: %v", d.ID, shown)
		}
		return nil
	})
}
