package shape

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Audit is an audit in short, as lists have it.
type Audit struct {
	ID           model.AuditID      `json:"id"`
	Connection   model.ConnectionID `json:"connection" doc:"Id of the account's connection"`
	Account      string             `json:"account" doc:"Number of the account"`
	AccountName  string             `json:"account_name" doc:"Name of the account's connection; empty if it has none"`
	Project      string             `json:"project" doc:"Project of the connection when the audit began; empty if it was in none"`
	State        model.AuditState   `json:"state" enum:"connecting,running,done,partial,failed,cancelled"`
	Verification bool               `json:"verification" doc:"It only looked whether the account can be audited"`
	Part         bool               `json:"part" doc:"It was to look at less than the connection asks for"`
	StartedAt    time.Time          `json:"started_at"`
	EndedAt      *time.Time         `json:"ended_at" doc:"null while it runs"`
	// What it amounts to, once it ended with a result.
	Score     *float64     `json:"score" doc:"0 to 100; null while there is none, and where nothing was assessed"`
	Worst     *float64     `json:"worst" doc:"What the score would be if all that was not assessed had failed"`
	Best      *float64     `json:"best" doc:"What the score would be if all of that had passed"`
	Version   int          `json:"score_version" doc:"Version of the score; those of different versions are not to be compared. 0 while there is none"`
	Coverage  *float64     `json:"coverage" doc:"How much of what applies was assessed, 0 to 1; null while there is no result"`
	Failed    Failures     `json:"failed" doc:"Failures by severity, but for those that follow from others"`
	Counts    model.Counts `json:"counts" doc:"How often each verdict was given"`
	New       int          `json:"new" doc:"Findings that are new since the audit before"`
	Resolved  int          `json:"resolved" doc:"Findings that were resolved"`
	Reopened  int          `json:"reopened" doc:"Findings that were open before they were resolved, and are again"`
	Resources int          `json:"resources"`
	Calls     int          `json:"calls" doc:"Calls to AWS"`
	Problems  []string     `json:"problems" doc:"Why it is partial or failed"`
	CloudArq  string       `json:"cloudarq" doc:"Version of CloudArq that began it; empty if it noted none"`
}

// NewAudit is an audit in short; name is what its connection is called.
func NewAudit(a model.Audit, name string) Audit {
	out := Audit{
		ID: a.ID, Connection: a.Connection, Account: a.AccountID, AccountName: name, Project: a.Project, State: a.State,
		Verification: a.Verification, Part: a.Part, StartedAt: a.StartedAt.UTC(), EndedAt: moment(a.EndedAt),
		Problems: a.Problems, CloudArq: a.CloudArq,
	}
	if out.Problems == nil {
		out.Problems = []string{}
	}
	s := a.Summary
	if s == nil {
		return out
	}
	out.Coverage, out.Version = &s.Score.Coverage, s.Score.Version
	if s.Score.Assessed > 0 {
		out.Score, out.Worst, out.Best = &s.Score.Value, &s.Score.Worst, &s.Score.Best
	}
	out.Failed, out.Counts, out.Resources, out.Calls = NewFailures(s.Failed), s.Counts, s.Resources, s.Calls
	out.New, out.Resolved, out.Reopened = s.Changes.New, s.Changes.Resolved, s.Changes.Reopened
	return out
}

// WholeAudit is an audit with all that is recorded of it: what Audit has, and the plan, the
// summary by service, pillar and check, what was not assessed, and what was signed.
type WholeAudit struct {
	Audit
	Details
}

// Details are what Audit leaves out. What both have is as Audit has it.
type Details struct{ model.Audit }

// NewWholeAudit is an audit; name is what its connection is called.
func NewWholeAudit(a model.Audit, name string) WholeAudit {
	return WholeAudit{NewAudit(a, name), Details{a}}
}

// Record is the audit as it is stored, also where w was read from JSON.
func (w WholeAudit) Record() model.Audit {
	a, short := w.Details.Audit, w.Audit
	a.ID, a.Connection, a.Project, a.CloudArq = short.ID, short.Connection, short.Project, short.CloudArq
	a.Verification, a.Part, a.State, a.StartedAt, a.Problems = short.Verification, short.Part, short.State, short.StartedAt, short.Problems
	if a.EndedAt = (time.Time{}); short.EndedAt != nil {
		a.EndedAt = *short.EndedAt
	}
	if len(a.Problems) == 0 {
		a.Problems = nil
	}
	return a
}
