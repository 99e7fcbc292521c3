package catalog

// Stage is where a candidate can fall, in the order of judging.
type Stage uint8

const (
	StageQuiet Stage = iota + 1
	StageLegal
	StageActive
	StageEligible
	StageApplicable
	StageSuitable
	StageGuard
	StageContact
	StageValue
	StageRanked
	StageTreatment
)

var stageNames = [...]string{"", "quiet", "legal", "active", "eligible", "applicable", "suitable", "guard", "contact", "value", "ranked", "treatment"}

func (s Stage) String() string { return stageNames[s] }

// Reason is why a candidate fell, or why nothing was said. The order is that of
// judging within a stage; names are stable and never used again.
type Reason uint8

const (
	NoReason Reason = iota
	// quiet
	AtTheWheel
	InCall
	DoNotDisturb
	AlarmActive
	BusyScreen
	CustomerQuietHours
	DeviceQuietHours
	// legal
	NoBasis
	ConsentUnknown
	ConsentDenied
	ConsentWithdrawn
	ConsentExpired
	Objected
	Restricted
	Erased
	SpecialNeedsExplicitConsent
	AgeTooLow
	PartnerNotAgreed
	// active
	NotInBundle
	NotYetValid
	Expired
	OutsideHours
	PausedByOperator
	LanguageMissing
	// eligible, applicable, suitable
	GroupNotEligible
	GroupNotApplicable
	GroupNotSuitable
	NotEligible
	NotApplicable
	NotSuitable
	InputIsUnknown
	SignalStale
	FactStale
	FactMissing
	ConditionError
	LeftPlace
	TooLate
	// guard
	AlreadyBought
	AlreadyBooked
	GoalReached
	OpenComplaint
	ComplaintCoolOff
	AlreadyKnown
	OneQuestionAVisit
	NotNeeded
	HisGoalFirst
	ThreeStrikes
	PassiveSighting
	UnaskedWithoutOptIn
	WeakIdentity
	SharedIdentity
	NotAlone
	BystanderUnknown
	SensitiveSubject
	InferredNotTold
	ThirdPartyNotTold
	BehaviourElsewhere
	OutsidePreference
	StaleProfile
	LeaseEnded
	SleepingCustomer
	QualityTooLow
	ControlGroup
	WaitingForResponse
	ConversationOpenElsewhere
	SignificantNeedsPerson
	// contact
	CapReached
	CapUnknown
	CoolingOff
	AskedLater
	AskedNever
	VolumeSpent
	MinimumWait
	BudgetNotLeased
	// value
	NotWorthBother
	BelowMinimum
	ExplorationLimit
	Immature
	// ranked
	LostByValue
	LostToMandatory
	LostTieBreak
	ListFull
	NotDrawn
	// treatment
	PlaceholderUnknown
	NoTreatmentForSlot
	NoTreatmentForLanguage
	TextTooLong
	// causes of silence that are no candidate's reason
	NoPolicy
	BundleRefused
	StoreRecovered
	ClockUntrusted
	NoCandidates
	NothingAsked
	reasons
)

var reasonNames = [reasons]string{
	"",
	"at_the_wheel", "in_call", "do_not_disturb", "alarm_active", "busy_screen", "customer_quiet_hours", "device_quiet_hours",
	"no_basis", "consent_unknown", "consent_denied", "consent_withdrawn", "consent_expired", "objected", "restricted", "erased",
	"special_needs_explicit_consent", "age_too_low", "partner_not_agreed",
	"not_in_bundle", "not_yet_valid", "expired", "outside_hours", "paused_by_operator", "language_missing",
	"group_not_eligible", "group_not_applicable", "group_not_suitable", "not_eligible", "not_applicable", "not_suitable",
	"input_unknown", "signal_stale", "fact_stale", "fact_missing", "condition_error", "left_place", "too_late",
	"already_bought", "already_booked", "goal_reached", "open_complaint", "complaint_cool_off", "already_known", "one_question_a_visit",
	"not_needed", "his_goal_first", "three_strikes", "passive_sighting", "unasked_without_opt_in", "weak_identity", "shared_identity",
	"not_alone", "bystander_unknown", "sensitive_subject", "inferred_not_told", "third_party_not_told", "behaviour_elsewhere",
	"outside_preference", "stale_profile", "lease_ended", "sleeping_customer", "quality_too_low", "control_group",
	"waiting_for_response", "conversation_open_elsewhere", "significant_needs_person",
	"cap_reached", "cap_unknown", "cooling_off", "asked_later", "asked_never", "volume_spent", "minimum_wait", "budget_not_leased",
	"not_worth_bother", "below_minimum", "exploration_limit", "immature",
	"lost_by_value", "lost_to_mandatory", "lost_tie_break", "list_full", "not_drawn",
	"placeholder_unknown", "no_treatment_for_slot", "no_treatment_for_language", "text_too_long",
	"no_policy", "bundle_refused", "store_recovered", "clock_untrusted", "no_candidates", "nothing_asked",
}

func (r Reason) String() string { return reasonNames[r] }

// ParseReason reads a reason code.
func ParseReason(s string) (Reason, bool) {
	for k, n := range reasonNames {
		if k > 0 && n == s {
			return Reason(k), true
		}
	}
	return NoReason, false
}

// QuietState is a state of attention that silences a slot, with the reason that it gives.
type QuietState struct {
	State  string
	Reason Reason
}

// QuietStates returns them in the order of their reasons.
func QuietStates() [5]QuietState {
	return [5]QuietState{
		{StateDriving, AtTheWheel}, {StateInCall, InCall}, {StateDoNotDisturb, DoNotDisturb}, {StateAlarm, AlarmActive}, {StateBusy, BusyScreen},
	}
}

// Reasons returns every code, in order.
func Reasons() []Reason {
	all := make([]Reason, 0, reasons-1)
	for r := NoReason + 1; r < reasons; r++ {
		all = append(all, r)
	}
	return all
}
