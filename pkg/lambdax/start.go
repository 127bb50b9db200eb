package lambdax

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
)

// ExitOn ends a function that cannot start; Lambda reports it and tries again.
func ExitOn(err error) {
	if err != nil {
		slog.Error("the function cannot start", slog.Any("error", err))
		os.Exit(1)
	}
}

// BoundMemory keeps the garbage collector from letting a function grow beyond the
// megabytes that it has, which Lambda would end it for. Some are left for what Go does
// not count.
func BoundMemory(megabytes int) {
	debug.SetMemoryLimit(int64(megabytes) << 20 * 85 / 100)
}

// Meters is the recorder of the function that runs.
func Meters(out io.Writer) *metrics.EMF {
	return metrics.NewEMF(out, lambdacontext.FunctionName, time.Now)
}

// Clock makes a handler of what happens once a minute. Its error makes Lambda
// try again, and then the alarm sound.
func Clock(tick func(context.Context) (pipeline.Ticked, error), meters *metrics.EMF, log *slog.Logger) func(context.Context, json.RawMessage) error {
	return func(ctx context.Context, _ json.RawMessage) error {
		start := time.Now()
		ticked, err := tick(ctx)
		fields := []any{
			slog.Int("started", ticked.Started), slog.Int("delayed", ticked.Delayed), slog.Int("skipped", ticked.Skipped),
			slog.Int("expired", ticked.Expired), slog.Int("purged", ticked.Purged), slog.Int("rolled", ticked.Rolled),
			slog.Duration("duration", time.Since(start)),
		}
		if err != nil {
			log.ErrorContext(ctx, "tick", append(fields, slog.Any("error", err))...)
		} else {
			log.InfoContext(ctx, "tick", fields...)
		}
		if e := meters.Flush(); e != nil {
			log.ErrorContext(ctx, "metrics", slog.Any("error", e))
		}
		return err
	}
}
