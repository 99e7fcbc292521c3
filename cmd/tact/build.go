package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/firmware/update"
)

func newBuildCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build POLICY -o FILE --key NAME.key",
		Short: "compile and sign a policy into a bundle",
		Long: `Compile the folder POLICY into the bundle FILE, and sign it into FILE.minisig.
Equal policies and keys give equal files. With an error in the policy nothing is
written.`,
		Example: `  tact build shop -o shop.bundle --key shop.key
  tact bundle verify shop.bundle --pub shop.pub`,
		Args: exactly("POLICY"),
	}
	asJSON := jsonFlag(cmd)
	out := cmd.Flags().StringP("output", "o", "", "the bundle's file")
	key := cmd.Flags().String("key", "", "the key that signs it, made by tact keys new")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		switch {
		case *out == "":
			return usage(errors.New("-o is missing: say where the bundle goes, as in -o shop.bundle"))
		case *key == "":
			return usage(errors.New("--key is missing: say which key signs, as in --key shop.key"))
		}
		return a.build(args[0], *out, *key, *asJSON)
	}
	return cmd
}

func (a *app) build(dir, out, key string, asJSON bool) error {
	secret, err := a.secretKey(key)
	if err != nil {
		return err
	}
	b, findings, err := policy.Compile(dir)
	if err != nil {
		return err
	}
	if err := policy.PrintFindings(a.stderr, findings, policySource(dir)); err != nil {
		return err
	}
	if b == nil {
		return errFindings
	}
	raw := catalog.Encode(b)
	if len(raw) > catalog.MaxBundle {
		return fmt.Errorf("%s: the bundle has %d bytes, devices take at most %d", dir, len(raw), catalog.MaxBundle)
	}
	name := fmt.Sprintf("%s@%d", b.Name, b.Version)
	signature, err := update.Sign(raw, secret, name)
	if err != nil {
		return err
	}
	folder := update.Folder(filepath.Dir(out))
	if err := folder.Replace(filepath.Base(out), raw); err != nil {
		return err
	}
	if err := folder.Replace(filepath.Base(out)+".minisig", signature); err != nil {
		return err
	}
	if asJSON {
		hash := catalog.Hash(raw)
		return a.printJSON(struct {
			File      string `json:"file"`
			Signature string `json:"signature"`
			Policy    string `json:"policy"`
			Bytes     int    `json:"bytes"`
			Hash      string `json:"hash"`
		}{out, out + ".minisig", name, len(raw), hex.EncodeToString(hash[:])})
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s, %d bytes, signed in %s.minisig\n", out, name, len(raw), out)
	return err
}
