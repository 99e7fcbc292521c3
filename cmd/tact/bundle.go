package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/firmware/update"
)

func newBundleCommand(a *app) *cobra.Command {
	cmd := parent(&cobra.Command{
		Use:   "bundle",
		Short: "look at a bundle and verify its signature",
		Long:  "Look at a bundle and verify its signature, which the minisign program verifies as well.",
		Example: `  tact bundle verify shop.bundle --pub shop.pub
  minisign -V -m shop.bundle -p shop.pub`,
	})
	cmd.AddCommand(newBundleShowCommand(a), newBundleVerifyCommand(a))
	return cmd
}

func newBundleVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE --pub NAME.pub",
		Short: "say whether FILE is signed by a key that you trust",
		Long: `Say whether FILE is whole and FILE.minisig is its signature by one of the keys
that you trust. A bundle that is unsigned, untrusted or broken is refused: exit 1.`,
		Example: `  tact bundle verify shop.bundle --pub shop.pub
  tact bundle verify shop.bundle --pub old.pub --pub new.pub --json`,
		Args: exactly("FILE"),
	}
	asJSON := jsonFlag(cmd)
	trusted := cmd.Flags().StringArray("pub", nil, "a key that you trust; may be given several times")
	signature := cmd.Flags().String("signature", "", "the signature's file (FILE.minisig)")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(*trusted) == 0 {
			return usage(errors.New("--pub is missing: say which key you trust, as in --pub shop.pub"))
		}
		if *signature == "" {
			*signature = args[0] + ".minisig"
		}
		return a.verifyBundle(args[0], *signature, *trusted, *asJSON)
	}
	return cmd
}

func (a *app) verifyBundle(path, signaturePath string, trusted []string, asJSON bool) error {
	keys, err := publicKeys(trusted)
	if err != nil {
		return err
	}
	bundle, err := readSmall(path, update.MaxBundle)
	if err != nil {
		return err
	}
	signature, err := readSmall(signaturePath, update.MaxSignature)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	comment, refused := update.Verify(bundle, signature, keys)
	switch {
	case asJSON:
		err = a.printJSON(struct {
			File    string `json:"file"`
			Good    bool   `json:"good"`
			Comment string `json:"comment"`
			Refused string `json:"refused"`
		}{path, refused == nil, comment, refusal(refused)})
	case refused == nil:
		_, err = fmt.Fprintf(a.stdout, "%s: good signature of %s\n", path, comment)
	default:
		err = nil
	}
	if refused != nil {
		return withCode(exitFailed, fmt.Errorf("%s: %w", path, refused))
	}
	return err
}

// refusal is the word for scripts: unsigned, untrusted, broken, or empty.
func refusal(err error) string {
	switch {
	case errors.Is(err, update.ErrUnsigned):
		return "unsigned"
	case errors.Is(err, update.ErrUntrusted):
		return "untrusted"
	case errors.Is(err, update.ErrBroken):
		return "broken"
	}
	return ""
}
