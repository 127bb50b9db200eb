package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) admin() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Settle what is allowed, change the keys that seal, and let people in"}
	cmd.AddCommand(c.adminAccessKeys(), c.adminAuditLog(), c.adminChangeAddress(), c.adminInvite(), c.adminOrganizations(), c.adminRecover(), c.adminReindex(), c.adminRekey(), c.adminSigningKey())
	return cmd
}

func (c *cli) adminAccessKeys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access-keys",
		Short: "Say whether accounts may be kept by access keys",
		Long: `Say whether accounts may be kept by access keys, which is off at first: a role needs
no credential that lasts. Forbidding them again uses none any more; those that are
kept stay sealed until their connections are removed.`,
	}
	for _, sub := range []struct {
		use, short string
		change     func(*model.Settings)
	}{
		{"show", "Show whether access keys are allowed", nil},
		{"allow", "Allow access keys", func(s *model.Settings) { s.AccessKeysAllowed = true }},
		{"forbid", "Forbid access keys", func(s *model.Settings) { s.AccessKeysAllowed = false }},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: sub.use, Short: sub.short, Args: cobra.NoArgs,
			Example: "  cloudarq admin access-keys " + sub.use + "\n  cloudarq admin access-keys " + sub.use + " --server https://cloudarq.example.com",
			RunE:    func(cmd *cobra.Command, _ []string) error { return c.settings(cmd.Context(), sub.change) },
		})
	}
	return cmd
}

// settings changes the settings, if there is anything to change, and shows them.
func (c *cli) settings(ctx context.Context, change func(*model.Settings)) error {
	return c.using(ctx, func(b backend) error {
		settings, err := b.Settings(ctx, change)
		if err != nil {
			return err
		}
		return writeOne(c, settings, report.SettingsColumns())
	})
}

func (c *cli) adminReindex() *cobra.Command {
	return &cobra.Command{
		Use:   "reindex",
		Short: "Make the index anew that lists of findings are answered from",
		Long: `Make the index anew that lists of findings are answered from. It is kept up to date by
itself, and mends what it finds altered: this is for when it is not believed. Other
processes may go on meanwhile.`,
		Example: `  cloudarq admin reindex
  cloudarq admin reindex --data-dir /var/lib/cloudarq -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := c.format(); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(s *local.State) error {
				done, err := s.Reindex(cmd.Context())
				if err != nil {
					return err
				}
				return write(c, done, []report.Column[local.Reindexed]{
					{Name: "organization", Value: func(r local.Reindexed) string { return string(r.Organization) }},
					{Name: "connections", Value: func(r local.Reindexed) string { return strconv.Itoa(r.Connections) }},
				})
			})
		},
	}
}

func (c *cli) adminRekey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Make a new master key, and wrap everything by it",
		Long: `Make a new master key in the keyring, wrap the data keys of all connections by it,
and drop the master keys that are of no use any more. What is sealed stays as it is,
and other processes may go on meanwhile. Copies of the data directory that were made
before open with the keyring that was copied with them, and with no newer one.`,
		Example: `  cloudarq admin rekey
  cloudarq admin rekey --keyring-passphrase prompt -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := c.format(); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(s *local.State) error {
				done, err := s.Rekey(cmd.Context(), c.passphrase)
				if err != nil {
					return err
				}
				return writeOne(c, done, rekeyedColumns())
			})
		},
	}
	c.keyringFlag(cmd)
	return cmd
}

func rekeyedColumns() []report.Column[local.Rekeyed] {
	return []report.Column[local.Rekeyed]{
		{Name: "data_keys", Value: func(r local.Rekeyed) string { return strconv.Itoa(r.DataKeys) }},
		{Name: "dropped", Value: func(r local.Rekeyed) string { return strconv.Itoa(r.Dropped) }},
	}
}
