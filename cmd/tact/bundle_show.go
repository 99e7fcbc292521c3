package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/firmware/update"
)

func newBundleShowCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "say what is in a bundle",
		Long: `Say what is in a bundle: its name, version and hash, and every action with its
slots, and which of its treatments are ambient (need nothing personal). The
signature is not looked at; see tact bundle verify.`,
		Example: `  tact bundle show shop.bundle
  tact bundle show shop.bundle --json`,
		Args: exactly("FILE"),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		raw, err := readSmall(args[0], update.MaxBundle)
		if err != nil {
			return err
		}
		b, err := catalog.Decode(raw)
		if err != nil {
			return withCode(exitFailed, fmt.Errorf("%s: %w", args[0], err))
		}
		shown := describe(b, raw)
		if *asJSON {
			return a.printJSON(shown)
		}
		return a.printBundle(shown)
	}
	return cmd
}

type bundleShown struct {
	Policy    string        `json:"policy"`
	Hash      string        `json:"hash"`
	Bytes     int           `json:"bytes"`
	Currency  string        `json:"currency"`
	Languages []string      `json:"languages"`
	Zone      string        `json:"zone"`
	Purposes  []string      `json:"purposes"`
	Signals   []string      `json:"signals"`
	Facts     []string      `json:"facts"`
	Slots     []string      `json:"slots"`
	Nodes     int           `json:"nodes"`
	Actions   []actionShown `json:"actions"`
}

type actionShown struct {
	Action    string   `json:"action"`
	Intent    string   `json:"intent"`
	Purpose   *string  `json:"purpose"`
	Slots     []string `json:"slots"`
	Uses      []string `json:"uses"`
	Ambient   bool     `json:"ambient"` // its `say` may be used whoever stands there
	Mandatory bool     `json:"mandatory"`
}

func describe(b *catalog.Bundle, raw []byte) bundleShown {
	hash := catalog.Hash(raw)
	s := bundleShown{
		Policy: fmt.Sprintf("%s@%d", b.Name, b.Version), Hash: hex.EncodeToString(hash[:]), Bytes: len(raw), Currency: b.Currency,
		Languages: b.Languages, Zone: b.Zone.Name, Nodes: len(b.Program.Nodes),
		Purposes: []string{}, Signals: []string{}, Facts: []string{}, Slots: []string{}, Actions: []actionShown{},
	}
	for k := range b.Purposes {
		s.Purposes = append(s.Purposes, b.Purposes[k].Name)
	}
	for k := range b.Signals {
		s.Signals = append(s.Signals, b.Signals[k].Name)
	}
	for k := range b.Facts {
		s.Facts = append(s.Facts, b.Facts[k].Name)
	}
	for k := range b.Slots {
		s.Slots = append(s.Slots, b.Slots[k].Name)
	}
	for k := range b.Actions {
		x := &b.Actions[k]
		shown := actionShown{Action: x.Name, Intent: x.Intent.String(), Slots: []string{}, Uses: []string{}, Mandatory: x.Mandatory}
		shown.Uses = append(shown.Uses, x.Uses...)
		shown.Ambient = x.Say != nil && x.Say.Ambient
		if x.Purpose >= 0 {
			shown.Purpose = &b.Purposes[x.Purpose].Name
		}
		for _, k := range x.Slots {
			shown.Slots = append(shown.Slots, b.Slots[k].Name)
		}
		s.Actions = append(s.Actions, shown)
	}
	return s
}

func (a *app) printBundle(s bundleShown) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s  %d bytes  sha256 %s\n", s.Policy, s.Bytes, s.Hash)
	fmt.Fprintf(&out, "%s, zone %s, languages %s\n", s.Currency, s.Zone, strings.Join(s.Languages, " "))
	for _, list := range []struct {
		name  string
		words []string
	}{{"purposes", s.Purposes}, {"signals", s.Signals}, {"facts", s.Facts}, {"slots", s.Slots}} {
		if len(list.words) > 0 {
			fmt.Fprintf(&out, "%-9s %s\n", list.name, strings.Join(list.words, " "))
		}
	}
	fmt.Fprintf(&out, "conditions %d nodes\n", s.Nodes)
	for _, x := range s.Actions {
		marks := ""
		if x.Ambient {
			marks += " ambient"
		}
		if x.Mandatory {
			marks += " mandatory"
		}
		fmt.Fprintf(&out, "  %-24s %-13s %s%s\n", x.Action, x.Intent, strings.Join(x.Slots, ","), marks)
	}
	_, err := fmt.Fprint(a.stdout, out.String())
	return err
}
