package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
)

func (c *cli) policy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "What the audit role may do, and how a policy of yours compares"}
	cmd.AddCommand(c.policyShowCommand(), c.policyDiffCommand(), c.policyVerifyCommand(), c.policyDrift())
	return cmd
}

// policyFlags choose what the role is for.
type policyFlags struct {
	services, checks []string
	format, mode     string
}

// listServices is the value of --services without one.
const listServices = "?"

func (f *policyFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.services, "services", nil, "only what auditing these services takes (default all)")
	cmd.Flags().StringSliceVar(&f.checks, "checks", nil, "only what these checks take: ids, globs or other tools' ids")
}

func (c *cli) policyShowCommand() *cobra.Command {
	var f policyFlags
	cmd := listOf(c, &cobra.Command{
		Use:   "show",
		Short: "Show the IAM actions that CloudArq needs, or write the role that allows exactly these",
		Long: `Show the IAM actions that CloudArq needs. With --format, write the role that
allows exactly these: its policy documents, or a template that creates it.

With --mode security-audit or read-only, say which managed policy of AWS's to
attach instead, what it lacks, and what it allows that it should not.

--services without a value lists the services. With --server, --format writes the role
that the server publishes.`,
		Example: `  cloudarq policy show
  cloudarq policy show --services
  cloudarq policy show --services s3,ec2 --format json
  cloudarq policy show --checks 'kms-*' -o csv
  cloudarq policy show --format cloudformation > audit-role.yaml
  cloudarq policy show --mode security-audit`,
		RunE: func(cmd *cobra.Command, words []string) error {
			// A flag whose value may be left out leaves "--services s3,ec2" as a word.
			switch named := len(f.services) == 1 && f.services[0] == listServices; {
			case named && len(words) == 0:
				return c.policyServices()
			case named:
				f.services = lower(strings.Split(strings.Join(words, ","), ","))
			case len(words) > 0:
				return usagef("unknown argument %q", words[0])
			}
			if c.server != "" {
				return c.policyOfServer(cmd.Context(), f)
			}
			return c.policyShow(f)
		},
	}, "action", report.GrantColumns(), report.Names(report.DifferenceColumns())...)
	f.register(cmd)
	cmd.Flags().Lookup("services").NoOptDefVal = listServices
	cmd.Flags().StringVar(&f.format, "format", "", "write the role: json, cloudformation, stackset (for an organization) or terraform")
	cmd.Flags().StringVar(&f.mode, "mode", "exact", "exact, security-audit or read-only")
	return cmd
}

func (c *cli) policyDiffCommand() *cobra.Command {
	var f policyFlags
	cmd := listOf(c, &cobra.Command{
		Use:   "diff FILE|security-audit|read-only",
		Short: "Compare a policy with what CloudArq needs",
		Long: `Compare a policy with what CloudArq needs: the actions it lacks with the checks
that look at what they read, and those it should not allow. FILE is JSON (- for
stdin): a policy document, a list of them, or what the AWS CLI prints around one.
A harmless read that nothing needs is counted and not listed.`,
		Example: `  cloudarq policy diff security-audit
  aws iam get-role-policy --role-name CloudArqAuditRole --policy-name audit | cloudarq policy diff -
  cloudarq policy diff my-policy.json --services s3,kms -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, words []string) error { return c.policyDiff(f, words[0]) },
	}, "difference", report.DifferenceColumns())
	f.register(cmd)
	return cmd
}

func (c *cli) policyVerifyCommand() *cobra.Command {
	var f policyFlags
	cmd := listOf(c, &cobra.Command{
		Use:   "verify FILE",
		Short: "Tell whether a policy suffices and allows neither writes nor data",
		Long: `Tell whether a policy suffices and allows neither writes nor data; FILE is as for
policy diff. Exit codes: 0 it does; 1 something is missing, or it allows what it
should not, and the list says what; 2 the file cannot be read.`,
		Example: `  cloudarq policy verify my-policy.json
  cloudarq policy show --format json | cloudarq policy verify -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, words []string) error { return c.policyVerify(f, words[0]) },
	}, "difference", report.DifferenceColumns())
	f.register(cmd)
	return cmd
}

// needed is the role that the flags ask for, with the checks that it is for.
func (f policyFlags) needed() (policy.Role, []check.Check, error) {
	catalog, err := services.Catalog()
	if err != nil {
		return policy.Role{}, nil, err
	}
	role, checks, err := grant.Needed(catalog, f.services, f.checks)
	if err != nil {
		return role, nil, usage(err)
	}
	return role, checks, nil
}

func (c *cli) policyServices() error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	names, err := catalog.SelectServices(nil)
	if err != nil {
		return err
	}
	if c.output == string(report.Table) { // bare, to be counted and looped over
		_, err := fmt.Fprintln(c.stdout, strings.Join(names, "\n"))
		return err
	}
	return write(c, names, []report.Column[string]{{Name: "service", Value: func(name string) string { return name }}})
}

func (c *cli) policyShow(f policyFlags) error {
	role, checks, err := f.needed()
	if err != nil {
		return err
	}
	switch {
	case f.mode != "exact" && f.format != "":
		return usagef("--format writes the exact role; it goes with --mode exact alone")
	case f.mode != "exact":
		managed, err := grant.ManagedPolicy(f.mode)
		if err != nil {
			return usage(err)
		}
		compared := grant.Compare(role, managed.Policy, checks)
		c.note("Attach %s (%s of %s): %s.", managed.ARN(), managed.Version, managed.Created, compared)
		return write(c, compared.Differences, report.DifferenceColumns())
	case f.format != "":
		format, err := policy.ParseFormat(f.format)
		if err != nil {
			return usage(err)
		}
		_, err = io.WriteString(c.stdout, role.In(format))
		return err
	default:
		c.note("%d actions, %d denied by name; version %s, hash %s.", len(role.Grants), len(role.Denied), role.Version, role.Hash)
		return write(c, role.Grants, report.GrantColumns())
	}
}

// policyOfServer writes the role that a server publishes, byte for byte.
func (c *cli) policyOfServer(ctx context.Context, f policyFlags) error {
	if f.format == "" || f.mode != "exact" || len(f.services)+len(f.checks) > 0 {
		return usagef("a server gives the whole role alone: say --format, and neither --services, --checks nor --mode")
	}
	format, err := policy.ParseFormat(f.format)
	if err != nil {
		return usage(err)
	}
	client, err := apiclient.New(apiclient.Options{URL: c.server, Version: version.String()}) // which anybody may ask
	if err != nil {
		return err
	}
	text, err := client.Policy(ctx, string(format))
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.stdout, report.PlainLines(string(text)))
	return err
}

func (c *cli) policyDiff(f policyFlags, name string) error {
	compared, err := c.compared(f, name, true)
	if err != nil {
		return err
	}
	c.note("%s: %s.", name, compared)
	return write(c, compared.Differences, report.DifferenceColumns())
}

func (c *cli) policyVerify(f policyFlags, name string) error {
	compared, err := c.compared(f, name, false)
	if err != nil {
		return err
	}
	c.note("%s: %s.", name, compared)
	if compared.Suffices() {
		return nil
	}
	if err := write(c, compared.Differences, report.DifferenceColumns()); err != nil {
		return err
	}
	return &exitError{code: exitFindings}
}

func (c *cli) compared(f policyFlags, name string, managed bool) (grant.Comparison, error) {
	role, checks, err := f.needed()
	if err != nil {
		return grant.Comparison{}, err
	}
	if m, err := grant.ManagedPolicy(name); managed && err == nil {
		return grant.Compare(role, m.Policy, checks), nil
	}
	data, err := c.file(name)
	if err != nil {
		return grant.Comparison{}, usage(err)
	}
	p, err := grant.Parse(data)
	if err != nil {
		return grant.Comparison{}, usagef("read the policy in %s: %w", name, err)
	}
	return grant.Compare(role, p, checks), nil
}

// file reads a file, stdin for "-".
func (c *cli) file(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.stdin)
	}
	return os.ReadFile(name)
}
