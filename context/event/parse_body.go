package event

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
)

// MaxCount is the most ranks that one ask may want.
const MaxCount = 1000

func readSignal(f *fields) Body {
	return &Signal{Name: f.name("signal"), Value: f.value("value"), Age: f.age()}
}

func readIdentify(f *fields) Body {
	i := &Identify{
		Customer: f.text("identify"),
		Strength: f.share("strength"),
		Shared:   f.truth("shared", false),
		Language: f.text("language"),
	}
	if word := f.text("by"); word != "" {
		by, ok := ParseBy(word)
		if !ok {
			f.fail("by %s is none of card, login, code, staff, passive", quote([]byte(word)))
		}
		i.By = by
	}
	owners, _ := f.object("owners")
	for k := range owners.list {
		kind := string(owners.list[k].key)
		if kind == "" {
			owners.fail("an owner without a kind: name it, as in vehicle")
		}
		i.Owners = append(i.Owners, Owner{Kind: kind, ID: owners.name(kind)})
	}
	sort.Slice(i.Owners, func(x, y int) bool { return i.Owners[x].Kind < i.Owners[y].Kind })
	f.from("owners", &owners)
	return i
}

func readFact(f *fields) Body {
	t := &Fact{
		Name:     f.name("fact"),
		Customer: f.text("customer"),
		Owner:    f.text("owner"),
		Value:    f.value("value"),
	}
	if (t.Customer == "") == (t.Owner == "") {
		f.fail("a fact belongs to a customer or to an owner: give exactly one of them")
	}
	word := f.text("provenance")
	if word == "" && t.Value.IsNull() {
		return t // what is retracted needs no provenance
	}
	p, ok := ParseProvenance(word)
	switch {
	case word == "":
		f.missing("provenance")
	case !ok:
		f.fail("provenance %s is none of declared, observed, inferred, third_party", quote([]byte(word)))
	}
	t.Provenance = p
	return t
}

func readConsent(f *fields) Body {
	return &Consent{
		Purpose:  f.name("consent"),
		Customer: f.name("customer"),
		Granted:  f.truth("granted", true),
		Text:     f.text("text"),
		Expires:  f.instantOr("expires", sense.Never),
	}
}

func readObjection(f *fields) Body {
	return &Objection{Purpose: f.name("objection"), Customer: f.name("customer"), Raised: f.truth("raised", true)}
}

func readRestrict(f *fields) Body {
	return &Restrict{Customer: f.name("restrict"), On: f.truth("on", true)}
}

func readInteraction(f *fields) Body {
	i := &Interaction{
		Kind:     f.name("interaction"),
		Customer: f.name("customer"),
		About:    f.subject("about"),
		Channel:  f.text("channel"),
		Ref:      f.text("ref"),
		Due:      f.instantOr("due", sense.Never),
	}
	if raw := f.given("value"); raw != nil {
		v, err := valueOf(raw)
		if err != nil || v.Kind() != sense.Int && v.Kind() != sense.Double {
			f.fail("value is %s, expected a number", quote(raw))
		}
		i.Value = v
	}
	return i
}

func readAsk(f *fields) Body {
	a := &Ask{
		Slot:     f.name("ask"),
		Intent:   f.text("intent"),
		About:    f.subject("about"),
		Language: f.text("language"),
	}
	if raw := f.given("count"); raw != nil {
		n, err := strconv.Atoi(string(raw))
		if err != nil || n < 1 || n > MaxCount {
			f.fail("count is %s, expected a whole number from 1 to %d", quote(raw), MaxCount)
		}
		a.Count = n
	}
	with, _ := f.object("with")
	for k := range with.list {
		name := string(with.list[k].key)
		if name == "" {
			with.fail("a signal without a name")
		}
		a.With = append(a.With, Signal{Name: name, Value: with.value(name)})
	}
	sort.Slice(a.With, func(x, y int) bool { return a.With[x].Name < a.With[y].Name })
	f.from("with", &with)
	return a
}

func readOutcome(f *fields) Body {
	o := &Outcome{Outcome: f.name("outcome"), Decision: f.name("decision"), Slot: f.text("slot")}
	if o.Outcome != "" && !slices.Contains(Outcomes, o.Outcome) {
		f.fail("outcome %s is none of %s", quote([]byte(o.Outcome)), strings.Join(Outcomes, ", "))
	}
	return o
}

func readForget(f *fields) Body { return &Forget{Customer: f.name("forget")} }

func readMerge(f *fields) Body {
	into, from := f.pair("merge")
	return &Merge{Into: into, From: from}
}

func readSplit(f *fields) Body {
	into, from := f.pair("split")
	return &Split{Into: into, From: from}
}

func readTick(f *fields) Body {
	if !f.truth("tick", true) {
		f.fail("tick is false, expected true")
	}
	return &Tick{}
}

func readBoot(f *fields) Body {
	b := &Boot{}
	o, ok := f.object("boot")
	if !ok {
		f.missing("boot")
		return b
	}
	o.only("clock", "absent")
	b.Clock = o.clockState("clock")
	b.Absent = o.names("absent")
	slices.Sort(b.Absent)
	for k := 1; k < len(b.Absent); k++ {
		if b.Absent[k] == b.Absent[k-1] {
			o.fail("absent names %s twice", quote([]byte(b.Absent[k])))
		}
	}
	f.from("boot", &o)
	return b
}

func readClock(f *fields) Body {
	c := &Clock{}
	o, ok := f.object("clock")
	if !ok {
		f.missing("clock")
		return c
	}
	o.only("now", "state", "zone")
	now, has := o.instant("now")
	if !has {
		o.missing("now")
	}
	c.Now, c.State, c.Zone = now, o.clockState("state"), o.name("zone")
	f.from("clock", &o)
	return c
}

// leaseForEver is how a lease without end is written: the last time that there is.
const leaseForEver = lastInstant

func readLease(f *fields) Body {
	l := &Lease{Customer: f.name("lease")}
	if f.raw("until") == nil {
		f.missing("until")
	}
	l.Until = f.instantOr("until", 0)
	if l.Until == leaseForEver {
		l.Until = sense.Never
	}
	return l
}

func readPolicy(f *fields) Body {
	p := &Policy{Version: f.name("policy")}
	if name, version, ok := strings.Cut(p.Version, "@"); !ok || name == "" || version == "" {
		f.fail("policy %s is not name@version, as in dealer@12", quote([]byte(p.Version)))
	}
	return p
}

func readLink(f *fields) Body {
	word := f.name("link")
	if word != "up" && word != "down" {
		f.fail("link %s is none of up, down", quote([]byte(word)))
	}
	return &Link{Up: word == "up"}
}

// pair reads a list of two different ids.
func (f *fields) pair(key string) (a, b string) {
	names := f.names(key)
	if len(names) != 2 || names[0] == names[1] {
		f.fail(`%s is %s, expected two different ids, as in ["a","b"]`, key, quote(f.raw(key)))
		return "", ""
	}
	return names[0], names[1]
}

func (f *fields) clockState(key string) sense.ClockState {
	word := f.name(key)
	state, err := sense.ParseClockState(word)
	if err != nil {
		f.fail("%s %s is none of synced, floor, unknown", key, quote([]byte(word)))
	}
	return state
}

// age reads the age of a reading: a duration as authors write it (90s, 5m), or
// whole milliseconds, as decision lines print it.
func (f *fields) age() sense.Duration {
	raw := f.given("age")
	if raw == nil {
		return 0
	}
	var d sense.Duration
	var err error
	if raw[0] == '"' {
		d, err = sense.ParseDuration(f.text("age"))
	} else {
		var n int64
		n, err = strconv.ParseInt(string(raw), 10, 64)
		d = sense.Duration(n)
	}
	if err != nil || d < 0 || d == sense.Forever {
		f.fail(`age is %s, expected a duration ("90s", "5m") or whole milliseconds`, quote(raw))
		return 0
	}
	return d
}

// share reads a number from 0 to 1 as millionths, rounded; 1 where it is not given.
func (f *fields) share(key string) int64 {
	raw := f.given(key)
	if raw == nil {
		return 1_000_000
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || n < 0 || n > 1 {
		f.fail("%s is %s, expected a number from 0 to 1", key, quote(raw))
		return 0
	}
	return int64(sense.Round(float64(n * 1e6)))
}
