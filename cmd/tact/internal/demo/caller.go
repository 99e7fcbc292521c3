package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// caller speaks HTTP, with connections of its own.
type caller struct{ http *http.Client }

func newCaller() caller { return caller{&http.Client{Transport: &http.Transport{}}} }

// hangUp closes the connections that are not in use, so that no server waits for them.
func (c caller) hangUp() { c.http.CloseIdleConnections() }

// maxAnswer is above the size of any answer in bytes.
const maxAnswer = 16 << 20

// call makes one HTTP request and reads the JSON answer. Where the peer is busy it tries again.
func (c caller) call(ctx context.Context, method, url, token, body string, answer any) error {
	for {
		code, text, err := c.send(ctx, method, url, token, body)
		switch {
		case err != nil:
			return err
		case code == http.StatusServiceUnavailable:
			pause(ctx, 20*time.Millisecond)
			if ctx.Err() == nil {
				continue
			}
			return ctx.Err()
		case code != http.StatusOK && (answer == nil || json.Unmarshal(text, answer) != nil || !bytes.Contains(text, []byte("rejected"))):
			return fmt.Errorf("%s %s: %d %s", method, url, code, bytes.TrimSpace(text))
		case code != http.StatusOK:
			return nil // the answer names the lines
		}
		if raw, ok := answer.(*[]byte); ok {
			*raw = text
			return nil
		}
		if err := json.Unmarshal(text, answer); err != nil {
			return fmt.Errorf("%s %s: %w", method, url, err)
		}
		return nil
	}
}

func (c caller) send(ctx context.Context, method, url, token, body string) (code int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer got.Body.Close()
	text, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	return got.StatusCode, text, err
}
