package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/operator"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// operatorFlags say whose credentials an operator has.
type operatorFlags struct {
	profile, region string
}

// operatorWith opens what an operator works with, if all flags are there that it takes.
func (c *cli) operatorWith(cmd *cobra.Command, f *operatorFlags, needed ...string) (*operator.Operator, error) {
	for _, name := range needed {
		if cmd.Flag(name).Value.String() == "" {
			return nil, usagef("--%s is needed; %s --help shows an example", name, cmd.CommandPath())
		}
	}
	if _, err := c.format(); err != nil {
		return nil, err
	}
	return operator.Open(cmd.Context(), f.profile, f.region, version.String())
}

func (c *cli) operator() *cobra.Command {
	var f operatorFlags
	cmd := &cobra.Command{
		Use:   "operator",
		Short: "Restore and move a deployment, with credentials of the account it is deployed in",
		Long: `Restore and move a deployed CloudArq: its own table, bucket and key, with credentials
of the account that it is deployed in. The role that cloudformation/operator-role.yaml
makes has the rights for it. docs/operations.md says in which order.`,
	}
	cmd.PersistentFlags().StringVar(&f.profile, "profile", "", "profile of the AWS configuration (default the default credentials)")
	cmd.AddCommand(c.operatorInventory(&f), c.operatorRestoreObjects(&f), c.operatorReseal(&f))
	return cmd
}

func (c *cli) operatorInventory(f *operatorFlags) *cobra.Command {
	var table string
	cmd := listOf(c, &cobra.Command{
		Use:   "inventory --table TABLE",
		Short: "Count the records of a table, with a digest of each kind",
		Long: `Count the records of a table by their kind, with a digest of what they say, which is
the same for the same records. So a table that was restored or moved can be compared
with what it was. It reads the whole table.`,
		Example: `  cloudarq operator inventory --table cloudarq --region eu-west-1
  cloudarq operator inventory --table cloudarq-restored --profile operator -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.operatorWith(cmd, f, "table")
			if err != nil {
				return err
			}
			kinds, err := o.Inventory(cmd.Context(), table)
			if err != nil {
				return err
			}
			return write(c, kinds, kindColumns())
		},
	}, "kind", kindColumns())
	cmd.Flags().StringVar(&f.region, "region", "", "region of the table (default the profile's)")
	cmd.Flags().StringVar(&table, "table", "", "name of the table")
	return cmd
}

func kindColumns() []report.Column[store.Kind] {
	return []report.Column[store.Kind]{
		{Name: "kind", Value: func(k store.Kind) string { return k.Name }},
		{Name: "records", Value: func(k store.Kind) string { return strconv.Itoa(k.Records) }},
		{Name: "digest", Value: func(k store.Kind) string { return k.Digest }},
	}
}

func (c *cli) operatorRestoreObjects(f *operatorFlags) *cobra.Command {
	var bucket, table, at string
	var r s3.Restoring
	cmd := &cobra.Command{
		Use:   "restore-objects --bucket BUCKET --table TABLE --at MOMENT",
		Short: "Bring back what the bucket held at a moment",
		Long: `Bring back what the bucket held at a moment, of objects that were replaced or deleted
since: the version of then is copied to be the newest. No version is deleted, and
what came since stays, unless --newer says that the table goes back to that moment as
well: then it is hidden. Objects of connections that the table does not have stay gone,
since nothing would ever purge them. It can be run again, for the same moment or another.
Versions that were replaced before BackupRetentionDays are gone.`,
		Example: `  cloudarq operator restore-objects --bucket cloudarq-evidence-111122223333-eu-west-1 --table cloudarq-restored --at 2026-11-29T12:00:00Z --dry-run
  cloudarq operator restore-objects --bucket cloudarq-evidence-111122223333-eu-west-1 --table cloudarq-restored --at 2026-11-29T12:00:00Z --newer`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if r.At, err = time.Parse(time.RFC3339, at); err != nil || r.At.Nanosecond() != 0 || r.At.After(time.Now()) {
				return usagef("--at %q is no second that is past, such as 2026-11-29T12:00:00Z", at)
			}
			o, err := c.operatorWith(cmd, f, "bucket", "table")
			if err != nil {
				return err
			}
			done, err := o.RestoreObjects(cmd.Context(), bucket, table, r)
			if err != nil {
				return fmt.Errorf("%w; %d objects were brought back before; run it again to go on", err, done.Restored)
			}
			return writeOne(c, done, []report.Column[s3.Restored]{
				{Name: "same", Value: func(r s3.Restored) string { return strconv.FormatInt(r.Same, 10) }},
				{Name: "restored", Value: func(r s3.Restored) string { return strconv.FormatInt(r.Restored, 10) }},
				{Name: "newer", Value: func(r s3.Restored) string { return strconv.FormatInt(r.Newer, 10) }},
				{Name: "hidden", Value: func(r s3.Restored) string { return strconv.FormatInt(r.Hidden, 10) }},
				{Name: "gone", Value: func(r s3.Restored) string { return strconv.FormatInt(r.Gone, 10) }},
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.region, "region", "", "region of the bucket (default the profile's)")
	flags.StringVar(&bucket, "bucket", "", "name of the bucket")
	flags.StringVar(&table, "table", "", "name of the table that goes with it, the restored one if it was restored")
	flags.StringVar(&at, "at", "", "the moment, to the second, as 2026-11-29T12:00:00Z")
	flags.BoolVar(&r.Newer, "newer", false, "hide what came after the moment")
	flags.BoolVar(&r.Dry, "dry-run", false, "change nothing, and count")
	return cmd
}

func (c *cli) operatorReseal(f *operatorFlags) *cobra.Command {
	var table, from, to string
	cmd := &cobra.Command{
		Use:   "reseal --table TABLE --from-key ARN --to-key ARN",
		Short: "Seal all secrets by a KMS key of another region",
		Long: `Seal the secrets of all organizations by another KMS key, whose region may be another:
External IDs, access keys, and the keys that audits are signed by. The data keys that
seal them are opened by the old key, which has to live still, and wrapped by the new
one; meanwhile they are in the memory of this process and nowhere else. The table is
the one in the region of the new key. At the end all are read again and opened by the
new key. Run it again to go on after an interruption.`,
		Example: `  cloudarq operator reseal --table cloudarq \
    --from-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab \
    --to-key arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.operatorWith(cmd, f, "table", "from-key", "to-key")
			if err != nil {
				return err
			}
			done, err := o.Reseal(cmd.Context(), table, from, to)
			if err != nil {
				return fmt.Errorf("%w; %d data keys were sealed by the new key, and %d before", err, done.DataKeys, done.Before)
			}
			if !done.Complete() {
				return fmt.Errorf("%d data keys were sealed by the new key, and %d before, but %d are now: something still writes with the old key; stop it and run this again", done.DataKeys, done.Before, done.Proven)
			}
			return writeOne(c, done, []report.Column[connect.Resealed]{
				{Name: "organizations", Value: func(r connect.Resealed) string { return strconv.Itoa(r.Organizations) }},
				{Name: "data_keys", Value: func(r connect.Resealed) string { return strconv.Itoa(r.DataKeys) }},
				{Name: "before", Value: func(r connect.Resealed) string { return strconv.Itoa(r.Before) }},
				{Name: "proven", Value: func(r connect.Resealed) string { return strconv.Itoa(r.Proven) }},
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&table, "table", "", "name of the table, in the region of the new key")
	flags.StringVar(&from, "from-key", "", "ARN of the key that seals them now")
	flags.StringVar(&to, "to-key", "", "ARN of the key that is to seal them")
	return cmd
}
