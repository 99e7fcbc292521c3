package serve

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Erasure says what became of a forget; nothing in it leads to the customer. Signed
// it is a receipt.
type Erasure struct {
	Tenant    string         `json:"tenant"`
	Erasure   string         `json:"erasure"`   // its id
	Requested string         `json:"requested"` // when
	By        string         `json:"by,omitempty"`
	Completed *string        `json:"completed"` // when; null while a device is waited for
	Devices   []ErasedAt     `json:"devices"`   // that had something of the customer, in order of name
	More      map[string]int `json:"more,omitempty"`
	Left      []string       `json:"left"` // what stays, which leads to nobody
}

// ErasedAt says what became of it on one device.
type ErasedAt struct {
	Device string  `json:"device"`
	How    string  `json:"how"`             // confirmed, lease_ended, waiting
	At     *string `json:"at"`              // when it ended; null while it is waited for
	Lease  *string `json:"lease,omitempty"` // while it is waited for: when it ends without the device
}

// Waiting is how a device is that has not confirmed yet.
const Waiting = "waiting"

// left says what stays after an erasure.
var left = []string{
	"decisions and outcomes, countable, under handles that lead to nobody",
	"keyed hashes of the ids, which refuse what is said of them until the customer acts again by card or login",
	"facts of vehicles, households and sites, which are their own",
}

// mostErasedAt is how many devices a receipt names, so that it can be signed as one
// message; further ones are counted in More.
const mostErasedAt = 400

func (h *Hub) erasureOf(e *hub.Erasure) Erasure {
	out := Erasure{Tenant: h.cfg.Tenant, Erasure: e.ID, Requested: e.At.String(), By: e.By, Devices: []ErasedAt{}, Left: left}
	if e.Done != 0 {
		out.Completed = timeOrNull(e.Done)
	}
	for k := 0; k < len(e.Devices); {
		n := k + 1
		for n < len(e.Devices) && e.Devices[n].Device == e.Devices[k].Device {
			n++
		}
		out.Devices = append(out.Devices, erasedAt(e.Devices[k:n]))
		k = n
	}
	if len(out.Devices) > mostErasedAt {
		slices.SortStableFunc(out.Devices, func(a, b ErasedAt) int { // those that are waited for first
			return boolInt(b.How == Waiting) - boolInt(a.How == Waiting)
		})
		out.More = map[string]int{}
		for _, d := range out.Devices[mostErasedAt:] {
			out.More[d.How]++
		}
		out.Devices = out.Devices[:mostErasedAt]
	}
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// erasedAt joins the handles that one device had of the customer: the last that ended says when.
func erasedAt(all []hub.Erased) ErasedAt {
	out := ErasedAt{Device: all[0].Device, How: hub.Confirmed}
	var at, lease sense.Instant
	for _, x := range all {
		switch {
		case x.How == "":
			out.How, lease = Waiting, max(lease, x.Lease)
		case x.How == hub.LeaseEnded && out.How != Waiting:
			out.How = hub.LeaseEnded
		}
		at = max(at, x.At)
	}
	if out.How == Waiting {
		out.Lease = timeOrNull(lease)
	} else {
		out.At = timeOrNull(at)
	}
	return out
}

// receiptTopic is what a receipt is signed for, in the form of all that a hub signs.
func receiptTopic(tenant, id string) string {
	return "tact/v1/" + tenant + "/_hub/erasure/" + id
}

// VerifyReceipt checks a receipt against the hub's public key, and returns what it says.
func VerifyReceipt(receipt []byte, key ed25519.PublicKey) (Erasure, error) {
	var signed struct {
		Payload json.RawMessage `json:"payload"`
	}
	var e Erasure
	if err := errors.Join(json.Unmarshal(receipt, &signed), json.Unmarshal(signed.Payload, &e)); err != nil {
		return e, fmt.Errorf("read receipt: it is not the answer of GET /v1/erasures/ID: %w", err)
	}
	payload, err := wire.Open(receiptTopic(e.Tenant, e.Erasure), receipt, wire.KeysOf(key))
	if err != nil {
		return Erasure{}, fmt.Errorf("check receipt: %w", err)
	}
	e = Erasure{}
	return e, json.Unmarshal(payload, &e)
}

func (h *Hub) getErasure(w http.ResponseWriter, r *http.Request, source string) {
	a, err := h.ask(r.Context(), hub.LookErasures{ID: r.PathValue("id")})
	if err := errors.Join(err, a.Err); err != nil {
		refused(w, err)
		return
	}
	e := &a.Erasures[0]
	if source != Operator && source != e.By {
		fail(w, http.StatusForbidden, errors.New("another source, or a device, asked for this erasure: the operator may see it"))
		return
	}
	payload, err := wire.EncodeJSON(h.erasureOf(e))
	if err == nil {
		payload, err = wire.Sign(receiptTopic(h.cfg.Tenant, e.ID), payload, h.keys.sign)
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(payload, '\n')) // the client has gone: there is nobody to tell
}

// maxErasures is how many erasures one page has.
const maxErasures = 1000

func (h *Hub) getErasures(w http.ResponseWriter, r *http.Request, _ string) {
	in := hub.LookErasures{Limit: 100}
	err := parameters(r, map[string]func(string) error{
		"after": func(s string) error { in.After = s; return nil },
		"open":  func(s string) (err error) { in.Open, err = strconv.ParseBool(s); return err },
		"limit": func(s string) (err error) { in.Limit, err = limitOf(s, maxErasures); return err },
	})
	if err != nil {
		refused(w, err)
		return
	}
	a, err := h.ask(r.Context(), in)
	if err := errors.Join(err, a.Err); err != nil {
		refused(w, err)
		return
	}
	page := struct {
		Erasures []Erasure `json:"erasures"`
		Next     *string   `json:"next"` // for after; null where this is the last page
	}{Erasures: []Erasure{}}
	for k := range a.Erasures {
		page.Erasures = append(page.Erasures, h.erasureOf(&a.Erasures[k]))
	}
	if n := len(a.Erasures); n == in.Limit {
		page.Next = &a.Erasures[n-1].ID
	}
	reply(w, http.StatusOK, page)
}

// parameters reads the query of a request; each may be given once.
func parameters(r *http.Request, known map[string]func(string) error) error {
	q := r.URL.Query()
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for key, values := range q {
		read := known[key]
		switch {
		case read == nil:
			return fmt.Errorf("parameter %q is none of %s", key, strings.Join(names, ", "))
		case len(values) > 1:
			return fmt.Errorf("parameter %s is given %d times", key, len(values))
		}
		if err := read(values[0]); err != nil {
			return fmt.Errorf("parameter %s: %w", key, err)
		}
	}
	return nil
}

// limitOf reads how many somebody wants.
func limitOf(s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%.20q is not 1 to %d", s, most)
	}
	return n, nil
}
