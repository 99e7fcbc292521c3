package serve

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// sorted puts rejections in order of line.
func sorted(t Taken) Taken {
	slices.SortStableFunc(t.Rejected, func(a, b Rejected) int { return cmp.Compare(a.Line, b.Line) })
	return t
}

// Decision is a decision as the hub has it: without fact values and texts.
type Decision struct {
	Arrival     int64           `json:"arrival"` // rising; page on with ?after=
	At          string          `json:"at"`
	Decision    string          `json:"decision"`
	Device      string          `json:"device"`
	Epoch       string          `json:"epoch"`
	Seq         uint64          `json:"seq"`
	Session     string          `json:"session"`
	Slot        string          `json:"slot"`
	Handle      string          `json:"handle,omitempty"` // whose; leads to nobody once forgotten
	Asked       bool            `json:"asked"`
	Action      string          `json:"action"` // "silence" where nothing was said
	Treatment   *string         `json:"treatment"`
	Cause       *string         `json:"cause"`
	Value       json.RawMessage `json:"value"`
	Propensity  json.RawMessage `json:"propensity"`
	Probability json.RawMessage `json:"probability"`
	Uses        []string        `json:"uses"`
	Rejected    []Loser         `json:"rejected"`       // the ten best, best first
	Rest        []LoserCount    `json:"rest,omitempty"` // the others, counted
	Outcomes    []Outcome       `json:"outcomes"`
	Answered    bool            `json:"answered"` // an interaction in some channel referred to it
	Unreadable  string          `json:"unreadable,omitempty"`
}

// Loser is a candidate that was not chosen.
type Loser struct {
	Action string `json:"action"`
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
}

// LoserCount is how many lost at a stage for a reason.
type LoserCount struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
	N      uint32 `json:"n"`
}

// Outcome is what became of a decision.
type Outcome struct {
	At      string `json:"at"`
	Outcome string `json:"outcome"`
}

// decisionOf makes a row of the ledger readable.
func decisionOf(d *ledger.Decided) Decision {
	r := &d.Record
	out := Decision{Arrival: d.Arrival, At: r.At.String(), Device: r.Device, Epoch: epochText(r.Epoch), Seq: r.Seq,
		Handle: r.Handle.String(), Uses: []string{}, Rejected: []Loser{}, Outcomes: []Outcome{},
		Value: json.RawMessage("null"), Propensity: json.RawMessage("null"), Probability: json.RawMessage("null")}
	for _, o := range d.Outcomes {
		if o.Outcome == hub.Answered {
			out.Answered = true
		}
		out.Outcomes = append(out.Outcomes, Outcome{At: o.Happened.String(), Outcome: o.Outcome})
	}
	x, epoch, err := d.Decision()
	if err != nil {
		out.Unreadable = err.Error()
		return out
	}
	name := func(s wire.Sym) string {
		n, ok := s.Resolve(d.Symbols)
		if !ok {
			return fmt.Sprintf("symbol %d", s.ID) // its table is on the way
		}
		return n
	}
	out.Decision = hub.DecisionID(r.Device, epoch, x.N)
	out.Session, out.Slot, out.Asked = name(x.Session), name(x.Slot), x.Asked
	if out.Action = name(x.Action); out.Action == "" {
		out.Action = "silence"
	}
	if t := [...]string{"", "say", "say_personal"}; x.Treatment > 0 && int(x.Treatment) < len(t) {
		out.Treatment = &t[x.Treatment]
	}
	if c := name(x.Cause); c != "" {
		out.Cause = &c
	}
	if out.Cause == nil || *out.Cause != "fallback" {
		out.Value = sense.AppendMicro(nil, x.Value, 6)
	}
	if x.Propensity != wire.NoPropensity {
		out.Propensity = sense.AppendMicro(nil, int64(x.Propensity), 6)
	}
	out.Probability = sense.AppendMicro(nil, int64(x.Probability), 6)
	for _, i := range x.Inputs {
		out.Uses = append(out.Uses, name(i.Name))
	}
	for _, l := range x.Losers {
		out.Rejected = append(out.Rejected, Loser{name(l.Action), l.Stage.String(), name(l.Reason)})
	}
	for _, c := range x.Rest {
		out.Rest = append(out.Rest, LoserCount{c.Stage.String(), name(c.Reason), c.N})
	}
	return out
}

func (h *Hub) getDecisions(w http.ResponseWriter, r *http.Request, _ string) {
	f, err := filterOf(r)
	if err != nil {
		refused(w, err)
		return
	}
	list, err := h.ledger.Decisions(r.Context(), f)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for k := range list {
		if err := e.Encode(decisionOf(&list[k])); err != nil {
			return // the client has gone
		}
	}
}

func filterOf(r *http.Request) (f ledger.Filter, err error) {
	q := r.URL.Query()
	f.Limit, f.Device = 1000, q.Get("device")
	for key := range q {
		if !slices.Contains([]string{"since", "device", "after", "limit"}, key) {
			return f, fmt.Errorf("parameter %q is none of since, device, after, limit", key)
		}
	}
	if s := q.Get("since"); s != "" {
		if f.Since, err = sense.ParseInstant(s); err != nil {
			return f, fmt.Errorf("since: %w", err)
		}
	}
	if s := q.Get("after"); s != "" {
		if f.After, err = strconv.ParseInt(s, 10, 64); err != nil {
			return f, fmt.Errorf("after %q is no arrival number", s)
		}
	}
	if s := q.Get("limit"); s != "" {
		if f.Limit, err = strconv.Atoi(s); err != nil || f.Limit < 1 || f.Limit > ledger.MaxDecisions {
			return f, fmt.Errorf("limit %q is not 1 to %d", s, ledger.MaxDecisions)
		}
	}
	return f, nil
}
