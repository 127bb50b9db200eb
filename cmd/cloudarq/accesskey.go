package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// The variables where the parts of an access key are looked for when one flag names
// the other part.
const (
	keyIDVariable     = "CLOUDARQ_ACCESS_KEY_ID"
	keySecretVariable = "CLOUDARQ_SECRET_ACCESS_KEY"
)

// keyFlags say where an access key is.
type keyFlags struct{ id, secret, made string }

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.id, "access-key-id", "", "where the id of an access key is: - (stdin), prompt, env:NAME or file:PATH (default $"+keyIDVariable+")")
	flags.StringVar(&f.secret, "secret-access-key", "", "where its secret is, likewise (default $"+keySecretVariable+")")
	flags.StringVar(&f.made, "access-key-created", "", "day on which it was made, such as 2026-01-31, to count its age from (default today)")
}

// given reports whether there is a word of an access key.
func (f keyFlags) given() bool { return f != keyFlags{} }

// accessKey reads an access key from where the flags point. On stdin the id comes
// first.
func (c *cli) accessKey(f keyFlags) (key keep.NewAccessKey, err error) {
	if f.made != "" {
		if key.Made, err = time.Parse(time.DateOnly, f.made); err != nil {
			return key, usagef("--access-key-created %q: want a day, such as 2026-01-31", f.made)
		}
	}
	if key.ID, err = c.secret(source{"access key id", "--access-key-id", keyIDVariable}, f.id); err != nil {
		return key, err
	}
	if key.Secret, err = c.secret(source{"secret access key", "--secret-access-key", keySecretVariable}, f.secret); err != nil {
		return key, err
	}
	if err := key.Check(); err != nil {
		return key, usage(err)
	}
	return key, nil
}

// addByKey is connections add with an access key.
func (c *cli) addByKey(ctx context.Context, f addFlags, format report.Format) error {
	if f.RoleARN != "" || f.externalID != "" || f.Profile != "" {
		return usagef("an access key opens an account by itself: leave out --role-arn, --external-id and --profile")
	}
	if f.noVerify || f.verify.wait {
		return usagef("an access key is tried once, when it is added: leave out --no-verify and --wait")
	}
	key, err := c.accessKey(f.key)
	if err != nil {
		return err
	}
	return c.with(ctx, func(s *local.State) error {
		accounts, calls := c.kept(s), &ledger.Memory{}
		limited, cancel := context.WithTimeout(ctx, f.verify.timeout)
		defer cancel()
		connection, err := accounts.AddByKey(limited, f.NewConnection, key, calls)
		if err != nil {
			return err
		}
		if err := accounts.Record(ctx, connection, calls.Entries()); err != nil {
			return err
		}
		if _, err := c.verify(limited, accounts, connection, f.verify); err != nil {
			return err
		}
		return c.showAdded(ctx, accounts, connection.ID, secret.String{}, format)
	})
}

func (c *cli) connectionsRotateKey() *cobra.Command {
	var f keyFlags
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "rotate-key CONNECTION",
		Short: "Replace the access key of an account",
		Long: `Replace the access key of an account that is kept by one. The new key has to be of
the same account and allow ec2:DescribeRegions; then the old one is forgotten, and
otherwise it stays. Make the new key in AWS first, and delete the old one there
afterwards. With --server the server has the new key first, and verifies it then.`,
		Example: `  cloudarq connections rotate-key legacy --access-key-id prompt --secret-access-key prompt
  cloudarq connections rotate-key 111122223333 --access-key-id env:KEY --secret-access-key env:SECRET`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if c.server != "" {
				return c.giveKeyOnServer(cmd.Context(), words[0], f, timeout)
			}
			return c.rotateKey(cmd.Context(), words[0], f, timeout)
		},
	}
	f.add(cmd)
	timeoutFlag(cmd, &timeout)
	c.keyringFlag(cmd)
	return cmd
}

func (c *cli) rotateKey(ctx context.Context, word string, f keyFlags, timeout time.Duration) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	key, err := c.accessKey(f)
	if err != nil {
		return err
	}
	return c.withConnection(ctx, word, func(accounts keep.Connections, connection model.Connection) error {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		calls := &ledger.Memory{}
		err := accounts.RotateKey(limited, connection, key, calls)
		if err := errors.Join(err, accounts.Record(context.WithoutCancel(ctx), connection, calls.Entries())); err != nil {
			return err
		}
		c.note("now delete the access key that ends in %s in the account", connection.AccessKey.Suffix)
		return c.showAdded(ctx, accounts, connection.ID, secret.String{}, format)
	})
}

// remindOfKey says so if the access key of a connection is old.
func (c *cli) remindOfKey(connection model.Connection) {
	if age := connection.AccessKey.Age(time.Now()); age != nil && age.Advice() != "" {
		c.note("the access key of account %s that ends in %s %s, with: cloudarq connections rotate-key %s",
			connection.AccountID, connection.AccessKey.Suffix, age.Advice(), connection.ID)
	}
}
