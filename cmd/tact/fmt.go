package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/firmware/update"
)

func newFmtCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fmt DIR",
		Short: "give a policy its one style",
		Long: `Name the *.yaml files of DIR that are not in style. With -d show what would
change, with -w write it. Comments stay, and the meaning does too.

Exit code 1 when a file cannot be read; a file out of style alone is no failure.`,
		Example: `  tact fmt shop -d
  tact fmt shop -w`,
		Args: exactly("DIR"),
	}
	show := cmd.Flags().BoolP("diff", "d", false, "show what would change")
	write := cmd.Flags().BoolP("write", "w", false, "write the changed files")
	cmd.RunE = func(_ *cobra.Command, args []string) error { return a.format(args[0], *show, *write) }
	return cmd
}

func (a *app) format(dir string, show, write bool) error {
	if _, err := os.ReadDir(dir); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: no file ends in .yaml: %w", dir, fs.ErrNotExist)
	}
	failed := false
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		styled, findings := policy.Format(name, text)
		if len(findings) > 0 {
			if err := policy.PrintFindings(a.stderr, findings, policySource(dir)); err != nil {
				return err
			}
			errors, _ := policy.CountFindings(findings)
			failed = failed || errors > 0
			continue
		}
		if bytes.Equal(text, styled) {
			continue
		}
		out := name + "\n"
		if show {
			out = policy.Changes(name, text, styled)
		}
		if _, err := fmt.Fprint(a.stdout, out); err != nil {
			return err
		}
		if write {
			if err := (update.Folder(dir)).Replace(filepath.Base(name), styled); err != nil {
				return err
			}
		}
	}
	if failed {
		return errFindings
	}
	return nil
}
