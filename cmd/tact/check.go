package main

import (
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

With --json one finding a line: {file,line,column,severity,code,message,hint}.`,
		Example: `  tact check shop
  tact check shop --strict --json`,
		Args: exactly("DIR"),
	}
	asJSON := jsonFlag(cmd)
	strict := cmd.Flags().Bool("strict", false, "exit 1 on warnings too")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		b, findings, err := policy.Compile(args[0])
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
		errors, warnings := policy.CountFindings(findings)
		if errors > 0 || *strict && warnings > 0 {
			a.say("%s: %s", args[0], counts(errors, "error", warnings, "warning"))
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
