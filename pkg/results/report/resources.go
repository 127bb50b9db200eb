package report

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Resource is one thing that an audit saw.
type Resource struct {
	ResourceType string          `json:"resource_type"`
	Resource     string          `json:"resource"` // the ARN
	Part         string          `json:"part,omitempty"`
	Name         string          `json:"name,omitempty"`
	Account      string          `json:"account"`
	Region       string          `json:"region"`
	Service      string          `json:"service"`
	AsOf         time.Time       `json:"as_of"`
	Facts        json.RawMessage `json:"facts"` // as they were read
}

// Ref is the identity of what was seen.
func (r Resource) Ref() model.Ref {
	return model.Ref{ARN: r.Resource, Sub: r.Part, Name: r.Name, Account: r.Account, Region: r.Region}
}

// ResourceColumns are the columns of resources.
func ResourceColumns() []Column[Resource] {
	return []Column[Resource]{
		{Name: "account", Value: func(r Resource) string { return r.Account }, Fit: Place},
		{Name: "region", Value: func(r Resource) string { return r.Region }, Fit: Place},
		{Name: "resource_type", Value: func(r Resource) string { return r.ResourceType }, Fit: Place},
		{Name: "name", Value: func(r Resource) string { return r.Name }, Fit: Spare},
		{Name: "resource", Value: func(r Resource) string { return r.Resource }, Ref: Resource.Ref},
		{Name: "part", Value: func(r Resource) string { return r.Part }, Wide: true},
		{Name: "service", Value: func(r Resource) string { return r.Service }, Wide: true},
		{Name: "as_of", Value: func(r Resource) string { return r.AsOf.UTC().Format(time.RFC3339) }, Wide: true},
	}
}

// Resources calls visit with all resources of an audit.
func Resources(ctx context.Context, from blob.Store, audit model.Audit, tasks []model.Task, visit func(Resource)) error {
	for _, task := range tasks {
		if task.Evidence == "" {
			continue
		}
		err := pipeline.ReadEvidence(ctx, from, task.Object(task.Evidence), func(e evidence.Entry) error {
			if e.Resource != nil {
				visit(Resource{
					ResourceType: e.Kind, Resource: e.Ref.ARN, Part: e.Ref.Sub, Name: e.Ref.Name, Account: e.Ref.Account,
					Region: e.Ref.Region, Service: task.Service, AsOf: audit.StartedAt, Facts: e.Resource,
				})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
