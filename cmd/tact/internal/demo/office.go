package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tact-edge/tact/sync/hub/serve"
)

// office is the back office: the silos that feed the hub over HTTP, each with
// its own token, and the operator.
type office struct {
	url      string
	tokens   map[string]string // silo -> token
	operator string
	caller
}

// post tells the hub what happened, as a silo does. It returns when the hub has it.
func (o *office) post(ctx context.Context, silo string, lines ...string) error {
	var answer taken
	what := silo + " tells the hub"
	if err := o.call(ctx, http.MethodPost, o.url+"/v1/events", o.tokens[silo], strings.Join(lines, "\n"), &answer); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return answer.err(what)
}

// verdict answers whether a tool may approach somebody.
type verdict struct {
	May    bool    `json:"may"`
	Reason *string `json:"reason"`
	Until  *string `json:"until"`
}

func (v *verdict) reason() string {
	if v.May || v.Reason == nil {
		return ""
	}
	return *v.Reason
}

// may asks the hub for a tool that cannot decide itself.
func (o *office) may(ctx context.Context, customer, about, channel string) (v verdict, err error) {
	question := line("customer", customer, "about", about, "intent", "sales", "channel", channel)
	if err = o.call(ctx, http.MethodPost, o.url+"/v1/may", o.tokens[mailer], question, &v); err != nil {
		err = fmt.Errorf("ask the hub whether mail may: %w", err)
	}
	return v, err
}

// publish puts a signed bundle in charge of every device.
func (o *office) publish(ctx context.Context, bundle, signature []byte) error {
	body := line("bundle", base64.StdEncoding.EncodeToString(bundle), "signature", string(signature))
	var raw []byte
	if err := o.call(ctx, http.MethodPost, o.url+"/v1/bundles", o.operator, body, &raw); err != nil {
		return fmt.Errorf("publish the policy: %w", err)
	}
	return nil
}

// decisions returns what the hub has of a device, in order of arrival.
func (o *office) decisions(ctx context.Context, device string) ([]serve.Decision, error) {
	var raw []byte
	if err := o.call(ctx, http.MethodGet, o.url+"/v1/decisions?limit=10000&device="+url.QueryEscape(device), o.operator, "", &raw); err != nil {
		return nil, fmt.Errorf("read the hub's decisions: %w", err)
	}
	var list []serve.Decision
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		var d serve.Decision
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("read the hub's decisions: %w", err)
		}
		list = append(list, d)
	}
	return list, lines.Err()
}

// ago is a day in the past, as event lines write instants.
func ago(days int) string {
	return time.Now().AddDate(0, 0, -days).UTC().Format("2006-01-02T15:04:05.000Z")
}
