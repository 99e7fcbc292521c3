package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/register"
)

type auditFlags struct {
	inputs
	format, language, until string
	json, useless           bool
}

func newAuditCommand(a *app) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit POLICY",
		Short: "print the register: which data, why, how long, who receives it",
		Long: `Print the register of a policy (GDPR art. 30), made from the policy alone: for every
fact, kind of interaction, signal and derived value why it is used and on what legal
basis, where it comes from, how long it is kept and trusted, who receives it, which
actions use it and whether it leaves the device. Then purposes, partners, exemptions,
mandatory actions, states that an absent source lifts, sensitive subjects, signals that
are read only with consent. POLICY is a folder or a bundle; both, and every run, give
the same bytes.

With --useless the recorded input is played through the policy once as it is, and once
without each fact, kind, signal and derived value: what changes no decision is held
for nothing, as far as that recording goes.`,
		Example: `  tact audit shop > register.md
  tact audit shop.bundle --format csv --language en
  tact audit shop --useless --events shop/monday.jsonl --json`,
		Args: exactly("POLICY"),
	}
	f.inputs.flags(cmd)
	cmd.Flags().StringVar(&f.format, "format", "markdown", "markdown, csv or json")
	cmd.Flags().BoolVar(&f.json, "json", false, "the same as --format json, for scripts")
	cmd.Flags().StringVar(&f.language, "language", "", "language of the texts (default: the policy's first)")
	cmd.Flags().BoolVar(&f.useless, "useless", false, "play recorded input and name what never changed a decision")
	cmd.Flags().StringVar(&f.until, "until", "", "with --useless: let timers fire until this time (RFC 3339) after the last line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.json {
			if cmd.Flags().Changed("format") && f.format != "json" {
				return usage(fmt.Errorf("--json and --format %s exclude each other", f.format))
			}
			f.format = "json"
		}
		switch f.format {
		case "markdown", "csv", "json":
		default:
			return usage(fmt.Errorf("--format %q is none of markdown, csv, json", f.format))
		}
		if f.useless {
			return a.useless(cmd.Context(), args[0], &f)
		}
		return a.audit(cmd.Context(), args[0], &f)
	}
	return cmd
}

// audit prints the register of a policy.
func (a *app) audit(_ context.Context, path string, f *auditFlags) error {
	if len(f.events)+len(f.nmea)+len(f.csv) > 0 || f.until != "" {
		return usage(errors.New("recorded input is played with --useless only: the register comes from the policy alone"))
	}
	bundle, err := a.loadPolicy(path)
	if err != nil {
		return err
	}
	r, err := register.Make(bundle.Bundle, strings.TrimSpace(f.language))
	if err != nil {
		return usage(err)
	}
	out := bufio.NewWriter(a.stdout)
	write := map[string]func() error{
		"markdown": func() error { return r.Markdown(out) },
		"csv":      func() error { return r.CSV(out) },
		"json":     func() error { return r.JSON(out) },
	}[f.format]
	if err := errors.Join(write(), out.Flush()); err != nil {
		return err
	}
	a.say("%s", r.Summary())
	return nil
}
