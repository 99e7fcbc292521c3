package local

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/moments"
)

// keeps is a device with two moments.
type keeps struct {
	*device
	err error
}

func (k keeps) Moments(yield func(moments.Record) bool) error {
	for _, id := range []string{"d-1-1", "d-1-2"} {
		if k.err == nil && !yield(moments.Record{At: 1_772_442_000_000, Decision: id, Moment: []byte{1}}) {
			return nil
		}
	}
	return k.err
}

// Moments are exported whole or by decision, and never to somebody without the token.
func TestMoments(t *testing.T) {
	for _, one := range []struct {
		name, token, head, path string
		err                     error
		status                  int
		want                    []string
	}{
		{"all", "secret", "Authorization: Bearer secret", "/v1/moments", nil, http.StatusOK, []string{"d-1-1", "d-1-2"}},
		{"one", "secret", "Authorization: Bearer secret", "/v1/moments?decision=d-1-2", nil, http.StatusOK, []string{"d-1-2"}},
		{"unknown", "secret", "Authorization: Bearer secret", "/v1/moments?decision=d-1-3", nil, http.StatusNotFound, nil},
		{"wrong token", "secret", "Authorization: Bearer other", "/v1/moments", nil, http.StatusUnauthorized, nil},
		{"no token set", "", "X: y", "/v1/moments", nil, http.StatusForbidden, nil},
		{"none kept", "secret", "Authorization: Bearer secret", "/v1/moments", agent.ErrNoMoments, http.StatusNotFound, nil},
	} {
		t.Run(one.name, func(t *testing.T) {
			s, err := Listen(Config{Listen: "127.0.0.1:0", Token: one.token}, keeps{&device{feed: agent.NewFeed()}, one.err})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			status, body, _ := call(t, s, "GET", one.path, "", one.head)
			if status != one.status {
				t.Fatalf("status %d: %s", status, body)
			}
			var got []string
			if status == http.StatusOK {
				if err := moments.ReadExport(bytes.NewReader([]byte(body)), func(m moments.Record) bool { got = append(got, m.Decision); return true }); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Join(got, " ") != strings.Join(one.want, " ") {
				t.Errorf("exported %v, want %v", got, one.want)
			}
		})
	}
}
