package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	osuser "os/user"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (c *cli) compliance() *cobra.Command {
	cmd := &cobra.Command{Use: "compliance", Short: "How accounts stand by frameworks, and what people attest"}
	cmd.AddCommand(c.complianceList(), c.complianceShow(), c.complianceAttest(), c.complianceAttestations(), c.complianceApprove(), c.complianceWithdraw())
	return cmd
}

// accountFlags choose one account, or those of a project.
type accountFlags struct{ connection, project, audit string }

func (f *accountFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.connection, "connection", "", "only this account, by the name or id of its connection, or its number")
	cmd.Flags().StringVar(&f.project, "project", "", "only the accounts of this project")
}

// addAudit has them choose an audit, too.
func (f *accountFlags) addAudit(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.audit, "audit", "", "as an account stood in this audit: its id, latest, or the account's newest by its connection")
}

// of finds what the flags name.
func (f accountFlags) of(ctx context.Context, b backend) (ofAccounts, error) {
	if f.audit != "" {
		return f.ofAudit(ctx, b)
	}
	if f.connection != "" && f.project != "" {
		return ofAccounts{}, usagef("--connection and --project: want one of them")
	}
	if err := inProject(ctx, b, f.project); err != nil || f.connection == "" {
		return ofAccounts{Project: f.project}, err
	}
	connection, err := findConnection(ctx, b, f.connection)
	return ofAccounts{Connection: connection.ID}, err
}

func (f accountFlags) ofAudit(ctx context.Context, b backend) (ofAccounts, error) {
	if f.project != "" || f.connection != "" {
		return ofAccounts{}, usagef("--audit says which account: leave --connection and --project out")
	}
	audit, err := findAudit(ctx, b, f.audit)
	if err == nil && (audit.Summary == nil || !audit.State.Ended()) {
		err = usagef("audit %s has no result: it is %s", audit.ID, audit.State)
	}
	return ofAccounts{Connection: audit.Connection, Audit: audit.ID}, err
}

// ofAccounts asks for one account, or those of a project, or all.
type ofAccounts = apiclient.OfAccounts

func (c *cli) complianceList() *cobra.Command {
	var f accountFlags
	cmd := listOf(c, &cobra.Command{
		Use:   "list",
		Short: "Show how all accounts stand by each framework",
		Long: `Show how all accounts stand by each framework, or one account, or those of a project,
by the newest whole audit of each and the checks of today. A requirement of several
accounts is as in the worst of them.

A requirement is failing if any part of it fails; passing only if each part is looked
at here or attested, was assessed and is met; partly checked or not assessed if not;
and has no automated check if nothing here looks at it.`,
		Example: `  cloudarq compliance list
  cloudarq compliance list --connection prod
  cloudarq compliance list --project shop -o csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return c.using(ctx, func(b backend) error {
				of, err := f.of(ctx, b)
				if err != nil {
					return err
				}
				all, err := b.Compliance(ctx, of)
				if err != nil {
					return err
				}
				c.noteAudited(all)
				return write(c, all, report.StandingColumns())
			})
		},
	}, "framework", report.StandingColumns())
	f.add(cmd)
	f.addAudit(cmd)
	return cmd
}

// noteAudited says where nothing is known of some accounts.
func (c *cli) noteAudited(all []compliance.Standing) {
	switch {
	case len(all) == 0:
	case all[0].Accounts == 0:
		c.note("no account was audited as a whole yet; begin with: cloudarq audit run")
	case all[0].NotAudited > 0:
		c.note("%s never audited: nothing passes in all accounts", report.Count(all[0].NotAudited, "account"))
	}
}

func (c *cli) complianceShow() *cobra.Command {
	var f accountFlags
	var states []string
	cmd := listOf(c, &cobra.Command{
		Use:   "show FRAMEWORK [REQUIREMENT]",
		Short: "Show how accounts stand by a framework, or by one requirement with its parts",
		Example: `  cloudarq compliance show cis-aws-5.0
  cloudarq compliance show cis-aws-5.0 --state failing,not_assessed
  cloudarq compliance show cis-aws-5.0 1.4 --connection prod`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			framework, asked, err := requirementOf(words)
			if err != nil {
				return err
			}
			wanted, err := requirement.ParseStates(states)
			if err != nil {
				return usage(err)
			}
			ctx := cmd.Context()
			return c.using(ctx, func(b backend) error {
				of, err := f.of(ctx, b)
				if err != nil {
					return err
				}
				if asked != "" {
					whole, err := b.Requirement(ctx, framework, asked, of)
					if err != nil {
						return err
					}
					return c.showRequirement(whole)
				}
				standing, all, err := b.Framework(ctx, framework, of, wanted)
				if err != nil {
					return err
				}
				c.noteStanding(standing)
				return write(c, all, report.AskedColumns())
			})
		},
	}, "requirement", report.AskedColumns())
	f.add(cmd)
	f.addAudit(cmd)
	cmd.Flags().StringSliceVar(&states, "state", nil, "only requirements in these states: "+strings.Join(stateNames(), ", "))
	return cmd
}

func stateNames() []string {
	all := requirement.States()
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return names
}

// noteStanding says how a framework stands as a whole.
func (c *cli) noteStanding(s compliance.Standing) {
	c.noteAudited([]compliance.Standing{s})
	if format, err := c.format(); err != nil || format != report.Table {
		return
	}
	c.note("%s: %s", report.FrameworkName(s), report.StatesText(s.States))
}

// requirementOf reads a framework, and a requirement if there is one, by what the catalogue
// knows: that of a server may be of another version, and says itself what it does not know.
func requirementOf(words []string) (framework, requirement string, err error) {
	framework, requirement, _ = strings.Cut(words[0], ":")
	if len(words) > 1 {
		requirement = words[1]
	}
	catalog, err := services.Catalog()
	if err != nil {
		return "", "", err
	}
	f, err := catalog.Framework(framework)
	if err != nil {
		return "", "", usage(err)
	}
	if requirement == "" {
		return f.ID, "", nil
	}
	at, err := f.Find(requirement)
	if err != nil {
		return "", "", usage(err)
	}
	return f.ID, f.Requirements[at].ID, nil
}

func (c *cli) showRequirement(whole compliance.WholeAsked) error {
	if c.output != string(report.Table) {
		return writeOne(c, whole, report.WholeAskedColumns())
	}
	return report.ExplainRequirement(c.stdout, whole)
}

func (c *cli) complianceAttest() *cobra.Command {
	var f accountFlags
	var why, evidence, until string
	var manual bool
	cmd := &cobra.Command{
		Use:   "attest FRAMEWORK REQUIREMENT",
		Short: "Say that a requirement, or what no check looks at of it, is met",
		Long: `Say that a requirement is met, why, and until when. An attestation speaks for what is
not assessed, and never against a failure. It is of all accounts, or of one, or of
those of a project. It runs out, and the requirement is open again.

Where the organization wants it, somebody else has to approve it before it is good.`,
		Example: `  cloudarq compliance attest cis-aws-5.0 1.1 --why "Contacts were reviewed in May" --until 2027-05-31
  cloudarq compliance attest soc-2 cc_1_3 --manual --why "See the org chart" --evidence https://wiki.example.com/org --until 2027-01-31`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, words []string) error {
			framework, requirement, err := requirementOf(words)
			if err != nil {
				return err
			}
			day, err := time.Parse(time.DateOnly, until)
			if err != nil {
				return usagef("--until %q: want a day, as 2027-05-31", until)
			}
			ctx := cmd.Context()
			return c.using(ctx, func(b backend) error {
				of, err := f.of(ctx, b)
				if err != nil {
					return err
				}
				covers := model.CoversRequirement
				if manual {
					covers = model.CoversManual
				}
				made, err := b.Attest(ctx, model.Attestation{
					Framework: framework, Requirement: requirement, Covers: covers, Connection: of.Connection, Project: of.Project,
					Why: why, Evidence: evidence, Until: day.AddDate(0, 0, 1), // the day is included
				})
				if err != nil {
					return attested(err)
				}
				if made.State == model.AttestationRequested {
					c.note("somebody else has to approve it: cloudarq compliance approve %s %s", made.Framework, made.ID)
				}
				return writeOne(c, made, report.AttestationColumns())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&why, "why", "", "why the requirement is met")
	flags.StringVar(&evidence, "evidence", "", "where that can be seen, an https URL")
	flags.StringVar(&until, "until", "", "the last day on which it is good, in three years at most")
	flags.BoolVar(&manual, "manual", false, "only what no check looks at, or not as strictly as is asked")
	f.add(cmd)
	for _, name := range []string{"why", "until"} {
		_ = cmd.MarkFlagRequired(name) // there are flags of these names
	}
	return cmd
}

// attested makes what is wrong with an attestation a matter of usage.
func attested(err error) error {
	var field *model.FieldError
	var refused *model.AttestationError
	switch {
	case errors.As(err, &field):
		return usagef("%s: %s", field.Field, field.Reason)
	case errors.As(err, &refused):
		return usage(refused)
	}
	return asked(err)
}

func (c *cli) complianceAttestations() *cobra.Command {
	return listOf(c, &cobra.Command{
		Use:   "attestations [FRAMEWORK]",
		Short: "List what people attested, also what is good no more",
		Example: `  cloudarq compliance attestations
  cloudarq compliance attestations soc-2 -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			framework := ""
			if len(words) > 0 {
				var err error
				if framework, _, err = requirementOf(words); err != nil {
					return err
				}
			}
			return c.using(cmd.Context(), func(b backend) error {
				return writeList(c, b.Attestations(cmd.Context(), framework), report.List[compliance.Attestation]{Columns: report.AttestationColumns()})
			})
		},
	}, "attestation", report.AttestationColumns())
}

func (c *cli) complianceApprove() *cobra.Command {
	return c.onAttestation("approve", "Approve what somebody else attests", backend.Approve)
}

func (c *cli) complianceWithdraw() *cobra.Command {
	return c.onAttestation("withdraw", "Withdraw an attestation, which stays on record", backend.Withdraw)
}

func (c *cli) onAttestation(verb, short string, do func(b backend, ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error)) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " FRAMEWORK ATTESTATION",
		Short:   short,
		Example: "  cloudarq compliance " + verb + " soc-2 01JY3ZQ6VTR5X0Z9W3E4D5C6B7",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, words []string) error {
			framework, _, err := requirementOf(words[:1])
			if err != nil {
				return err
			}
			return c.using(cmd.Context(), func(b backend) error {
				one, err := do(b, cmd.Context(), framework, model.AttestationID(strings.ToUpper(words[1])))
				if err != nil {
					return attested(err)
				}
				return writeOne(c, one, report.AttestationColumns())
			})
		},
	}
}

// showFrameworks says how an account stood by frameworks in an audit that was run for them.
func (c *cli) showFrameworks(ctx context.Context, s *local.State, audit model.Audit, frameworks []string) error {
	if audit.Summary == nil {
		return nil
	}
	for _, name := range frameworks {
		r, _, err := c.here(s).ofFramework(ctx, name, ofAccounts{Connection: audit.Connection, Audit: audit.ID})
		if err != nil {
			return err
		}
		standing := compliance.NewStanding(r)
		c.note("%s: %s; see: cloudarq compliance show %s --audit %s", report.FrameworkName(standing), report.StatesText(standing.States), standing.Framework, audit.ID)
	}
	return nil
}

// wholeMachine is who sees all that this machine has.
var wholeMachine = index.Caller{Sees: func(string) bool { return true }}

// reports says how accounts of this machine stand by frameworks.
func (h here) reports(ctx context.Context, of ofAccounts, frameworks []check.Framework, said []model.Attestation) ([]compliance.Report, error) {
	if of.Audit != "" {
		audit, err := h.Records.Audit(ctx, of.Connection, of.Audit)
		if err != nil {
			return nil, err
		}
		connection, err := h.Records.Connection(ctx, of.Connection)
		if errors.Is(err, store.ErrNotFound) { // it was not kept
			err = nil
		}
		return compliance.OfAudit(frameworks, h.Catalog, audit, connection, said, time.Now()), err
	}
	rules, err := index.NewRules(h.Catalog)
	if err != nil {
		return nil, err
	}
	view, err := h.Index().For(local.Organization).View(ctx)
	if err != nil {
		return nil, err
	}
	q := compliance.Query{Who: wholeMachine, Now: time.Now()}
	switch {
	case of.Connection != "":
		q.Chosen = func(id model.ConnectionID, _ []string) bool { return id == of.Connection }
	case of.Project != "":
		q.Chosen = index.InProject(of.Project)
	}
	return compliance.Of(frameworks, view, rules, said, q), nil
}

// said is what is attested of a framework, or of all.
func (h here) said(ctx context.Context, framework string) (all []model.Attestation, err error) {
	for a, err := range h.Records.Attestations(ctx, framework) {
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// Compliance implements backend.
func (h here) Compliance(ctx context.Context, of ofAccounts) ([]compliance.Standing, error) {
	frameworks, err := h.Catalog.Frameworks()
	if err != nil {
		return nil, err
	}
	said, err := h.said(ctx, "")
	if err != nil {
		return nil, err
	}
	reports, err := h.reports(ctx, of, frameworks, said)
	all := make([]compliance.Standing, len(reports))
	for i, r := range reports {
		all[i] = compliance.NewStanding(r)
	}
	return all, err
}

func (h here) ofFramework(ctx context.Context, framework string, of ofAccounts) (compliance.Report, []model.Attestation, error) {
	f, err := h.Catalog.Framework(framework)
	if err != nil {
		return compliance.Report{}, nil, err
	}
	said, err := h.said(ctx, f.ID)
	if err != nil {
		return compliance.Report{}, nil, err
	}
	reports, err := h.reports(ctx, of, []check.Framework{f}, said)
	if err != nil {
		return compliance.Report{}, nil, err
	}
	return reports[0], said, nil
}

// Framework implements backend.
func (h here) Framework(ctx context.Context, framework string, of ofAccounts, states []requirement.State) (compliance.Standing, []compliance.Asked, error) {
	r, _, err := h.ofFramework(ctx, framework, of)
	if err != nil {
		return compliance.Standing{}, nil, err
	}
	texts, err := h.Catalog.Texts()
	all := []compliance.Asked{}
	for _, q := range r.Requirements {
		if requirement.InStates(q.State, states) {
			all = append(all, compliance.NewAsked(r.Framework, q, texts))
		}
	}
	return compliance.NewStanding(r), all, err
}

// Requirement implements backend.
func (h here) Requirement(ctx context.Context, framework, requirement string, of ofAccounts) (compliance.WholeAsked, error) {
	r, said, err := h.ofFramework(ctx, framework, of)
	if err != nil {
		return compliance.WholeAsked{}, err
	}
	at, err := r.Framework.Find(requirement)
	if err != nil {
		return compliance.WholeAsked{}, err
	}
	return compliance.NewWholeAsked(r.Framework, r.Requirements[at], h.Catalog, said, time.Now())
}

// person is who runs the command, as the system calls them.
func person() model.Actor {
	name := "unknown"
	if u, err := osuser.Current(); err == nil {
		name = cmp.Or(u.Username, u.Uid, name)
	}
	return model.Actor{Kind: model.ActorPerson, ID: name, Name: name}
}

// Attest implements backend.
func (h here) Attest(ctx context.Context, a model.Attestation) (compliance.Attestation, error) {
	settings, err := h.Records.Settings(ctx)
	if err != nil {
		return compliance.Attestation{}, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	a.ID, a.RequestedBy, a.RequestedAt, a.NeedsApproval = model.AttestationID(ulid.Make().String()), person(), now, settings.AttestationsApproved
	err = h.Records.ChangeAttestation(ctx, model.Change{}, &a)
	return compliance.NewAttestation(a, now), err
}

// Attestations implements backend.
func (h here) Attestations(ctx context.Context, framework string) iter.Seq2[compliance.Attestation, error] {
	return func(yield func(compliance.Attestation, error) bool) {
		for a, err := range h.Records.Attestations(ctx, framework) {
			if !yield(compliance.NewAttestation(a, time.Now()), err) || err != nil {
				return
			}
		}
	}
}

// Approve implements backend.
func (h here) Approve(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error) {
	a, err := h.Records.Attestation(ctx, framework, id)
	if err == nil {
		err = a.Approve(person(), time.Now())
	}
	if err == nil {
		err = h.Records.ChangeAttestation(ctx, model.Change{}, &a)
	}
	return compliance.NewAttestation(a, time.Now()), err
}

// Withdraw implements backend.
func (h here) Withdraw(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error) {
	a, err := h.Records.Attestation(ctx, framework, id)
	if err == nil && a.Withdraw(person(), time.Now()) {
		err = h.Records.ChangeAttestation(ctx, model.Change{}, &a)
	}
	return compliance.NewAttestation(a, time.Now()), err
}

// Attest implements backend.
func (t there) Attest(ctx context.Context, a model.Attestation) (compliance.Attestation, error) {
	made, err := t.Client.Attest(ctx, a)
	var refused *apiclient.Problem
	if errors.As(err, &refused) && refused.Status == http.StatusConflict {
		return made, usage(errors.New(refused.Detail))
	}
	return made, err
}
