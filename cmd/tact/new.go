package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/policy"
)

func newNewCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "start a policy, with scenarios that pass",
		Long: `Write a small policy and its scenarios into DIR, which must not exist yet or be
empty: something to change, check and test, and a recording to replay.`,
		Example: `  tact new shop
  tact check shop
  tact test shop
  tact replay shop --events shop/monday.jsonl`,
		Args: exactly("DIR"),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		files, err := policy.Start(args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(struct {
				Files []string `json:"files"`
			}{files})
		}
		for _, f := range files {
			if _, err := fmt.Fprintln(a.stdout, f); err != nil {
				return err
			}
		}
		a.say("next: tact check %s", args[0])
		return nil
	}
	return cmd
}
