package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
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

func newHubCustomerCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "customer ID",
		Short: "show what is known of a customer",
		Long: `Show what is known of a customer under any id: facts, consents, interactions,
contacts and what answered them, and the devices that may hold a slice.`,
		Example: "  tact hub customer crm:77",
		Args:    exactly("ID"),
	}
	peer, asJSON := hubPeerFlags(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := peer.get(cmd.Context(), "/v1/customers/"+url.PathEscape(args[0]))
		if err != nil {
			return err
		}
		defer body.Close()
		if *asJSON {
			_, err := io.Copy(a.stdout, body)
			return err
		}
		var c serve.Customer
		if err := json.NewDecoder(body).Decode(&c); err != nil {
			return unreachable(fmt.Errorf("read customer: %w", err))
		}
		_, err = io.WriteString(a.stdout, customerText(&c))
		return err
	}
	return cmd
}

// customerText is a customer for people to read.
func customerText(c *serve.Customer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%s)\n", c.Customer, strings.Join(c.IDs, ", "))
	if c.Restricted {
		b.WriteString("restricted: the data may not be used\n")
	}
	section := func(name string, n int) {
		if n > 0 {
			fmt.Fprintf(&b, "\n%s\n", name)
		}
	}
	section("facts", len(c.Facts))
	for _, f := range c.Facts {
		fmt.Fprintf(&b, "  %s  %s = %s  (%s, %s)\n", f.Happened, f.Name, f.Value, f.Provenance, f.Source)
	}
	section("consents", len(c.Consents)+len(c.Objections))
	for _, x := range c.Consents {
		fmt.Fprintf(&b, "  %s  %s: %s\n", x.Happened, x.Purpose, map[bool]string{true: "granted", false: "not granted"}[x.Granted])
	}
	for _, x := range c.Objections {
		fmt.Fprintf(&b, "  %s  %s: %s\n", x.Happened, x.Purpose, map[bool]string{true: "objects", false: "no longer objects"}[x.Raised])
	}
	section("interactions", len(c.Interactions))
	for _, i := range c.Interactions {
		fmt.Fprintf(&b, "  %s  %s\n", i.Happened, strings.Join(strings.Fields(i.Kind+" "+i.About+" "+i.Channel+" "+i.Ref), " "))
	}
	section("contacts", len(c.Contacts))
	for _, x := range c.Contacts {
		came := "not answered"
		if x.Answered != nil {
			came = "answered " + *x.Answered + " by " + x.By
		}
		fmt.Fprintf(&b, "  %s  %s: %s\n", x.Happened, strings.Join(strings.Fields(x.Channel+" "+x.Ref), " "), came)
	}
	section("devices", len(c.Devices))
	for _, d := range c.Devices {
		fmt.Fprintf(&b, "  %s until %s\n", d.Device, d.Until)
	}
	return b.String()
}

func newHubVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "check that no record is missing or counted twice",
		Long: `Check the hub's ledger: per device and epoch no gap, no loss and no decision
twice. The hub may run meanwhile; what is still on its way shows as a gap.
Exit code 1 where something is found.`,
		Example: "  tact hub verify --dir tact-hub",
		Args:    noArguments,
	}
	dir := cmd.Flags().String("dir", hubDir, "folder of the hub, on this machine")
	where := cmd.Flags().String("ledger", "", "ledger as given to hub run; the one in --dir where it was not")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
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
		if _, err := fmt.Fprintf(a.stdout, "%-24s epoch %-20d %8d records %8d decisions\n", e.Device, e.Epoch, e.Records, e.Decisions); err != nil {
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
