package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// runFlags are the flags of audit run.
type runFlags struct {
	profile, roleARN, externalID string
	connection                   string
	model.AuditOptions
	severity, exclude    []string
	frameworks           []string
	failOn               string
	minCoverage          float64
	incompleteOK, dryRun bool
	timeout              time.Duration
	resume               string
}

func (c *cli) auditRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Audit one AWS account now",
		Long: `Audit one AWS account: with your own credentials, through a role, or through a
connection that is kept (cloudarq connections add). A connection's own regions,
services, checks and trusted accounts hold unless flags say otherwise.

The verdicts go to stdout: with -o json, ndjson or csv every one of them, with
-o table the summary. Progress goes to stderr.

With --server, the server audits one of its connections, and this waits for the end:
--timeout bounds that, and an interruption ends the waiting and not the audit. What
is audited is the connection's (connections update); verdicts stay on the server.`,
		Example: `  cloudarq audit run
  cloudarq audit run --profile prod --regions eu-west-1,us-east-1
  cloudarq audit run --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole --external-id prompt
  cloudarq audit run --connection prod
  cloudarq audit run --trusted-accounts 444455556666,777788889999
  cloudarq audit run --services s3,iam --severity high --fail-on high --min-coverage 95
  cloudarq audit run --regions 'eu-*' --exclude-checks 'tagging-*'
  cloudarq audit run --checks 's3-*',securityhub:KMS.4 -o ndjson > verdicts.ndjson
  cloudarq audit run --framework cis-aws-5.0
  cloudarq audit run --dry-run
  cloudarq audit run --server https://cloudarq.example.com --connection prod --fail-on high`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.server != "" {
				return c.runOnServer(cmd, f)
			}
			if err := f.addFrameworks(); err != nil {
				return err
			}
			return c.runAudit(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "profile of the AWS configuration")
	flags.StringVar(&f.roleARN, "role-arn", "", "role to assume in the account")
	flags.StringVar(&f.externalID, "external-id", "", "where the External ID is: - (stdin), prompt, env:NAME or file:PATH (default $"+externalIDVariable+")")
	flags.StringVar(&f.connection, "connection", "", "kept connection to audit, by name, id or account")
	c.keyringFlag(cmd)
	optionFlags(cmd, &f.AuditOptions)
	flags.Lookup("regions").Usage = "regions to audit, all, or patterns such as eu-* (default all that the account has enabled, or the connection's)"
	flags.StringSliceVar(&f.frameworks, "framework", nil, "checks that these frameworks ask for, the optional ones among them; with --checks, those as well")
	flags.StringSliceVar(&f.exclude, "exclude-checks", nil, "checks to leave out, named as for --checks")
	flags.StringSliceVar(&f.severity, "severity", nil, "only checks of this severity and above; of several, only of those")
	f.gate(cmd)
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the calls that the audit would make, and make none of them")
	flags.DurationVar(&f.timeout, "timeout", 0, "time for the whole audit; what was not read by then is not assessed (default none)")
	flags.Float64Var(&c.quotaShare, "quota-share", 100*client.DefaultShare, "percentage of AWS's API quotas that the audit may take; the account's own work shares them")
	flags.StringVar(&f.resume, "resume", "", "go on with an audit that was cancelled")
	return cmd
}

// addFrameworks has the checks of frameworks run.
func (f *runFlags) addFrameworks() error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	for _, name := range f.frameworks {
		framework, err := catalog.Framework(name)
		if err != nil {
			return usage(err)
		}
		f.Checks = append(f.Checks, framework.ID+":*")
	}
	return nil
}

// gate adds the flags that settle the exit code of an audit that ended.
func (f *runFlags) gate(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.failOn, "fail-on", "", "exit with 1 if a check of this severity or above failed")
	flags.Float64Var(&f.minCoverage, "min-coverage", 0, "exit with 3 if less than this percentage could be assessed")
	flags.BoolVar(&f.incompleteOK, "incomplete-ok", false, "never exit with 3")
}

// checkGate says what is wrong with them.
func (f runFlags) checkGate() error {
	if _, err := severity(f.failOn); f.failOn != "" && err != nil {
		return usagef("--fail-on: %w", err)
	}
	if f.minCoverage < 0 || f.minCoverage > 100 {
		return usagef("--min-coverage %v: want a percentage from 0 to 100", f.minCoverage)
	}
	if f.timeout < 0 {
		return usagef("--timeout %s is negative", f.timeout)
	}
	return nil
}

// optionFlags are the flags of what audits look at, and how.
func optionFlags(cmd *cobra.Command, to *model.AuditOptions) {
	flags := cmd.Flags()
	flags.StringSliceVar(&to.Regions, "regions", nil, "regions to audit (default all that the account has enabled)")
	flags.StringSliceVar(&to.Services, "services", nil, "services to audit (default all)")
	flags.StringSliceVar(&to.Checks, "checks", nil, "checks by id, glob or another tool's id, such as prowler:s3_bucket_object_versioning, or by a requirement, such as cis-aws-5.0:1.19; all, or default and more (default all but the optional ones)")
	flags.BoolVar(&to.Unused, "unused-defaults", false, "judge also what AWS makes by default and nothing uses, such as default VPCs")
	flags.StringSliceVar(&to.TrustedAccounts, "trusted-accounts", nil, "accounts that policies may let in without being strangers, by number")
	flags.Var(optionFlag{to}, "option", "an option of a check, as iam-access-key-rotated.days=60, or =default; cloudarq config show lists them")
	flags.IntVar(&to.CallBudget, "call-budget", 0, "the most calls to AWS that an audit may make, at least 100; what was not read by then is not assessed (default none)")
}

// allRegions is the word for all regions that an account has enabled.
const allRegions = "all"

// severalRegions says whether a word of --regions stands for several: for those that the
// account has enabled and that it fits.
func severalRegions(word string) bool {
	return word == allRegions || strings.ContainsAny(word, `*?[\`)
}

// regionsOf are the regions that words name, of those that an account has enabled where
// they are patterns.
func regionsOf(words, enabled []string) ([]string, error) {
	var regions []string
	for _, word := range words {
		if !severalRegions(word) {
			regions = append(regions, word)
			continue
		}
		fit := enabled
		if word != allRegions {
			fit = nil
			for _, region := range enabled {
				if ok, err := path.Match(word, region); err != nil {
					return nil, usagef("--regions: pattern %q: %w", word, err)
				} else if ok {
					fit = append(fit, region)
				}
			}
		}
		if len(fit) == 0 {
			return nil, usagef("--regions: no region that the account has enabled fits %q", word)
		}
		regions = append(regions, fit...)
	}
	slices.Sort(regions)
	return slices.Compact(regions), nil
}

// optionsError says which flag is wrong.
func optionsError(o model.AuditOptions) error {
	err := o.Check()
	var field *model.FieldError
	if errors.As(err, &field) {
		flag, _, _ := strings.Cut(strings.ReplaceAll(field.Field, "_", "-"), "[")
		return usagef("--%s: %w", flag, err)
	}
	return err
}

func (c *cli) validate(f runFlags) error {
	if err := f.checkGate(); err != nil {
		return err
	}
	if c.quotaShare < 1 || c.quotaShare > 100 {
		return usagef("--quota-share %v: want a percentage from 1 to 100", c.quotaShare)
	}
	options := f.AuditOptions
	options.Regions = slices.DeleteFunc(slices.Clone(options.Regions), severalRegions)
	if err := optionsError(options); err != nil {
		return err
	}
	if f.connection != "" && (f.roleARN != "" || f.externalID != "" || f.profile != "") {
		return usagef("--connection has a role, an External ID and a profile of its own: leave out --role-arn, --external-id and --profile")
	}
	return nil
}

func (c *cli) runAudit(ctx context.Context, f runFlags) error {
	if _, err := c.format(); err != nil {
		return err
	}
	if err := c.validate(f); err != nil {
		return err
	}
	return c.with(ctx, func(s *local.State) error {
		way, f, err := c.wayIn(ctx, s, f)
		if err == nil {
			f, err = c.configured(f)
		}
		if err != nil {
			return err
		}
		run, err := c.prepare(ctx, s, f)
		if err != nil {
			return err
		}
		calls := &ledger.Memory{}
		account, err := c.connect(ctx, s.Catalog, f, way, &run, calls)
		if err != nil {
			return err
		}
		if f.dryRun {
			return c.dryRun(s.Catalog, run.Request)
		}
		run.Open, run.Connect, run.Specs, run.Timeout = narrowed(account), calls.Entries(), collectors.ByService(), f.timeout
		if run.Request.Refused != nil {
			return c.refused(ctx, s, run)
		}
		services, err := c.announce(s, run)
		if err != nil {
			return err
		}
		if run.Signer, err = c.signer(ctx, s, f); err != nil {
			return err
		}
		progress := c.newProgress(services)
		run.Progress = progress
		audit, err := s.Audit(ctx, run)
		progress.stop()
		if errors.Is(err, local.ErrCancelled) {
			again := string(audit.ID)
			if f.connection != "" {
				again += " --connection " + f.connection
			}
			return fmt.Errorf("%w; go on with: cloudarq audit run --resume %s", local.ErrCancelled, again)
		}
		if err != nil {
			return err
		}
		// What was found is shown also when a signal comes now.
		return c.finish(context.WithoutCancel(ctx), s, audit, f)
	})
}

// refused makes the finding of an account whose role is refused, and ends with the refusal.
func (c *cli) refused(ctx context.Context, s *local.State, run local.Run) error {
	run.Progress = pipeline.Silent{}
	if _, err := s.Audit(ctx, run); err != nil {
		return err
	}
	return run.Request.Refused
}

// prepare turns the flags into what shall be audited, before AWS is asked
// anything.
func (c *cli) prepare(ctx context.Context, s *local.State, f runFlags) (local.Run, error) {
	var run local.Run
	if f.resume != "" {
		audit, err := findAudit(ctx, c.here(s), f.resume)
		if err != nil {
			return run, err
		}
		if audit.State != model.AuditCancelled {
			return run, usagef("audit %s cannot be resumed: it is %s", audit.ID, audit.State)
		}
		run.Resume = &audit
		return run, nil
	}
	checks, err := keep.Select(s.Catalog, f.Checks, f.Services, slices.DeleteFunc(slices.Clone(f.Regions), severalRegions))
	if err != nil {
		return run, usage(err)
	}
	if checks, err = without(s.Catalog, checks, f.exclude); err != nil {
		return run, err
	}
	if checks, err = severities(checks, f.severity); err != nil {
		return run, err
	}
	if _, err := pipeline.Resolve(s.Catalog, checks, f.Services); err != nil {
		return run, err
	}
	run.Request = pipeline.Request{Audit: local.NewAuditID(), Checks: checks, Services: f.Services, Regions: f.Regions, Unused: f.Unused, TrustedAccounts: f.TrustedAccounts, Options: f.Options, CallBudget: f.CallBudget}
	return run, nil
}

// announce says what is about to be audited, and gives the number of services.
func (c *cli) announce(s *local.State, run local.Run) (services int, err error) {
	if run.Resume != nil {
		a := run.Resume
		c.note("account %s: going on with audit %s, %s in %s", a.AccountID, a.ID, report.Count(len(a.Services), "service"), report.Count(len(a.Regions), "region"))
		return len(a.Services), nil
	}
	r := run.Request
	selection, err := pipeline.Resolve(s.Catalog, r.Checks, r.Services)
	if err != nil {
		return 0, err
	}
	c.note("account %s: %s over %s in %s", r.Connection.AccountID,
		report.Count(len(selection.Checks), "check"), report.Count(len(selection.Services), "service"), report.Count(len(r.Regions), "region"))
	return len(selection.Services), nil
}

// note says something besides what was asked for. What accounts and servers hold does not
// steer the terminal.
func (c *cli) note(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintln(c.stderr, report.PlainLines(fmt.Sprintf("cloudarq: "+format, args...)))
	}
}

// sessionName tells in the account's CloudTrail which run made the calls, of one that
// is no audit.
func sessionName() string {
	return "cloudarq-" + time.Now().UTC().Format("20060102T150405Z")
}

// finish shows the audit and settles the exit code.
func (c *cli) finish(ctx context.Context, s *local.State, audit model.Audit, f runFlags) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if format == report.Table {
		err = c.summary(ctx, c.here(s), audit)
	} else {
		err = c.writeVerdicts(ctx, s, audit, format)
	}
	if err != nil {
		return err
	}
	if err := c.showFrameworks(ctx, s, audit, f.frameworks); err != nil {
		return err
	}
	c.next(audit)
	if text := reminder(audit); text != "" {
		c.note("%s", text)
	}
	return verdictOn(audit, f)
}

// verdictOn is the exit code of an ended audit.
func verdictOn(a model.Audit, f runFlags) error {
	if a.Summary == nil {
		return fmt.Errorf("audit %s is %s: %s", a.ID, a.State, strings.Join(a.Problems, "; "))
	}
	failing := false
	if f.failOn != "" {
		for severity, n := range a.Summary.Failed {
			failing = failing || n > 0 && severity.AtLeast(model.Severity(strings.ToLower(f.failOn)))
		}
	}
	switch {
	case a.State == model.AuditPartial && f.timeout > 0 && a.EndedAt.Sub(a.StartedAt) >= f.timeout:
		return &exitError{code: exitCancelled, err: fmt.Errorf("the audit ran out of its %s; coverage is %s", f.timeout, report.CoverageText(a.Summary.Score))}
	case 100*a.Summary.Score.Coverage < f.minCoverage && !f.incompleteOK:
		return &exitError{code: exitIncomplete, err: fmt.Errorf("coverage is %s, below --min-coverage %g", report.CoverageText(a.Summary.Score), f.minCoverage)}
	case failing:
		return &exitError{code: exitFindings}
	}
	return nil
}

func (c *cli) writeVerdicts(ctx context.Context, s *local.State, audit model.Audit, format report.Format) error {
	all, err := s.Recorded(ctx, audit)
	if err != nil {
		return err
	}
	stream, err := report.NewStream(c.stdout, format, report.VerdictColumns())
	if err != nil {
		return err
	}
	if err := all.Sorted(ctx, check.Statuses(), stream.Write); err != nil {
		return err
	}
	return stream.Close()
}
