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
	Reached bool   `json:"reached"`              // by this version
	Comes   string `json:"comes_with,omitempty"` // the later part that brings it
}

// Stages that are none of a candidate's.
const (
	stageMoment = "moment" // the cause of a silence as a whole
	stageCond   = "condition"
	stageRefuse = "entry"
	stageCheck  = "check"
)

// Later parts, which bring the codes that this version does not give.
const (
	withLearning = "learning"
	withBundles  = "bundles and operators"
)

// meanings are the codes of the closed list, in its order.
var meanings = []struct {
	stage   string
	reason  catalog.Reason
	meaning string
	comes   string // the later part that brings it; empty where this version gives it
}{
	{"quiet", catalog.AtTheWheel, "the driver is driving, or may be", ""},
	{"quiet", catalog.InCall, "in a call, or may be", ""},
	{"quiet", catalog.DoNotDisturb, "do not disturb is on, or may be", ""},
	{"quiet", catalog.AlarmActive, "an alarm is going, or may be", ""},
	{"quiet", catalog.BusyScreen, "the screen is in use for something else", ""},
	{"quiet", catalog.CustomerQuietHours, "the customer's own quiet hours", ""},
	{"quiet", catalog.DeviceQuietHours, "the device's quiet hours", ""},

	{"legal", catalog.NoBasis, "it is personal and has no purpose", ""},
	{"legal", catalog.ConsentUnknown, "nothing was ever said about consent", ""},
	{"legal", catalog.ConsentDenied, "consent was refused", ""},
	{"legal", catalog.ConsentWithdrawn, "consent was given and taken back", ""},
	{"legal", catalog.ConsentExpired, "consent was given for a time that is over", ""},
	{"legal", catalog.Objected, "the customer objected to the purpose", ""},
	{"legal", catalog.Restricted, "all use of the customer's data is stopped", ""},
	{"legal", catalog.Erased, "the customer was forgotten", ""},
	{"legal", catalog.SpecialNeedsExplicitConsent, "special facts need explicit consent", ""},
	{"legal", catalog.AgeTooLow, "too young to consent alone", ""},
	{"legal", catalog.PartnerNotAgreed, "the customer did not agree to the partner", ""},

	{"active", catalog.NotInBundle, "the action is not in the bundle in charge", ""},
	{"active", catalog.NotYetValid, "the action's time has not begun", ""},
	{"active", catalog.Expired, "the action's time is over", ""},
	{"active", catalog.OutsideHours, "outside the action's hours", ""},
	{"active", catalog.PausedByOperator, "an operator paused the action", withBundles},
	{"active", catalog.LanguageMissing, "not in the customer's language", ""},

	{"eligible", catalog.GroupNotEligible, "the group's eligible is false: we may not", ""},
	{"applicable", catalog.GroupNotApplicable, "the group's applicable is false: it makes no sense now", ""},
	{"suitable", catalog.GroupNotSuitable, "the group's suitable is false: it is not good for the customer", ""},
	{"eligible", catalog.NotEligible, "eligible is false: we may not", ""},
	{"applicable", catalog.NotApplicable, "applicable is false: it makes no sense now", ""},
	{"suitable", catalog.NotSuitable, "suitable is false: it is not good for the customer", ""},
	{stageCond, catalog.InputIsUnknown, "an input has not spoken, is unavailable, or may not be read", ""},
	{stageCond, catalog.SignalStale, "a reading is older than its max_age", ""},
	{stageCond, catalog.FactStale, "a fact is older than it is trusted (fresh)", ""},
	{stageCond, catalog.FactMissing, "a fact is not known", ""},
	{stageCond, catalog.ConditionError, "the condition could not be worked out", ""},
	{stageCond, catalog.LeftPlace, "the place was left again", ""},
	{stageCond, catalog.TooLate, "what it had to come before has passed", ""},

	{"guard", catalog.AlreadyBought, "the customer has bought it, in any channel", ""},
	{"guard", catalog.AlreadyBooked, "the customer has booked it", ""},
	{"guard", catalog.GoalReached, "what it aims at is reached", ""},
	{"guard", catalog.OpenComplaint, "a complaint is open", ""},
	{"guard", catalog.ComplaintCoolOff, "a complaint was put right only just now", ""},
	{"guard", catalog.AlreadyKnown, "the answer is known", ""},
	{"guard", catalog.OneQuestionAVisit, "one question was asked in this visit", ""},
	{"guard", catalog.NotNeeded, "the answer is not needed for what was asked", ""},
	{"guard", catalog.HisGoalFirst, "the customer came for something else", ""},
	{"guard", catalog.ThreeStrikes, "too much went wrong for this customer", ""},
	{"guard", catalog.PassiveSighting, "the customer was seen, and did nothing", ""},
	{"guard", catalog.UnaskedWithoutOptIn, "the customer did not agree to be approached unasked", ""},
	{"guard", catalog.WeakIdentity, "it is not sure enough who this is", ""},
	{"guard", catalog.SharedIdentity, "several people use this identity", ""},
	{"guard", catalog.NotAlone, "somebody else can see the screen", ""},
	{"guard", catalog.BystanderUnknown, "somebody else may see the screen", ""},
	{"guard", catalog.SensitiveSubject, "the subject is sensitive", ""},
	{"guard", catalog.InferredNotTold, "it rests on what was guessed, not told", ""},
	{"guard", catalog.ThirdPartyNotTold, "it rests on what somebody else told", ""},
	{"guard", catalog.BehaviourElsewhere, "it rests on what was seen elsewhere", ""},
	{"guard", catalog.OutsidePreference, "outside what the customer wants", ""},
	{"guard", catalog.StaleProfile, "the profile is older than the policy allows", ""},
	{"guard", catalog.LeaseEnded, "the lease of the profile is over", ""},
	{"guard", catalog.SleepingCustomer, "no customer any more, for long", ""},
	{"guard", catalog.QualityTooLow, "the facts are not good enough", ""},
	{"guard", catalog.ControlGroup, "held out, to measure what it is worth", ""},
	{"guard", catalog.WaitingForResponse, "the one before was not answered yet", ""},
	{"guard", catalog.ConversationOpenElsewhere, "a conversation goes on elsewhere", ""},
	{"guard", catalog.SignificantNeedsPerson, "only a person may decide this", ""},

	{"contact", catalog.CapReached, "a limit is reached", ""},
	{"contact", catalog.CapUnknown, "a limit cannot be counted: clock or lease in doubt", ""},
	{"contact", catalog.CoolingOff, "a pause after an answer", ""},
	{"contact", catalog.AskedLater, "the customer said later", ""},
	{"contact", catalog.AskedNever, "the customer said never", ""},
	{"contact", catalog.VolumeSpent, "the volume over all customers is spent", ""},
	{"contact", catalog.MinimumWait, "shown already, or too soon after another", ""},
	{"contact", catalog.BudgetNotLeased, "this device holds no unit of a cap that the hub leases", ""},

	{"value", catalog.NotWorthBother, "worth no more than it bothers", ""},
	{"value", catalog.BelowMinimum, "worth less than the slot's minimum", ""},
	{"value", catalog.ExplorationLimit, "the limit of exploration", withLearning},
	{"value", catalog.Immature, "too new to be sure", withLearning},

	{"ranked", catalog.LostByValue, "another is worth more", ""},
	{"ranked", catalog.LostToMandatory, "a mandatory one goes first", ""},
	{"ranked", catalog.LostTieBreak, "worth the same; shown more often, or later by name", ""},
	{"ranked", catalog.ListFull, "the list is full", ""},
	{"ranked", catalog.NotDrawn, "exploration drew another", withLearning},

	{"treatment", catalog.PlaceholderUnknown, "a name in the text is not known, or may not be spoken", ""},
	{"treatment", catalog.NoTreatmentForSlot, "no text for this slot", ""},
	{"treatment", catalog.NoTreatmentForLanguage, "no text in this language", ""},
	{"treatment", catalog.TextTooLong, "the text does not fit", ""},

	{stageMoment, catalog.NoPolicy, "no policy is in charge", ""},
	{stageMoment, catalog.BundleRefused, "the bundle was refused", withBundles},
	{stageMoment, catalog.StoreRecovered, "the store was damaged and begins anew", withBundles},
	{stageMoment, catalog.ClockUntrusted, "the clock may be wrong", ""},
	{stageMoment, catalog.NoCandidates, "no action names the slot", ""},
	{stageMoment, catalog.NothingAsked, "nobody asked, and nothing applies", ""},
}

// others are codes that no decision bears.
var others = []code{
	{Code: "invalid_value", Stage: stageRefuse, Meaning: "a value that its declaration excludes"},
	{Code: "special_inferred", Stage: stageRefuse, Meaning: "special facts cannot be inferred"},
	{Code: "about_missing", Stage: stageCheck, Meaning: "a sales action does not say what it is about"},
	{Code: "cap_always_fires", Stage: stageCheck, Meaning: "a limit lets nothing through"},
	{Code: "cap_never_fires", Stage: stageCheck, Meaning: "a limit can never be reached"},
	{Code: "contradiction", Stage: stageCheck, Meaning: "a condition can never be true"},
	{Code: "price_undisclosed", Stage: stageCheck, Meaning: "a price that depends on the moment does not say so"},
	{Code: "question_unused", Stage: stageCheck, Meaning: "nothing uses the answer to a question"},
	{Code: "special_without_consent", Stage: stageCheck, Meaning: "a special fact is read without explicit consent"},
	{Code: "text_reveals_inference", Stage: stageCheck, Meaning: "a text tells what was guessed"},
	{Code: "unreachable", Stage: stageCheck, Meaning: "an action can never be shown"},
}

// codes returns the closed list.
func codes() []code {
	var all []code
	for _, m := range meanings {
		all = append(all, code{m.reason.String(), m.stage, m.meaning, m.comes == "", m.comes})
	}
	for _, c := range others {
		c.Reached = true
		all = append(all, c)
	}
	return all
}

func (a *app) printCodes(asJSON bool) error {
	if asJSON {
		return a.printJSON(codes())
	}
	out := bufio.NewWriter(a.stdout)
	fmt.Fprintf(out, "%-10s  %-31s  %s\n", "stage", "code", "meaning")
	for _, c := range codes() {
		if !c.Reached {
			c.Meaning += " (not given yet: it comes with " + c.Comes + ")"
		}
		fmt.Fprintf(out, "%-10s  %-31s  %s\n", c.Stage, c.Code, c.Meaning)
	}
	return out.Flush()
}
