package local

import (
	"errors"
	"net/http"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/moments"
)

// keeper is a device that keeps moments; *agent.Agent is one.
type keeper interface {
	Moments(yield func(moments.Record) bool) error
}

// moments exports what decisions looked at: of the one that is named, or all that are kept.
func (s *Server) moments(w http.ResponseWriter, r *http.Request) {
	if unix, _ := r.Context().Value(fromSocket{}).(bool); !unix && s.cfg.Token == "" {
		fail(w, http.StatusForbidden, "moments hold personal data: set local.token in the device's configuration, or ask over the unix socket")
		return
	}
	d, ok := s.device.(keeper)
	if !ok {
		fail(w, http.StatusNotFound, agent.ErrNoMoments.Error())
		return
	}
	wanted, begun := r.URL.Query().Get("decision"), false
	var line []byte
	err := d.Moments(func(m moments.Record) bool {
		if wanted != "" && m.Decision != wanted {
			return true
		}
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.Header().Set("Cache-Control", "no-store")
		}
		line = moments.AppendExport(line[:0], &m)
		_, err := w.Write(line)
		return err == nil && wanted == "" && r.Context().Err() == nil
	})
	switch {
	case begun: // what went wrong later can only be seen by the export's end
	case errors.Is(err, agent.ErrNoMoments):
		fail(w, http.StatusNotFound, err.Error())
	case err != nil:
		failed(w, err)
	case wanted != "":
		fail(w, http.StatusNotFound, "no moment of that decision is kept: it was never made here, its time is over, or its customer was forgotten")
	default:
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.WriteHeader(http.StatusOK)
	}
}
