// Package shape is the form in which CloudArq gives what it knows: findings, verdicts,
// resources, differences and audits are the same objects in the API, in what the command
// writes as JSON, in webhooks and in exports. The name of a member is the name that filters,
// sorting, columns and CSV have for it, so objects are flat where they can be.
//
// schemas has the JSON Schema of each, with a version: members may be added within one;
// what is renamed, removed, or means something else makes the next.
package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Version is the version of all shapes.
const Version = 1

// Rule is what is said of a check beside everything that it judged.
type Rule struct {
	Check    model.CheckID  `json:"check" doc:"Id of the check"`
	Title    string         `json:"title" doc:"What is right, as the check states it"`
	Severity model.Severity `json:"severity" enum:"critical,high,medium,low" doc:"How grave a failure of the check is"`
	Pillar   model.Pillar   `json:"pillar" doc:"Pillar of the AWS Well-Architected Framework"`
}

// Place is where a resource is.
type Place struct {
	Connection  model.ConnectionID `json:"connection" doc:"Id of the account's connection"`
	Account     string             `json:"account" doc:"Number of the account"`
	AccountName string             `json:"account_name" doc:"Name of the account's connection; empty if it has none"`
	Project     string             `json:"project" doc:"Project of the connection; empty if it is in none"`
	Region      string             `json:"region" doc:"Region, or \"global\""`
	Service     string             `json:"service" doc:"Service of the check, or of the resource where there is no check"`
	Resource    string             `json:"resource" doc:"ARN; one of CloudArq's where AWS has none"`
	Part        string             `json:"part" doc:"Part of the resource that is meant, such as access-key/AKIA…; empty for all of it"`
	Name        string             `json:"name" doc:"Name of the resource; empty if it has none"`
	Type        string             `json:"resource_type" doc:"Type, as CloudFormation has it where it has one"`
}

// Ref identifies the resource.
func (p Place) Ref() model.Ref {
	return model.Ref{ARN: p.Resource, Sub: p.Part, Account: p.Account, Region: p.Region, Name: p.Name}
}

// Advice is why a failure matters, and what to do about it.
type Advice struct {
	Risk        string              `json:"risk" doc:"Why a failure matters"`
	Remediation Remediation         `json:"remediation" doc:"What to do about it"`
	References  []string            `json:"references" doc:"Where to read more"`
	Controls    map[string][]string `json:"controls" doc:"Requirements that the check belongs to, by framework"`
}

// Remediation says how to mend a failure.
type Remediation struct {
	Console        string `json:"console" doc:"In AWS's console"`
	CLI            string `json:"cli" doc:"With AWS's command line; words in capitals are to be replaced. Empty where that does not do it"`
	Terraform      string `json:"terraform" doc:"In Terraform's configuration; empty where that does not do it"`
	CloudFormation string `json:"cloudformation" doc:"In a CloudFormation template; empty where that does not do it"`
}

// NewRemediation is how to mend failures of a check, of whatever resource.
func NewRemediation(r check.Remediation) Remediation {
	return Remediation{r.Console, r.CLI, r.Terraform.Sentence, r.CloudFormation.Sentence}
}

// Tags are those of a resource: null in JSON where they are not known, which is something
// else than none.
type Tags map[string]string

// Finding is a check that failed for a resource, from the first time to the last.
type Finding struct {
	ID model.FindingID `json:"id" doc:"Identity: the same for the same check and resource in every audit"`
	Rule
	State model.FindingState `json:"state" enum:"open,reopened,resolved" doc:"reopened is open again after it was resolved"`
	Place
	Tags       Tags          `json:"tags" nullable:"true" doc:"Tags of the resource; null where they are not known"`
	Reason     string        `json:"reason" doc:"What decided"`
	Cause      model.CheckID `json:"cause" doc:"Check of the same resource whose failure is why this one fails; empty if it fails by itself"`
	FirstSeen  time.Time     `json:"first_seen"`
	ResolvedAt *time.Time    `json:"resolved_at" doc:"null while it is open"`
	Resolution string        `json:"resolution" doc:"Why it was resolved; empty while it is open"`
	BlindSince *time.Time    `json:"blind_since" doc:"Since when the resource could not be read any more; null while it is assessed"`
	Reopened   int           `json:"reopened" doc:"How often it was reopened"`
	Advice
	// Of a finding that is shown by itself.
	Evidence     []Exhibit     `json:"evidence,omitempty" doc:"Facts that decided: an excerpt. Of a finding that is shown by itself"`
	EvidenceFile string        `json:"evidence_file,omitempty" doc:"Where all facts lie. Of a finding that is shown by itself"`
	History      []model.Event `json:"history,omitempty" doc:"Turns in its life, the oldest first. Of a finding that is shown by itself"`
}

// Verdict is what one check said of one resource in one audit.
type Verdict struct {
	ID model.FindingID `json:"id" doc:"Identity of the check and the resource: that of the finding, if there is or was one"`
	Rule
	Status check.Status `json:"status" enum:"PASS,FAIL,NOT_APPLICABLE,NOT_ASSESSED"`
	Place
	Reason   string          `json:"reason" doc:"What decided"`
	Gaps     []fact.Gap      `json:"gaps" doc:"What could not be read, of what was not assessed"`
	Evidence []Exhibit       `json:"evidence" doc:"Facts that decided: an excerpt"`
	Cause    model.CheckID   `json:"cause" doc:"Check of the same resource whose failure is why this one fails; empty if it fails by itself"`
	Folded   []model.CheckID `json:"folded,omitempty" doc:"Checks that fail for this reason alone, where they are told with it"`
	Audit    model.AuditID   `json:"audit"`
}

// Exhibit is one fact that decided. It has one of value, gap, set and cut.
type Exhibit struct {
	Resource string          `json:"resource,omitempty" doc:"The resource whose fact it is, if that is another"`
	Fact     string          `json:"fact" doc:"Name of the fact"`
	Value    json.RawMessage `json:"value,omitempty" doc:"What AWS answered"`
	Gap      *fact.Gap       `json:"gap,omitempty" doc:"Why it is not known"`
	Set      json.RawMessage `json:"set,omitempty" doc:"The resources that were looked through"`
	Cut      string          `json:"cut,omitempty" doc:"The beginning of an answer that is too long"`
	Bytes    int             `json:"bytes,omitempty" doc:"How long an answer is that was cut"`
}

// Difference is a verdict that is not what it was in an earlier audit.
type Difference struct {
	ID     model.FindingID `json:"id" doc:"Identity of the check and the resource"`
	Change diff.ChangeKind `json:"change" enum:"new,changed,newly_blind,resolved,newly_visible"`
	Rule
	Place
	Before check.Status `json:"before" doc:"Status in the earlier audit; empty if the resource was not there"`
	After  check.Status `json:"after" doc:"Status in the later audit; empty if the resource is not there any more"`
	Reason string       `json:"reason" doc:"What decided"`
	// Rules is as in diff.Difference.
	Rules bool `json:"caused_by_rules" doc:"Options of the check are others than in the earlier audit: the rules may have changed, and not the account"`
}

// Resource is one thing that an audit saw.
type Resource struct {
	Place
	Tags  Tags            `json:"tags" nullable:"true" doc:"Tags of the resource; null where they are not known"`
	Audit model.AuditID   `json:"audit"`
	AsOf  time.Time       `json:"as_of" doc:"When that audit began"`
	Facts json.RawMessage `json:"facts" doc:"Facts as they were read, by their names"`
}

// NewExhibits are exhibits as evidence has them.
func NewExhibits(all []evidence.Exhibit) ([]Exhibit, error) {
	out := make([]Exhibit, len(all))
	for i, x := range all {
		out[i] = Exhibit{Resource: x.Resource, Fact: x.Fact}
		if len(x.Content) == 0 || bytes.Equal(x.Content, []byte("null")) {
			continue
		}
		var of struct {
			Value json.RawMessage `json:"value"`
			Gap   *fact.Gap       `json:"gap"`
			Set   json.RawMessage `json:"set"`
			Cut   *string         `json:"cut"`
			Bytes int             `json:"bytes"`
		}
		if err := json.Unmarshal(x.Content, &of); err != nil {
			return nil, fmt.Errorf("evidence of fact %s: %w", x.Fact, err)
		}
		out[i].Value, out[i].Gap, out[i].Set, out[i].Bytes = of.Value, of.Gap, of.Set, of.Bytes
		if of.Cut != nil {
			out[i].Cut = *of.Cut
		} else if of.Value == nil && of.Gap == nil && of.Set == nil {
			out[i].Value, out[i].Bytes = x.Content, 0 // of a field that is no fact
		}
	}
	return out, nil
}

// moment is a time, or nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
