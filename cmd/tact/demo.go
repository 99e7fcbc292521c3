package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tact-edge/tact/cmd/tact/internal/demo"
)

func newDemoCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "see the whole product at work on this machine, in 40 seconds",
		Long: `Start a broker, a hub and three devices (a kiosk, a car, a gateway for watches) on
free loopback ports and in a temporary folder, without root, and tell six
journeys as they happen there: what came in, what was decided, for how much, and
why not the others. A complaint is entered at the back office, the network is cut
while the devices go on deciding, and at the end decisions on devices are held
against those at the hub.

Exit code 1 when a step does not happen in its time or the balance does not hold.
Colours are left out where NO_COLOR is set or the output is no terminal.`,
		Example: `  tact demo
  tact demo --fast
  tact demo --keep`,
		Args: noArguments,
	}
	fast := cmd.Flags().Bool("fast", false, "without pauses for reading")
	keep := cmd.Flags().Bool("keep", false, "leave everything running at the end, until Ctrl-C, and print the addresses")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		// Whatever ends it, nothing is left behind: a reader that has gone makes writes fail,
		// and a terminal that is closed is as good as Ctrl-C.
		gone := make(chan os.Signal, 1)
		signal.Notify(gone, syscall.SIGPIPE)
		defer signal.Stop(gone)
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
		defer stop()
		terminal, colour := a.looks()
		err := demo.Run(ctx, demo.Options{Out: a.stdout, Terminal: terminal, Colour: colour, Fast: *fast, Keep: *keep, Meaning: meaningOf})
		if errors.Is(err, context.Canceled) && cmd.Context().Err() == nil {
			return errors.New("stopped: the terminal was closed")
		}
		return err
	}
	return cmd
}

// looks says whether stdout is a terminal that can be drawn on, and whether in colour.
func (a *app) looks() (terminal, colour bool) {
	file, ok := a.stdout.(*os.File)
	terminal = ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	return terminal, terminal && os.Getenv("NO_COLOR") == ""
}

// meaningOf is what a reason code means, in plain words; empty for an unknown one.
func meaningOf(code string) string {
	for k := range meanings {
		if meanings[k].reason.String() == code {
			return meanings[k].meaning
		}
	}
	return ""
}
