package main

import (
	"bufio"
	"fmt"

	"github.com/tact-edge/tact/actions/catalog"
)

// code is what a reason code means.
type code struct {
	Code    string `json:"code"`
	Stage   string `json:"stage"`
	Meaning string `json:"meaning"`
	Reached bool   `json:"reached"` // by this version
}

// Stages that are none of a candidate's.
const (
	stageMoment = "moment" // the cause of a silence as a whole
	stageCond   = "condition"
	stageRefuse = "entry"
	stageCheck  = "check"
)

// meanings are the codes of the closed list, in its order.
var meanings = []struct {
	stage   string
	reason  catalog.Reason
	meaning string
	later   bool // no rule of this version gives it
}{
	{"quiet", catalog.AtTheWheel, "the driver is driving, or may be", false},
	{"quiet", catalog.InCall, "in a call, or may be", false},
	{"quiet", catalog.DoNotDisturb, "do not disturb is on, or may be", false},
	{"quiet", catalog.AlarmActive, "an alarm is going, or may be", false},
	{"quiet", catalog.BusyScreen, "the screen is in use for something else", false},
	{"quiet", catalog.CustomerQuietHours, "the customer's own quiet hours", true},
	{"quiet", catalog.DeviceQuietHours, "the device's quiet hours", false},

	{"legal", catalog.NoBasis, "it is personal and has no purpose", false},
	{"legal", catalog.ConsentUnknown, "nothing was ever said about consent", false},
	{"legal", catalog.ConsentDenied, "consent was refused", false},
	{"legal", catalog.ConsentWithdrawn, "consent was given and taken back", false},
	{"legal", catalog.ConsentExpired, "consent was given for a time that is over", false},
	{"legal", catalog.Objected, "the customer objected to the purpose", false},
	{"legal", catalog.Restricted, "all use of the customer's data is stopped", false},
	{"legal", catalog.Erased, "the customer was forgotten", false},
	{"legal", catalog.SpecialNeedsExplicitConsent, "special facts need explicit consent", true},
	{"legal", catalog.AgeTooLow, "too young to consent alone", true},
	{"legal", catalog.PartnerNotAgreed, "the customer did not agree to the partner", true},

	{"active", catalog.NotInBundle, "the action is not in the bundle in charge", true},
	{"active", catalog.NotYetValid, "the action's time has not begun", true},
	{"active", catalog.Expired, "the action's time is over", true},
	{"active", catalog.OutsideHours, "outside the action's hours", true},
	{"active", catalog.PausedByOperator, "an operator paused the action", true},
	{"active", catalog.LanguageMissing, "not in the customer's language", true},

	{"eligible", catalog.GroupNotEligible, "the group's eligible is false: we may not", false},
	{"applicable", catalog.GroupNotApplicable, "the group's applicable is false: it makes no sense now", false},
	{"suitable", catalog.GroupNotSuitable, "the group's suitable is false: it is not good for the customer", false},
	{"eligible", catalog.NotEligible, "eligible is false: we may not", false},
	{"applicable", catalog.NotApplicable, "applicable is false: it makes no sense now", false},
	{"suitable", catalog.NotSuitable, "suitable is false: it is not good for the customer", false},
	{stageCond, catalog.InputIsUnknown, "an input has not spoken, is unavailable, or may not be read", false},
	{stageCond, catalog.SignalStale, "a reading is older than its max_age", false},
	{stageCond, catalog.FactStale, "a fact is older than it is trusted (fresh)", false},
	{stageCond, catalog.FactMissing, "a fact is not known", false},
	{stageCond, catalog.ConditionError, "the condition could not be worked out", false},
	{stageCond, catalog.LeftPlace, "the place was left again", false},
	{stageCond, catalog.TooLate, "what it had to come before has passed", false},

	{"guard", catalog.AlreadyBought, "the customer has bought it, in any channel", false},
	{"guard", catalog.AlreadyBooked, "the customer has booked it", false},
	{"guard", catalog.GoalReached, "what it aims at is reached", false},
	{"guard", catalog.OpenComplaint, "a complaint is open", false},
	{"guard", catalog.ComplaintCoolOff, "a complaint was put right only just now", false},
	{"guard", catalog.AlreadyKnown, "the answer is known", true},
	{"guard", catalog.OneQuestionAVisit, "one question was asked in this visit", true},
	{"guard", catalog.NotNeeded, "the answer is not needed for what was asked", true},
	{"guard", catalog.HisGoalFirst, "the customer came for something else", false},
	{"guard", catalog.ThreeStrikes, "too much went wrong for this customer", true},
	{"guard", catalog.PassiveSighting, "the customer was seen, and did nothing", false},
	{"guard", catalog.UnaskedWithoutOptIn, "the customer did not agree to be approached unasked", false},
	{"guard", catalog.WeakIdentity, "it is not sure enough who this is", false},
	{"guard", catalog.SharedIdentity, "several people use this identity", false},
	{"guard", catalog.NotAlone, "somebody else can see the screen", false},
	{"guard", catalog.BystanderUnknown, "somebody else may see the screen", false},
	{"guard", catalog.SensitiveSubject, "the subject is sensitive", false},
	{"guard", catalog.InferredNotTold, "it rests on what was guessed, not told", false},
	{"guard", catalog.ThirdPartyNotTold, "it rests on what somebody else told", false},
	{"guard", catalog.BehaviourElsewhere, "it rests on what was seen elsewhere", true},
	{"guard", catalog.OutsidePreference, "outside what the customer wants", true},
	{"guard", catalog.StaleProfile, "the profile is older than the policy allows", false},
	{"guard", catalog.LeaseEnded, "the lease of the profile is over", false},
	{"guard", catalog.SleepingCustomer, "no customer any more, for long", true},
	{"guard", catalog.QualityTooLow, "the facts are not good enough", true},
	{"guard", catalog.ControlGroup, "held out, to measure what it is worth", false},
	{"guard", catalog.WaitingForResponse, "the one before was not answered yet", true},
	{"guard", catalog.ConversationOpenElsewhere, "a conversation goes on elsewhere", true},
	{"guard", catalog.SignificantNeedsPerson, "only a person may decide this", true},

	{"contact", catalog.CapReached, "a limit is reached", false},
	{"contact", catalog.CapUnknown, "a limit cannot be counted: clock or lease in doubt", false},
	{"contact", catalog.CoolingOff, "a pause after an answer", false},
	{"contact", catalog.AskedLater, "the customer said later", false},
	{"contact", catalog.AskedNever, "the customer said never", false},
	{"contact", catalog.VolumeSpent, "the volume over all customers is spent", true},
	{"contact", catalog.MinimumWait, "shown already, or too soon after another", false},
	{"contact", catalog.BudgetNotLeased, "no budget is leased to this device", true},

	{"value", catalog.NotWorthBother, "worth no more than it bothers", false},
	{"value", catalog.BelowMinimum, "worth less than the slot's minimum", false},
	{"value", catalog.ExplorationLimit, "the limit of exploration", true},
	{"value", catalog.Immature, "too new to be sure", true},

	{"ranked", catalog.LostByValue, "another is worth more", false},
	{"ranked", catalog.LostToMandatory, "a mandatory one goes first", false},
	{"ranked", catalog.LostTieBreak, "worth the same; shown more often, or later by name", false},
	{"ranked", catalog.ListFull, "the list is full", false},
	{"ranked", catalog.NotDrawn, "exploration drew another", true},

	{"treatment", catalog.PlaceholderUnknown, "a name in the text is not known, or may not be spoken", false},
	{"treatment", catalog.NoTreatmentForSlot, "no text for this slot", false},
	{"treatment", catalog.NoTreatmentForLanguage, "no text in this language", false},
	{"treatment", catalog.TextTooLong, "the text does not fit", true},

	{stageMoment, catalog.NoPolicy, "no policy is in charge", false},
	{stageMoment, catalog.BundleRefused, "the bundle was refused", true},
	{stageMoment, catalog.StoreRecovered, "the store was damaged and begins anew", true},
	{stageMoment, catalog.ClockUntrusted, "the clock may be wrong", true},
	{stageMoment, catalog.NoCandidates, "no action names the slot", false},
	{stageMoment, catalog.NothingAsked, "nobody asked, and nothing applies", false},
}

// others are codes that no decision bears.
var others = []code{
	{"invalid_value", stageRefuse, "a value that its declaration excludes", true},
	{"special_inferred", stageRefuse, "special facts cannot be inferred", true},
	{"about_missing", stageCheck, "a sales action does not say what it is about", true},
	{"cap_always_fires", stageCheck, "a limit lets nothing through", true},
	{"cap_never_fires", stageCheck, "a limit can never be reached", false},
	{"contradiction", stageCheck, "a condition can never be true", false},
	{"price_undisclosed", stageCheck, "a price that depends on the moment does not say so", false},
	{"question_unused", stageCheck, "nothing uses the answer to a question", false},
	{"special_without_consent", stageCheck, "a special fact is read without explicit consent", true},
	{"text_reveals_inference", stageCheck, "a text tells what was guessed", false},
	{"unreachable", stageCheck, "an action can never be shown", false},
}

// codes returns the closed list.
func codes() []code {
	var all []code
	for _, m := range meanings {
		all = append(all, code{m.reason.String(), m.stage, m.meaning, !m.later})
	}
	return append(all, others...)
}

func (a *app) printCodes(asJSON bool) error {
	if asJSON {
		return a.printJSON(codes())
	}
	out := bufio.NewWriter(a.stdout)
	fmt.Fprintf(out, "%-10s  %-31s  %s\n", "stage", "code", "meaning")
	for _, c := range codes() {
		if !c.Reached {
			c.Meaning += " (not yet given by this version)"
		}
		fmt.Fprintf(out, "%-10s  %-31s  %s\n", c.Stage, c.Code, c.Meaning)
	}
	return out.Flush()
}
