package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

// Customer is what the hub holds of a customer (GDPR art. 15): what, from where, why, for
// what, for how long, and on which devices.
type Customer struct {
	Customer     string        `json:"customer"`
	IDs          []string      `json:"ids"`
	At           string        `json:"at"`       // when this was looked up
	Policy       string        `json:"policy"`   // name@version that says what things are for; empty where none is in charge
	Language     string        `json:"language"` // of the policy's words
	Restricted   bool          `json:"restricted"`
	Purposes     []Purpose     `json:"purposes"`
	Facts        []Fact        `json:"facts"`
	Consents     []Consent     `json:"consents"`
	Objections   []Objection   `json:"objections"`
	Interactions []Interaction `json:"interactions"`
	Contacts     []Contact     `json:"contacts"` // of the company's own, in its channels
	Made         []Made        `json:"made"`     // by devices
	Devices      []Lease       `json:"devices"`
}

// Purpose is what data is held for.
type Purpose struct {
	Name  string `json:"purpose"`
	For   string `json:"for,omitempty"` // in words
	Basis string `json:"basis"`         // legal basis
	May   bool   `json:"may"`           // data may be used for it now
}

// Fact is a fact with where it came from.
type Fact struct {
	Name       string          `json:"fact"`
	Value      json.RawMessage `json:"value"`
	Provenance string          `json:"provenance"`
	Source     string          `json:"source"`
	Happened   string          `json:"happened"`
	Why        string          `json:"why,omitempty"`
	Purposes   []string        `json:"purposes"`
	Special    string          `json:"special,omitempty"` // kind of special data
	Kept       *string         `json:"kept_until"`        // null without end
	Others     []Claim         `json:"others,omitempty"`  // what other sources said
}

// Claim is what another source said of a fact.
type Claim struct {
	Value      json.RawMessage `json:"value"`
	Provenance string          `json:"provenance"`
	Source     string          `json:"source"`
	Happened   string          `json:"happened"`
}

// Consent is the last word on a purpose.
type Consent struct {
	Purpose  string  `json:"consent"`
	Granted  bool    `json:"granted"`
	Text     string  `json:"text,omitempty"`
	Happened string  `json:"happened"`
	Expires  *string `json:"expires"`
}

// Objection is the last word against a purpose.
type Objection struct {
	Purpose  string `json:"objection"`
	Raised   bool   `json:"raised"`
	Happened string `json:"happened"`
}

// Interaction is what happened in some channel.
type Interaction struct {
	Kind     string          `json:"interaction"`
	About    string          `json:"about,omitempty"`
	Channel  string          `json:"channel,omitempty"`
	Ref      string          `json:"ref,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Due      *string         `json:"due,omitempty"`
	Source   string          `json:"source"`
	Happened string          `json:"happened"`
	Purposes []string        `json:"purposes"`
	Kept     *string         `json:"kept_until"`
}

// Contact is a contact of the company's own, and what answered it.
type Contact struct {
	Ref      string  `json:"ref,omitempty"`
	Channel  string  `json:"channel,omitempty"`
	About    string  `json:"about,omitempty"`
	Happened string  `json:"happened"`
	Answered *string `json:"answered"` // when; null while it is not
	By       string  `json:"by,omitempty"`
}

// Made is a contact that a device made.
type Made struct {
	Decision string    `json:"decision"`
	Device   string    `json:"device"`
	Action   string    `json:"action"`
	About    string    `json:"about,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	At       string    `json:"at"`
	Outcomes []Outcome `json:"outcomes"`
}

// Lease says which device may hold a slice, until when.
type Lease struct {
	Device   string `json:"device"`
	Until    string `json:"until"` // end of the lease
	Revision uint64 `json:"revision"`
	Online   bool   `json:"online"`
	With     []With `json:"with,omitempty"` // what the customer was with there
	State    string `json:"state"`          // held, ended, or pending: the device is away, and what changes reaches it later or ends with the lease
}

// With is a vehicle, household or site.
type With struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

func (h *Hub) getCustomer(w http.ResponseWriter, r *http.Request, source string) {
	language := ""
	err := parameters(r, map[string]func(string) error{"language": func(s string) error { language = s; return nil }})
	if err != nil {
		refused(w, err)
		return
	}
	a, err := h.ask(r.Context(), hub.Access{Customer: r.PathValue("id")})
	if err := errors.Join(err, a.Err); err != nil {
		if a.Err != nil && !errors.Is(a.Err, hub.ErrErased) && !errors.Is(a.Err, hub.ErrInvalid) {
			fail(w, http.StatusNotFound, a.Err)
			return
		}
		refused(w, err)
		return
	}
	now := h.cfg.Now()
	if err := h.viewed(now, source, a.Account.Key); err != nil {
		fail(w, http.StatusServiceUnavailable, err) // nobody looks unseen
		return
	}
	reply(w, http.StatusOK, accountOf(a.Account, now, language))
}

// ViewsFile has a line for each look at a customer: who, when, and a keyed hash of whom.
const ViewsFile = "views.jsonl"

// viewed notes a look at a customer, durably.
func (h *Hub) viewed(at sense.Instant, by string, whom hub.Hash) error {
	line, err := json.Marshal(struct {
		At       string `json:"at"`
		By       string `json:"by"`
		Customer string `json:"customer"` // keyed hash
		What     string `json:"what"`
	}{at.String(), by, fmt.Sprintf("%x", whom[:]), "account"})
	if err != nil {
		return fmt.Errorf("note the look: %w", err)
	}
	h.views.Lock()
	defer h.views.Unlock()
	f, err := os.OpenFile(filepath.Join(h.cfg.Dir, ViewsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("note the look: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("note the look: %w", err)
	}
	return nil
}

// said is what the policy in charge says of things, in one language.
type said struct {
	b        *catalog.Bundle
	language int
}

func (s said) words(t catalog.Text) string {
	for _, k := range [...]int{s.language, 0} {
		if k >= 0 && k < len(t) && t[k] != "" {
			return t[k]
		}
	}
	return ""
}

func (s said) purposes(set catalog.PurposeSet) []string {
	names := []string{}
	for k := range s.b.Purposes {
		if set.Has(int32(k)) {
			names = append(names, s.b.Purposes[k].Name)
		}
	}
	return names
}

// accountOf makes an account readable.
func accountOf(a *hub.Account, now sense.Instant, language string) Customer {
	c := Customer{Customer: a.Customer.Customer, IDs: a.IDs, At: now.String(), Restricted: a.Slice.Restricted, Purposes: []Purpose{}, Facts: []Fact{},
		Consents: []Consent{}, Objections: []Objection{}, Interactions: []Interaction{}, Contacts: []Contact{}, Made: []Made{}, Devices: []Lease{}}
	var s said
	if a.Bundle != nil {
		s = said{a.Bundle, max(0, slices.Index(a.Bundle.Languages, language))}
		c.Policy = fmt.Sprintf("%s@%d", a.Bundle.Name, a.Bundle.Version)
		if len(a.Bundle.Languages) > 0 {
			c.Language = a.Bundle.Languages[s.language]
		}
		for k := range a.Bundle.Purposes {
			p := &a.Bundle.Purposes[k]
			c.Purposes = append(c.Purposes, Purpose{p.Name, s.words(p.For), p.Basis.String(), a.May.Has(int32(k))})
		}
	}
	for k := range a.Slice.Facts {
		c.Facts = append(c.Facts, s.fact(&a.Slice.Facts[k]))
	}
	for _, x := range a.Slice.Consents {
		c.Consents = append(c.Consents, Consent{x.Purpose, x.Granted, x.Text, x.Happened.String(), timeOrNull(x.Expires)})
	}
	for _, x := range a.Slice.Objections {
		c.Objections = append(c.Objections, Objection{x.Purpose, x.Raised, x.Happened.String()})
	}
	for k := range a.Slice.Interactions {
		c.Interactions = append(c.Interactions, s.interaction(&a.Slice.Interactions[k]))
	}
	for _, x := range a.Contacts {
		y := Contact{Ref: x.Ref, Channel: x.Channel, About: string(x.About), Happened: x.Happened.String(), By: x.By}
		if x.Answered != 0 {
			y.Answered = timeOrNull(x.Answered)
		}
		c.Contacts = append(c.Contacts, y)
	}
	for _, x := range a.Made {
		m := Made{Decision: hub.DecisionID(x.Device, x.Epoch, x.N), Device: x.Device, Action: x.Action, About: x.About, Channel: x.Channel,
			At: x.At.String(), Outcomes: []Outcome{}}
		for _, o := range x.Outcomes {
			m.Outcomes = append(m.Outcomes, Outcome{o.Happened.String(), o.Outcome})
		}
		c.Made = append(c.Made, m)
	}
	for _, x := range a.Holdings {
		l := Lease{Device: x.Device, Until: x.Until.String(), Revision: x.Revision, Online: a.Online[x.Device], State: "held"}
		for _, o := range x.Owners {
			l.With = append(l.With, With{o.Kind, o.ID})
		}
		switch {
		case x.Until <= now:
			l.State = "ended"
		case !l.Online:
			l.State = "pending"
		}
		c.Devices = append(c.Devices, l)
	}
	return c
}

func (s said) fact(f *profile.Fact) Fact {
	out := Fact{Name: f.Name, Value: f.Value.AppendJSON(nil), Provenance: f.Provenance.String(), Source: f.Source, Happened: f.Happened.String(), Purposes: []string{}}
	for _, c := range f.Claims {
		out.Others = append(out.Others, Claim{c.Value.AppendJSON(nil), c.Provenance.String(), c.Source, c.Happened.String()})
	}
	if s.b == nil {
		return out
	}
	if d := s.b.Fact(f.Name); d != nil {
		out.Why, out.Purposes, out.Special, out.Kept = s.words(d.Why), s.purposes(d.Purposes), d.Special, timeOrNull(f.Happened.Add(d.Keep))
	} else if k := s.b.DerivedIndex(f.Name); k >= 0 {
		d := &s.b.Derived[k]
		out.Why, out.Purposes, out.Special, out.Kept = s.words(d.Why), s.purposes(d.Purposes), d.Special, timeOrNull(f.Happened.Add(d.Keep))
	}
	return out
}

func (s said) interaction(i *profile.Interaction) Interaction {
	x := Interaction{Kind: i.Kind, About: string(i.About), Channel: i.Channel, Ref: i.Ref, Due: timeOrNull(i.Due), Source: i.Source,
		Happened: i.Happened.String(), Purposes: []string{}}
	if !i.Value.IsNull() {
		x.Value = i.Value.AppendJSON(nil)
	}
	if s.b == nil {
		return x
	}
	if k := s.b.Kind(i.Kind); k != nil {
		x.Purposes, x.Kept = s.purposes(k.Purposes), timeOrNull(i.Happened.Add(k.Keep))
	}
	return x
}

func timeOrNull(i sense.Instant) *string {
	if i == sense.Never {
		return nil
	}
	s := i.String()
	return &s
}
