package store

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// What a record of a snapshot holds.
const (
	ofDecision uint64 = iota + 1
	ofIdentified
	ofOutcome
	ofFact
	ofConsent
	ofObjection
	ofRestrict
	ofInteraction
	ofForget
	ofNothing // an event that no fold reads
)

// appendRecord keeps what folding a record again needs: of a decision neither
// its texts nor why others lost, which the log of record has.
func appendRecord(b []byte, r *engine.Record) []byte {
	b = msgp.AppendUint64(b, r.Seq)
	b = appendInstant(b, r.At)
	b = msgp.AppendBytes(b, r.Handle[:])
	switch {
	case r.Decision != nil:
		b = appendDecision(msgp.AppendUint64(b, ofDecision), r.Decision)
		b = msgp.AppendBool(b, r.Exposure != nil)
		if r.Exposure != nil {
			b = appendExposure(b, r.Exposure)
		}
		return b
	case r.Identified != nil:
		b = msgp.AppendBytes(msgp.AppendUint64(b, ofIdentified), r.Identified.Handle[:])
		return msgp.AppendUint8(msgp.AppendString(b, r.Identified.Customer), uint8(r.Identified.By))
	case r.Event != nil:
		b = appendEvent(b, r.Event)
		if _, forget := r.Event.Body.(*event.Forget); forget {
			b = appendList(b, r.Erased, appendTombstone)
		}
		return b
	}
	return msgp.AppendUint64(b, ofNothing)
}

func readRecord(c *cursor) engine.Record {
	var r engine.Record
	r.Seq = c.uint()
	r.At = c.instant()
	c.exact(r.Handle[:])
	switch of := c.uint(); of {
	case ofDecision:
		r.Decision = readDecision(c)
		if c.truth() {
			x := readExposure(c)
			r.Exposure = &x
		}
	case ofIdentified:
		r.Identified = &engine.Identified{}
		c.exact(r.Identified.Handle[:])
		r.Identified.Customer = c.text()
		r.Identified.By = event.By(c.uint())
	case ofNothing:
	default:
		r.Event = readEvent(c, of)
		if of == ofForget {
			r.Erased = list(c, readTombstone)
		}
	}
	return r
}

func appendDecision(b []byte, d *engine.Decision) []byte {
	b = appendInstant(b, d.At)
	b = msgp.AppendUint64(b, d.N)
	for _, s := range []string{d.ID, d.Session, d.Slot, d.Customer, d.Action, d.Treatment, d.Language, d.Cause, d.Policy} {
		b = msgp.AppendString(b, s)
	}
	b = msgp.AppendBool(b, d.Asked)
	for _, n := range []int64{d.Value, d.Propensity, d.Probability} {
		b = msgp.AppendInt64(b, n)
	}
	b = msgp.AppendBytes(appendList(b, d.Uses, appendText), d.Moment[:])
	b = appendList(b, d.Ages, func(b []byte, age *sense.Duration) []byte { return msgp.AppendInt64(b, int64(*age)) })
	return msgp.AppendInt64(msgp.AppendInt64(msgp.AppendBool(b, d.Priced), d.Price), d.Normal)
}

func readDecision(c *cursor) *engine.Decision {
	d := &engine.Decision{At: c.instant(), N: c.uint()}
	for _, s := range []*string{&d.ID, &d.Session, &d.Slot, &d.Customer, &d.Action, &d.Treatment, &d.Language, &d.Cause, &d.Policy} {
		*s = c.text()
	}
	d.Asked = c.truth()
	for _, n := range []*int64{&d.Value, &d.Propensity, &d.Probability} {
		*n = c.int()
	}
	d.Uses = list(c, (*cursor).text)
	c.exact(d.Moment[:])
	d.Ages = list(c, func(c *cursor) sense.Duration { return sense.Duration(c.int()) })
	if !c.first {
		d.Priced, d.Price, d.Normal = c.truth(), c.int(), c.int()
	}
	return d
}

func appendEvent(b []byte, e *event.Event) []byte {
	common := func(of uint64) []byte {
		b = appendInstant(appendInstant(msgp.AppendUint64(b, of), e.At), e.Happened)
		b = msgp.AppendBool(b, e.HasAt)
		return msgp.AppendString(msgp.AppendString(msgp.AppendString(b, e.ID), e.Source), e.Session)
	}
	switch x := e.Body.(type) {
	case *event.Outcome:
		return msgp.AppendString(msgp.AppendString(msgp.AppendString(common(ofOutcome), x.Outcome), x.Decision), x.Slot)
	case *event.Fact:
		b = msgp.AppendString(msgp.AppendString(msgp.AppendString(common(ofFact), x.Name), x.Customer), x.Owner)
		return msgp.AppendUint8(appendValue(b, x.Value), uint8(x.Provenance))
	case *event.Consent:
		b = msgp.AppendBool(msgp.AppendString(msgp.AppendString(common(ofConsent), x.Purpose), x.Customer), x.Granted)
		return appendInstant(msgp.AppendString(b, x.Text), x.Expires)
	case *event.Objection:
		return msgp.AppendBool(msgp.AppendString(msgp.AppendString(common(ofObjection), x.Purpose), x.Customer), x.Raised)
	case *event.Restrict:
		return msgp.AppendBool(msgp.AppendString(common(ofRestrict), x.Customer), x.On)
	case *event.Interaction:
		b = msgp.AppendString(msgp.AppendString(common(ofInteraction), x.Kind), x.Customer)
		b = msgp.AppendString(msgp.AppendString(msgp.AppendString(b, string(x.About)), x.Channel), x.Ref)
		return appendInstant(appendValue(b, x.Value), x.Due)
	case *event.Forget:
		return msgp.AppendString(common(ofForget), x.Customer)
	}
	return msgp.AppendUint64(b, ofNothing)
}

func readEvent(c *cursor, of uint64) *event.Event {
	e := &event.Event{At: c.instant(), Happened: c.instant(), HasAt: c.truth(), ID: c.text(), Source: c.text(), Session: c.text()}
	switch of {
	case ofOutcome:
		e.Body = &event.Outcome{Outcome: c.text(), Decision: c.text(), Slot: c.text()}
	case ofFact:
		e.Body = &event.Fact{Name: c.text(), Customer: c.text(), Owner: c.text(), Value: c.value(), Provenance: event.Provenance(c.uint())}
	case ofConsent:
		e.Body = &event.Consent{Purpose: c.text(), Customer: c.text(), Granted: c.truth(), Text: c.text(), Expires: c.instant()}
	case ofObjection:
		e.Body = &event.Objection{Purpose: c.text(), Customer: c.text(), Raised: c.truth()}
	case ofRestrict:
		e.Body = &event.Restrict{Customer: c.text(), On: c.truth()}
	case ofInteraction:
		e.Body = &event.Interaction{Kind: c.text(), Customer: c.text(), About: event.Subject(c.text()), Channel: c.text(), Ref: c.text(), Value: c.value(), Due: c.instant()}
	case ofForget:
		e.Body = &event.Forget{Customer: c.text()}
	default:
		c.fail(fmt.Errorf("record of kind %d", of))
	}
	return e
}
