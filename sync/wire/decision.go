package wire

//msgp:limit arrays:64 maps:0
//msgp:vartuple Decision
//msgp:tuple Input Loser Count
//msgp:ignore Tail

// Stage is where an action lost, in the order of deciding.
type Stage uint8

const (
	StageNone Stage = iota
	StageQuiet
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

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "stage"
}

// ParseStage reads the name of a stage.
func ParseStage(name string) (Stage, bool) {
	for k, n := range stageNames {
		if k > 0 && n == name {
			return Stage(k), true
		}
	}
	return StageNone, false
}

// AgeClass says roughly how old an input was; the exact age stays on the device.
type AgeClass uint8

const (
	AgeNone   AgeClass = iota // no reading
	AgeSecond                 // at most 1 s
	AgeMinute                 // at most 1 min
	AgeHour                   // at most 1 h
	AgeDay                    // at most 1 d
	AgeMonth                  // at most 30 d
	AgeOlder                  // older
)

// AgeClassOf returns the class of an age in milliseconds; a negative one is no reading.
func AgeClassOf(ms int64) AgeClass {
	limits := [...]int64{1000, 60_000, 3_600_000, 86_400_000, 30 * 86_400_000}
	if ms < 0 {
		return AgeNone
	}
	for k, l := range limits {
		if ms <= l {
			return AgeSecond + AgeClass(k)
		}
	}
	return AgeOlder
}

// Treatment kinds of a decision.
const (
	TreatmentNone        uint8 = iota // silence
	TreatmentSay                      // say
	TreatmentSayPersonal              // say_personal
)

// NoPropensity is the propensity of silence and of a fallback.
const NoPropensity = -1

// Decision is one decision, without any fact value or rendered text.
type Decision struct {
	N           uint64  // number within the epoch, from 1; the id is <device>-<epoch>-<n>
	At          int64   // ms
	Session     Sym     //
	Slot        Sym     //
	Action      Sym     // none for silence
	Treatment   uint8   // TreatmentNone, TreatmentSay, TreatmentSayPersonal
	Value       int64   // expected value in micro-units; 0 for silence and a fallback
	Propensity  int32   // millionths, or NoPropensity
	Probability uint32  // millionths: the chance with which this was chosen
	Cause       Sym     // of silence, or fallback; else none
	Asked       bool    //
	Handle      Handle  // whom it was for; none for nobody
	Inputs      []Input // what the winner used, sorted by name
	Losers      []Loser `msg:",limit=10"` // the ten best, best first
	Rest        []Count // the others, by stage and reason
	Moment      [8]byte // hash of the moment
	Listed      []Sym   // ranks 2..N of an ask with a count
	Price       []int64 `msg:",limit=2"` // the price and the normal one, in micro-units; empty where it depends on nothing
	Tail        Tail    `msg:"-"`
	schema1     bool    // it was read in the form of schema 1
}

// Input is one name that the winner used.
type Input struct {
	Name Sym
	Age  AgeClass
}

// Loser is one candidate that was not chosen.
type Loser struct {
	Action Sym
	Stage  Stage
	Reason Sym
}

// Count is how many further candidates lost at a stage for a reason.
type Count struct {
	Stage  Stage
	Reason Sym
	N      uint32
}
