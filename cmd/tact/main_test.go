package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tact": func() { os.Exit(execute()) },
	})
}

// The scripts in testdata say what the user types and sees. Beside the usual
// commands they have: code N COMMAND, which expects an exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each run under -race takes a second more
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": expectCode},
	})
}

// expectCode runs a command and expects its exit code: code 78 tact ...
func expectCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARGUMENT...]")
	}
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		got = fmt.Sprint(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s", got, want)
	}
}

// Every command says what it does in a line, explains itself and has an example
// that begins with the program's name.
func TestEveryCommandIsExplained(t *testing.T) {
	root := newRoot(&app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard})
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" {
			t.Errorf("%s: no Short or no Long", cmd.CommandPath())
		}
		if cmd.Runnable() && !strings.Contains(cmd.Example, "tact") {
			t.Errorf("%s: no example", cmd.CommandPath())
		}
		if strings.HasSuffix(cmd.Short, ".") || strings.ToLower(cmd.Short[:1]) != cmd.Short[:1] {
			t.Errorf("%s: Short %q is a phrase in lower case", cmd.CommandPath(), cmd.Short)
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

func TestExitCodes(t *testing.T) {
	_, missing := os.Open("does/not/exist")
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"any", errors.New("x"), 1},
		{"findings", errFindings, 1},
		{"usage", usage(errors.New("x")), 2},
		{"unreachable", fmt.Errorf("send: %w", unreachable(errors.New("x"))), 69},
		{"file", fmt.Errorf("read: %w", missing), 74},
		{"disk", &fs.PathError{Op: "write", Path: "p", Err: errors.New("no space left")}, 74},
		{"busy", busy(missing), 75},
		{"permission", &fs.PathError{Op: "open", Path: "p", Err: fs.ErrPermission}, 77},
		{"configuration", configuration(missing), 78},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got, c.want)
		}
	}
	if usage(nil) != nil {
		t.Error("no error became one")
	}
}

// The tool is a function: nothing but its streams is touched.
func TestRunIsAFunction(t *testing.T) {
	var out, talk strings.Builder
	if code := run(context.Background(), []string{"version"}, strings.NewReader(""), &out, &talk); code != 0 || talk.Len() > 0 {
		t.Errorf("code %d, stderr %q", code, talk.String())
	}
	if !strings.HasPrefix(out.String(), "tact ") {
		t.Errorf("stdout %q", out.String())
	}
}
