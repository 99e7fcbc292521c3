package engine

import (
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// wantedWords say what would have to be so for a guard or the contact policy to let pass.
var wantedWords = map[catalog.Reason]string{
	catalog.AlreadyBought:             "not bought",
	catalog.AlreadyBooked:             "not booked",
	catalog.GoalReached:               "what it aims at not reached",
	catalog.OpenComplaint:             "no complaint",
	catalog.ComplaintCoolOff:          "no complaint put right just now",
	catalog.AlreadyKnown:              "the answer not known",
	catalog.OneQuestionAVisit:         "no other question in this visit",
	catalog.NotNeeded:                 "the answer needed for what was asked",
	catalog.HisGoalFirst:              "what the customer came for answered",
	catalog.ThreeStrikes:              "fewer bad experiences",
	catalog.PassiveSighting:           "the customer did something herself, as by card or login",
	catalog.UnaskedWithoutOptIn:       "agreed to be approached unasked, or asked",
	catalog.WeakIdentity:              "identified more surely",
	catalog.SharedIdentity:            "an identity of her own",
	catalog.NotAlone:                  "alone",
	catalog.BystanderUnknown:          "certainly alone",
	catalog.SensitiveSubject:          "her own interest in it declared, or explicit consent",
	catalog.InferredNotTold:           "told by the customer, not guessed",
	catalog.ThirdPartyNotTold:         "told by the customer, not by somebody else",
	catalog.BehaviourElsewhere:        "recognised with consent, or seen here",
	catalog.OutsidePreference:         "among what the customer prefers",
	catalog.StaleProfile:              "the profile current",
	catalog.LeaseEnded:                "the profile under lease",
	catalog.SleepingCustomer:          "in touch lately",
	catalog.QualityTooLow:             "facts of better quality",
	catalog.WaitingForResponse:        "the one before answered",
	catalog.ConversationOpenElsewhere: "no conversation elsewhere",
	catalog.CapReached:                "the limit not reached",
	catalog.CapUnknown:                "clock and lease certain",
	catalog.CoolingOff:                "no pause after an answer",
	catalog.AskedLater:                "not asked for later",
	catalog.AskedNever:                "never not said",
	catalog.VolumeSpent:               "the volume not spent",
	catalog.MinimumWait:               "not shown since its conditions were last false",
	catalog.AtTheWheel:                "certainly not driving",
	catalog.InCall:                    "certainly not in a call",
	catalog.DoNotDisturb:              "do not disturb certainly off",
	catalog.AlarmActive:               "certainly no alarm",
	catalog.BusyScreen:                "the screen certainly free",
	catalog.CustomerQuietHours:        "outside her quiet hours",
	catalog.DeviceQuietHours:          "outside the quiet hours",
	catalog.NotYetValid:               "its time begun",
	catalog.OutsideHours:              "within its hours",
}

// wantedInWords is empty for a reason that nothing lifts.
func wantedInWords(r catalog.Reason) string { return wantedWords[r] }

// neverWords say in a sentence why nothing about a moment lifts a reason.
var neverWords = map[catalog.Reason]string{
	catalog.NoBasis:                "there is no basis in law for it",
	catalog.NotInBundle:            "the policy has no such action",
	catalog.Expired:                "its time is over",
	catalog.PausedByOperator:       "an operator has paused it",
	catalog.LanguageMissing:        "it is not written in her language",
	catalog.ControlGroup:           "she is held out of it, in the control group",
	catalog.SignificantNeedsPerson: "a person decides it",
	catalog.BudgetNotLeased:        "this device holds no lease of its budget",
	catalog.NoTreatmentForSlot:     "it has no words for this slot",
	catalog.NoTreatmentForLanguage: "it is not written in her language",
	catalog.TextTooLong:            "its text is longer than the slot allows",
	catalog.ConditionError:         "its condition cannot be worked out",
	catalog.LostToMandatory:        "what must come first does not fall",
	catalog.AgeTooLow:              "no date of birth can tell her age",
}

// Why says in words why nothing makes the action win; empty where changes do, or only the code says it.
func (a *Answer) Why() string { return neverWords[a.Never] }

// Text prints a change for people: speed <= 5 instead of 50; offers granted; no complaint (complaint 2026-03-02).
func (c *Change) Text() string {
	s := c.Needed
	if c.Money != 0 || c.Value.IsNull() {
		return s
	}
	dated := c.Value.Kind() == sense.Date || c.Value.Kind() == sense.Timestamp
	switch manners := !strings.HasPrefix(s, c.Name+" ") && (c.Stage == catalog.StageGuard || c.Stage == catalog.StageContact); {
	case manners && dated:
		return s + " (" + c.Name + " " + plain(c.Value) + ")"
	case manners, c.Value.Kind() == sense.Bool:
		return s
	}
	return s + " instead of " + plain(c.Value)
}

// plain prints a value without quotes.
func plain(v sense.Value) string {
	s := v.String()
	if len(s) >= 2 && s[0] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
