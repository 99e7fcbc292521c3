package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/hub/serve"
)

func newHubDecisionsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decisions",
		Short: "list the decisions that devices made",
		Long: `List the decisions that devices made, in order of arrival: when, where, what was
said or why not, for how much, and what came of it.`,
		Example: `  tact hub decisions --device kiosk-1 --since 2026-03-02T10:00:00Z
  tact hub decisions --json | jq .rejected`,
		Args: noArguments,
	}
	peer, asJSON := hubPeerFlags(cmd), jsonFlag(cmd)
	since := cmd.Flags().String("since", "", "made at or after this time, as in 2026-03-02T10:00:00Z")
	device := cmd.Flags().String("device", "", "of this device only")
	after := cmd.Flags().Int64("after", 0, "after this arrival number, to page on")
	limit := cmd.Flags().Int("limit", 1000, fmt.Sprintf("how many at the most, up to %d", ledger.MaxDecisions))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {strconv.Itoa(*limit)}, "after": {strconv.FormatInt(*after, 10)}}
		if *since != "" {
			q.Set("since", *since)
		}
		if *device != "" {
			q.Set("device", *device)
		}
		body, err := peer.get(cmd.Context(), "/v1/decisions?"+q.Encode())
		if err != nil {
			return err
		}
		defer body.Close()
		if *asJSON {
			_, err := io.Copy(a.stdout, body)
			return err
		}
		return a.printDecisions(body)
	}
	return cmd
}

func (a *app) printDecisions(body io.Reader) error {
	d := json.NewDecoder(bufio.NewReader(body))
	for {
		var x serve.Decision
		if err := d.Decode(&x); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return unreachable(fmt.Errorf("read decisions: %w", err))
		}
		said := x.Action
		if x.Cause != nil {
			said += " (" + *x.Cause + ")"
		}
		var came []string
		for _, o := range x.Outcomes {
			came = append(came, o.Outcome)
		}
		if _, err := fmt.Fprintf(a.stdout, "%s  %-24s %-12s %-28s %8s  %s\n", x.At, x.Decision, x.Slot, said, x.Value, strings.Join(came, " ")); err != nil {
			return err
		}
	}
}

func newHubVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "check that no record is missing or counted twice, or check a receipt",
		Long: `Check the hub's ledger: per device and epoch no gap, no loss and no decision
twice, also where a device left an epoch and took its records along, and whether
two machines speak under one identity. What stands as a tombstone where a record
was, and what devices report, is counted by reason. The hub may run meanwhile;
what is still on its way shows as a gap.

With --receipt it checks the receipt of an erasure instead, which needs no hub but
its public key: that it is signed by that key, unchanged, and complete.

Exit code 1 where something is found, or the receipt is not right.`,
		Example: `  tact hub verify --dir tact-hub
  tact hub verify --receipt receipt.json --key hub.signpub`,
		Args: noArguments,
	}
	dir := cmd.Flags().String("dir", hubDir, "folder of the hub, on this machine")
	where := cmd.Flags().String("ledger", "", "ledger as given to hub run; the one in --dir where it was not")
	receipt := cmd.Flags().String("receipt", "", "receipt of an erasure to check; - reads it from standard input")
	key := cmd.Flags().String("key", "", "public key of the hub that signed the receipt; default: "+serve.SignPubFile+" in the folder of the hub")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case *receipt == "" && *key != "":
			return usage(errors.New("--key is the key of a receipt: name that with --receipt"))
		case *receipt != "" && *key == "":
			*key = filepath.Join(*dir, serve.SignPubFile)
		}
		if *receipt != "" {
			return a.verifyReceipt(*receipt, *key, *asJSON)
		}
		if *where == "" {
			*where = "sqlite:" + filepath.Join(*dir, serve.LedgerFile)
		}
		l, err := ledger.Read(cmd.Context(), *where)
		if err != nil {
			return startError(err)
		}
		defer l.Close()
		r, err := l.Verify(cmd.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(r)
		} else {
			err = a.printReport(r)
		}
		if err == nil && len(r.Findings) > 0 {
			err = errFindings
		}
		return err
	}
	return cmd
}

func (a *app) printReport(r ledger.Report) error {
	var records, decisions int64
	for _, e := range r.Epochs {
		records += e.Records
		decisions += e.Decisions
		also := ""
		if e.Repeated > 0 {
			also = fmt.Sprintf("  %d came in an epoch before", e.Repeated)
		}
		also += counted("tombstones", e.Tombstones) + counted("reports", e.Reports)
		if _, err := fmt.Fprintf(a.stdout, "%-24s epoch %-20d %8d records %8d decisions%s\n", e.Device, e.Epoch, e.Records, e.Decisions, also); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(a.stdout, "%s, epoch %d: %s [%s]\n", f.Device, f.Epoch, f.Text, f.Code); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "%d records, %d decisions, %d findings\n", records, decisions, len(r.Findings))
	return err
}

// counted prints counts by name, in order of name; nothing of none.
func counted(what string, counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return "  " + what + ": " + strings.Join(list, ", ")
}
