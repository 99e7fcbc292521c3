package event

import (
	"math"
	"strconv"

	"github.com/tact-edge/tact/context/sense"
)

// AppendLine appends the canonical line of e, without a line end: the body's
// keys in the order of the contract, then the common ones, nothing that says
// what is so anyway. ParseLine reads it back as the same event, with two limits
// that JSON sets: dates, times, durations and money come back as the text or
// number they are written as (sense.Value.As makes them what they were), and a
// double that is no number comes back as null. A line is seldom longer than the
// one that it was read from, but may be (1e9 prints as 1000000000.0).
func AppendLine(b []byte, e Event) []byte {
	w := writer{b: append(b, '{')}
	if e.HasAt {
		w.instant("at", e.At)
	}
	if e.Happened != e.At {
		w.instant("happened", e.Happened)
	}
	w.optional("id", e.ID)
	w.optional("source", e.Source)
	if e.Session != MainSession {
		w.optional("session", e.Session)
	}
	w.body(e.Body)
	return append(w.b, '}')
}

// writer appends the keys of one object.
type writer struct{ b []byte }

func (w *writer) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = sense.AppendText(w.b, name)
	w.b = append(w.b, ':')
}

func (w *writer) text(key, s string) {
	w.key(key)
	w.b = sense.AppendText(w.b, s)
}

func (w *writer) optional(key, s string) {
	if s != "" {
		w.text(key, s)
	}
}

func (w *writer) truth(key string, t bool) {
	w.key(key)
	w.b = strconv.AppendBool(w.b, t)
}

func (w *writer) instant(key string, i sense.Instant) { w.text(key, i.String()) }

func (w *writer) null(key string) {
	w.key(key)
	w.b = append(w.b, "null"...)
}

func (w *writer) value(key string, v sense.Value) {
	w.key(key)
	w.b = appendValue(w.b, v)
}

// appendValue is sense.Value.AppendJSON with a point or an exponent in every
// double, so that 21.0 does not come back as the int 21, nor 1e300 as 300 digits.
func appendValue(b []byte, v sense.Value) []byte {
	switch v.Kind() {
	case sense.Double:
		x := v.Double()
		if size := math.Abs(x); size >= 1e21 && !math.IsInf(x, 0) || size > 0 && size < 1e-6 {
			return strconv.AppendFloat(b, x, 'e', -1, 64)
		}
		b = v.AppendJSON(b)
		if x == math.Trunc(x) && !math.IsInf(x, 0) {
			b = append(b, ".0"...)
		}
		return b
	case sense.List:
		b = append(b, '[')
		for k, x := range v.List() {
			if k > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, x)
		}
		return append(b, ']')
	}
	return v.AppendJSON(b)
}

func (w *writer) names(key string, names ...string) {
	w.key(key)
	w.b = append(w.b, '[')
	for k, name := range names {
		if k > 0 {
			w.b = append(w.b, ',')
		}
		w.b = sense.AppendText(w.b, name)
	}
	w.b = append(w.b, ']')
}

func (w *writer) body(body Body) {
	switch x := body.(type) {
	case *Signal:
		w.text("signal", x.Name)
		w.value("value", x.Value)
		if x.Age != 0 {
			w.text("age", x.Age.String())
		}
	case *Identify:
		w.identify(x)
	case *Fact:
		w.text("fact", x.Name)
		w.optional("customer", x.Customer)
		w.optional("owner", x.Owner)
		w.value("value", x.Value)
		w.optional("provenance", x.Provenance.String())
	case *Consent:
		w.text("consent", x.Purpose)
		w.text("customer", x.Customer)
		w.truth("granted", x.Granted)
		w.optional("text", x.Text)
		if x.Expires != sense.Never {
			w.instant("expires", x.Expires)
		}
	case *Objection:
		w.text("objection", x.Purpose)
		w.text("customer", x.Customer)
		w.truth("raised", x.Raised)
	case *Restrict:
		w.text("restrict", x.Customer)
		w.truth("on", x.On)
	case *Interaction:
		w.interaction(x)
	case *Ask:
		w.ask(x)
	case *Outcome:
		w.text("outcome", x.Outcome)
		w.text("decision", x.Decision)
		w.optional("slot", x.Slot)
	case *Forget:
		w.text("forget", x.Customer)
	case *Merge:
		w.names("merge", x.Into, x.From)
	case *Split:
		w.names("split", x.Into, x.From)
	case *Tick:
		w.truth("tick", true)
	default:
		w.deviceBody(body)
	}
}

// deviceBody writes what only a device's own recording says.
func (w *writer) deviceBody(body Body) {
	switch x := body.(type) {
	case *Boot:
		w.key("boot")
		o := writer{b: append(w.b, '{')}
		o.text("clock", x.Clock.String())
		if len(x.Absent) > 0 {
			o.names("absent", x.Absent...)
		}
		w.b = append(o.b, '}')
	case *Clock:
		w.key("clock")
		o := writer{b: append(w.b, '{')}
		o.instant("now", x.Now)
		o.text("state", x.State.String())
		o.text("zone", x.Zone)
		w.b = append(o.b, '}')
	case *Lease:
		w.text("lease", x.Customer)
		switch x.Until {
		case 0:
			w.null("until")
		case sense.Never:
			w.instant("until", leaseForEver)
		default:
			w.instant("until", x.Until)
		}
	case *Policy:
		w.text("policy", x.Version)
	case *Link:
		if x.Up {
			w.text("link", "up")
		} else {
			w.text("link", "down")
		}
	}
}

func (w *writer) identify(x *Identify) {
	if x.Customer == "" {
		w.null("identify")
	} else {
		w.text("identify", x.Customer)
	}
	w.optional("by", x.By.String())
	if x.Strength != 1_000_000 {
		w.key("strength")
		w.b = sense.AppendMicro(w.b, x.Strength, 6)
	}
	if x.Shared {
		w.truth("shared", true)
	}
	w.optional("language", x.Language)
	if len(x.Owners) > 0 {
		w.key("owners")
		o := writer{b: append(w.b, '{')}
		for _, owner := range x.Owners {
			o.text(owner.Kind, owner.ID)
		}
		w.b = append(o.b, '}')
	}
}

func (w *writer) interaction(x *Interaction) {
	w.text("interaction", x.Kind)
	w.text("customer", x.Customer)
	w.optional("about", string(x.About))
	w.optional("channel", x.Channel)
	w.optional("ref", x.Ref)
	if !x.Value.IsNull() {
		w.value("value", x.Value)
	}
	if x.Due != sense.Never {
		w.instant("due", x.Due)
	}
}

func (w *writer) ask(x *Ask) {
	w.text("ask", x.Slot)
	w.optional("intent", x.Intent)
	w.optional("about", string(x.About))
	if len(x.With) > 0 {
		w.key("with")
		o := writer{b: append(w.b, '{')}
		for _, signal := range x.With {
			o.value(signal.Name, signal.Value)
		}
		w.b = append(o.b, '}')
	}
	if x.Count != 0 {
		w.key("count")
		w.b = strconv.AppendInt(w.b, int64(x.Count), 10)
	}
	w.optional("language", x.Language)
}
