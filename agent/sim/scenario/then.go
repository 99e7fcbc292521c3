package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

type kind uint8

const (
	expectShows kind = iota
	expectSilent
	expectNothing
	expectClears
	expectNoClear
	expectMay
	expectSignal
	expectSendsNo
	expectContact
	expectPolicy
	expectRead
	expectSends
	expectKnows
	expectTold
	// What follows speaks of the decision of the line above.
	expectRejected
	expectNoCandidate
	expectText
	expectUses
	expectValue
	expectNoText
	expectNoUse
	expectRank
	expectPrice
	expectNormal
	expectExplained
	expectAlsoTold
)

// expectation is what a `then` or `and` line wants.
type expectation struct {
	kind    kind
	of      *expectation // of `and`: the `then slot` above
	slot    string
	session string // empty for any
	name    string // action, signal, device, or name used
	stage   catalog.Stage
	reason  reason
	text    string
	value   sense.Value
	micro   catalog.Micro
	may     question
	yes     bool // of a line that can be turned round: not turned
	rank    int
}

type question struct {
	customer string
	about    event.Subject
	intent   catalog.Intent
	channel  string
}

// reason is a reason code with what its grounds must be like.
type reason struct {
	code   catalog.Reason
	word   string // the code as written, for causes that are none of the list: session, expired, replaced
	ground string // name of the first because; empty for any
	text   string // in the grounds; empty for any
}

// clearWords are causes of a clear that are no reason codes.
var clearWords = map[string]bool{"session": true, "expired": true, "replaced": true}

// then reads what must be so.
func (p *parser) then(word, rest string, s step) {
	s.verb = verbThen
	w := reader{short: short{words: words(rest)}}
	var e *expectation
	if word == "then" {
		e = w.then()
	} else {
		e = w.and()
		e.of = p.last
		if p.last == nil {
			w.fail("`and` speaks of a decision: `then slot S ...` comes before it")
		}
	}
	if w.err == nil && len(w.words) > 0 {
		w.fail("%q is left over", strings.Join(w.words, " "))
	}
	if w.err != nil {
		p.fail("as in: then slot kiosk.home shows first-service; then slot S is silent because CODE; and A was rejected at guard because CODE; tact test --help lists all", "%s: %s", word, w.err)
		return
	}
	if (e.kind == expectSendsNo || e.kind == expectSends || e.kind == expectKnows && !every[e.name]) && !p.known(e.name) {
		return
	}
	if word == "and" && (e.kind == expectAlsoTold) != (e.of.kind == expectTold) {
		p.fail("then a person is told complaint; and told last_decisions; and not told birth_date", "`and` speaks of something else than the `then` above")
		return
	}
	if word == "then" {
		p.last = nil
		if e.kind == expectShows || e.kind == expectSilent || e.kind == expectTold {
			p.last = e
		}
	}
	s.expect = e
	p.add(s)
}

type reader struct{ short }

func (r *reader) then() *expectation {
	e := &expectation{}
	switch first := r.next("what must be so"); first {
	case "slot":
		e.slot = r.next("the slot")
		e.session = r.inSession()
		switch {
		case r.is("shows"):
			e.kind, e.name = expectShows, r.next("the action")
		case len(r.words) > 1 && r.words[0] == "is" && r.words[1] == "silent":
			r.words = r.words[2:]
			e.kind = expectSilent
			e.reason = r.because()
		default:
			r.fail("after the slot comes `shows ACTION` or `is silent because CAUSE`")
		}
	case "nothing":
		r.is("is")
		switch {
		case r.is("shown"):
			e.kind = expectNothing
		case r.is("cleared"):
			e.kind = expectNoClear
		default:
			r.fail("after nothing comes `is shown in SLOT` or `is cleared in SLOT`")
		}
		if !r.is("in") {
			r.fail("say where: in SLOT")
		}
		e.slot = r.next("the slot")
		e.session = r.inSession()
	case "clears":
		e.kind, e.slot = expectClears, r.next("the slot")
		e.session = r.inSession()
		e.reason = r.because()
	case "may":
		r.mayBe(e)
	case "contact":
		r.contact(e)
	case "signal":
		r.signalIs(e)
	case "the":
		switch {
		case r.is("policy"):
			r.policy(e)
		case r.is("hub"):
			r.device("the hub", e)
		case r.is("device"):
			r.device("the device", e)
		default:
			r.fail("after the comes policy DIR, hub or device")
		}
	case "a":
		r.told(e)
	default:
		r.device(first, e)
	}
	return e
}

// signalIs reads `signal N is V`, `is read` and `is not read`.
func (r *reader) signalIs(e *expectation) {
	e.kind, e.name = expectSignal, r.next("the signal")
	e.session = r.inSession()
	if !r.is("is") {
		r.fail("say what it is: signal %s is VALUE, is read, or is not read", e.name)
	}
	switch {
	case len(r.words) == 1 && r.is("read"):
		e.kind, e.yes = expectRead, true
	case len(r.words) == 2 && r.words[0] == "not" && r.words[1] == "read":
		r.words, e.kind = nil, expectRead
	case r.is("unknown"):
		e.value = sense.NullValue()
	default:
		e.value = r.value("the value")
	}
}

// every is who a line speaks of that names no device.
var every = map[string]bool{"the hub": true, "the device": true}

// device reads `D sends "..."`, `D sends no "..."`, `D knows NAME of C` and `D knows no NAME of C`.
func (r *reader) device(name string, e *expectation) {
	e.name = name
	switch {
	case !every[name] && r.is("sends"):
		e.kind = expectSends
		if r.is("no") {
			e.kind = expectSendsNo
		}
		e.text = r.quoted()
	case r.is("knows"):
		e.kind, e.yes = expectKnows, !r.is("no")
		e.text = r.next("what it knows")
		if !r.is("of") {
			r.fail("say of whom: %s knows %s of anna", name, e.text)
		}
		e.may.customer = r.next("the customer")
	default:
		r.fail("%q is not understood: slot, nothing, clears, may, contact, signal, the policy, a person is told NAME, D sends \"...\", D knows NAME of CUSTOMER", name)
	}
}

func (r *reader) mayBe(e *expectation) {
	e.kind = expectMay
	e.may.customer = r.next("the customer")
	e.may.about = event.Subject(r.next("what it is about"))
	word := r.next("the intent")
	intent, ok := catalog.ParseIntent(word)
	if !ok {
		r.fail("intent %q is none of sales, service, information, question, safety, recovery, handoff, entertainment", word)
	}
	e.may.intent, e.may.channel = intent, r.next("the channel")
	r.is("is")
	switch {
	case r.is("yes"):
		e.yes = true
	case r.is("no"):
		e.reason = r.because()
	default:
		r.fail("say the answer: is yes, or is no because REASON")
	}
}

// contact reads `contact REF of CUSTOMER was answered by KIND [on CHANNEL]`, or `was not answered`.
func (r *reader) contact(e *expectation) {
	e.kind, e.name = expectContact, r.next("the reference")
	if !r.is("of") {
		r.fail("say of whom: contact %s of anna", e.name)
	}
	e.may.customer = r.next("the customer")
	r.is("was")
	switch {
	case r.is("not"):
		if !r.is("answered") {
			r.fail("was not answered")
		}
	case r.is("answered") && r.is("by"):
		e.text = r.next("the kind of interaction")
		if r.is("on") {
			e.text += " (" + r.next("the channel") + ")"
		}
	default:
		r.fail("say what became of it: was answered by KIND on CHANNEL, or was not answered")
	}
}

func (r *reader) inSession() string {
	if len(r.words) > 2 && r.words[0] == "in" && r.words[1] == "session" {
		name := r.words[2]
		r.words = r.words[3:]
		return name
	}
	return ""
}

func (r *reader) and() *expectation {
	e := &expectation{}
	first := r.next("what must be so")
	switch {
	case first == "text" && r.is("contains"):
		e.kind, e.text = expectText, r.quoted()
	case first == "text" && strings.HasPrefix(strings.Join(r.words, " "), "does not contain "):
		r.words = r.words[3:]
		e.kind, e.text = expectNoText, r.quoted()
	case first == "does" && len(r.words) == 3 && r.words[0] == "not" && r.words[1] == "use":
		r.words = r.words[2:]
		e.kind, e.name = expectNoUse, r.next("the name")
	case first == "rank" && len(r.words) == 3 && r.words[1] == "is":
		n, err := strconv.Atoi(r.words[0])
		if err != nil || n < 2 {
			r.fail("rank %q is no whole number from 2 on: rank 1 is what the slot shows", r.words[0])
		}
		e.kind, e.rank, e.name = expectRank, n, r.words[2]
		r.words = nil
	case first == "told" && len(r.words) == 1, first == "not" && len(r.words) == 2 && r.words[0] == "told":
		e.kind, e.yes, e.name = expectAlsoTold, first == "told", r.words[len(r.words)-1]
		r.words = nil
	case first == "uses" && len(r.words) == 1:
		e.kind, e.name = expectUses, r.next("the name")
	case first == "value" && r.is("is"):
		e.kind, e.micro = expectValue, r.amount()
	case first == "price" && r.is("is"):
		e.kind, e.micro = expectPrice, r.amount()
	case first == "normal" && r.is("price") && r.is("is"):
		e.kind, e.micro = expectNormal, r.amount()
	case first == "the" && r.is("customer") && r.is("is") && r.is("told"):
		e.kind, e.text = expectExplained, r.quoted()
	case len(r.words) >= 2 && r.words[0] == "was" && r.words[1] == "rejected":
		r.words = r.words[2:]
		e.kind, e.name = expectRejected, first
		if !r.is("at") {
			r.fail("say at which stage: %s was rejected at STAGE because REASON", first)
		}
		word := r.next("the stage")
		for s := catalog.StageQuiet; s <= catalog.StageTreatment; s++ {
			if s.String() == word {
				e.stage = s
			}
		}
		if e.stage == 0 {
			r.fail("stage %q is none of quiet, legal, active, eligible, applicable, suitable, guard, contact, value, ranked, treatment", word)
		}
		e.reason = r.because()
	case strings.Join(r.words, " ") == "was not a candidate":
		r.words = nil
		e.kind, e.name = expectNoCandidate, first
	default:
		r.fail("%q is not understood: ACTION was rejected at STAGE because REASON, text contains \"...\", text does not contain \"...\", uses NAME, does not use NAME, value is N, price is N, normal price is N, the customer is told \"...\", rank N is ACTION, told NAME, not told NAME", first)
	}
	return e
}

// because reads `because REASON(ground) "text"`.
func (r *reader) because() reason {
	if !r.is("because") {
		r.fail("say why: because REASON")
	}
	word := r.next("the reason")
	x := reason{word: word}
	if code, ground, ok := strings.Cut(word, "("); ok {
		name, closed := strings.CutSuffix(ground, ")")
		if !closed || name == "" {
			r.fail("%q is not as in signal_stale(temperature)", word)
		}
		x.word, x.ground = code, name
	}
	code, ok := catalog.ParseReason(x.word)
	if !ok && !clearWords[x.word] {
		r.fail("reason %q is not in the list: see tact explain --codes", x.word)
	}
	x.code = code
	if len(r.words) > 0 && strings.HasPrefix(r.words[0], `"`) {
		x.text = r.quoted()
	}
	return x
}

func (r *reader) amount() catalog.Micro {
	n, err := sense.ParseMicro(r.next("the amount"))
	if err != nil {
		r.fail("%w", err)
	}
	return n
}

func (r *reader) quoted() string {
	word := r.next("the text in quotes")
	text, err := strconv.Unquote(word)
	if err != nil {
		r.fail("%s is no text in double quotes", word)
	}
	return text
}

func (x reason) String() string {
	s := x.word
	if x.ground != "" {
		s += "(" + x.ground + ")"
	}
	if x.text != "" {
		s += fmt.Sprintf(" %q", x.text)
	}
	return s
}
