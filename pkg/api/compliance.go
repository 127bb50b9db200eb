package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) compliance(api huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1" + path, Summary: summary, Tags: []string{"compliance"}, Errors: errs}
	}
	standing := op("list-compliance", http.MethodGet, "/compliance", "Show how all accounts stand by each framework, or one account, or those of a project")
	standing.Description = "By the newest whole audit of each account and the checks of today. A requirement of several accounts is as in the worst of them."
	show := op("get-compliance", http.MethodGet, "/compliance/{framework}", "Show how accounts stand by a framework, requirement by requirement")
	attest := op("attest-requirement", http.MethodPost, "/compliance/{framework}/requirements/{requirement}/attestations", "Say that a requirement, or what no check looks at of it, is met")
	attest.DefaultStatus = http.StatusCreated
	attest.Description = "An attestation speaks for what is not assessed, and never against a failure. Where the organization wants it (`attestations_approved` of the settings), somebody else has to approve it before it is good. It runs out, and the requirement is open again."
	register(api, mayRead, standing, a.listCompliance)
	register(api, mayRead, show, a.getCompliance)
	register(api, mayRead, op("get-requirement", http.MethodGet, "/compliance/{framework}/requirements/{requirement}", "Show a requirement with its parts, and what people said of it"), a.getRequirement)
	register(api, mayLetIn, attest, a.attest)
	register(api, mayRead, op("list-attestations", http.MethodGet, "/attestations", "List what people attested, those of a framework by age"), a.listAttestations)
	register(api, mayLetIn, op("approve-attestation", http.MethodPost, "/compliance/{framework}/attestations/{attestation}/approval", "Approve what somebody else attests", http.StatusConflict), a.approve)
	register(api, mayLetIn, op("withdraw-attestation", http.MethodPost, "/compliance/{framework}/attestations/{attestation}/withdrawal", "Withdraw an attestation, which stays on record"), a.withdraw)
}

// OfAccounts asks for one account, or those of a project.
type OfAccounts struct {
	OfProject
	Connection string `query:"connection" maxLength:"64" doc:"Only the account of this connection"`
	Audit      string `query:"audit" maxLength:"64" doc:"As the account stood in this audit of the connection, also if that was to look at less than the connection asks for"`
}

// accounts are the index with what chooses the accounts asked for.
func (a *API) accounts(ctx context.Context, in OfAccounts) (view *index.View, rules *index.Rules, chosen index.Chosen, err error) {
	if in.Connection != "" && in.Project != "" {
		return nil, nil, nil, invalid(ctx, "query.connection", "ask for a connection or for a project")
	}
	if view, rules, chosen, err = a.standings(ctx, in.OfProject); err != nil || in.Connection == "" {
		return view, rules, chosen, err
	}
	c, err := a.connection(ctx, in.Connection)
	return view, rules, func(id model.ConnectionID, _ []string) bool { return id == c.ID }, err
}

// reports says how the accounts asked for stand by frameworks.
func (a *API) reports(ctx context.Context, in OfAccounts, frameworks []check.Framework, attestations []model.Attestation) ([]compliance.Report, error) {
	if in.Audit != "" {
		return a.reportsOfAudit(ctx, in, frameworks, attestations)
	}
	view, rules, chosen, err := a.accounts(ctx, in)
	if err != nil {
		return nil, err
	}
	return compliance.Of(frameworks, view, rules, attestations, compliance.Query{Who: viewer(ctx), Chosen: chosen, Now: a.Now()}), nil
}

func (a *API) reportsOfAudit(ctx context.Context, in OfAccounts, frameworks []check.Framework, attestations []model.Attestation) ([]compliance.Report, error) {
	if in.Connection == "" || in.Project != "" {
		return nil, invalid(ctx, "query.audit", "an audit is of a connection: name that, too, and no project")
	}
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	audit, err := a.org(ctx).Audit(ctx, c.ID, model.AuditID(in.Audit))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if !audit.State.Ended() || audit.Summary == nil {
		return nil, problem(ctx, http.StatusConflict, "audit_not_ended", "the audit has no result yet, or none at all")
	}
	return compliance.OfAudit(frameworks, a.Catalog, audit, c, attestations, a.Now()), nil
}

// attestations are those of a framework, or of all, that the caller may see.
func (a *API) attestations(ctx context.Context, framework string) ([]model.Attestation, error) {
	var all []model.Attestation
	for one, err := range a.org(ctx).Attestations(ctx, framework) {
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		all = append(all, one)
	}
	return a.visible(ctx, all)
}

// visible leaves out what is attested of connections and projects that the caller may not see.
func (a *API) visible(ctx context.Context, all []model.Attestation) ([]model.Attestation, error) {
	caller := callerOf(ctx)
	var seen []model.Attestation
	sees := map[model.ConnectionID]bool{}
	for _, one := range all {
		if _, asked := sees[one.Connection]; one.Connection != "" && !asked {
			c, err := a.org(ctx).Connection(ctx, one.Connection)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, a.answer(ctx, err)
			}
			sees[one.Connection] = err == nil && caller.Sees(c.Project)
		}
		if (one.Project == "" || caller.Sees(one.Project)) && (one.Connection == "" || sees[one.Connection]) {
			seen = append(seen, one)
		}
	}
	return seen, nil
}

func (a *API) framework(ctx context.Context, id string) (check.Framework, error) {
	f, err := a.Catalog.Framework(id)
	return f, a.unknown(ctx, err)
}

// unknown answers 404, with the nearest name.
func (a *API) unknown(ctx context.Context, err error) error {
	var unknown *check.UnknownError
	if errors.As(err, &unknown) {
		return problem(ctx, http.StatusNotFound, "not_found", unknown.Error())
	}
	return a.answer(ctx, err)
}

type complianceAnswer struct {
	Body struct {
		Frameworks []compliance.Standing `json:"frameworks" doc:"By id"`
		Cursor     string                `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listCompliance(ctx context.Context, in *struct {
	OfAccounts
	Page
},
) (*complianceAnswer, error) {
	frameworks, err := a.Catalog.Frameworks()
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	begin, err := a.offset(ctx, in.Cursor)
	if err != nil {
		return nil, err
	}
	frameworks = frameworks[min(begin, len(frameworks)):]
	out := &complianceAnswer{}
	if len(frameworks) > in.Limit {
		frameworks = frameworks[:in.Limit]
		if out.Body.Cursor, err = a.next(ctx, strconv.Itoa(begin+in.Limit)); err != nil {
			return nil, err
		}
	}
	said, err := a.attestations(ctx, "")
	if err != nil {
		return nil, err
	}
	reports, err := a.reports(ctx, in.OfAccounts, frameworks, said)
	if err != nil {
		return nil, err
	}
	out.Body.Frameworks = make([]compliance.Standing, len(reports))
	for i, r := range reports {
		out.Body.Frameworks[i] = compliance.NewStanding(r)
	}
	return out, nil
}

// FrameworkPath names a framework.
type FrameworkPath struct {
	Framework string `path:"framework" maxLength:"64" example:"cis-aws-5.0"`
}

type frameworkAnswer struct {
	Body struct {
		compliance.Standing
		Requirements []compliance.Asked `json:"requirements" doc:"In the framework's order"`
		Cursor       string             `json:"cursor,omitempty" doc:"Continues the list of requirements; absent on its last page"`
	}
}

func (a *API) getCompliance(ctx context.Context, in *struct {
	FrameworkPath
	OfAccounts
	Page
	State string `query:"state" maxLength:"200" example:"failing,not_assessed" doc:"Only requirements in these states, with commas between them: failing, not_assessed, partly_checked, no_automated_check, passing, not_applicable"`
},
) (*frameworkAnswer, error) {
	states, err := requirement.ParseStates(list(in.State))
	if err != nil {
		return nil, invalid(ctx, "query.state", err.Error())
	}
	f, err := a.framework(ctx, in.Framework)
	if err != nil {
		return nil, err
	}
	said, err := a.attestations(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	reports, err := a.reports(ctx, in.OfAccounts, []check.Framework{f}, said)
	if err != nil {
		return nil, err
	}
	texts, err := a.Catalog.Texts()
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	begin, err := a.offset(ctx, in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &frameworkAnswer{}
	out.Body.Standing, out.Body.Requirements = compliance.NewStanding(reports[0]), []compliance.Asked{}
	for i, r := range reports[0].Requirements {
		if i < begin || !requirement.InStates(r.State, states) {
			continue
		}
		if len(out.Body.Requirements) == in.Limit {
			out.Body.Cursor, err = a.next(ctx, strconv.Itoa(i))
			return out, err
		}
		out.Body.Requirements = append(out.Body.Requirements, compliance.NewAsked(f, r, texts))
	}
	return out, nil
}

// offset is how many entries come before a page, by the cursor of the one before.
func (a *API) offset(ctx context.Context, cursor string) (int, error) {
	after, err := a.after(ctx, cursor)
	if err != nil || after == "" {
		return 0, err
	}
	begin, err := strconv.Atoi(after)
	if err != nil || begin < 0 {
		return 0, a.cursor(ctx, table.ErrCursor)
	}
	return begin, nil
}

// RequirementPath names a requirement of a framework.
type RequirementPath struct {
	FrameworkPath
	Requirement string `path:"requirement" maxLength:"64" example:"1.4"`
}

type requirementAnswer struct{ Body compliance.WholeAsked }

func (a *API) getRequirement(ctx context.Context, in *struct {
	RequirementPath
	OfAccounts
},
) (*requirementAnswer, error) {
	f, at, err := a.requirement(ctx, in.RequirementPath)
	if err != nil {
		return nil, err
	}
	said, err := a.attestations(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	reports, err := a.reports(ctx, in.OfAccounts, []check.Framework{f}, said)
	if err != nil {
		return nil, err
	}
	whole, err := compliance.NewWholeAsked(f, reports[0].Requirements[at], a.Catalog, said, a.Now())
	return &requirementAnswer{whole}, a.answer(ctx, err)
}

// requirement finds a requirement, and which it is of its framework.
func (a *API) requirement(ctx context.Context, in RequirementPath) (f check.Framework, at int, err error) {
	if f, err = a.framework(ctx, in.Framework); err != nil {
		return f, 0, err
	}
	at, err = f.Find(in.Requirement)
	return f, at, a.unknown(ctx, err)
}

type attestationAnswer struct{ Body compliance.Attestation }

func (a *API) showAttestation(ctx context.Context, one model.Attestation, err error) (*attestationAnswer, error) {
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &attestationAnswer{compliance.NewAttestation(one, a.Now())}, nil
}

func (a *API) attest(ctx context.Context, in *struct {
	RequirementPath
	Repeatable
	Body struct {
		Covers     model.AttestationCovers `json:"covers,omitempty" enum:"requirement,manual" default:"requirement" doc:"All of the requirement, or what no check looks at"`
		Connection string                  `json:"connection,omitempty" maxLength:"64" doc:"Of this connection alone"`
		Project    string                  `json:"project,omitempty" maxLength:"100" doc:"Of the connections of this project. Without either, of all that the organization has"`
		Why        string                  `json:"why" minLength:"1" maxLength:"2000" example:"The access review of May was signed by the head of security."`
		Evidence   string                  `json:"evidence,omitempty" maxLength:"2000" doc:"Where that can be seen, an https URL" example:"https://wiki.example.com/reviews/2026-05"`
		Until      time.Time               `json:"until" doc:"When it runs out, in three years at most"`
	}
},
) (*attestationAnswer, error) {
	f, at, err := a.requirement(ctx, in.RequirementPath)
	if err != nil {
		return nil, err
	}
	b := in.Body
	one := model.Attestation{
		Framework: f.ID, Requirement: f.Requirements[at].ID, Covers: b.Covers, Connection: model.ConnectionID(b.Connection), Project: b.Project,
		Why: b.Why, Evidence: b.Evidence, Until: b.Until.UTC().Truncate(time.Second),
	}
	if one.Connection != "" {
		if _, err := a.connection(ctx, b.Connection); err != nil {
			return nil, err
		}
	}
	if one.Project != "" {
		if _, _, _, err := a.standings(ctx, OfProject{one.Project}); err != nil { // there is none of that name
			return nil, err
		}
	}
	settings, err := a.org(ctx).Settings(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	one.NeedsApproval = settings.AttestationsApproved
	return once(ctx, a, "attestation", in.Repeatable, []any{f.ID, in.Requirement, b}, func(id string) (*attestationAnswer, error) {
		one.ID = model.AttestationID(id)
		if there, err := a.org(ctx).Attestation(ctx, f.ID, one.ID); err == nil { // an earlier one of these requests made it
			return a.showAttestation(ctx, there, nil)
		}
		one.RequestedBy, one.RequestedAt = callerOf(ctx).Actor, a.Now().UTC().Truncate(time.Second)
		most := a.Caps.orDefault().Attestations
		err := a.org(ctx).AddAttestation(ctx, a.by(ctx), &one, most)
		if errors.Is(err, store.ErrFull) {
			return nil, problem(ctx, http.StatusConflict, "too_many_attestations", fmt.Sprintf("an organization has at most %d attestations, withdrawn and expired ones among them", most))
		}
		return a.showAttestation(ctx, one, err)
	})
}

type attestationsAnswer struct {
	Body struct {
		Attestations []compliance.Attestation `json:"attestations"`
		Cursor       string                   `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listAttestations(ctx context.Context, in *struct {
	Page
	Framework string `query:"framework" maxLength:"64" doc:"Only those of this framework"`
},
) (*attestationsAnswer, error) {
	if in.Framework != "" {
		f, err := a.framework(ctx, in.Framework)
		if err != nil {
			return nil, err
		}
		in.Framework = f.ID
	}
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Attestation, string, error) {
		return a.org(ctx).AttestationsPage(ctx, in.Framework, after, in.Limit)
	})
	if err == nil {
		page, err = a.visible(ctx, page)
	}
	if err != nil {
		return nil, err
	}
	out := &attestationsAnswer{}
	out.Body.Attestations, out.Body.Cursor = []compliance.Attestation{}, next
	for _, one := range page {
		out.Body.Attestations = append(out.Body.Attestations, compliance.NewAttestation(one, a.Now()))
	}
	return out, nil
}

// AttestationPath names an attestation of a framework.
type AttestationPath struct {
	FrameworkPath
	Attestation string `path:"attestation" maxLength:"26"`
}

func (a *API) approve(ctx context.Context, in *AttestationPath) (*attestationAnswer, error) {
	one, err := a.attestation(ctx, in)
	if err != nil {
		return nil, err
	}
	actor := callerOf(ctx).Actor
	err = one.Approve(actor, a.Now())
	var refused *model.AttestationError
	if errors.As(err, &refused) {
		return nil, problem(ctx, http.StatusConflict, refused.Code, refused.Error())
	}
	if err == nil {
		err = a.org(ctx).ChangeAttestation(ctx, a.by(ctx), &one)
	}
	return a.showAttestation(ctx, one, err)
}

func (a *API) withdraw(ctx context.Context, in *AttestationPath) (*attestationAnswer, error) {
	one, err := a.attestation(ctx, in)
	if err != nil {
		return nil, err
	}
	if one.Withdraw(callerOf(ctx).Actor, a.Now()) {
		err = a.org(ctx).ChangeAttestation(ctx, a.by(ctx), &one)
	}
	return a.showAttestation(ctx, one, err)
}

func (a *API) attestation(ctx context.Context, in *AttestationPath) (model.Attestation, error) {
	one, err := a.org(ctx).Attestation(ctx, in.Framework, model.AttestationID(in.Attestation))
	return one, a.answer(ctx, err)
}
