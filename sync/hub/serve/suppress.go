package serve

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

// Suppression is one customer's answer to the question of GET /v1/suppressions.
type Suppression struct {
	Customer string   `json:"customer"`
	IDs      []string `json:"ids"`
	May      bool     `json:"may"`
	Reason   *string  `json:"reason"`
	Until    *string  `json:"until"` // where time alone lifts the reason
}

// maxSuppressions is how many customers one request looks at.
const maxSuppressions = 10_000

// getSuppressions answers who may not be approached now, a part of the customers at a time.
func (h *Hub) getSuppressions(w http.ResponseWriter, r *http.Request, _ string) {
	in := hub.Suppressions{Question: hub.Question{Intent: catalog.Sales, Channel: "mail"}}
	look := 1000
	err := parameters(r, map[string]func(string) error{
		"since":   func(s string) (err error) { in.Since, err = sense.ParseInstant(s); return err },
		"after":   func(s string) error { in.After = s; return nil },
		"limit":   func(s string) (err error) { look, err = limitOf(s, maxSuppressions); return err },
		"about":   func(s string) error { in.About = event.Subject(s); return nil },
		"channel": func(s string) error { in.Channel = s; return nil },
		"purpose": func(s string) error { in.Purpose = s; return nil },
		"intent": func(s string) error {
			intent, ok := catalog.ParseIntent(s)
			if !ok {
				return fmt.Errorf("%.20q is none of sales, service, information, question, safety, recovery, handoff, entertainment", s)
			}
			in.Intent = intent
			return nil
		},
	})
	if err != nil {
		refused(w, err)
		return
	}
	page := struct {
		Suppressions []Suppression `json:"suppressions"`
		Next         *string       `json:"next"` // for after; null where this is the last page
	}{Suppressions: []Suppression{}}
	for more := true; more; {
		in.Limit = min(look, hub.MaxSuppressions) // a part at a time, so that nobody waits for long
		a, err := h.ask(r.Context(), in)
		if err := errors.Join(err, a.Err); err != nil {
			refused(w, err)
			return
		}
		for _, x := range a.Suppressed.Customers {
			page.Suppressions = append(page.Suppressions, suppressionOf(&x))
		}
		in.After, look = a.Suppressed.Next, look-in.Limit
		more = in.After != "" && look > 0
	}
	if in.After != "" {
		page.Next = &in.After
	}
	reply(w, http.StatusOK, page)
}

func suppressionOf(x *hub.Suppressed) Suppression {
	s := Suppression{Customer: x.Customer, IDs: x.IDs, May: x.May}
	if !x.May {
		reason := x.Reason.String()
		s.Reason = &reason
	}
	if x.Until != 0 {
		s.Until = timeOrNull(x.Until)
	}
	return s
}
