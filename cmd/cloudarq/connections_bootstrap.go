package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// bootstrapFlags are the flags of connections bootstrap.
type bootstrapFlags struct {
	policyFlags
	name, profile  string // of the connection
	admin, account string
	region         string
	stack, role    string
	timeout        time.Duration

	yes, printOnly, showPolicy bool
}

func (c *cli) connectionsBootstrap() *cobra.Command {
	var f bootstrapFlags
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make the audit role in an account with credentials of its administrator, and keep the account",
		Long: `Make the audit role in an account, and keep the account. The published template is
deployed as a CloudFormation stack with the credentials of the account's
administrator: those of --admin-profile, or the default ones. They are used on
this machine alone and written nowhere. What would change is shown first, and
somebody is asked; --yes does not ask. Then the role is verified as by connections
add, and it is said how to deactivate the keys that were used.

The role trusts whoever audits, with the credentials of --profile, and nobody else:
an IAM user alone, but for a session of a role the whole account of that role. In
another account than the audited one, whoever audits needs a policy as well that
allows sts:AssumeRole on the audit role.

Run it again to go on after an interruption, or to bring the role up to date. The
External ID stays the same.

With --server, the account is connected with a CloudArq server, whose checker the role
trusts, and not kept here. Whoever is signed in there, or the API token in
CLOUDARQ_TOKEN, needs the scopes connections, audit and read.

--print-only prints the commands that do the same by hand, and --show-policy the
least permissions that an administrator needs for it. Neither makes anything in
the account; with --account, neither needs the administrator's credentials.`,
		Example: `  cloudarq connections bootstrap --name prod --admin-profile prod-admin
  cloudarq connections bootstrap --name prod --admin-profile prod-admin --profile audit --region eu-west-1 --yes
  cloudarq connections bootstrap --admin-profile prod-admin --services s3,iam --role-name CloudArqStorageRole
  cloudarq connections bootstrap --name prod --admin-profile prod-admin \
    --server https://a1b2c3.execute-api.eu-west-1.amazonaws.com
  cloudarq connections bootstrap --print-only --account 111122223333 --name prod > bootstrap.sh
  cloudarq connections bootstrap --show-policy --account 111122223333 > bootstrap-policy.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.bootstrap(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "a name to call the account by")
	flags.StringVar(&f.profile, "profile", "", "profile of the AWS configuration that audits: the role trusts it")
	flags.StringVar(&f.admin, "admin-profile", "", "profile of the AWS configuration that makes the role (default the default credentials)")
	flags.StringVar(&f.account, "account", "", "the account, instead of that of --admin-profile (with --print-only or --show-policy)")
	flags.StringVar(&f.region, "region", "", "region of the stack (default the profile's, or us-east-1)")
	flags.StringVar(&f.stack, "stack-name", "CloudArq", "name of the stack")
	flags.StringVar(&f.role, "role-name", "CloudArqAuditRole", "name of the role")
	f.register(cmd)
	flags.DurationVar(&f.timeout, "timeout", 15*time.Minute, "time for the stack and for verifying the role")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.BoolVar(&f.printOnly, "print-only", false, "keep the account and print the commands that make its role")
	flags.BoolVar(&f.showPolicy, "show-policy", false, "print the least IAM policy of the administrator")
	c.keyringFlag(cmd)
	return cmd
}

// What AWS takes for an account and as names.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
var (
	accountSyntax   = regexp.MustCompile(`^\d{12}$`)
	stackNameSyntax = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)
	roleNameSyntax  = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
)

func (f bootstrapFlags) check(server string) error {
	switch {
	case f.printOnly && f.showPolicy:
		return usagef("--print-only and --show-policy exclude each other")
	case f.yes && (f.printOnly || f.showPolicy):
		return usagef("--yes is for what changes something: not with --print-only or --show-policy")
	case server != "" && (f.printOnly || f.showPolicy):
		return usagef("--server is for connecting an account: not with --print-only or --show-policy")
	case f.account != "" && !f.printOnly && !f.showPolicy:
		return usagef("the account is that of the administrator's credentials; --account goes with --print-only or --show-policy")
	case f.account != "" && !accountSyntax.MatchString(f.account):
		return usagef("%q is not an account: want 12 digits", f.account)
	case !stackNameSyntax.MatchString(f.stack):
		return usagef("%q is not the name of a stack: want letters, digits and -, a letter first, at most 128", f.stack)
	case !roleNameSyntax.MatchString(f.role):
		return usagef("%q is not the name of a role: want letters, digits and +=,.@_-, at most 64", f.role)
	default:
		return nil
	}
}

func (f bootstrapFlags) credentials() bootstrap.Credentials {
	return bootstrap.Credentials{Profile: f.admin, Region: f.region, Version: version.String()}
}

// administrator opens the administrator's credentials, which are not those that the
// connection's --profile names.
func (f bootstrapFlags) administrator(ctx context.Context) (*bootstrap.Administrator, error) {
	admin, err := bootstrap.Open(ctx, f.credentials())
	var refused *client.AccessError
	if errors.As(err, &refused) {
		what := "the default credentials"
		if f.admin != "" {
			what = "the profile " + f.admin
		}
		return nil, &client.AccessError{Message: fmt.Sprintf("cannot use %s as the administrator's (--admin-profile): %s", what, refused.Message), Cause: err}
	}
	return admin, err
}

// place is where the role is to be, for commands that change nothing there.
func (f bootstrapFlags) place(ctx context.Context) (bootstrap.Place, error) {
	if f.account != "" {
		region, err := f.credentials().InRegion(ctx)
		return bootstrap.PlaceIn(f.account, region, f.stack, f.role), err
	}
	admin, err := f.administrator(ctx)
	if err != nil {
		return bootstrap.Place{}, err
	}
	return admin.Place(f.stack, f.role), nil
}

// connection is what is said of the account.
func (f bootstrapFlags) connection(place bootstrap.Place) keep.NewConnection {
	return keep.NewConnection{Name: f.name, RoleARN: place.RoleARN(), Profile: f.profile, AuditOptions: model.AuditOptions{Services: f.services, Checks: f.checks}}
}

func (c *cli) bootstrap(ctx context.Context, f bootstrapFlags) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if err := f.check(c.server); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	switch {
	case f.showPolicy:
		place, err := f.place(ctx)
		if err != nil {
			return err
		}
		_, err = io.WriteString(c.stdout, place.Policy())
		return err
	case f.printOnly:
		return c.with(ctx, func(s *local.State) error { return c.printBootstrap(ctx, c.kept(s), f) })
	case !f.yes:
		if err := c.canAsk(); err != nil {
			return err
		}
	}
	work := func(r registry) error {
		done, err := c.deploy(ctx, r, f)
		if err != nil {
			return err
		}
		return c.showBootstrapped(format, done)
	}
	if c.server == "" {
		return c.with(ctx, func(s *local.State) error { return work(&localRegistry{cli: c, accounts: c.kept(s), flags: f}) })
	}
	if c.keyringPassphrase != "" {
		return usagef("--keyring-passphrase is for accounts that are kept here: not with --server")
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	return work(&deployedRegistry{cli: c, client: client, flags: f})
}

// printBootstrap keeps the account, so that the External ID is known when the role
// is there, and prints the commands.
func (c *cli) printBootstrap(ctx context.Context, accounts keep.Connections, f bootstrapFlags) error {
	if _, _, err := f.needed(); err != nil {
		return err
	}
	place, err := f.place(ctx)
	if err != nil {
		return err
	}
	n, err := accounts.Prepare(ctx, f.connection(place))
	if err != nil {
		return err
	}
	principal, err := accounts.Principal(ctx, f.profile, sessionName())
	if err != nil {
		principal = keep.UnknownPrincipal
	}
	if _, err := accounts.Put(ctx, n); err != nil {
		return err
	}
	c.note("account %s is kept; run these where the administrator's credentials are, the last one here", place.Account)
	commands := bootstrap.Commands{
		Place: place, Principal: principal, ExternalID: n.ExternalID,
		Profile: f.admin, Services: f.services, Checks: f.checks, DataDir: c.dataDir,
	}
	_, err = fmt.Fprintln(c.stdout, strings.Join(commands.Lines(), "\n"))
	return err
}
