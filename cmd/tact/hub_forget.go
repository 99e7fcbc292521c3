package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// receiptFlags are those of the verbs that end with a receipt.
type receiptFlags struct {
	peer    *hubPeer
	asJSON  *bool
	wait    bool
	timeout string
	out     string
}

func newReceiptFlags(cmd *cobra.Command) *receiptFlags {
	f := &receiptFlags{peer: hubPeerFlags(cmd), asJSON: jsonFlag(cmd)}
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until no device has anything any more")
	cmd.Flags().StringVar(&f.timeout, "timeout", "", "wait no longer than this, as in 10m; then exit code 75")
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "file for the signed receipt, once it is complete")
	return f
}

func newHubForgetCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forget ID",
		Short: "forget a customer, everywhere",
		Long: `Forget a customer, under all ids: what is known, at the hub and on every device
that holds any of it. It cannot be taken back.

Each device confirms; of one that stays away the copy ends with its lease. Nothing
is taken of the customer any more until she acts again by card or login. With
--wait it tells who is waited for, and ends when nobody is; interrupted, the
erasure goes on, and 'tact hub customer receipt' waits again.`,
		Example: `  tact hub customer forget crm:77
  tact hub customer forget crm:77 --wait --timeout 10m -o receipt.json`,
		Args: exactly("ID"),
	}
	f := newReceiptFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		id, err := f.peer.forget(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		a.say("erasure %s", id)
		return a.receipt(cmd.Context(), f, id)
	}
	return cmd
}

func newHubReceiptCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receipt ERASURE",
		Short: "say what became of an erasure, and get its signed receipt",
		Long: `Say what became of an erasure, by the id that 'tact hub customer forget' told, and get
its receipt, signed by the hub. Nothing in a receipt leads to the customer.
'tact hub verify --receipt FILE --key hub.signpub' checks one without the hub.`,
		Example: `  tact hub customer receipt 1f0c9a37b2d4e658
  tact hub customer receipt 1f0c9a37b2d4e658 --wait -o receipt.json`,
		Args: exactly("ERASURE"),
	}
	f := newReceiptFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		return a.receipt(cmd.Context(), f, args[0])
	}
	return cmd
}

func (f *receiptFlags) check() error {
	if f.timeout == "" {
		return nil
	}
	if d, err := sense.ParseDuration(f.timeout); err != nil || d <= 0 || d == sense.Forever {
		return usage(fmt.Errorf("--timeout %q is not a duration, as in 10m", f.timeout))
	}
	if !f.wait {
		return usage(errors.New("--timeout wants --wait"))
	}
	return nil
}

// forget has the hub forget a customer, and returns the id of the erasure.
func (p *hubPeer) forget(ctx context.Context, customer string) (string, error) {
	line, err := json.Marshal(map[string]string{"forget": customer})
	if err != nil {
		return "", err
	}
	body, err := p.do(ctx, "POST", "/v1/events", bytes.NewReader(line))
	if err != nil {
		return "", err
	}
	defer body.Close()
	var taken serve.Taken
	if err := json.NewDecoder(body).Decode(&taken); err != nil {
		return "", unreachable(fmt.Errorf("read the hub's answer: %w", err))
	}
	switch {
	case len(taken.Rejected) > 0:
		return "", fmt.Errorf("the hub says: %s", taken.Rejected[0].Error)
	case len(taken.Erasures) == 0:
		return "", errors.New("the hub names no erasure: it is of an older version")
	}
	return taken.Erasures[0].Erasure, nil
}

// pollEvery is how often the hub is asked while an erasure is waited for.
const pollEvery = time.Second

// receipt tells what became of an erasure, once it is complete where that is waited for.
func (a *app) receipt(ctx context.Context, f *receiptFlags, id string) error {
	waiting := ctx
	if f.timeout != "" {
		d, err := sense.ParseDuration(f.timeout)
		if err != nil {
			return usage(err)
		}
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, time.Duration(d)*time.Millisecond)
		defer cancel()
	}
	e, signed, err := f.peer.erasure(ctx, id)
	if err != nil {
		return err
	}
	if f.wait && e.Completed == nil {
		if e, signed, err = a.await(ctx, waiting, f, id, e, signed); err != nil {
			return err
		}
	}
	if *f.asJSON {
		err = a.printJSON(e)
	} else {
		_, err = io.WriteString(a.stdout, erasureText(&e))
	}
	if err != nil {
		return err
	}
	switch {
	case e.Completed == nil && (f.wait || f.out != ""):
		return busy(fmt.Errorf("the erasure is not complete yet: 'tact hub customer receipt %s --wait' goes on waiting", id))
	case f.out == "":
		return nil
	}
	if err := os.WriteFile(f.out, signed, 0o644); err != nil {
		return err
	}
	a.say("receipt in %s", f.out)
	return nil
}

// await asks until the erasure is complete or waiting has ended, and says when something has changed.
func (a *app) await(ctx, waiting context.Context, f *receiptFlags, id string, e serve.Erasure, signed []byte) (serve.Erasure, []byte, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	told := ""
	for e.Completed == nil {
		if now := waitedFor(&e); now != told {
			a.say("%s", now)
			told = now
		}
		select {
		case <-tick.C:
		case <-waiting.Done():
			return e, signed, ctx.Err() // nil where only the time is over
		}
		var err error
		if e, signed, err = f.peer.erasure(ctx, id); err != nil {
			return e, signed, err
		}
	}
	return e, signed, nil
}

// erasure asks the hub what became of an erasure.
func (p *hubPeer) erasure(ctx context.Context, id string) (e serve.Erasure, signed []byte, err error) {
	if id == "" || strings.ContainsAny(id, "/?#% ") {
		return e, nil, usage(fmt.Errorf("%q is no id of an erasure: it is 16 hex digits, as 'tact hub customer forget' told", id))
	}
	body, err := p.get(ctx, "/v1/erasures/"+id)
	if err != nil {
		return e, nil, err
	}
	defer body.Close()
	if signed, err = io.ReadAll(io.LimitReader(body, 1<<20)); err != nil {
		return e, nil, unreachable(fmt.Errorf("read erasure: %w", err))
	}
	var envelope struct {
		Payload serve.Erasure `json:"payload"`
	}
	if err := json.Unmarshal(signed, &envelope); err != nil {
		return e, nil, unreachable(fmt.Errorf("read erasure: %w", err))
	}
	return envelope.Payload, signed, nil
}

// waitedFor says in a line who has not confirmed yet.
func waitedFor(e *serve.Erasure) string {
	var names []string
	done := 0
	for _, d := range e.Devices {
		if d.How == serve.Waiting {
			names = append(names, fmt.Sprintf("%s (ends by itself at %s)", d.Device, orDash(d.Lease)))
		} else {
			done++
		}
	}
	const most = 5
	more := ""
	if n := len(names) - most; n > 0 {
		names, more = names[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%d of %d devices have nothing any more; waiting for %s%s", done, len(e.Devices), strings.Join(names, ", "), more)
}

// erasureText is an erasure for people to read.
func erasureText(e *serve.Erasure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "erasure %s, asked for at %s", e.Erasure, e.Requested)
	if e.By != "" {
		fmt.Fprintf(&b, " by %s", e.By)
	}
	if e.Completed != nil {
		fmt.Fprintf(&b, "\ncomplete at %s\n", *e.Completed)
	} else {
		b.WriteString("\nnot complete: devices are waited for\n")
	}
	if len(e.Devices) == 0 {
		b.WriteString("no device had anything\n")
	}
	for _, d := range e.Devices {
		switch {
		case d.How == serve.Waiting:
			fmt.Fprintf(&b, "  %-24s waiting; ends by itself at %s\n", d.Device, orDash(d.Lease))
		case d.How == hub.LeaseEnded:
			fmt.Fprintf(&b, "  %-24s stayed away; its lease ended at %s\n", d.Device, orDash(d.At))
		default:
			fmt.Fprintf(&b, "  %-24s %s at %s\n", d.Device, d.How, orDash(d.At))
		}
	}
	for _, how := range []string{serve.Waiting, hub.Confirmed, hub.LeaseEnded} {
		if n := e.More[how]; n > 0 {
			fmt.Fprintf(&b, "  and %d more devices: %s\n", n, how)
		}
	}
	b.WriteString("what stays:\n")
	for _, l := range e.Left {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	return b.String()
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

// maxReceipt is the size of the largest receipt.
const maxReceipt = 1 << 20

// verifyReceipt checks a receipt by the hub's public key alone.
func (a *app) verifyReceipt(path, keyPath string, asJSON bool) error {
	text, err := readSmall(keyPath, maxKeyFile)
	if err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return configuration(fmt.Errorf("%s is no public key of a hub: it is the file %s of the hub's folder", keyPath, serve.SignPubFile))
	}
	var receipt []byte
	if path == "-" {
		receipt, err = io.ReadAll(io.LimitReader(a.stdin, maxReceipt))
	} else {
		receipt, err = readSmall(path, maxReceipt)
	}
	if err != nil {
		return err
	}
	e, err := serve.VerifyReceipt(receipt, key)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if asJSON {
		err = a.printJSON(e)
	} else {
		_, err = fmt.Fprintf(a.stdout, "%sthe signature of the hub of tenant %s is right\n", erasureText(&e), e.Tenant)
	}
	if err == nil && e.Completed == nil {
		err = errFindings
	}
	return err
}
