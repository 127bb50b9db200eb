package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Running yields the audits of all organizations that have a bound: those that run, and
// those of which somebody died between ending and announcing them.
func (s *Store) Running(ctx context.Context) iter.Seq2[Due, error] {
	return s.due(ctx, boundClock, endOfTime)
}

// endOfTime is after every moment of a clock.
var endOfTime = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Organizations yields the ids in the directory of organizations, in their order.
func (s *Store) Organizations(ctx context.Context) iter.Seq2[model.OrganizationID, error] {
	return func(yield func(model.OrganizationID, error) bool) {
		for item, err := range table.All(ctx, s.table, table.Query{PK: directoryKey("").PK}) {
			if err != nil {
				yield("", fmt.Errorf("list organizations: %w", err))
				return
			}
			if !yield(model.OrganizationID(item.SK), nil) {
				return
			}
		}
	}
}

// OpenJobs are the organization's jobs that have not ended.
func (o *Organization) OpenJobs(ctx context.Context) (open []model.Job, err error) {
	for j, err := range each(ctx, o.table, table.Query{PK: o.jobKey("").PK}, func(j *job, v int64) { j.Version = v }) {
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		if j.EndedAt.IsZero() {
			open = append(open, j.Job)
		}
	}
	return open, nil
}
