// Command fuzz tries the API as its own document says that it can be used, and as it says
// that it cannot: schemathesis makes requests of the OpenAPI document, against the handler
// of a deployment on loopback, as everybody who may call it.
//
//	make fuzz          # 20,000 requests and more, recorded in docs/fuzzing.md
//	make fuzz-short    # a minute, for each change
//
// With -walk it goes through all operations instead, and writes what it is answered as the
// examples of that document.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	o := options{}
	flag.IntVar(&o.examples, "examples", 3, "requests that are made up of each operation, beside those that its schema alone leads to")
	flag.StringVar(&o.as, "as", "", "callers, with commas between them; all if left out")
	flag.StringVar(&o.operations, "operations", "", "a regular expression of the operations' ids; all if left out")
	flag.StringVar(&o.phases, "phases", "examples,coverage,fuzzing,stateful", "of schemathesis")
	flag.StringVar(&o.record, "record", "", "the page to write what was tried to")
	flag.StringVar(&o.walk, "walk", "", "instead of all that: the file to write the examples of the OpenAPI document to")
	flag.Int64Var(&o.seed, "seed", 1, "of what is made up")
	flag.IntVar(&o.seconds, "seconds", 0, "that each run may take; 0 for as long as it takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

type options struct {
	examples, seconds                    int
	as, operations, phases, record, walk string
	seed                                 int64
}

// run is a run as one caller.
type run struct {
	caller   caller
	generous bool
	about    string
}

// runs are all of them: what fuzzing would only measure the limits of is tried without any,
// and once with those that every deployment has.
func runs() (all []run) {
	for _, c := range callers {
		all = append(all, run{caller: c, generous: true, about: c.about})
	}
	return append(all, run{caller: callers[1], about: "an administrator, with the limits as they are"})
}

func (o options) run(ctx context.Context) error {
	if o.walk != "" {
		text, err := recorded(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(o.walk, text, 0o644) //nolint:gosec // sources are public
	}
	var failed []string
	page := &record{options: o}
	for _, r := range runs() {
		if o.as != "" && !slices.Contains(strings.Split(o.as, ","), r.caller.name) || o.as != "" && !r.generous {
			continue
		}
		tried, err := o.one(ctx, r)
		if err != nil {
			return fmt.Errorf("as %s: %w", r.caller.name, err)
		}
		page.add(r, tried)
		fmt.Printf("%s: %d requests, %d failures\n", r.about, tried.total(), tried.failed())
		if tried.failed() > 0 {
			failed = append(failed, r.caller.name)
		}
	}
	if o.record != "" {
		if err := page.write(o.record); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("the API does not do what its document says, as %s", strings.Join(failed, ", "))
	}
	return nil
}

// one is a run, on a deployment of its own.
func (o options) one(ctx context.Context, r run) (*tally, error) {
	at, err := os.MkdirTemp("", "cloudarq-fuzz-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(at) }()
	ctx, stop := context.WithCancel(ctx)
	d, err := newDeployment(ctx, at, time.Now)
	if err != nil {
		stop()
		return nil, err
	}
	worked := make(chan struct{})
	go func() { defer close(worked); d.work(ctx) }()
	defer func() { stop(); <-worked }()
	handler := d.api.Handler()
	all, err := d.seed(ctx, handler)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	d.limited.Store(!r.generous)
	t, err := newTally(handler)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	// net/http's own limit would have it answer by itself what the handler refuses.
	server := &http.Server{Handler: &gate{d: d, caller: r.caller, next: t}, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 20}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	// Outside of the deployment's directory: here lie the dictionaries and the report.
	runs := filepath.Join(at, "run")
	if err := os.Mkdir(runs, 0o700); err != nil {
		return nil, err
	}
	if err := all.write(runs); err != nil {
		return nil, err
	}
	if err := o.schemathesis(ctx, runs, "http://"+listener.Addr().String(), r.caller); err != nil {
		return nil, err
	}
	if err := t.read(runs); err != nil {
		return nil, err
	}
	if faults := d.log.String(); faults != "" {
		fmt.Fprintf(os.Stderr, "logged as errors:\n%.4000s\n", faults)
		t.failures["logged as an error"]++
	}
	return t, nil
}

// schemathesis makes the requests. That checks failed is in the report, and no error.
func (o options) schemathesis(ctx context.Context, runs, url string, as caller) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	here := filepath.Join(strings.TrimSpace(string(root)), "test", "fuzz")
	config, err := os.ReadFile(filepath.Join(here, "schemathesis.toml"))
	if err != nil {
		return err
	}
	config = append(config, as.toml()...)
	if err := os.WriteFile(filepath.Join(runs, "schemathesis.toml"), config, 0o600); err != nil {
		return err
	}
	args := []string{
		"-m", "schemathesis.cli", "run", url + "/v1/openapi.json", "--phases", o.phases, "--max-examples", strconv.Itoa(o.examples),
		"--seed", strconv.FormatInt(o.seed, 10), "--generation-database", "none", "--no-color", "--report", "json,ndjson", "--report-json-path", filepath.Join(runs, summaryFile), "--report-ndjson-path", filepath.Join(runs, eventsFile),
	}
	if as.kind == "operator" {
		args = append(args, "--include-path-regex", "^/operator/")
	} else if as.kind != "" {
		args = append(args, "--exclude-path-regex", "^/operator/")
	}
	if o.operations != "" {
		args = append(args, "--include-operation-id-regex", o.operations)
	}
	if o.seconds > 0 {
		args = append(args, "--max-time", strconv.Itoa(o.seconds))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(here, "python"), args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = runs, os.Stdout, io.MultiWriter(os.Stderr, &said)
	err = cmd.Run()
	if bytes.Contains(said.Bytes(), []byte("Traceback (most recent call last)")) {
		return errors.New("schemathesis died of an answer, and left operations out")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

// toml is how the caller comes in.
func (c caller) toml() string {
	switch c.kind {
	case "bearer", "token":
		return "\n[auth.openapi]\ntoken = { bearer = \"" + wordToken + "\" }\n"
	case "cookie":
		return "\n[auth.openapi]\ncookie = { api_key = \"" + wordCookie + "\" }\n\n[headers]\nCloudArq-CSRF = \"" + wordCSRF + "\"\n"
	case "operator":
		return "\n[auth.openapi]\nsignature = { api_key = \"" + wordSignature + "\" }\n"
	}
	return ""
}
