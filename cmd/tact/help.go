package main

import "github.com/spf13/cobra"

// newHelpCommand is cobra's, but for a wrong word, which here exits 2.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "print help for a command or a topic",
		Long:  "Print help for a command or a topic.",
		Example: `  tact help keys new
  tact help exit-codes`,
		GroupID: groupTool,
		RunE: func(cmd *cobra.Command, words []string) error {
			found, rest, err := cmd.Root().Find(words)
			if err != nil || len(rest) > 0 {
				if found == nil {
					found, rest = cmd.Root(), words
				}
				return unknownCommand(found, rest[0])
			}
			return found.Help()
		},
	}
}
