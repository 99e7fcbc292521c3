package local

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// known is what is known of who is there.
type known struct {
	Session      string        `json:"session"`
	Customer     *string       `json:"customer"`          // null for nobody
	Aliases      []string      `json:"aliases,omitempty"` // other ids of hers
	By           string        `json:"by,omitempty"`
	Language     string        `json:"language,omitempty"` // of what is told here
	Slice        bool          `json:"slice"`              // whether the profile is here
	Until        *string       `json:"until"`              // end of the lease
	Purposes     []purpose     `json:"purposes"`           // for which something is held at all
	Facts        []fact        `json:"facts"`
	Consents     []consent     `json:"consents"`
	Objections   []objection   `json:"objections"`
	Restricted   bool          `json:"restricted"`
	Interactions []interaction `json:"interactions"`
	Shown        []shown       `json:"shown"`                  // on this device and, as far as it knows, on others
	Before       []before      `json:"shown_before,omitempty"` // earlier ones, of which only the number is kept
	Derived      []derived     `json:"derived"`                // what is derived of her now, on the device
	Signals      []string      `json:"signals"`                // what is sensed now
	Sensors      []sensor      `json:"sensors"`                // the same, with why
}

type purpose struct {
	Name  string `json:"name"`
	For   string `json:"for,omitempty"` // in words
	Basis string `json:"basis"`
	May   bool   `json:"may_be_used"` // now
}

type before struct {
	Action string `json:"action"`
	Times  int64  `json:"times"`
}

type fact struct {
	Name       string          `json:"name"`
	Owner      string          `json:"owner,omitempty"`
	Value      json.RawMessage `json:"value"`
	Provenance string          `json:"provenance"`
	Source     string          `json:"source,omitempty"`
	Happened   string          `json:"happened"`
	Why        string          `json:"why,omitempty"`
	Purposes   []string        `json:"purposes"`
	Leaves     bool            `json:"leaves_device"`
	Until      *string         `json:"kept_until"`       // null where the policy sets no end
	Others     []claim         `json:"others,omitempty"` // what other sources said, newest first
}

type claim struct {
	Value      json.RawMessage `json:"value"`
	Provenance string          `json:"provenance"`
	Source     string          `json:"source,omitempty"`
	Happened   string          `json:"happened"`
}

type derived struct {
	Name     string          `json:"name"`
	Value    json.RawMessage `json:"value"`
	Formula  string          `json:"formula,omitempty"`
	Why      string          `json:"why,omitempty"`
	Purposes []string        `json:"purposes"`
	Leaves   bool            `json:"leaves_device"`
	Left     *string         `json:"left"` // when it left the device last
}

type sensor struct {
	Name     string   `json:"name"`
	Why      string   `json:"why,omitempty"`
	Purposes []string `json:"purposes"`
	Leaves   bool     `json:"leaves_device"`
	Since    string   `json:"since"` // since when it is read
}

type consent struct {
	Purpose  string  `json:"purpose"`
	Granted  bool    `json:"granted"`
	Text     string  `json:"text,omitempty"`
	Happened string  `json:"happened"`
	Expires  *string `json:"expires"`
}

type objection struct {
	Purpose  string `json:"purpose"`
	Raised   bool   `json:"raised"`
	Happened string `json:"happened"`
}

type interaction struct {
	Kind     string          `json:"interaction"`
	About    string          `json:"about,omitempty"`
	Channel  string          `json:"channel,omitempty"`
	Ref      string          `json:"ref,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Source   string          `json:"source,omitempty"`
	Happened string          `json:"happened"`
	Due      *string         `json:"due,omitempty"`
	Purposes []string        `json:"purposes"`
	Until    *string         `json:"kept_until"`
}

type shown struct {
	Decision string   `json:"decision"`
	Device   string   `json:"device"`
	Action   string   `json:"action"`
	About    string   `json:"about,omitempty"`
	Channel  string   `json:"channel,omitempty"`
	Slot     string   `json:"slot,omitempty"`
	At       string   `json:"at"`
	Outcomes []string `json:"outcomes"`
}

func (s *Server) known(w http.ResponseWriter, r *http.Request) {
	session := cmp.Or(r.URL.Query().Get("session"), event.MainSession)
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	k, ok, err := s.device.Known(ctx, session)
	if err != nil {
		failed(w, err)
		return
	}
	if !ok {
		fail(w, http.StatusNotFound, "there is no session "+strconv.Quote(session))
		return
	}
	out := known{Session: session, Slice: k.Here, Signals: nonNil(k.Signals), Restricted: k.Slice.Restricted}
	if k.Customer != "" {
		out.Customer, out.By, out.Aliases = &k.Customer, k.By.String(), k.Aliases
	}
	out.Language = k.Language
	if k.Here {
		out.Until = end(k.Until)
	}
	fill(&out, &k)
	answer(w, http.StatusOK, out)
}

// handovers answers with what staff are told.
func (s *Server) handovers(w http.ResponseWriter, r *http.Request) {
	list := []json.RawMessage{}
	for _, h := range s.device.HandOvers(r.URL.Query().Get("session")) {
		list = append(list, h.AppendJSON(nil))
	}
	answer(w, http.StatusOK, map[string][]json.RawMessage{"handovers": list})
}

func fill(out *known, k *engine.Known) {
	s := &k.Slice
	out.Derived, out.Sensors = []derived{}, []sensor{}
	out.Purposes = []purpose{}
	for _, p := range k.Purposes {
		out.Purposes = append(out.Purposes, purpose{p.Name, p.For, p.Basis, p.May})
	}
	out.Facts, out.Consents, out.Objections, out.Interactions, out.Shown = []fact{}, []consent{}, []objection{}, []interaction{}, []shown{}
	for n, f := range s.Facts {
		one := fact{Name: f.Name, Owner: f.Owner, Value: f.Value.AppendJSON(nil), Provenance: f.Provenance.String(), Source: f.Source, Happened: f.Happened.String(), Purposes: []string{}}
		if n < len(k.Facts) {
			one.Why, one.Purposes, one.Leaves, one.Until = k.Facts[n].Why, nonNil(k.Facts[n].For), k.Facts[n].Leaves, kept(k.Facts[n].Until)
		}
		for _, c := range f.Claims {
			one.Others = append(one.Others, claim{c.Value.AppendJSON(nil), c.Provenance.String(), c.Source, c.Happened.String()})
		}
		out.Facts = append(out.Facts, one)
	}
	for _, d := range k.Derived {
		one := derived{d.Name, d.Value.AppendJSON(nil), d.Formula, d.Why, nonNil(d.For), d.Leaves, nil}
		if d.Since != 0 {
			one.Left = end(d.Since)
		}
		out.Derived = append(out.Derived, one)
	}
	for _, r := range k.Read {
		out.Sensors = append(out.Sensors, sensor{r.Name, r.Why, nonNil(r.For), r.Leaves, r.Since.String()})
	}
	for _, c := range s.Consents {
		out.Consents = append(out.Consents, consent{c.Purpose, c.Granted, c.Text, c.Happened.String(), end(c.Expires)})
	}
	for _, o := range s.Objections {
		out.Objections = append(out.Objections, objection{o.Purpose, o.Raised, o.Happened.String()})
	}
	for n, i := range s.Interactions {
		one := interaction{Kind: i.Kind, About: string(i.About), Channel: i.Channel, Ref: i.Ref, Source: i.Source, Happened: i.Happened.String(), Due: kept(i.Due), Purposes: []string{}}
		if !i.Value.IsNull() {
			one.Value = i.Value.AppendJSON(nil)
		}
		if n < len(k.Said) {
			one.Purposes, one.Until = nonNil(k.Said[n].For), kept(k.Said[n].Until)
		}
		out.Interactions = append(out.Interactions, one)
	}
	for _, f := range s.Folded {
		out.Before = append(out.Before, before{f.Action, f.Times})
	}
	for _, x := range s.Exposures {
		sh := shown{Decision: x.Decision, Device: deviceOf(x.Decision), Action: x.Action, About: string(x.About), Channel: x.Channel, Slot: x.Slot, At: x.At.String(), Outcomes: []string{}}
		for _, o := range x.Outcomes {
			sh.Outcomes = append(sh.Outcomes, o.Outcome)
		}
		out.Shown = append(out.Shown, sh)
	}
}

// kept is end for what may have none at all.
func kept(i sense.Instant) *string {
	if i == 0 {
		return nil
	}
	return end(i)
}

// deviceOf returns the device of <device>-<epoch>-<n>.
func deviceOf(decision string) string {
	for range 2 {
		if k := strings.LastIndexByte(decision, '-'); k > 0 {
			decision = decision[:k]
		}
	}
	return decision
}

// end prints an instant; null for one that does not come.
func end(i sense.Instant) *string {
	if i == sense.Never {
		return nil
	}
	s := i.String()
	return &s
}

func nonNil(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// status is how the device is.
type status struct {
	Device    string         `json:"device"`
	Bundle    string         `json:"bundle"` // name@version; empty for none
	Epoch     uint64         `json:"epoch,string"`
	Boot      uint64         `json:"boot"`
	Online    bool           `json:"online"`
	Clock     string         `json:"clock"` // synced, floor or unknown
	DiskFull  bool           `json:"disk_full"`
	Steps     uint64         `json:"steps"`
	Refused   uint64         `json:"messages_refused"` // malformed, forged, or not for this device
	Dropped   uint64         `json:"messages_dropped"` // too large, or too many
	Signals   []string       `json:"signals"`
	Sources   []sourceStatus `json:"sources"`
	Outbox    outboxStatus   `json:"outbox"`
	Moments   momentsStatus  `json:"moments"`
	Written   writtenStatus  `json:"written"`   // to the disk, in bytes
	Recovered []string       `json:"recovered"` // files that were damaged and set aside at the start
}

type sourceStatus struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Phase   string   `json:"phase"`
	Since   string   `json:"since"`
	Why     []string `json:"why"`
	Error   string   `json:"error,omitempty"`
	Refused uint64   `json:"refused"`
}

type outboxStatus struct {
	Records      int    `json:"records"`
	Bytes        int64  `json:"bytes"`
	MaxBytes     int64  `json:"max_bytes"`
	Next         uint64 `json:"next"`
	Acknowledged uint64 `json:"acknowledged"` // through this number
}

type momentsStatus struct {
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	Lost    uint64 `json:"lost"`    // could not be written
	Damaged uint64 `json:"damaged"` // could not be read
}

type writtenStatus struct {
	Today  int64            `json:"today"` // UTC
	Budget int64            `json:"budget"`
	Total  int64            `json:"total"` // since the start
	Files  map[string]int64 `json:"files"` // the same, by file
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	d := s.device.Status()
	out := status{
		Device: d.Device, Bundle: d.Bundle, Epoch: d.Epoch, Boot: d.Boot, Online: d.Online, Clock: d.Clock, DiskFull: d.DiskFull, Steps: d.Steps, Refused: d.Refused, Dropped: d.Dropped, Signals: nonNil(d.Reading),
		Sources: []sourceStatus{}, Recovered: []string{},
		Outbox:  outboxStatus{d.Outbox.Records, d.Outbox.Bytes, d.Outbox.Max, d.Outbox.Next, max(1, d.Outbox.Head) - 1},
		Written: writtenStatus{d.Written.Today, d.FlashBudget, d.Written.Total, d.Written.Files},
		Moments: momentsStatus{d.Moments.Records, d.Moments.Bytes, d.Moments.Lost, d.Moments.Damaged},
	}
	for _, x := range d.Sources {
		out.Sources = append(out.Sources, sourceStatus{x.Name, x.Kind, string(x.Phase), x.Since.UTC().Format(time.RFC3339), nonNil(x.Why), x.Err, x.Refused})
	}
	for _, x := range d.Recovered {
		out.Recovered = append(out.Recovered, x.File)
	}
	answer(w, http.StatusOK, out)
}
