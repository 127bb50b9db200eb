package lambdax_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// event reads one of the events that the functions are invoked with.
func event[T any](t *testing.T, name string) T {
	t.Helper()
	var e T
	data, err := os.ReadFile(filepath.Join("..", "..", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func quiet() (*metrics.EMF, *slog.Logger) {
	return metrics.NewEMF(io.Discard, "f", time.Now), slog.New(slog.DiscardHandler)
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for attempt := 1; attempt < 20; attempt++ {
		wait := queue.Backoff(attempt)
		if wait < last || wait > 5*time.Minute {
			t.Errorf("attempt %d waits %s after %s", attempt, wait, last)
		}
		last = wait
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	e := event[events.APIGatewayV2HTTPRequest](t, "http.json")
	var got *http.Request
	var body string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		data, _ := io.ReadAll(r.Body)
		body = string(data)
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-One", "1")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("made"))
	})
	meters, log := quiet()
	e.RawQueryString, e.Body, e.IsBase64Encoded = "a=1&b=x%20y", "aGVsbG8=", true
	e.RawPath = "/v1/odd?#% name" // decoded by API Gateway
	response, err := lambdax.HTTP(handler, meters, log)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if arn, ok := auth.OperatorOf(got.Context()); !ok || arn != "arn:aws:iam::999999999999:user/operator" {
		t.Errorf("operator %q", arn)
	}
	if got.RemoteAddr != net.JoinHostPort(e.RequestContext.HTTP.SourceIP, "0") {
		t.Errorf("from %q", got.RemoteAddr)
	}
	if got.Method != http.MethodGet || got.URL.Path != e.RawPath || got.URL.Query().Get("b") != "x y" || body != "hello" ||
		got.Header.Get("Idempotency-Key") != "first" || got.Header.Get("X-Request-Id") != "Uq3sXjJ8DoEEPXg=" {
		t.Errorf("request %+v with body %q", got, body)
	}
	want := events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{"x-one": "1"}, Cookies: []string{"a=1", "b=2"}, Body: "made"}
	if d := cmp.Diff(want, response); d != "" {
		t.Errorf("response (-want +got):\n%s", d)
	}
}

// A request that API Gateway did not authorize has no caller, whatever its
// headers say.
func TestNoCallerWithoutAuthorizer(t *testing.T) {
	t.Parallel()
	e := event[events.APIGatewayV2HTTPRequest](t, "http.json")
	e.RequestContext.Authorizer = nil
	meters, log := quiet()
	_, err := lambdax.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if arn, ok := auth.OperatorOf(r.Context()); ok {
			t.Errorf("operator %q", arn)
		}
	}), meters, log)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]error{"fine": nil, "trouble": errors.New("one connection")} {
		meters, log := quiet()
		ticks := 0
		err := lambdax.Clock(func(context.Context) (pipeline.Ticked, error) {
			ticks++
			return pipeline.Ticked{}, problem
		}, meters, log)(t.Context(), event[json.RawMessage](t, "schedule.json"))
		if !errors.Is(err, problem) || ticks != 1 {
			t.Errorf("%s: %v, %d ticks", name, err, ticks)
		}
	}
}

func TestMetersAreWrittenOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	meters := metrics.NewEMF(&out, "checker", func() time.Time { return time.UnixMilli(1000) })
	meters.Add(metrics.Calls, 3)
	meters.Add(metrics.Calls, 4)
	meters.Add(metrics.AuditDuration, 1.5)
	for range 2 {
		if err := meters.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"AuditDurationSeconds":1.5,"Calls":7,"Function":"checker","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Function"]],` +
		`"Metrics":[{"Name":"AuditDurationSeconds","Unit":"Seconds"},{"Name":"Calls","Unit":"Count"}],"Namespace":"CloudArq"}],"Timestamp":1000}}`
	if got := strings.TrimSpace(out.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestQueues: the messages of each queue go to its own handler and its own dead
// letters, whatever their kind; those of a queue that nobody knows come again.
func TestQueues(t *testing.T) {
	t.Parallel()
	meters, log := quiet()
	var handled []string
	dead := map[string]*letters{"results": {}, "purges": {}}
	source := func(queueName, name, kind string) lambdax.Source {
		return lambdax.Source{Queue: newHider(queueName), Dead: dead[name], Handle: func(_ context.Context, m queue.Message) error {
			handled = append(handled, name)
			_, err := pipeline.ParseMessage(kind, m.Body)
			return err
		}}
	}
	queues := lambdax.Messages{Max: 12, Meters: meters, Log: log, Sources: []lambdax.Source{
		source("cloudarq-ResultsQueue-A1B2C3D4E5F6", "results", pipeline.KindResult),
		source("cloudarq-JobsQueue-A1B2C3D4E5F6", "purges", pipeline.KindPurge),
	}}
	results, purge := event[events.SQSEvent](t, "results.json"), event[events.SQSEvent](t, "purge.json")
	lost := event[events.SQSEvent](t, "purge.json")
	lost.Records[0].EventSourceARN = results.Records[0].EventSourceARN
	for _, e := range []events.SQSEvent{results, purge, lost, {}} {
		if response, err := queues.Batch(t.Context(), e); err != nil || len(response.BatchItemFailures) > 0 {
			t.Errorf("%+v, %v", response, err)
		}
	}
	if d := cmp.Diff([]string{"results", "purges", "results"}, handled); d != "" {
		t.Error(d)
	}
	if len(dead["results"].bodies) != 1 || len(dead["purges"].bodies) != 0 {
		t.Errorf("dead results %v, purges %v; want the purge that was among the results", dead["results"].bodies, dead["purges"].bodies)
	}
	if _, err := queues.Batch(t.Context(), event[events.SQSEvent](t, "tasks.json")); err == nil {
		t.Error("no error for a queue that nobody knows")
	}
}
