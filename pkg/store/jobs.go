package store

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// keepJobs is how long a job can be looked at after it was made.
const keepJobs = 30 * 24 * time.Hour

// job is a job with where it goes on.
type job struct {
	model.Job
	Cursor string `json:"cursor,omitempty"`
}

func (o *Organization) jobKey(id model.JobID) table.Key {
	return table.Key{PK: o.key("JOB"), SK: string(id)}
}

// PutJob writes a job, and where it goes on, if it is unchanged since it was read;
// ErrConflict otherwise.
func (o *Organization) PutJob(ctx context.Context, by model.Change, j *model.Job, cursor string) error {
	item, err := encode(o.jobKey(j.ID), table.Key{}, j.Version, job{*j, cursor})
	if err != nil {
		return err
	}
	item.Expires = j.CreatedAt.Add(keepJobs)
	if err := o.putLogged(ctx, item, by, "job/"+string(j.ID), nothingSecret[model.Job]); err != nil {
		return fmt.Errorf("write job %s: %w", j.ID, err)
	}
	j.Version++
	return nil
}

// Job reads a job and where it goes on, or ErrNotFound.
func (o *Organization) Job(ctx context.Context, id model.JobID) (model.Job, string, error) {
	var j job
	item, err := o.get(ctx, o.jobKey(id), &j)
	if err != nil {
		return model.Job{}, "", fmt.Errorf("job %s: %w", id, err)
	}
	j.Version = item.Version
	return j.Job, j.Cursor, nil
}
