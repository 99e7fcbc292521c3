package local

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
)

// Device is the agent as the API uses it; *agent.Agent is one.
type Device interface {
	Submit(ctx context.Context, events []event.Event) (agent.Answer, error)
	Known(ctx context.Context, session string) (engine.Known, bool, error)
	HandOvers(session string) []engine.HandOver
	Status() agent.Status
	Ping(ctx context.Context) error
	Feed() *agent.Feed
}

// Config of the face.
type Config struct {
	Listen  string   // host:port on loopback, port 0 for a free one; empty for none
	Socket  string   // path of a unix socket; empty for none
	Token   string   // that requests over TCP carry; empty for none
	Origins []string // web origins that may read the answers, as https://kiosk.example
}

// Bounds.
const (
	maxBody    = 1 << 20
	maxEvents  = 4096
	maxReaders = 64
	answerTime = 10 * time.Second
	keepAlive  = 15 * time.Second
)

// Server is the running face.
type Server struct {
	cfg     Config
	device  Device
	token   [32]byte
	http    http.Server
	tcp     net.Listener
	unix    net.Listener
	readers chan struct{} // a place for each
	ended   chan struct{}
}

type fromSocket struct{}

// Listen opens the listeners and serves until Close. An address that is not
// loopback is an error: the API is for the device alone.
func Listen(cfg Config, d Device) (*Server, error) {
	s := &Server{cfg: cfg, device: d, token: sha256.Sum256([]byte(cfg.Token)), readers: make(chan struct{}, maxReaders), ended: make(chan struct{})}
	s.http = http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			_, unix := c.(*net.UnixConn)
			return context.WithValue(ctx, fromSocket{}, unix)
		},
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.closeListeners())
	}
	for _, l := range []net.Listener{s.tcp, s.unix} {
		if l != nil {
			go func() { _ = s.http.Serve(l) }() // ends with Close, and has nothing to say then
		}
	}
	return s, nil
}

func (s *Server) listen() (err error) {
	if s.cfg.Listen != "" {
		host, _, err := net.SplitHostPort(s.cfg.Listen)
		if err != nil || !loopback(host) {
			return fmt.Errorf("listen on %q: the device's API is for loopback addresses only, as 127.0.0.1:7433", s.cfg.Listen)
		}
		if s.tcp, err = net.Listen("tcp", s.cfg.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if s.cfg.Socket == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.cfg.Socket), 0o755); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// One that a killed process left behind is in the way. The store's lock has
	// made sure that no other process uses it.
	if err := os.Remove(s.cfg.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listen: %w", err)
	}
	if s.unix, err = net.Listen("unix", s.cfg.Socket); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := os.Chmod(s.cfg.Socket, 0o660); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

func (s *Server) closeListeners() error {
	var errs []error
	for _, l := range []net.Listener{s.tcp, s.unix} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// Addr is the TCP address that is listened on; empty where there is none.
func (s *Server) Addr() string {
	if s.tcp == nil {
		return ""
	}
	return s.tcp.Addr().String()
}

// Close ends all answers, also those that stream, and listens no more.
func (s *Server) Close() error {
	close(s.ended)
	stop, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		return s.http.Close()
	}
	return nil
}

// Handler is the API, with its guards.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/events", s.events)
	mux.HandleFunc("GET /v1/stream", s.stream)
	mux.HandleFunc("GET /v1/known", s.known)
	mux.HandleFunc("GET /v1/handover", s.handovers)
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("GET /v1/moments", s.moments)
	mux.HandleFunc("GET /healthz", s.healthz)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unix, _ := r.Context().Value(fromSocket{}).(bool)
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !unix && !loopback(host) {
			fail(w, http.StatusForbidden, "this API answers to loopback names only, as 127.0.0.1 or localhost")
			return
		}
		if s.origin(w, r) {
			return
		}
		if !unix && s.cfg.Token != "" && r.URL.Path != "/healthz" && !s.allowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "want the header Authorization: Bearer TOKEN, with the token of the device's configuration")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

func (s *Server) allowed(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1 && ok
}

// origin says whether the request is answered already: a browser's page of an
// origin that is not configured, or its question whether it may ask.
func (s *Server) origin(w http.ResponseWriter, r *http.Request) (done bool) {
	from := r.Header.Get("Origin")
	if from == "" {
		return false
	}
	if !slices.Contains(s.cfg.Origins, from) {
		fail(w, http.StatusForbidden, "this origin is not among those of the device's configuration")
		return true
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", from)
	h.Set("Vary", "Origin")
	if r.Method != http.MethodOptions {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// answer writes v as one line of JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // who does not listen any more cannot be told
}

func fail(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// failed maps an error of the device to an answer.
func failed(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, agent.ErrBusy), errors.Is(err, agent.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, context.Canceled):
	default:
		fail(w, http.StatusInternalServerError, err.Error())
	}
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	if err := s.device.Ping(ctx); err != nil {
		failed(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]bool{"ok": true})
}

// readAll reads a body up to maxBody; ok is false where the answer is given already.
func readAll(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d bytes: send fewer lines at a time", maxBody))
		return nil, false
	case err != nil:
		fail(w, http.StatusBadRequest, "the body was cut off")
		return nil, false
	}
	return body, true
}
