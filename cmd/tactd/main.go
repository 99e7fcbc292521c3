package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/tact-edge/tact/agent/store"
)

// Exit codes, those of the contract.
const (
	exitDone          = 0
	exitFailed        = 1
	exitUsage         = 2
	exitUnreachable   = 69
	exitIO            = 74
	exitBusy          = 75
	exitPermission    = 77
	exitConfiguration = 78
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// codeOf returns the exit code of an error.
func codeOf(err error) int {
	var own *exitError
	var path *fs.PathError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &own):
		return own.code
	case errors.Is(err, store.ErrBusy), errors.Is(err, syscall.EADDRINUSE):
		return exitBusy
	case errors.Is(err, fs.ErrPermission):
		return exitPermission
	case errors.Is(err, store.ErrFull), errors.As(err, &path), errors.Is(err, syscall.EIO):
		return exitIO
	}
	return exitFailed
}

const usage = `tactd runs the Tact agent of a device.

Usage:
  tactd run     [--config FILE]            run until SIGTERM or SIGINT
  tactd doctor  [--config FILE] [--json]   check the device, and say what to do
  tactd config  [show [--origin]] [--config FILE]
                                           check the configuration, and print it
  tactd version [--json]                   print the version

Configuration is read from ` + defaultConfig + `; the environment stands above
it, as TACT_BROKER__ADDRESS for broker.address.

Examples:
  TACT_DEVICE__ID=kiosk-1 tactd config show > config.yaml    # every key, to fill in
  tactd config show --origin --config config.yaml
  tactd doctor --config config.yaml
  tactd run --config config.yaml
  TACT_DEVICE__ID=kiosk-1 TACT_STORE__DIR=/tmp/kiosk-1 TACT_LOCAL__SOCKET=none tactd run
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := tactd(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// tactd is the whole command, as a function of what it is given.
func tactd(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	verbs := map[string]func(context.Context, *call) error{"run": run, "doctor": doctor, "config": showConfig, "version": printVersion}
	verb := verbs[args[0]]
	switch {
	case args[0] == "help" || args[0] == "--help" || args[0] == "-h":
		fmt.Fprint(stdout, usage)
		return exitDone
	case verb == nil:
		fmt.Fprintf(stderr, "tactd: unknown command %q\n\n%s", args[0], usage)
		return exitUsage
	}
	c, err := parse(args, environ, stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "tactd: %v\n\n%s", err, usage)
		return exitUsage
	}
	if err := verb(ctx, c); err != nil {
		var f *findings
		if errors.As(err, &f) {
			fmt.Fprint(stderr, f)
			return exitConfiguration
		}
		if !errors.Is(err, errTold) {
			fmt.Fprintf(stderr, "tactd: %v\n", err)
		}
		return codeOf(err)
	}
	return exitDone
}

// errTold ends a verb that has printed what is wrong.
var errTold = errors.New("told")

// call is one call of a verb.
type call struct {
	config  string // path, given or not
	given   bool
	json    bool
	origin  bool
	rest    []string
	environ []string
	stdout  io.Writer
	stderr  io.Writer
	crash   func(point string) // nil but in tests
}

func parse(args, environ []string, stdout, stderr io.Writer) (*call, error) {
	c := &call{config: defaultConfig, environ: environ, stdout: stdout, stderr: stderr}
	set := flag.NewFlagSet("tactd "+args[0], flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Func("config", "configuration file", func(s string) error { c.config, c.given = s, true; return nil })
	if args[0] == "doctor" || args[0] == "version" {
		set.BoolVar(&c.json, "json", false, "print JSON")
	}
	rest := args[1:]
	if args[0] == "config" {
		set.BoolVar(&c.origin, "origin", false, "say where each value comes from")
		if len(rest) > 0 && (rest[0] == "show" || rest[0] == "check") {
			c.rest, rest = rest[:1], rest[1:]
		}
	}
	if err := set.Parse(rest); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("%s takes no %q", args[0], set.Arg(0))
	}
	return c, nil
}

// version is set by the linker (make build); else it is the version of the
// module that the agent was built from.
var version = ""

// printVersion prints the version in the form of tact version.
func printVersion(_ context.Context, c *call) error {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	v = cmp.Or(v, "development")
	if c.json {
		_, err := fmt.Fprintf(c.stdout, "{\"version\":%q,\"go\":%q,\"os\":%q,\"arch\":%q}\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "tactd %s %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
