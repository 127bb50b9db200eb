package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func (c *cli) connectionsRotateExternalID() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "rotate-external-id CONNECTION",
		Short: "Replace the External ID of an account's role",
		Long: `Replace the External ID that an account's role asks for. Without --external-id a new
one is made and shown, with the trust policy that the role needs. The one before stays
good until the role is seen to ask for the new one, by connections test or the next
audit. Until then the first try of each shows as denied in the account's CloudTrail, and
the same command shows the new one again: to make another would lock out a role that
asks for it already. The one before, given as --external-id, takes the change back.
connections list -o json says which accounts still ask for the one before
(external_id_replaced), and since when (external_id_since).`,
		Example: `  cloudarq connections rotate-external-id prod
  cloudarq connections rotate-external-id prod --external-id prompt
  cloudarq connections test prod`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			ctx := cmd.Context()
			return c.withConnection(ctx, words[0], func(accounts keep.Connections, connection model.Connection) error {
				return c.rotateExternalID(ctx, accounts, connection, from)
			})
		},
	}
	cmd.Flags().StringVar(&from, "external-id", "", "where the External ID is: - (stdin), prompt, env:NAME or file:PATH (default $"+externalIDVariable+", or a new one)")
	c.keyringFlag(cmd)
	return cmd
}

func (c *cli) rotateExternalID(ctx context.Context, accounts keep.Connections, connection model.Connection, from string) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	given, err := c.externalID(from)
	if err != nil {
		return err
	}
	id, err := accounts.RotateExternalID(ctx, connection, given)
	if err != nil {
		return err
	}
	c.remindOfShort(given)
	if given.Empty() {
		access, err := accounts.State.Records.Access(ctx, connection.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "cloudarq: the trust policy of the role of account %s has to be now:\n%s", connection.AccountID,
			keep.TrustPolicy(c.principal(ctx, accounts, access.Profile), id))
	}
	c.note("when the role asks for it: cloudarq connections test %s", connection.ID)
	if !given.Empty() {
		id = secret.String{} // whoever gave it knows it
	}
	return c.showAdded(ctx, accounts, connection.ID, id, format)
}

// principal is who the role has to trust, or what stands for it if AWS does not say.
func (c *cli) principal(ctx context.Context, accounts keep.Connections, profile string) string {
	principal, err := accounts.Principal(ctx, profile, sessionName())
	if err != nil {
		return keep.UnknownPrincipal
	}
	return principal
}
