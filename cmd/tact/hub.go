package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/sync/hub/serve"
)

func newHubCommand(a *app) *cobra.Command {
	cmd := parent(&cobra.Command{
		Use:   "hub",
		Short: "run the hub, and ask it",
		Long: `Run the hub, and ask it. The hub joins the silos into one view of each customer,
leases slices of it to devices, ships bundles and takes decisions in.

Everything is in one folder: keys, the operator's token and the ledger. The other
verbs find the running hub by that folder, or by --hub and --token.`,
		Example: `  tact hub run --embedded-broker 127.0.0.1:1883 --bundle shop.bundle --trust shop.pub --source crm=@crm.token
  tact hub customer show crm:77 --language nl
  tact hub customer forget crm:77 --wait -o receipt.json
  tact hub decisions --device kiosk-1`,
	})
	cmd.AddCommand(newHubRunCommand(a), newHubBrokerConfigCommand(a), newHubDecisionsCommand(a), newHubCustomerCommand(a), newHubVerifyCommand(a))
	return cmd
}

// hubDir is where a hub lives when nobody says otherwise.
const hubDir = "tact-hub"

// hubPeer is a running hub, as the verbs that ask it find it.
type hubPeer struct{ dir, url, token string }

func hubPeerFlags(cmd *cobra.Command) *hubPeer {
	p := &hubPeer{}
	cmd.Flags().StringVar(&p.dir, "dir", hubDir, "folder of the hub, on this machine")
	cmd.Flags().StringVar(&p.url, "hub", "", "address of a hub elsewhere, as in http://127.0.0.1:7480; wants --token")
	cmd.Flags().StringVar(&p.token, "token", "", "operator's token, or @FILE; default: that of the folder")
	return p
}

// find fills in address and token.
func (p *hubPeer) find() (err error) {
	if p.token, err = tokenOf(p.token); err != nil {
		return err
	}
	if p.url != "" {
		if p.token == "" {
			return usage(errors.New("--hub wants --token: the operator's token is in the file " + serve.OperatorFile + " of the hub's folder"))
		}
		return nil
	}
	url, token, err := serve.ReadAddress(p.dir)
	if err != nil {
		return unreachable(fmt.Errorf("%w\nstart it with 'tact hub run --dir %s', or name it with --hub and --token", err, p.dir))
	}
	p.url = url
	if p.token == "" {
		p.token = token
	}
	return nil
}

// tokenOf reads a token: as it is, or from @FILE.
func tokenOf(text string) (string, error) {
	path, file := strings.CutPrefix(text, "@")
	if !file {
		return text, nil
	}
	token, err := readSmall(path, maxKeyFile)
	return strings.TrimSpace(string(token)), err
}

// get asks the hub. The body is the caller's to close.
func (p *hubPeer) get(ctx context.Context, path string) (io.ReadCloser, error) {
	return p.do(ctx, http.MethodGet, path, nil)
}

// do asks the hub, or has it take what is sent. The body is the caller's to close.
func (p *hubPeer) do(ctx context.Context, method, path string, send io.Reader) (io.ReadCloser, error) {
	if err := p.find(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(p.url, "/")+path, send)
	if err != nil {
		cancel()
		return nil, usage(fmt.Errorf("read --hub %q: %w", p.url, err))
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		cancel()
		return nil, unreachable(fmt.Errorf("ask the hub: %w", err))
	}
	body := &closing{answer.Body, cancel}
	if answer.StatusCode == http.StatusOK {
		return body, nil
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 64<<10))
	if err != nil {
		return nil, unreachable(fmt.Errorf("ask the hub: %w", err))
	}
	why := struct{ Error string }{Error: string(bytes.TrimSpace(text))}
	_ = json.Unmarshal(text, &why) // what is no JSON is told as it is
	err = fmt.Errorf("the hub says: %s", why.Error)
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, withCode(exitPermission, err)
	case http.StatusServiceUnavailable:
		return nil, busy(err)
	}
	return nil, err
}

// closing ends a request's time limit with its body.
type closing struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *closing) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
