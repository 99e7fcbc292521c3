package store

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// The first byte of what is stored. A form that changes gets the next number,
// and the reader of the old one stays.
//
// Version 2 added to a customer what other sources said
// of a fact, the price of a decision, what the hub was told of derived values, and the last decisions.
// Version 3 added to a customer how often each action was shown in contacts that are not kept any more.
// Version 4 added to a customer the leased budgets, and the number of each contact's record.
const customerVersion = 5

// begin reads the version of a form, of which every one up to newest is known.
func begin(raw []byte, newest byte) (c *cursor, version byte, err error) {
	if len(raw) == 0 || raw[0] < 1 || raw[0] > newest {
		return nil, 0, fmt.Errorf("not version 1 to %d: %w", newest, ErrDamaged)
	}
	return &cursor{b: raw[1:]}, raw[0], nil
}

func end(c *cursor, what string) error {
	if c.err == nil && len(c.b) > 0 {
		c.fail(fmt.Errorf("%d bytes too many", len(c.b)))
	}
	if c.err != nil {
		return fmt.Errorf("read %s: %w", what, c.err)
	}
	return nil
}

func appendCustomer(b []byte, s *engine.CustomerState) []byte {
	version := byte(customerVersion)
	if len(s.Budgets.Each) == 0 {
		version = 4 // which the build before reads as well
	}
	b = append(b, version)
	b = msgp.AppendBytes(b, s.Handle[:])
	b = msgp.AppendString(msgp.AppendString(b, s.Customer), s.Person)
	b = appendList(b, s.Aliases, appendText)
	b = msgp.AppendUint64(b, s.Revision)
	b = msgp.AppendUint64(b, s.Changed)
	b = appendInstant(b, s.Until)
	b = msgp.AppendBool(b, s.Here)
	b = appendSlice(b, &s.Slice)
	b = appendList(b, s.Pending, appendRecord)
	b = appendList(b, s.Told, func(b []byte, t *engine.Told) []byte {
		return appendInstant(appendValue(msgp.AppendString(b, t.Name), t.Value), t.At)
	})
	b = appendList(b, s.Decided, func(b []byte, d *engine.Decided) []byte {
		b = appendInstant(b, d.At)
		for _, s := range []string{d.Decision, d.Slot, d.Action, d.Cause} {
			b = msgp.AppendString(b, s)
		}
		return msgp.AppendInt64(b, d.Value)
	})
	b = appendList(b, s.Slice.Folded, func(b []byte, f *profile.Folded) []byte {
		return msgp.AppendInt64(msgp.AppendString(b, f.Action), f.Times)
	})
	b = appendList(b, s.Slice.Exposures, func(b []byte, x *profile.Exposure) []byte { return msgp.AppendUint64(b, x.Seq) })
	b = appendList(b, s.Budgets.List, func(b []byte, x *profile.Budget) []byte {
		return msgp.AppendInt64(msgp.AppendString(msgp.AppendString(b, x.Limit), x.About), x.Units)
	})
	b = appendInstant(msgp.AppendUint64(b, s.Budgets.Above), s.Budgets.Until)
	if version < 5 {
		return b
	}
	b = appendList(b, s.Budgets.Each, func(b []byte, x *profile.Each) []byte {
		return appendList(msgp.AppendInt64(msgp.AppendString(b, x.Limit), x.Units), x.But, appendText)
	})
	return msgp.AppendBytes(b, s.Budgets.Of[:])
}

func readCustomer(raw []byte) (engine.CustomerState, error) {
	var s engine.CustomerState
	c, version, err := begin(raw, customerVersion)
	if err != nil {
		return s, fmt.Errorf("read customer: %w", err)
	}
	c.first = version < 2
	c.exact(s.Handle[:])
	s.Customer, s.Person = c.text(), c.text()
	s.Aliases = list(c, (*cursor).text)
	s.Revision = c.uint()
	s.Changed = c.uint()
	s.Until = c.instant()
	s.Here = c.truth()
	s.Slice = readSlice(c)
	s.Pending = list(c, readRecord)
	if version >= 2 {
		s.Told = list(c, func(c *cursor) engine.Told {
			return engine.Told{Name: c.text(), Value: c.value(), At: c.instant()}
		})
		s.Decided = list(c, func(c *cursor) engine.Decided {
			return engine.Decided{At: c.instant(), Decision: c.text(), Slot: c.text(), Action: c.text(), Cause: c.text(), Value: c.int()}
		})
	}
	if version >= 3 {
		s.Slice.Folded = list(c, func(c *cursor) profile.Folded {
			return profile.Folded{Action: c.text(), Times: c.int()}
		})
	}
	if version >= 4 {
		numbers := list(c, (*cursor).uint)
		for k := range min(len(numbers), len(s.Slice.Exposures)) {
			s.Slice.Exposures[k].Seq = numbers[k]
		}
		s.Budgets.List = list(c, func(c *cursor) profile.Budget {
			return profile.Budget{Limit: c.text(), About: c.text(), Units: c.int()}
		})
		s.Budgets.Above, s.Budgets.Until = c.uint(), c.instant()
	}
	if version >= 5 {
		s.Budgets.Each = list(c, func(c *cursor) profile.Each {
			return profile.Each{Limit: c.text(), Units: c.int(), But: list(c, (*cursor).text)}
		})
		c.exact(s.Budgets.Of[:])
	}
	return s, end(c, "customer")
}

func appendSlice(b []byte, s *profile.Slice) []byte {
	b = msgp.AppendString(b, s.Customer)
	b = appendList(b, s.Facts, appendFact)
	b = appendList(b, s.Consents, func(b []byte, f *profile.Consent) []byte {
		b = msgp.AppendBool(msgp.AppendBool(msgp.AppendString(b, f.Purpose), f.Granted), f.Ever)
		return appendInstant(appendInstant(msgp.AppendString(b, f.Text), f.Expires), f.Happened)
	})
	b = appendList(b, s.Objections, func(b []byte, o *profile.Objection) []byte {
		return appendInstant(msgp.AppendBool(msgp.AppendString(b, o.Purpose), o.Raised), o.Happened)
	})
	b = appendInstant(msgp.AppendBool(b, s.Restricted), s.RestrictedAt)
	b = appendList(b, s.Interactions, func(b []byte, i *profile.Interaction) []byte {
		b = msgp.AppendString(msgp.AppendString(b, i.Kind), string(i.About))
		b = msgp.AppendString(msgp.AppendString(b, i.Channel), i.Ref)
		b = appendInstant(appendInstant(appendValue(b, i.Value), i.Due), i.Happened)
		return msgp.AppendString(msgp.AppendString(b, i.Source), i.ID)
	})
	return appendList(b, s.Exposures, appendExposure)
}

func readSlice(c *cursor) profile.Slice {
	return profile.Slice{
		Customer: c.text(),
		Facts:    list(c, readFact),
		Consents: list(c, func(c *cursor) profile.Consent {
			return profile.Consent{Purpose: c.text(), Granted: c.truth(), Ever: c.truth(), Text: c.text(), Expires: c.instant(), Happened: c.instant()}
		}),
		Objections: list(c, func(c *cursor) profile.Objection {
			return profile.Objection{Purpose: c.text(), Raised: c.truth(), Happened: c.instant()}
		}),
		Restricted: c.truth(), RestrictedAt: c.instant(),
		Interactions: list(c, func(c *cursor) profile.Interaction {
			return profile.Interaction{Kind: c.text(), About: event.Subject(c.text()), Channel: c.text(), Ref: c.text(),
				Value: c.value(), Due: c.instant(), Happened: c.instant(), Source: c.text(), ID: c.text()}
		}),
		Exposures: list(c, readExposure),
	}
}

func appendFact(b []byte, f *profile.Fact) []byte {
	b = msgp.AppendString(msgp.AppendString(b, f.Name), f.Owner)
	b = msgp.AppendUint8(appendValue(b, f.Value), uint8(f.Provenance))
	b = appendInstant(msgp.AppendString(b, f.Source), f.Happened)
	return appendList(b, f.Claims, func(b []byte, x *profile.Claim) []byte {
		b = msgp.AppendUint8(appendValue(b, x.Value), uint8(x.Provenance))
		return appendInstant(msgp.AppendString(b, x.Source), x.Happened)
	})
}

func readFact(c *cursor) profile.Fact {
	f := profile.Fact{Name: c.text(), Owner: c.text(), Value: c.value(), Provenance: event.Provenance(c.uint()), Source: c.text(), Happened: c.instant()}
	if !c.first {
		f.Claims = list(c, func(c *cursor) profile.Claim {
			return profile.Claim{Value: c.value(), Provenance: event.Provenance(c.uint()), Source: c.text(), Happened: c.instant()}
		})
	}
	return f
}

func appendExposure(b []byte, e *profile.Exposure) []byte {
	for _, s := range []string{e.Decision, e.Action, e.Intent, e.Group, string(e.About), e.Channel, e.Slot} {
		b = msgp.AppendString(b, s)
	}
	b = msgp.AppendBool(appendInstant(appendInstant(b, e.At), e.Shown), e.Failed)
	return appendList(b, e.Outcomes, func(b []byte, o *profile.Outcome) []byte {
		return appendInstant(msgp.AppendString(b, o.Outcome), o.At)
	})
}

func readExposure(c *cursor) profile.Exposure {
	return profile.Exposure{
		Decision: c.text(), Action: c.text(), Intent: c.text(), Group: c.text(), About: event.Subject(c.text()), Channel: c.text(), Slot: c.text(),
		At: c.instant(), Shown: c.instant(), Failed: c.truth(),
		Outcomes: list(c, func(c *cursor) profile.Outcome {
			return profile.Outcome{Outcome: c.text(), At: c.instant()}
		}),
	}
}
