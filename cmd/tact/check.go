package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/policy"
)

func newCheckCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "find every mistake of a policy at once",
		Long: `Read every *.yaml file of DIR together and print every finding: where, what, and
what to do. Exit code 1 when there is an error; with --strict a warning will do.

An error is what allows no bundle: what cannot be read, what may not be (data used
for a purpose that it is not held for, special data without explicit consent, a price
that is not disclosed, a question that nobody needs), and what can never hold. A
warning is what nobody can mean: what nothing uses, a limit that never bites.
"tact help policy" explains every key.

With --cost it says too what a good policy costs where it runs: by each signal, fact
and other thing that conditions read, the steps that a change of it takes; the ten most
expensive conditions, where they stand and what makes them so; and the memory of
conditions, for --sessions people served by one device. A step is a comparison that
turns, a way from it to a condition or an action, or a term or node that is worked out.
Steps are the same on every machine; on a server's core one takes 5 to 9 nanoseconds. A
change that turns nothing takes next to none, but for formulas, lists and windows.

With --json one finding a line: {file,line,column,severity,code,message,hint}; with
--cost one line more, {"cost":{...}}, with every condition.`,
		Example: `  tact check shop
  tact check shop --strict --json
  tact check shop --cost --sessions 200`,
		Args: exactly("DIR"),
	}
	asJSON := jsonFlag(cmd)
	strict := cmd.Flags().Bool("strict", false, "exit 1 on warnings too")
	cost := cmd.Flags().Bool("cost", false, "say what the policy costs: by signal, by condition, in memory")
	sessions := cmd.Flags().Int("sessions", 200, "with --cost: how many sessions one device serves")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case cmd.Flags().Changed("sessions") && !*cost:
			return usage(errors.New("--sessions belongs to --cost: give both"))
		case *sessions < 1 || *sessions > mostSessions:
			return usage(fmt.Errorf("--sessions %d is not from 1 to %d", *sessions, mostSessions))
		}
		b, written, findings, err := policy.CompileWritten(args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			err = policy.PrintFindingsJSON(a.stdout, findings)
		} else {
			err = policy.PrintFindings(a.stdout, findings, policySource(args[0]))
		}
		if err != nil {
			return err
		}
		if *cost && b != nil {
			if len(findings) > 0 && !*asJSON {
				fmt.Fprintln(a.stdout)
			}
			if err := a.cost(b, written, *sessions, *asJSON); err != nil {
				return err
			}
		}
		mistakes, warnings := policy.CountFindings(findings)
		if mistakes > 0 || *strict && warnings > 0 {
			a.say("%s: %s", args[0], counts(mistakes, "error", warnings, "warning"))
			return errFindings
		}
		if !*asJSON {
			a.say("%s@%d is good: %s", b.Name, b.Version, counts(len(b.Actions), "action", len(b.Slots), "slot", warnings, "warning"))
		}
		return nil
	}
	return cmd
}

// counts prints numbers with their words: 1 action, 2 slots.
func counts(pairs ...any) string {
	text := ""
	for k := 0; k+1 < len(pairs); k += 2 {
		if k > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", pairs[k], pairs[k+1])
		if pairs[k] != 1 {
			text += "s"
		}
	}
	return text
}
