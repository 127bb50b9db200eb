package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

// OfAccounts asks for one account, or those of a project, or with neither for all.
type OfAccounts struct {
	Connection model.ConnectionID
	Project    string
	Audit      model.AuditID // as it stood in this audit of the connection
}

func (o OfAccounts) query() url.Values {
	q := url.Values{}
	if o.Connection != "" {
		q.Set("connection", string(o.Connection))
	}
	if o.Project != "" {
		q.Set("project", o.Project)
	}
	if o.Audit != "" {
		q.Set("audit", string(o.Audit))
	}
	return q
}

// Compliance is how accounts stand by each framework.
func (c *Client) Compliance(ctx context.Context, of OfAccounts) ([]compliance.Standing, error) {
	var all []compliance.Standing
	for one, err := range pages[compliance.Standing](ctx, c, "/v1/compliance", "frameworks", sizes{100, 100}, of.query()) {
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// requirements is a page of them.
type requirements struct {
	more
	compliance.Standing
	Requirements []compliance.Asked `json:"requirements"`
}

// Framework is how accounts stand by a framework, and by its requirements that are in one of
// some states; no states are all.
func (c *Client) Framework(ctx context.Context, framework string, of OfAccounts, states []requirement.State) (s compliance.Standing, all []compliance.Asked, err error) {
	path := "/v1/compliance/" + url.PathEscape(framework)
	pages := paged[requirements](ctx, c, path, "requirements", func(cursor string) string {
		q := of.query()
		q.Set("limit", "500")
		if len(states) > 0 {
			names := make([]string, len(states))
			for i, state := range states {
				names[i] = string(state)
			}
			q.Set("state", strings.Join(names, ","))
		}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		return q.Encode()
	})
	all = []compliance.Asked{}
	for page, err := range pages {
		if err != nil {
			return s, nil, err
		}
		s, all = page.Standing, append(all, page.Requirements...)
	}
	return s, all, nil
}

// Requirement is a requirement with its parts, and what people said of it.
func (c *Client) Requirement(ctx context.Context, framework, requirement string, of OfAccounts) (w compliance.WholeAsked, err error) {
	_, err = c.Call(ctx, http.MethodGet, requirementPath(framework, requirement)+"?"+of.query().Encode(), nil, nil, &w)
	return w, err
}

func requirementPath(framework, requirement string) string {
	return "/v1/compliance/" + url.PathEscape(framework) + "/requirements/" + url.PathEscape(requirement)
}

// Attest says that a requirement is met, and gives what the server made of that.
func (c *Client) Attest(ctx context.Context, a model.Attestation) (made compliance.Attestation, err error) {
	body := struct {
		Covers     model.AttestationCovers `json:"covers"`
		Connection model.ConnectionID      `json:"connection,omitempty"`
		Project    string                  `json:"project,omitempty"`
		Why        string                  `json:"why"`
		Evidence   string                  `json:"evidence,omitempty"`
		Until      time.Time               `json:"until"`
	}{a.Covers, a.Connection, a.Project, a.Why, a.Evidence, a.Until}
	_, err = c.Call(ctx, http.MethodPost, requirementPath(a.Framework, a.Requirement)+"/attestations", nil, body, &made)
	return made, err
}

// Attestations yields what people attested, those of a framework by age.
func (c *Client) Attestations(ctx context.Context, framework string) iter.Seq2[compliance.Attestation, error] {
	q := url.Values{}
	if framework != "" {
		q.Set("framework", framework)
	}
	return pages[compliance.Attestation](ctx, c, "/v1/attestations", "attestations", sizes{100, 100}, q)
}

// Approve approves what somebody else attests.
func (c *Client) Approve(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error) {
	return c.onAttestation(ctx, framework, id, "approval")
}

// Withdraw withdraws an attestation.
func (c *Client) Withdraw(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error) {
	return c.onAttestation(ctx, framework, id, "withdrawal")
}

func (c *Client) onAttestation(ctx context.Context, framework string, id model.AttestationID, what string) (one compliance.Attestation, err error) {
	_, err = c.Call(ctx, http.MethodPost, "/v1/compliance/"+url.PathEscape(framework)+"/attestations/"+url.PathEscape(string(id))+"/"+what, nil, nil, &one)
	return one, err
}
