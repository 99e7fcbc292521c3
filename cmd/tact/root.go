package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// app is what every verb gets: the streams. It has no settings.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// verbs are the commands in the order in which help lists them within a group.
var verbs = []struct {
	group string
	make  func(*app) *cobra.Command
}{
	{groupPolicy, newNewCommand},
	{groupPolicy, newCheckCommand},
	{groupPolicy, newFmtCommand},
	{groupBundle, newBuildCommand},
	{groupBundle, newBundleCommand},
	{groupBundle, newKeysCommand},
	{groupPolicy, newTestCommand},
	{groupPolicy, newAuditCommand},
	{groupRunning, newReplayCommand},
	{groupRunning, newExplainCommand},
	{groupRunning, newHubCommand},
	{groupRunning, newDemoCommand},
	{groupTool, newVersionCommand},
	{groupTool, newCompletionCommand},
}

// Groups of verbs, in the order of help.
const (
	groupPolicy  = "policy"
	groupBundle  = "bundle"
	groupRunning = "running"
	groupTool    = "tool"
)

var groups = []*cobra.Group{
	{ID: groupPolicy, Title: "Write a policy:"},
	{ID: groupBundle, Title: "Ship it:"},
	{ID: groupRunning, Title: "See it work:"},
	{ID: groupTool, Title: "The tool itself:"},
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil, errors.Is(err, errFindings):
	case stopped(ctx, err):
		a.say("stopped")
	default:
		a.say("%s", strings.TrimRight(err.Error(), "\n"))
	}
	return codeOf(err)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "tact",
		Short: "next-best-action with manners, for devices at the edge",
		Long: `Tact decides what a device should say next, or that silence is better.
This is the tool for people: policies, bundles, replays, the hub.`,
		Example: `  tact keys new shop              # once: shop.key signs, shop.pub verifies
  tact new shop
  tact test shop
  tact build shop -o shop.bundle --key shop.key
  tact bundle verify shop.bundle --pub shop.pub`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w\nsee '%s --help'", err, cmd.CommandPath()))
	})
	used := map[string]bool{}
	for _, v := range verbs {
		cmd := v.make(a)
		cmd.GroupID = v.group
		used[v.group] = true
		root.AddCommand(cmd)
	}
	for _, g := range groups {
		if used[g.ID] {
			root.AddGroup(&cobra.Group{ID: g.ID, Title: g.Title})
		}
	}
	root.AddCommand(newTopics()...)
	root.SetHelpCommand(newHelpCommand())
	return root
}

// parent makes a command that has only verbs below it.
func parent(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage(fmt.Errorf("'%s' needs a command after it\nsee '%s --help'", cmd.CommandPath(), cmd.CommandPath()))
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// unknownCommand says what the nearest command is.
func unknownCommand(cmd *cobra.Command, word string) error {
	text := fmt.Sprintf("unknown command %q for '%s'", word, cmd.CommandPath())
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		text += fmt.Sprintf("; did you mean '%s %s'?", cmd.CommandPath(), strings.Join(near, "' or '"+cmd.CommandPath()+" "))
	}
	return usage(fmt.Errorf("%s\nsee '%s --help'", text, cmd.CommandPath()))
}

// noArguments, exactly and atLeast check the number of arguments; names are what
// the usage line calls them.
func noArguments(cmd *cobra.Command, args []string) error { return exactly()(cmd, args) }

func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return usage(fmt.Errorf("unexpected argument %q\nsee '%s --help'", args[len(names)], cmd.CommandPath()))
		}
		return atLeast(names...)(cmd, args)
	}
}

func atLeast(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usage(fmt.Errorf("%s is missing: %s\nsee '%s --help'", names[len(args)], cmd.UseLine(), cmd.CommandPath()))
		}
		return nil
	}
}

// say talks to the person on stderr; further lines are indented.
func (a *app) say(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n      ")
	fmt.Fprintf(a.stderr, "tact: %s\n", text)
}

// jsonFlag adds --json to a command.
func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print the result as JSON, for scripts")
}

// printJSON prints one result on one line, without HTML escaping.
func (a *app) printJSON(result any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(result)
}
