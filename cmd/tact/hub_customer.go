package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/sync/hub/serve"
)

func newHubCustomerCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "customer ID",
		Short: "show what is held of a customer, or forget her",
		Long: `Show what is held of a customer, under any id, or forget her. Without a verb it shows.

Each look at a customer is noted in the file ` + serve.ViewsFile + ` of the hub's folder.`,
		Example: `  tact hub customer crm:77
  tact hub customer show crm:77 --language nl
  tact hub customer forget crm:77 --wait -o receipt.json
  tact hub customer receipt 1f0c9a37b2d4e658`,
		Args: exactly("ID"),
	}
	cmd.RunE = a.showCustomer(cmd)
	show := &cobra.Command{
		Use:   "show ID",
		Short: "show what is held of a customer: what, why, from where, until when, on which devices",
		Long: `Show what is held of a customer, under any id (GDPR art. 15): what it is held for,
every fact with where it comes from and why, consents, interactions, how the
company approached her and what came of it, and which devices hold a copy until
when. Of a device that is away the copy ends with its lease.

The text is for the customer to read, in English, Dutch or German; the policy's own
words are in the language that was asked for, where it has them.`,
		Example: `  tact hub customer show crm:77 --language nl
  tact hub customer show crm:77 --json | jq .devices`,
		Args: exactly("ID"),
	}
	show.RunE = a.showCustomer(show)
	cmd.AddCommand(show, newHubForgetCommand(a), newHubReceiptCommand(a))
	return cmd
}

// showCustomer adds the flags of show to a command, and returns what it does.
func (a *app) showCustomer(cmd *cobra.Command) func(*cobra.Command, []string) error {
	peer, asJSON := hubPeerFlags(cmd), jsonFlag(cmd)
	language := cmd.Flags().String("language", "en", "language of the text: en, nl or de")
	return func(cmd *cobra.Command, args []string) error {
		path := "/v1/customers/" + url.PathEscape(args[0]) + "?" + url.Values{"language": {*language}}.Encode()
		body, err := peer.get(cmd.Context(), path)
		if err != nil {
			return err
		}
		defer body.Close()
		if *asJSON {
			_, err := io.Copy(a.stdout, body)
			return err
		}
		var c serve.Customer
		if err := json.NewDecoder(body).Decode(&c); err != nil {
			return unreachable(fmt.Errorf("read customer: %w", err))
		}
		_, err = io.WriteString(a.stdout, accountText(&c, *language))
		return err
	}
}
