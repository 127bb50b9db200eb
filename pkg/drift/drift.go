// Package drift says how far a role falls short of what audits need: from what
// AWS really denied, not from a list of what it might. It is pure.
package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Missing is an IAM action that AWS denied, and what that blinds.
type Missing struct {
	Action string `json:"action"`
	// DeniedBy is who denies it: "denied" by the role's own policies, or
	// "scp_denied" by one of the organization, which the role cannot change.
	DeniedBy string          `json:"denied_by"`
	Since    time.Time       `json:"since"` // the first of the audits in a row that met it
	Checks   []model.CheckID `json:"checks"`
	Regions  []string        `json:"regions"`
	Verdicts int             `json:"verdicts"` // that could not be given for it
}

// Report is what is missing in one audit.
type Report struct {
	Audit   model.AuditID `json:"audit"`
	AsOf    time.Time     `json:"as_of"`
	Missing []Missing     `json:"missing"`
	// Patch is a statement for the role's policy that would end it; nil if
	// nothing that the role could change is missing.
	Patch *Statement `json:"patch,omitempty"`
}

// Statement is one statement of a policy.
type Statement struct {
	Sid      string   `json:"Sid"`
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource string   `json:"Resource"`
}

// Of reports what is missing in the first of a connection's audits, which are
// given newest first. An audit that ended without a summary says nothing.
func Of(audits []model.Audit) Report {
	audits = slices.DeleteFunc(slices.Clone(audits), func(a model.Audit) bool { return a.Summary == nil })
	if len(audits) == 0 {
		return Report{Missing: []Missing{}}
	}
	r := Report{Audit: audits[0].ID, AsOf: audits[0].StartedAt, Missing: denied(audits[0])}
	var allow []string
	for i, m := range r.Missing {
		r.Missing[i].Since = since(m, audits)
		if m.DeniedBy == string(fact.Denied) {
			allow = append(allow, m.Action)
		}
	}
	if len(allow) > 0 {
		slices.Sort(allow)
		r.Patch = &Statement{Sid: "CloudArqMissing", Effect: "Allow", Action: slices.Compact(allow), Resource: "*"}
	}
	return r
}

// denied are the actions that AWS denied in an audit, the most blinding first.
func denied(a model.Audit) []Missing {
	by := map[[2]string]*Missing{}
	for _, g := range a.Summary.Gaps {
		if g.Action == "" || g.Reason != string(fact.Denied) && g.Reason != string(fact.SCPDenied) {
			continue
		}
		key := [2]string{g.Action, g.Reason}
		m := by[key]
		if m == nil {
			m = &Missing{Action: g.Action, DeniedBy: g.Reason}
			by[key] = m
		}
		m.Verdicts += g.Count
		m.Checks = append(m.Checks, g.Checks...)
		m.Regions = append(m.Regions, g.Regions...)
	}
	all := []Missing{}
	for _, m := range by {
		slices.Sort(m.Checks)
		slices.Sort(m.Regions)
		m.Checks, m.Regions = slices.Compact(m.Checks), slices.Compact(m.Regions)
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(b.Verdicts, a.Verdicts), cmp.Compare(a.Action, b.Action), cmp.Compare(a.DeniedBy, b.DeniedBy))
	})
	return all
}

// since is when the first of the audits in a row began that met a denial. One
// that did not ask, because it ran other checks, neither ends the row nor begins
// it.
func since(m Missing, audits []model.Audit) time.Time {
	var at time.Time
	for _, a := range audits {
		met := slices.ContainsFunc(denied(a), func(o Missing) bool { return o.Action == m.Action })
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
