package connect

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Jobs has jobs done: whoever takes the request writes the job and sends its id, and a
// worker, who has the rights for it, does it.
type Jobs struct {
	Store *store.Store
	Queue queue.Sender // to Run
	Now   func() time.Time
}

// Begin makes a job, once for an id, and has it done. Repeated it makes nothing anew,
// and sends again what may have been lost.
func (j Jobs) Begin(ctx context.Context, by model.Change, org model.OrganizationID, id model.JobID, kind model.JobKind) (model.Job, error) {
	records := j.Store.For(org)
	made := model.Job{ID: id, Kind: kind, CreatedAt: j.Now().UTC()}
	err := records.PutJob(ctx, by, &made, "")
	if errors.Is(err, store.ErrConflict) {
		made, _, err = records.Job(ctx, id)
	}
	if err != nil || !made.EndedAt.IsZero() {
		return made, err
	}
	return made, j.Queue.Send(ctx, pipeline.JobMessage(org, id))
}

// Reindexer has the index of a page of connections made anew; pipeline.Pipeline is one.
type Reindexer interface {
	Reindex(ctx context.Context, org model.OrganizationID, cursor string, limit int) (connections int, next string, err error)
}

// Worker does jobs.
type Worker struct {
	Jobs
	Rekeying Rekeying
	Indexing Reindexer
	Log      *slog.Logger
	Events   bus.Publisher // hears of jobs that ended; nil if nobody shall
	// Spare is kept of the time that the context gives, to note how far the job is and
	// send it on.
	Spare time.Duration
}

// Handler takes all that the queue of jobs carries: jobs, and what a pipeline signs and
// purges.
func (w Worker) Handler(p *pipeline.Pipeline) queue.Handler {
	return func(ctx context.Context, m queue.Message) error {
		switch pipeline.KindOf(m.Body) {
		case pipeline.KindJob:
			return w.Run(ctx, m)
		case pipeline.KindStatement:
			return p.RunStatement(ctx, m)
		default: // or nothing that anybody understands
			return p.RunPurge(ctx, m)
		}
	}
}

// Run does some of a job for as long as its context allows, and sends it on. A message
// that comes twice, or while another does the same, does no harm: what is wrapped twice
// is wrapped by the same key, and what is indexed twice is indexed.
func (w Worker) Run(ctx context.Context, message queue.Message) error {
	org, id, err := pipeline.ParseJob(message.Body)
	if err != nil {
		return err
	}
	records := w.Store.For(org)
	job, cursor, err := records.Job(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return errors.Join(queue.ErrPoison, err)
	}
	if err != nil || !job.EndedAt.IsZero() {
		return err
	}
	// The table forgets jobs, and with them what they carry for the admin log.
	if _, err := records.SettleAdminLog(ctx, w.Now()); err != nil {
		return err
	}
	const page = 100
	for end, bounded := ctx.Deadline(); ; {
		do := w.rekey
		if job.Kind == model.JobReindex {
			do = w.Indexing.Reindex
		}
		n, next, err := do(ctx, org, cursor, page)
		job.Done += n
		switch {
		case errors.Is(err, secret.ErrSealed):
			job.Damaged = true
			w.Log.ErrorContext(ctx, "data keys do not open", slog.Any("error", err))
		case err != nil:
			return err
		}
		if cursor = next; cursor == "" {
			job.EndedAt = w.Now().UTC()
			// While somebody is left to do it again.
			if err := event.Tell(ctx, w.Events, event.OfJob(org, event.JobEnded, job, job.EndedAt)); err != nil {
				return err
			}
		}
		if err := records.PutJob(ctx, model.Change{}, &job, cursor); errors.Is(err, store.ErrConflict) {
			return nil // somebody else does it
		} else if err != nil {
			return err
		}
		if cursor == "" {
			return nil
		}
		if bounded && time.Until(end) < w.Spare {
			return w.Queue.Send(ctx, pipeline.JobMessage(org, id))
		}
	}
}

// rekey is Rekeying.Page, with the data keys of the installation at the end: it has a few,
// and no job of its own, since people are of no organization.
func (w Worker) rekey(ctx context.Context, org model.OrganizationID, cursor string, limit int) (rekeyed int, next string, err error) {
	rekeyed, next, err = w.Rekeying.Page(ctx, org, cursor, limit)
	if next == "" && (err == nil || errors.Is(err, secret.ErrSealed)) {
		own, e := w.Rekeying.All(ctx, store.InstallationOwner)
		if rekeyed += own; e != nil && !errors.Is(e, secret.ErrSealed) {
			return rekeyed, "", e
		}
		err = errors.Join(err, e)
	}
	return rekeyed, next, err
}

// Recover sends again what has the organizations' open jobs done, where the queue is gone
// with the process that held it.
func (j Jobs) Recover(ctx context.Context) (sent int, err error) {
	for org, err := range j.Store.Organizations(ctx) {
		if err != nil {
			return sent, err
		}
		open, err := j.Store.For(org).OpenJobs(ctx)
		if err != nil {
			return sent, err
		}
		for _, job := range open {
			if err := j.Queue.Send(ctx, pipeline.JobMessage(org, job.ID)); err != nil {
				return sent, err
			}
			sent++
		}
	}
	return sent, nil
}
