package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/context/event"
)

// rejected is one line that was not taken.
type rejected struct {
	Line  int    `json:"line"` // from 1
	Error string `json:"error"`
}

// taken is the answer to events.
type taken struct {
	Accepted int               `json:"accepted"`
	Rejected []rejected        `json:"rejected"`
	Lines    []json.RawMessage `json:"lines,omitempty"` // clears, then decisions, as in the contract
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	body, ok := readAll(w, r)
	if !ok {
		return
	}
	events, lines, out := parse(body)
	if len(events) > maxEvents {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d events: send fewer at a time", maxEvents))
		return
	}
	var a agent.Answer
	if len(events) > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		var err error
		if a, err = s.device.Submit(ctx, events); err != nil {
			failed(w, err)
			return
		}
	}
	out.Accepted = a.Accepted
	for _, x := range a.Rejected {
		out.Rejected = append(out.Rejected, rejected{Line: lines[x.Index], Error: x.Err.Error()})
	}
	sort.SliceStable(out.Rejected, func(a, b int) bool { return out.Rejected[a].Line < out.Rejected[b].Line })
	if wait, _ := strconv.ParseBool(r.URL.Query().Get("wait")); wait {
		out.Lines = caused(&a, r.URL.Query().Get("rejected"))
	}
	status := http.StatusOK
	if out.Accepted == 0 && len(out.Rejected) > 0 {
		status = http.StatusBadRequest
	}
	answer(w, status, out)
}

// parse reads the lines of a body; what is no event is in the answer already.
func parse(body []byte) (events []event.Event, lines []int, out taken) {
	out.Rejected = []rejected{}
	r := event.NewReader(bytes.NewReader(body))
	for {
		line, err := r.Next()
		if err != nil {
			return events, lines, out // the end: memory does not fail
		}
		if line.Err != nil {
			out.Rejected = append(out.Rejected, rejected{Line: line.Number, Error: line.Err.Error()})
			continue
		}
		events, lines = append(events, line.Event), append(lines, line.Number)
	}
}

// caused prints what came of the events, with so many rejected candidates, all by default.
func caused(a *agent.Answer, most string) []json.RawMessage {
	n, err := strconv.Atoi(most)
	if err != nil {
		n = -1
	}
	lines := []json.RawMessage{}
	for k := range a.Cleared {
		lines = append(lines, a.Cleared[k].AppendJSON(nil))
	}
	for _, d := range a.Decisions {
		lines = append(lines, d.AppendJSON(nil, n))
	}
	return lines
}
