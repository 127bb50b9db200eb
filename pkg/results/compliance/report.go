package compliance

import (
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// Report is how some accounts stand by a framework.
type Report struct {
	Framework check.Framework
	// Accounts were audited as a whole, NotAudited never were: no requirement passes in all
	// accounts as long as there is one of those.
	Accounts, NotAudited int
	// Oldest and Newest are when the first and the last of the audits began.
	Oldest, Newest time.Time
	Requirements   []requirement.Judged // in the framework's order
}

// Counts are how many requirements are in each state.
func (r Report) Counts() Counts {
	c := Counts{}
	for _, q := range r.Requirements {
		c[q.State]++
	}
	return c
}

// Counts are how many requirements are in a state.
type Counts map[requirement.State]int

// Query chooses accounts.
type Query struct {
	Who    index.Caller
	Chosen index.Chosen // nil: all that the caller sees
	Now    time.Time    // at which attestations are good or not
}

// Of says how accounts stand by frameworks, in their order. What is attested of some accounts
// is good for these alone, so accounts of which people say the same are judged together, and
// of the groups the worst wins. attestations are of the frameworks.
func Of(frameworks []check.Framework, view *index.View, rules *index.Rules, attestations []model.Attestation, q Query) []Report {
	good := map[string][]model.Attestation{}
	for _, a := range attestations {
		if a.State(q.Now) == model.AttestationGood {
			good[a.Framework] = append(good[a.Framework], a)
		}
	}
	totals := map[string]index.Totals{} // of groups that several frameworks have: most have all accounts
	all := make([]Report, len(frameworks))
	for i, f := range frameworks {
		all[i] = Report{Framework: f, Requirements: make([]requirement.Judged, len(f.Requirements))}
		for _, g := range groupsOf(view, good[f.ID], q) {
			t, known := totals[g.key]
			if !known {
				t = view.Totals(rules, q.Who, g.chosen)
				totals[g.key] = t
			}
			all[i].add(t, g.said)
		}
	}
	return all
}

// OfAudit says how an account stood by frameworks in an audit of it, which may have been
// narrower than the connection asks for: what it did not run was not assessed, and where it left
// out regions, nothing passes. The audit is ended, and whole (see model.AuditDetail).
func OfAudit(frameworks []check.Framework, catalog *check.Catalog, audit model.Audit, connection model.Connection, attestations []model.Attestation, now time.Time) []Report {
	ran := 1 // of one account
	if audit.Narrowed && (len(connection.Regions) == 0 || slices.ContainsFunc(connection.Regions, func(r string) bool { return !slices.Contains(audit.Regions, r) })) {
		ran = 0 // not in all of it
	}
	t := index.Totals{Accounts: 1, Oldest: audit.StartedAt, Newest: audit.StartedAt}
	sum := model.Tally{}
	for id, c := range audit.Summary.Tally {
		if today, known := catalog.Today(id); known {
			sum[today.ID] = sum[today.ID].Add(c)
		}
	}
	for id, c := range sum {
		t.Checks = append(t.Checks, index.CheckTotal{Check: id, Counts: c, Accounts: ran})
	}
	for id, c := range audit.Summary.Wanted {
		t.Wanted = append(t.Wanted, index.CheckTotal{Check: id, Counts: c, Accounts: ran})
	}
	all := make([]Report, len(frameworks))
	for i, f := range frameworks {
		all[i] = Report{Framework: f, Requirements: make([]requirement.Judged, len(f.Requirements))}
		all[i].add(t, slices.DeleteFunc(slices.Clone(attestations), func(a model.Attestation) bool {
			return a.Framework != f.ID || a.State(now) != model.AttestationGood || !a.Of(audit.Connection, []string{connection.Project})
		}))
	}
	return all
}

// add joins a group of accounts.
func (r *Report) add(t index.Totals, said []model.Attestation) {
	r.Accounts, r.NotAudited = r.Accounts+t.Accounts, r.NotAudited+t.NotAudited
	if r.Oldest.IsZero() || !t.Oldest.IsZero() && t.Oldest.Before(r.Oldest) {
		r.Oldest = t.Oldest
	}
	if t.Newest.After(r.Newest) {
		r.Newest = t.Newest
	}
	byID := make(map[model.CheckID]index.CheckTotal, len(t.Checks))
	for _, c := range slices.Concat(t.Checks, t.Wanted) {
		byID[c.Check] = c
	}
	results := func(id model.CheckID) requirement.Seen {
		c := byID[id]
		return requirement.Seen{Counts: c.Counts, Missing: t.Accounts + t.NotAudited - c.Accounts}
	}
	attested := map[string]requirement.Attested{}
	for _, a := range said {
		one := attested[a.Requirement]
		one.Whole = one.Whole || a.Covers == model.CoversRequirement
		one.Manual = one.Manual || a.Covers == model.CoversManual
		attested[a.Requirement] = one
	}
	for i, q := range r.Framework.Requirements {
		one := requirement.Judge(q, results, attested[q.ID])
		if r.Requirements[i].State != "" {
			one = one.Join(r.Requirements[i])
		}
		r.Requirements[i] = one
	}
}

// group is some accounts of which people say the same.
type group struct {
	key    string // of the same accounts
	chosen index.Chosen
	said   []model.Attestation
}

// groupsOf are the groups that the chosen accounts fall into by what is attested of them.
func groupsOf(view *index.View, good []model.Attestation, q Query) []group {
	everywhere, narrow := []model.Attestation{}, []model.Attestation{}
	for _, a := range good {
		if a.Connection == "" && a.Project == "" {
			everywhere = append(everywhere, a)
		} else {
			narrow = append(narrow, a)
		}
	}
	if len(narrow) == 0 {
		return []group{{chosen: q.Chosen, said: everywhere}}
	}
	of := map[model.ConnectionID]string{} // the ids of what is attested of it
	said := map[string][]model.Attestation{}
	for c := range view.Connections(q.Who) {
		if q.Chosen != nil && !q.Chosen(c.ID, c.Projects) {
			continue
		}
		var own []model.Attestation
		var ids []string
		for _, a := range narrow {
			if a.Of(c.ID, c.Projects) {
				own, ids = append(own, a), append(ids, string(a.ID))
			}
		}
		key := strings.Join(ids, " ")
		of[c.ID], said[key] = key, own
	}
	var all []group
	for key, own := range said {
		all = append(all, group{
			key: good[0].Framework + " " + key, said: slices.Concat(everywhere, own),
			chosen: func(id model.ConnectionID, _ []string) bool { k, ok := of[id]; return ok && k == key },
		})
	}
	if len(all) == 0 { // no accounts
		return []group{{chosen: q.Chosen, said: everywhere}}
	}
	return all
}
