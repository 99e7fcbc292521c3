package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tact-edge/tact/firmware/update"
)

func newKeysCommand(a *app) *cobra.Command {
	cmd := parent(&cobra.Command{
		Use:     "keys",
		Short:   "make the keys that sign and verify bundles",
		Long:    "Make the keys that sign and verify bundles. Key files are those of the minisign program.",
		Example: "  tact keys new shop",
	})
	cmd.AddCommand(newKeysNewCommand(a))
	return cmd
}

func newKeysNewCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "write NAME.key, which signs, and NAME.pub, which verifies",
		Long: `Write NAME.key, which signs bundles, and NAME.pub, which devices trust.

NAME.key is written without a password unless --password is given, so that a
build machine can use it: keep it where only the builder reads. The password is
asked for on the terminal, or is the first line of stdin where that is no
terminal. Files that exist are never overwritten.`,
		Example: `  tact keys new shop
  tact keys new shop --password`,
		Args: exactly("NAME"),
	}
	asJSON := jsonFlag(cmd)
	sealed := cmd.Flags().Bool("password", false, "seal NAME.key with a password")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		password := ""
		if *sealed {
			var err error
			if password, err = a.newPassword(); err != nil {
				return err
			}
		}
		return a.newKeys(args[0], password, *asJSON)
	}
	return cmd
}

func (a *app) newKeys(name, password string, asJSON bool) error {
	if base := name[strings.LastIndexByte(name, filepath.Separator)+1:]; base == "" || base[0] == '.' || base[0] == '-' {
		return usage(fmt.Errorf("%q is no name for keys: give one as shop, for shop.key and shop.pub", name))
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		return err
	}
	text, err := secret.Text(password)
	if err != nil {
		return err
	}
	keyFile, pubFile := name+".key", name+".pub"
	// The public key first: a secret key alone could be lost unseen.
	if err := writeNew(pubFile, public.Text(), 0o644); err != nil {
		return err
	}
	if err := writeNew(keyFile, text, 0o600); err != nil {
		return errors.Join(err, os.Remove(pubFile))
	}
	if password == "" {
		a.say("%s has no password: whoever reads it can sign for you (--password seals it)", keyFile)
	}
	if asJSON {
		return a.printJSON(struct {
			Key string `json:"key"`
			Pub string `json:"pub"`
			ID  string `json:"id"`
		}{keyFile, pubFile, public.ID()})
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n%s\n", keyFile, pubFile)
	return err
}

// writeNew writes a file that must not exist yet, whole or not at all.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return withCode(exitFailed, fmt.Errorf("%s is there already and is not overwritten: choose another name", path))
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// secretKey reads a .key file and asks for its password where it is sealed.
func (a *app) secretKey(path string) (update.SecretKey, error) {
	text, err := readSmall(path, maxKeyFile)
	if err != nil {
		return update.SecretKey{}, err
	}
	password := ""
	if update.Sealed(text) {
		if password, err = a.password("password of " + path + ": "); err != nil {
			return update.SecretKey{}, err
		}
	}
	key, err := update.ParseSecretKey(text, password)
	switch {
	case errors.Is(err, update.ErrPassword):
		return key, withCode(exitPermission, fmt.Errorf("%s: %w", path, err))
	case err != nil:
		return key, configuration(fmt.Errorf("%s: %w", path, err))
	}
	return key, nil
}

// publicKeys reads .pub files.
func publicKeys(paths []string) ([]update.PublicKey, error) {
	var keys []update.PublicKey
	for _, path := range paths {
		text, err := readSmall(path, maxKeyFile)
		if err != nil {
			return nil, err
		}
		key, err := update.ParsePublicKey(text)
		if err != nil {
			return nil, configuration(fmt.Errorf("%s: %w", path, err))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// maxKeyFile is above the size of any key file in bytes.
const maxKeyFile = 4 << 10

// readSmall reads a file of at most limit bytes.
func readSmall(path string, limit int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, withCode(exitFailed, fmt.Errorf("%s has more than %d bytes", path, limit))
	}
	return data, nil
}

// newPassword asks twice on a terminal, once elsewhere.
func (a *app) newPassword() (string, error) {
	first, err := a.password("new password: ")
	if err != nil {
		return "", err
	}
	if _, terminal := a.terminal(); !terminal {
		return first, nil
	}
	second, err := a.password("the same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ: nothing was written")
	}
	return first, nil
}

// password reads one that is not empty: unseen from a terminal, else the first line of stdin.
func (a *app) password(prompt string) (string, error) {
	var text string
	if fd, terminal := a.terminal(); terminal {
		fmt.Fprint(a.stderr, prompt)
		typed, err := term.ReadPassword(fd)
		fmt.Fprintln(a.stderr)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		text = string(typed)
	} else {
		const longest = 1 << 10
		line, err := bufio.NewReader(io.LimitReader(a.stdin, longest)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("read password: %w", err)
		}
		text = strings.TrimRight(line, "\r\n")
	}
	if text == "" {
		return "", withCode(exitPermission, errors.New("a password is needed: type it, or give it as the first line of stdin"))
	}
	return text, nil
}

func (a *app) terminal() (fd int, ok bool) {
	file, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return int(file.Fd()), true
}
