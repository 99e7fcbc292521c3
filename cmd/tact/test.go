package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/agent/sim/scenario"
)

type testFlags struct {
	update, json, verbose bool
	run                   string
}

func newTestCommand(a *app) *cobra.Command {
	var f testFlags
	cmd := &cobra.Command{
		Use:   "test [DIR or FILE ...]",
		Short: "play scenarios and say what did not come out as written",
		Long: `Play the scenarios of the files, or of every .txt file below the folders (the
present one where none is given), on the real engine. What does not come out as
written is shown: what was expected, what happened, and the funnel of the decision.

A scenario says what is given, what happens, and what must be decided:

  scenario what was just bought is not offered again
  policy ../policies/dealer
  given anna identified by card
  given purchase of product:model-x by anna at t0-21d
  when ask kiosk.home
  then slot kiosk.home shows first-service
  and model-x-1000-off was rejected at guard because already_bought

Lines: policy, at, given, when, background, device, on D, hub given, link delay,
D is offline|online, then slot S shows|is silent because, then nothing is shown in,
then clears, then may, then signal N is V|read, then D sends, then D knows, then a
person is told, then the policy DIR is refused because, and A was rejected at, and
text contains, and uses, and value is, and rank N is, and price is, and the customer
is told; given EVENT is refused because, when the policy becomes DIR. Events are
lines of the contract as JSON, or short: ask SLOT, C identified by card, signal N V,
fact N V of C, C grants P, KIND of ABOUT by C, outcome accepted, clock unknown,
boot. go doc github.com/tact-edge/tact/agent/sim/scenario has them all.

--update rewrites the then and and lines that do not hold to what happened: look at
the difference before you keep it.`,
		Example: `  tact test
  tact test testdata/journeys --run complaint -v
  tact test shop/scenarios/first.txt --update`,
	}
	cmd.Flags().BoolVar(&f.update, "update", false, "rewrite the then and and lines that do not hold")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "name the scenarios that passed too")
	cmd.Flags().StringVar(&f.run, "run", "", "only scenarios whose text matches this regular expression")
	cmd.Flags().BoolVar(&f.json, "json", false, "print each scenario's result as a JSON line, for scripts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.test(cmd.Context(), args, &f) }
	return cmd
}

func (a *app) test(ctx context.Context, args []string, f *testFlags) error {
	only, err := regexp.Compile(f.run)
	if err != nil {
		return usage(fmt.Errorf("--run: %w", err))
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	files, err := scenarioFiles(args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usage(fmt.Errorf("no scenario (a .txt file with a line `scenario TEXT`) below %s", strings.Join(args, ", ")))
	}
	out := bufio.NewWriter(a.stdout)
	defer out.Flush()
	t := tester{app: a, out: out, flags: f, only: only, paint: a.paint()}
	for _, file := range files {
		if err := t.file(ctx, file); err != nil {
			return err
		}
	}
	return t.sum()
}

// scenarioFiles returns the files that are named, and below folders those that
// hold scenarios.
func scenarioFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".txt" {
				return err
			}
			content, err := readSmall(path, maxScenarios)
			if err == nil && slices.ContainsFunc(strings.Split(strings.TrimPrefix(string(content), "\ufeff"), "\n"), func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "scenario ") }) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// maxScenarios is the largest scenario file in bytes.
const maxScenarios = 4 << 20

// tester plays files and counts.
type tester struct {
	*app
	out      *bufio.Writer
	flags    *testFlags
	only     *regexp.Regexp
	paint    funnel.Paint
	policies scenario.Policies

	passed, failed, checks, bad, updated int
}

func (t *tester) file(ctx context.Context, name string) error {
	content, err := readSmall(name, maxScenarios)
	if err != nil {
		return err
	}
	f, mistakes := scenario.Parse(name, content)
	if len(mistakes) > 0 {
		for _, m := range mistakes {
			fmt.Fprintln(t.stderr, m)
		}
		t.bad += len(mistakes)
		return nil
	}
	var results []scenario.Result
	for _, s := range f.Scenarios {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !t.only.MatchString(s.Name) {
			continue
		}
		r := scenario.Run(f, s, &t.policies)
		results = append(results, r)
		if err := t.tell(r); err != nil {
			return err
		}
	}
	if !t.flags.update {
		return nil
	}
	changed, n := scenario.Updated(f, results)
	if n == 0 {
		return nil
	}
	t.updated += n
	return os.WriteFile(name, changed, 0o644)
}

func (t *tester) tell(r scenario.Result) error {
	t.checks += r.Checks
	if r.Passed {
		t.passed++
	} else {
		t.failed++
	}
	switch {
	case t.flags.json:
		return (&app{stdout: t.out}).printJSON(r)
	case r.Passed && t.flags.verbose:
		fmt.Fprintf(t.out, "%s  %s: %s\n", t.tone("good", "ok  "), r.File, r.Scenario)
	case !r.Passed:
		fmt.Fprintf(t.out, "%s  %s:%d: %s\n", t.tone("bad", "FAIL"), r.File, r.Line, r.Scenario)
		for _, f := range r.Failures {
			t.failure(r.File, f)
		}
	}
	return nil
}

func (t *tester) failure(file string, f scenario.Failure) {
	fmt.Fprintf(t.out, "  %s:%d: %s\n", file, f.Line, f.Text)
	fmt.Fprintf(t.out, "      expected: %s\n", f.Expected)
	fmt.Fprintf(t.out, "      happened: %s\n", t.tone("bad", f.Happened))
	if f.Why != "" {
		fmt.Fprintf(t.out, "      why:\n        %s\n", strings.ReplaceAll(strings.TrimRight(f.Why, "\n"), "\n", "\n        "))
	}
}

func (t *tester) tone(tone, text string) string {
	if t.paint == nil {
		return text
	}
	return t.paint(tone, text)
}

func (t *tester) sum() error {
	if !t.flags.json {
		fmt.Fprintf(t.out, "%d scenarios passed, %d failed, %d expectations looked at\n", t.passed, t.failed, t.checks)
	}
	switch {
	case t.bad > 0:
		return fmt.Errorf("%d lines are not understood; their files were not played", t.bad)
	case t.passed+t.failed == 0:
		if t.flags.run == "" {
			return errors.New("nothing was played: a scenario begins with a line `scenario TEXT`")
		}
		return errors.New("no scenario matches --run " + t.flags.run)
	case t.updated > 0:
		t.say("%d lines were rewritten: look at the difference", t.updated)
		return nil
	case t.failed > 0:
		return errFindings
	}
	return nil
}
