// Package drift says how far a role falls short of what audits need: from what
// AWS really denied, and from the role's own policies. It is pure.
package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Who denies an action.
const (
	ByRole     = "denied"     // the policies of the role or the user
	BySCP      = "scp_denied" // one of the organization, which the account cannot change
	ByResource = "resource"   // a policy of the resource itself: the role allows the action
)

// Missing is an IAM action that AWS denied, or would, and what that blinds.
type Missing struct {
	Action   string    `json:"action"`
	DeniedBy string    `json:"denied_by"`     // ByRole, BySCP or ByResource
	Why      string    `json:"why,omitempty"` // what the role's policies say of it, if they could be read
	Since    time.Time `json:"since"`         // the first of the audits in a row that met it
	// Checks are those that had no verdict for it; of an action that was not asked
	// for, because there was nothing to ask about, those that it may cost theirs.
	Checks   []model.CheckID `json:"checks"`
	Regions  []string        `json:"regions"`
	Verdicts int             `json:"verdicts"` // that could not be given for it
}

// Report is what is missing in one audit.
type Report struct {
	// Audit is the newest that says something, begun AsOf; there is none before the first.
	Audit   model.AuditID `json:"audit,omitempty"`
	AsOf    time.Time     `json:"as_of,omitzero" required:"false"`
	Missing []Missing     `json:"missing"`
	// Patch is a statement for the role's policy that would end it; nil if
	// nothing that the role could change is missing.
	Patch *Statement `json:"patch,omitempty"`
	// Published is the version of the policy that is published now; the one that
	// the role's policies were made of is among the permissions.
	Published   string             `json:"published"`
	Permissions *model.Permissions `json:"permissions,omitempty"` // nil if they were not looked at
}

// Statement is one statement of a policy.
type Statement struct {
	Sid      string   `json:"Sid"`
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource string   `json:"Resource"`
}

// Outdated tells that the role's policies are of an older version than the one
// that is published now.
func (r Report) Outdated() bool {
	return r.Permissions != nil && r.Permissions.Version != "" && r.Permissions.Version < r.Published
}

// Lost are the actions that are missing in the account as a whole, and not on
// resources that deny them by themselves.
func (r Report) Lost() []Missing {
	return slices.DeleteFunc(slices.Clone(r.Missing), func(m Missing) bool { return m.DeniedBy == ByResource })
}

// Of reports what is missing in the first of a connection's audits, which are
// given newest first. An audit that neither collected anything nor saw what the
// role allows says nothing.
func Of(audits []model.Audit) Report {
	audits = slices.DeleteFunc(slices.Clone(audits), func(a model.Audit) bool { return a.Summary == nil && a.Permissions == nil })
	if len(audits) == 0 {
		return Report{Missing: []Missing{}, Published: policy.VersionDate}
	}
	r := Report{
		Audit: audits[0].ID, AsOf: audits[0].StartedAt, Missing: missing(audits[0]),
		Published: policy.VersionDate, Permissions: audits[0].Permissions,
	}
	var allow []string
	for i, m := range r.Missing {
		r.Missing[i].Since = since(m, audits)
		if m.DeniedBy == ByRole {
			allow = append(allow, m.Action)
		}
	}
	if len(allow) > 0 {
		slices.Sort(allow)
		r.Patch = &Statement{Sid: "CloudArqMissing", Effect: "Allow", Action: slices.Compact(allow), Resource: "*"}
	}
	return r
}

// missing are the actions that an audit was denied, and those that its role does
// not allow, the most blinding first.
func missing(a model.Audit) []Missing {
	all := denied(a)
	if p := a.Permissions; p != nil && p.Unread == "" {
		for i, m := range all {
			at := slices.IndexFunc(p.Missing, func(o model.MissingAction) bool { return o.Action == m.Action })
			switch {
			case at >= 0:
				all[i].Why = p.Missing[at].Why
			case m.DeniedBy == ByRole:
				all[i].DeniedBy = ByResource
			}
		}
		for _, o := range p.Missing {
			if !slices.ContainsFunc(all, func(m Missing) bool { return m.Action == o.Action }) {
				all = append(all, Missing{Action: o.Action, DeniedBy: ByRole, Why: o.Why, Checks: o.Checks, Regions: []string{}})
			}
		}
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(b.Verdicts, a.Verdicts), cmp.Compare(a.Action, b.Action), cmp.Compare(a.DeniedBy, b.DeniedBy))
	})
	return all
}

// denied are the actions that AWS denied in an audit.
func denied(a model.Audit) []Missing {
	all := []Missing{}
	if a.Summary == nil {
		return all
	}
	by := map[[2]string]*Missing{}
	for _, g := range a.Summary.Gaps {
		if g.Action == "" || g.Reason != string(fact.Denied) && g.Reason != string(fact.SCPDenied) {
			continue
		}
		key := [2]string{g.Action, g.Reason}
		m := by[key]
		if m == nil {
			m = &Missing{Action: g.Action, DeniedBy: ByRole}
			if g.Reason == string(fact.SCPDenied) {
				m.DeniedBy = BySCP
			}
			by[key] = m
		}
		m.Verdicts += g.Count
		m.Checks = append(m.Checks, g.Checks...)
		m.Regions = append(m.Regions, g.Regions...)
	}
	for _, m := range by {
		slices.Sort(m.Checks)
		slices.Sort(m.Regions)
		m.Checks, m.Regions = slices.Compact(m.Checks), slices.Compact(m.Regions)
		all = append(all, *m)
	}
	return all
}

// since is when the first of the audits in a row began that met a denial. One
// that did not ask, because it ran other checks, neither ends the row nor begins
// it.
func since(m Missing, audits []model.Audit) time.Time {
	var at time.Time
	for _, a := range audits {
		met := slices.ContainsFunc(missing(a), func(o Missing) bool { return o.Action == m.Action })
		asked := slices.ContainsFunc(m.Checks, func(id model.CheckID) bool { return slices.Contains(a.Checks, id) })
		switch {
		case met:
			at = a.StartedAt
		case asked:
			return at
		}
	}
	return at
}

// NewlyLost are the actions that are missing in the account as a whole in one
// audit and were not in the audit before.
func NewlyLost(before, now model.Audit) []string {
	had := Of([]model.Audit{before}).Lost()
	var lost []string
	for _, m := range Of([]model.Audit{now}).Lost() {
		if !slices.ContainsFunc(had, func(o Missing) bool { return o.Action == m.Action }) {
			lost = append(lost, m.Action)
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost)
}
