package serve

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Limits of the HTTP interface.
const (
	maxEvents    = 8 << 20 // bytes of one POST /v1/events
	maxQuestion  = 64 << 10
	maxBundle    = update.MaxBundle
	maxRequests  = 64   // at work at once; further ones hear 503
	maxRejected  = 1000 // bad lines of one body, after which the rest is not read
	linesAtOnce  = 128  // lines that share a commit
	readTimeout  = 60 * time.Second
	writeTimeout = 60 * time.Second
)

func (h *Hub) newServer() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/events", h.allow(false, h.postEvents))
	mux.Handle("POST /v1/may", h.allow(false, h.postMay))
	mux.Handle("GET /v1/suppressions", h.allow(false, h.getSuppressions))
	mux.Handle("GET /v1/customers/{id}", h.allow(true, h.getCustomer))
	mux.Handle("GET /v1/erasures/{id}", h.allow(false, h.getErasure))
	mux.Handle("GET /v1/erasures", h.allow(true, h.getErasures))
	mux.Handle("GET /v1/decisions", h.allow(true, h.getDecisions))
	mux.Handle("POST /v1/bundles", h.allow(true, h.postBundle))
	mux.HandleFunc("GET /healthz", h.getHealth)
	return &http.Server{
		Handler:           h.bounded(mux),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       60 * time.Second,
		ConnState:         h.fresh.note,
		MaxHeaderBytes:    16 << 10,
	}
}

// bounded lets so many requests in at once.
func (h *Hub) bounded(next http.Handler) http.Handler {
	slots := make(chan struct{}, maxRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, fmt.Errorf("%d requests are at work: try again", maxRequests))
		}
	})
}

// tokens indexes the tokens by hash, so that looking one up tells nothing by its time.
func (h *Hub) tokens() {
	h.who = map[[32]byte]string{sha256.Sum256([]byte(h.keys.operator)): Operator}
	for name, token := range h.cfg.Sources {
		h.who[sha256.Sum256([]byte(token))] = name
	}
}

// handler answers a request of a source.
type handler func(w http.ResponseWriter, r *http.Request, source string)

// allow checks the token.
func (h *Hub) allow(operator bool, next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		source := h.who[sha256.Sum256([]byte(token))]
		switch {
		case !ok || source == "":
			w.Header().Set("WWW-Authenticate", `Bearer realm="tact hub"`)
			fail(w, http.StatusUnauthorized, fmt.Errorf("this token is not known here: send the header Authorization: Bearer TOKEN, with the operator's, in the file %s of the hub's folder, or one that the hub was given by --source NAME=TOKEN", OperatorFile))
		case operator && source != Operator:
			fail(w, http.StatusForbidden, fmt.Errorf("source %s may feed and ask; this wants the operator's token, in the file %s of the hub's folder", source, OperatorFile))
		default:
			next(w, r, source)
		}
	})
}

func fail(w http.ResponseWriter, code int, err error) {
	reply(w, code, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, code int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(doc) // the client has gone: there is nobody to tell
}

// refused answers what was not taken.
func refused(w http.ResponseWriter, err error) {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		fail(w, http.StatusRequestEntityTooLarge, fmt.Errorf("body is over %d bytes: send it in parts", big.Limit))
	case errors.Is(err, ErrUnavailable):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, err)
	case errors.Is(err, hub.ErrErased):
		fail(w, http.StatusGone, err)
	case errors.Is(err, hub.ErrNoErasure):
		fail(w, http.StatusNotFound, err)
	case errors.Is(err, hub.ErrOlder):
		fail(w, http.StatusConflict, err)
	case errors.Is(err, update.ErrUnsigned), errors.Is(err, update.ErrUntrusted), errors.Is(err, update.ErrBroken):
		fail(w, http.StatusForbidden, err)
	default:
		fail(w, http.StatusBadRequest, err)
	}
}

// Rejected is a line that was not taken.
type Rejected struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// Forgetting is the erasure that a forget has begun: GET /v1/erasures/ID says what becomes of it.
type Forgetting struct {
	Line    int    `json:"line"`
	Erasure string `json:"erasure"`
}

// Taken answers POST /v1/events. Error says why reading stopped early, if it did.
type Taken struct {
	Accepted int          `json:"accepted"`
	Rejected []Rejected   `json:"rejected"`
	Erasures []Forgetting `json:"erasures,omitempty"`
	Error    string       `json:"error,omitempty"`
}

func (h *Hub) postEvents(w http.ResponseWriter, r *http.Request, source string) {
	body := http.MaxBytesReader(w, r.Body, maxEvents)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/cloudevents+json" {
		line, err := lineOfCloudEvent(body)
		if err != nil {
			refused(w, err)
			return
		}
		body = io.NopCloser(strings.NewReader(line))
	}
	taken, err := h.takeLines(r, body, source)
	switch {
	case err == nil:
		reply(w, http.StatusOK, taken)
	case errors.Is(err, ErrUnavailable):
		taken.Error = err.Error()
		w.Header().Set("Retry-After", "1")
		reply(w, http.StatusServiceUnavailable, taken)
	default:
		taken.Error = err.Error()
		code := http.StatusBadRequest
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			code = http.StatusRequestEntityTooLarge
			taken.Error = fmt.Sprintf("body is over %d bytes: what is counted here was taken, send the rest in parts", big.Limit)
		}
		reply(w, code, taken)
	}
}

// takeLines takes the lines of a body, some at a time.
func (h *Hub) takeLines(r *http.Request, body io.Reader, source string) (Taken, error) {
	taken := Taken{Rejected: []Rejected{}}
	lines := event.NewReader(body)
	for {
		var inputs []hub.Input
		var numbers []int
		var end error
		for len(inputs) < linesAtOnce && end == nil {
			l, err := lines.Next()
			switch {
			case err != nil:
				end = err
			case l.Err != nil:
				h.counts.linesRefused.Add(1)
				taken.Rejected = append(taken.Rejected, Rejected{l.Number, l.Err.Error()})
				if len(taken.Rejected) >= maxRejected {
					end = fmt.Errorf("line %d is the %dth bad one: what comes after it was not read", l.Number, maxRejected)
				}
			default:
				inputs, numbers = append(inputs, hub.FromSource{Source: source, Event: l.Event}), append(numbers, l.Number)
			}
		}
		results, err := h.askAll(r.Context(), inputs)
		if err != nil {
			return taken, err
		}
		for k, x := range results {
			switch {
			case x.err != nil:
				return sorted(taken), fmt.Errorf("line %d and what comes after it: %w", numbers[k], x.err)
			case x.answer.Err != nil:
				taken.Rejected = append(taken.Rejected, Rejected{numbers[k], x.answer.Err.Error()})
			default:
				taken.Accepted++
				if e := x.answer.Erasure; e != nil {
					taken.Erasures = append(taken.Erasures, Forgetting{numbers[k], e.ID})
				}
			}
		}
		if len(taken.Rejected) >= maxRejected && end == nil {
			end = fmt.Errorf("%d lines were rejected: what comes after line %d was not read", len(taken.Rejected), numbers[len(numbers)-1])
		}
		switch {
		case end == io.EOF:
			return sorted(taken), nil
		case end != nil:
			return sorted(taken), end
		}
	}
}

// lineOfCloudEvent makes an event line of a CloudEvent 1.0 in structured mode:
// data is the line; id and time stand in where the line has none.
func lineOfCloudEvent(body io.Reader) (string, error) {
	var ce struct {
		SpecVersion string                     `json:"specversion"`
		ID          string                     `json:"id"`
		Source      string                     `json:"source"`
		Type        string                     `json:"type"`
		Time        string                     `json:"time"`
		Data        map[string]json.RawMessage `json:"data"`
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &ce); err != nil {
		return "", fmt.Errorf("read CloudEvent: %w", err)
	}
	switch {
	case ce.SpecVersion != "1.0":
		return "", fmt.Errorf("read CloudEvent: specversion %q: 1.0 is wanted", ce.SpecVersion)
	case ce.ID == "" || ce.Source == "" || ce.Type == "":
		return "", errors.New("read CloudEvent: id, source and type are needed")
	case len(ce.Data) == 0:
		return "", errors.New(`read CloudEvent: data must be an event line, as in {"interaction":"purchase","customer":"crm:77"}`)
	}
	put := func(key, value string) error {
		if _, has := ce.Data[key]; has || value == "" {
			return nil
		}
		text, err := json.Marshal(value)
		ce.Data[key] = text
		return err
	}
	if err := errors.Join(put("id", ce.ID), put("at", ce.Time)); err != nil {
		return "", err
	}
	line, err := json.Marshal(ce.Data)
	return string(line), err
}

func (h *Hub) postMay(w http.ResponseWriter, r *http.Request, _ string) {
	var q struct {
		Customer string `json:"customer"`
		About    string `json:"about"`
		Intent   string `json:"intent"`
		Channel  string `json:"channel"`
		Purpose  string `json:"purpose"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		refused(w, fmt.Errorf(`read question: %w; it looks like {"customer":"crm:77","about":"product:model-x","intent":"sales","channel":"mail"}`, err))
		return
	}
	intent, ok := catalog.ParseIntent(q.Intent)
	if !ok {
		refused(w, fmt.Errorf("intent %q is none of sales, service, information, question, safety, recovery, handoff, entertainment", q.Intent))
		return
	}
	a, err := h.ask(r.Context(), hub.Ask{Question: hub.Question{Customer: q.Customer, About: event.Subject(q.About), Intent: intent, Channel: q.Channel, Purpose: q.Purpose}})
	if err := errors.Join(err, a.Err); err != nil {
		refused(w, err)
		return
	}
	v := struct {
		May    bool    `json:"may"`
		Reason *string `json:"reason"`
		Until  *string `json:"until"`
	}{May: a.May.May}
	if !v.May {
		reason := a.May.Reason.String()
		v.Reason = &reason
	}
	if a.May.Until != 0 {
		until := a.May.Until.String()
		v.Until = &until
	}
	reply(w, http.StatusOK, v)
}

// verify checks a bundle's signature against the trusted keys.
func (h *Hub) verify(file, signature []byte) error {
	if _, err := update.Verify(file, signature, h.cfg.Trusted); err != nil {
		return fmt.Errorf("publish bundle: %w", err)
	}
	return nil
}

// Posted is the body of POST /v1/bundles.
type Posted struct {
	Bundle    []byte `json:"bundle"`    // base64 of the file
	Signature string `json:"signature"` // the .minisig file
}

func (h *Hub) postBundle(w http.ResponseWriter, r *http.Request, _ string) {
	var p Posted
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, int64(base64.StdEncoding.EncodedLen(maxBundle)+maxQuestion))).Decode(&p); err != nil {
		refused(w, fmt.Errorf("read bundle: %w", err))
		return
	}
	if err := h.Publish(r.Context(), p.Bundle, []byte(p.Signature), r.URL.Query().Get("scope")); err != nil {
		refused(w, err)
		return
	}
	sum := sha256.Sum256(p.Bundle)
	reply(w, http.StatusOK, map[string]string{"sha256": fmt.Sprintf("%x", sum)})
}

func (h *Hub) getHealth(w http.ResponseWriter, r *http.Request) {
	if err := h.away.status(); err != nil {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	n, err := h.ledger.Count(r.Context())
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	c := &h.counts
	reply(w, http.StatusOK, map[string]any{
		"ledger": n,
		"broker": map[string]bool{"connected": c.connected.Load(), "heard": c.heard.Load()},
		"counts": map[string]int64{
			"lines": c.lines.Load(), "lines_refused": c.linesRefused.Load(),
			"messages": c.messages.Load(), "messages_refused": c.messagesRefused.Load(),
			"refused_garbage": c.garbage.Load(), "refused_too_large": c.tooLarge.Load(), "refused_foreign": c.foreign.Load(),
			"refused_conflict": c.conflicts.Load(), "put_off": c.later.Load(), "dropped": c.dropped.Load(),
			"published": c.published.Load(), "unpublished": c.unpublished.Load(), "ledger_errors": c.ledgerErrors.Load(),
		},
		"schema": wire.SchemaVersion,
	})
}
