package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/local/serve"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

func (c *cli) serve() *cobra.Command {
	var o serve.Options
	var proxies, origins []string
	var role string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve pages to people, and the API to programs, from this machine",
		Long: `Serve CloudArq's pages and its API over HTTP, with schedules and audits, from this
machine: all that a deployment in AWS does, in one process, on the data directory. Audits
that run when it stops, however it stops, go on when it is started again.

Accounts are audited with this machine's own credentials, which assume the roles of
connections: those of the environment, a profile (AWS_PROFILE), or the machine's role.

The first start makes an organization, and prints a link by which its first
administrator chooses a password. Until somebody has, each start prints another, and
those before are good for nothing. Logs, which are JSON lines on stderr, never have it.

It listens to this machine alone. To let others in give it a certificate, which is read
again when it changes, or put a proxy in front of it that has one; it refuses anything
else unless you say --insecure-http. That lets programs in by API tokens, and no people:
browsers sign nobody in without TLS, but at localhost. GET /healthz tells whether it works.`,
		Example: `  cloudarq serve
  cloudarq serve --administrator anna@example.com
  cloudarq serve --listen :443 --tls-certificate cert.pem --tls-key key.pem \
    --public-url https://cloudarq.example.com
  cloudarq serve --listen :8321 --behind-proxy 10.0.0.0/8 \
    --public-url https://cloudarq.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.quotaShare < 1 || c.quotaShare > 100 {
				return usagef("--quota-share %v: want a percentage from 1 to 100", c.quotaShare)
			}
			if o.Proxies, err = prefixes(proxies); err != nil {
				return err
			}
			if o.Origins, err = originsOf(origins); err != nil {
				return err
			}
			if err := o.Complete(); err != nil { // before a state is made
				return err
			}
			return c.with(cmd.Context(), func(s *local.State) error { return c.serveState(cmd.Context(), s, role, o) })
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Listen, "listen", nil, "addresses to listen on, host:port (default "+serve.DefaultListen+", which is 127.0.0.1 and ::1)")
	flags.StringVar(&o.Certificate, "tls-certificate", "", "file of the certificate, with its chain, in PEM")
	flags.StringVar(&o.Key, "tls-key", "", "file of its key, in PEM")
	flags.StringSliceVar(&proxies, "behind-proxy", nil, "addresses of the proxies in front, such as 10.0.0.7 or 10.0.0.0/8, whose X-Forwarded-For and X-Forwarded-Proto are believed")
	flags.BoolVar(&o.InsecureHTTP, "insecure-http", false, "let programs of other machines in without TLS: tokens can be read on the way; there are no pages")
	flags.StringVar(&o.PublicURL, "public-url", "", "how people reach it, such as https://cloudarq.example.com (default of the first address)")
	flags.StringSliceVar(&o.SSOPrivateHosts, "sso-private-host", nil, "hosts of organizations' providers of single sign-on that may have private addresses; others are reached on the internet alone")
	flags.StringSliceVar(&origins, "cors-origin", nil, "origins of pages elsewhere that may call /v1 from browsers, by API tokens, such as https://dashboards.example.com")
	flags.StringVar((*string)(&o.Organization), "organization", string(serve.DefaultOrganization), "id of the organization that the first start makes")
	flags.StringVar(&o.Administrator, "administrator", serve.DefaultAdministrator, "e-mail address of the first administrator (admin change-address gives another)")
	flags.StringVar(&role, "audit-role-name", "CloudArqAuditRole", "name of the roles of connections; others are not assumed")
	flags.Float64Var(&c.quotaShare, "quota-share", 100*client.DefaultShare, "percentage of AWS's API quotas that audits may take; the accounts' own work shares them")
	c.keyringFlag(cmd)
	return cmd
}

func originsOf(texts []string) (all []api.Origin, err error) {
	for _, text := range texts {
		o, err := api.ParseOrigin(text)
		if err != nil {
			return nil, usagef("--cors-origin: %w", err)
		}
		all = append(all, o)
	}
	return all, nil
}

// prefixes reads networks, of which a single address is one.
func prefixes(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, e := netip.ParseAddr(text); e == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, usagef("--behind-proxy %q is no address and no network, such as 10.0.0.0/8", text)
		}
		all = append(all, p)
	}
	return all, nil
}

func (c *cli) serveState(ctx context.Context, s *local.State, role string, o serve.Options) error {
	log := slog.New(slog.NewJSONHandler(c.stderr, nil))
	way := client.New(client.Options{
		Version: version.String(), CustomEndpoint: collectors.CustomEndpoint, QuotaShare: c.quotaShare / 100,
		Elsewhere: func(host string) { log.Warn("calls go to what is not AWS", slog.String("host", host)) },
	})
	principal, err := keep.Connections{Client: way}.Principal(ctx, "", sessionName())
	if err != nil {
		// Connections by access key need none, and whoever reads what there is.
		log.Warn("AWS does not say whose credentials these are; no role can be connected until the next start", slog.Any("error", err))
		principal = keep.UnknownPrincipal
	}
	keys := c.keys(s)
	server := &serve.Server{
		State: s, Dir: c.stateDir, Keys: keys, Specs: collectors.ByService(), Principal: principal, AuditRole: role, Version: version.String(), Log: log, Options: o,
		Accounts: connect.Accounts{
			Catalog: s.Catalog, Client: way, VerifyEvery: connect.VerifyEvery, Now: time.Now,
			ExternalIDs: connect.ExternalIDs{Store: s.Store, Keys: keys, Now: time.Now},
		},
		SetUp: func(link secret.String, until time.Time) {
			fmt.Fprintf(c.stdout, "Nobody can sign in yet. Until %s, whoever opens this link in a browser first becomes the administrator:\n%s\n", until.Format(time.RFC3339), link.Reveal())
		},
	}
	return server.Run(ctx)
}

// operating runs what the operator of a served data directory does.
func (c *cli) operating(ctx context.Context, work func(serve.Operator) error) error {
	if _, err := c.format(); err != nil {
		return err
	}
	return c.with(ctx, func(s *local.State) error { return work(serve.Operator{Store: s.Store, Now: time.Now}) })
}

func (c *cli) adminOrganizations() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "organizations",
		Short: "Make, list, suspend and delete the organizations that are served from a data directory",
	}
	show := func(work func(context.Context, serve.Operator, string) (model.Organization, error)) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, words []string) error {
			return c.operating(cmd.Context(), func(o serve.Operator) error {
				one, err := work(cmd.Context(), o, words[0])
				if err != nil {
					return err
				}
				return writeOne(c, one, organizationColumns())
			})
		}
	}
	var name string
	create := &cobra.Command{
		Use: "create ID", Short: "Make an organization", Args: cobra.ExactArgs(1), Example: "  cloudarq admin organizations create acme --name 'Acme Corporation'",
		RunE: show(func(ctx context.Context, o serve.Operator, id string) (model.Organization, error) {
			return o.Create(ctx, model.OrganizationID(id), name)
		}),
	}
	create.Flags().StringVar(&name, "name", "", "what people call it")
	cmd.AddCommand(create, c.deleteOrganization(),
		listOf(c, &cobra.Command{
			Use: "list", Short: "List the organizations", Args: cobra.NoArgs, Example: "  cloudarq admin organizations list -o json",
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.operating(cmd.Context(), func(o serve.Operator) error {
					all, err := o.Organizations(cmd.Context())
					if err != nil {
						return err
					}
					return write(c, all, organizationColumns())
				})
			},
		}, "organization", organizationColumns()),
		&cobra.Command{
			Use: "suspend ID", Short: "Let nobody of an organization in, and begin none of its audits", Args: cobra.ExactArgs(1),
			Example: "  cloudarq admin organizations suspend acme",
			RunE: show(func(ctx context.Context, o serve.Operator, id string) (model.Organization, error) {
				return o.Suspend(ctx, model.OrganizationID(id), true)
			}),
		},
		&cobra.Command{
			Use: "resume ID", Short: "Take the suspension of an organization back", Args: cobra.ExactArgs(1),
			Example: "  cloudarq admin organizations resume acme",
			RunE: show(func(ctx context.Context, o serve.Operator, id string) (model.Organization, error) {
				return o.Suspend(ctx, model.OrganizationID(id), false)
			}),
		},
	)
	return cmd
}

func (c *cli) deleteOrganization() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete an organization and everything that is kept of it",
		Long: `Let nobody of an organization in from now on, and purge everything that is kept of it:
connections, audits, findings, evidence, members, its admin log. cloudarq serve does that
20 minutes later, or as soon as it runs. The id stays, and is never given again. People who
are members of nothing else stay without an organization.`,
		Example: `  cloudarq admin organizations delete acme
  cloudarq admin organizations delete acme --yes -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.operating(cmd.Context(), func(o serve.Operator) error {
				if !yes {
					if err := c.agreed(cmd.Context(), fmt.Sprintf("Delete organization %q and everything that is kept of it?", words[0]), "nothing was deleted"); err != nil {
						return err
					}
				}
				deleted, err := o.Delete(cmd.Context(), model.OrganizationID(words[0]))
				if err != nil {
					return err
				}
				return writeOne(c, deleted, organizationColumns())
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// handedOver is a link that an operator hands to somebody.
type handedOver struct {
	Email     string    `json:"email"`
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

const linkText = ` Whoever opens it first is that person: hand it
over by a way that nobody else reads. It works also while the directory is served.`

func (c *cli) adminInvite() *cobra.Command {
	var org, public string
	cmd := &cobra.Command{
		Use:   "invite EMAIL",
		Short: "Invite an administrator of an organization that is served from a data directory",
		Long: `Print a link by which somebody becomes an administrator of an organization, good once,
for a week. Earlier links for the same address are good for nothing then.` + linkText,
		Example: `  cloudarq admin invite anna@example.com --public-url https://cloudarq.example.com
  cloudarq admin invite anna@example.com --organization acme -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.handOver(cmd.Context(), public, func(o serve.Operator, public string) (handedOver, error) {
				made, token, err := o.Invite(cmd.Context(), model.OrganizationID(org), words[0])
				return handedOver{made.Email, serve.InvitationLink(public, token).Reveal(), made.ExpiresAt}, err
			})
		},
	}
	cmd.Flags().StringVar(&org, "organization", string(serve.DefaultOrganization), "id of the organization")
	publicFlag(cmd, &public)
	return cmd
}

func (c *cli) adminChangeAddress() *cobra.Command {
	return &cobra.Command{
		Use:   "change-address ADDRESS NEW",
		Short: "Give somebody who is served from a data directory another e-mail address to sign in by",
		Long: `Give whoever has an e-mail address another one to sign in by. It frees the address for
whom it is, where somebody else came to it first, and gives the first administrator a real
one. No organization vouches for the new one: single sign-on takes nobody for that person by it.`,
		Example: `  cloudarq admin change-address admin@cloudarq.localhost anna@example.com`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.operating(cmd.Context(), func(o serve.Operator) error { return o.ChangeAddress(cmd.Context(), words[0], words[1]) })
		},
	}
}

func (c *cli) adminRecover() *cobra.Command {
	var public string
	cmd := &cobra.Command{
		Use:   "recover EMAIL",
		Short: "Let somebody choose a new password, who is served from a data directory",
		Long: `Print a link by which somebody chooses a new password and enrols a new second factor,
good once, for an hour.` + linkText,
		Example: `  cloudarq admin recover anna@example.com`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.handOver(cmd.Context(), public, func(o serve.Operator, public string) (handedOver, error) {
				made, token, err := o.Recover(cmd.Context(), words[0])
				return handedOver{words[0], serve.RecoveryLink(public, token).Reveal(), made.ExpiresAt}, err
			})
		},
	}
	publicFlag(cmd, &public)
	return cmd
}

func publicFlag(cmd *cobra.Command, public *string) {
	cmd.Flags().StringVar(public, "public-url", "", "how people reach the server (default as cloudarq serve has it, or had it last)")
}

func (c *cli) handOver(ctx context.Context, public string, invite func(o serve.Operator, public string) (handedOver, error)) error {
	named := serve.Options{PublicURL: public}
	if err := named.Complete(); err != nil {
		return err
	}
	return c.operating(ctx, func(o serve.Operator) (err error) {
		if public == "" {
			if named.PublicURL, err = serve.LastURL(c.stateDir); err != nil {
				return err
			}
		}
		made, err := invite(o, named.PublicURL)
		if err != nil {
			return err
		}
		return writeOne(c, made, handedOverColumns())
	})
}

func handedOverColumns() []report.Column[handedOver] {
	return []report.Column[handedOver]{
		{Name: "email", Value: func(h handedOver) string { return h.Email }},
		{Name: "link", Value: func(h handedOver) string { return h.Link }},
		{Name: "expires_at", Value: func(h handedOver) string { return h.ExpiresAt.Format(time.RFC3339) }},
	}
}

func organizationColumns() []report.Column[model.Organization] {
	return []report.Column[model.Organization]{
		{Name: "id", Value: func(o model.Organization) string { return string(o.ID) }},
		{Name: "name", Value: func(o model.Organization) string { return o.Name }},
		{Name: "created_at", Value: func(o model.Organization) string { return o.CreatedAt.Format(time.RFC3339) }},
		{Name: "suspended", Value: func(o model.Organization) string { return strconv.FormatBool(!o.SuspendedAt.IsZero()) }},
		{Name: "deleted", Value: func(o model.Organization) string { return strconv.FormatBool(!o.DeletedAt.IsZero()) }},
	}
}
