// Package serve is a deployment in one process, on one machine: the API over HTTP, and
// beside it everything that the functions of a deployment do, on the state of package
// local and queues in memory. What was on its way when the process died goes on when it
// is started again.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/console"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/platform/lockfile"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Server serves a state. Its fields are all needed.
type Server struct {
	State *local.State
	Dir   string // of the state
	Keys  secret.Wrapper
	Specs map[string]collect.Spec
	// Accounts opens the accounts of connections, with the machine's own credentials.
	Accounts pipeline.Accounts
	// Principal is whom the roles of connections have to trust: who the machine's
	// credentials are of.
	Principal string
	AuditRole string // the name of these roles
	Version   string
	Log       *slog.Logger
	// SetUp is given the link by which the first administrator comes in, at each start
	// until somebody has. It is a secret.
	SetUp   func(link secret.String, until time.Time)
	Options Options
}

// The figures by which a deployment does the same; template.yaml has its.
const (
	taskReceives   = 4
	resultReceives = 12
	bound          = 8 * time.Hour
	purgeAfter     = 20 * time.Minute // later than what runs can end
	watchEvery     = 5 * time.Second
	tasksAtOnce    = 12               // each holds an open evidence file, whose compressor takes two megabytes
	graceful       = 20 * time.Second // that requests have to end when the server stops
	// maxHeaderBytes is the most bytes of a header that is read: far more than the API takes,
	// which answers by a problem. What has more is net/http's to refuse, in its own words.
	maxHeaderBytes = 256 << 10
)

// Run serves until the context ends, and then ends what it began: requests are answered,
// audits that run are left to the next start. The error is nil after that.
func (s *Server) Run(ctx context.Context) error {
	o := &s.Options
	if err := o.Complete(); err != nil {
		return err
	}
	unlock, err := lockfile.Try(filepath.Join(s.Dir, "serve.lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return refused("%s is served already by another process; stop that first, or name another place with --data-dir", s.Dir)
	}
	if err != nil {
		return fmt.Errorf("serve %s: %w", s.Dir, err)
	}
	defer unlock()
	// The keyring is opened, or made, while somebody is there to say its passphrase.
	release, err := secret.Hold(ctx, s.Keys)
	if err != nil {
		return err
	}
	release()
	var files *certificate
	if o.Certificate != "" {
		files = &certificate{cert: o.Certificate, key: o.Key, log: s.Log}
		if err := files.load(); err != nil {
			return refused("the certificate cannot be used: %s", err)
		}
	}
	listeners, err := o.listen(ctx)
	if err != nil {
		return err
	}
	if o.PublicURL == "" {
		o.PublicURL = s.ownURL(listeners[0])
	}
	err = noteURL(s.Dir, o.PublicURL)
	if err == nil {
		err = s.setUp(ctx)
	}
	if err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return err
	}
	if !o.browsersEverywhere() {
		s.Log.Warn("no browser of another machine gets in without TLS: pages are answered over TLS and at localhost alone; programs get in by API tokens, which can be read on the way",
			slog.String("url", o.PublicURL))
	}
	return s.serve(ctx, listeners, files)
}

// ownURL is how this machine reaches the server.
func (s *Server) ownURL(l net.Listener) string {
	scheme := "http"
	if s.Options.Certificate != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return scheme + "://localhost"
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsLoopback() || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func (s *Server) setUp(ctx context.Context) error {
	operator := Operator{Store: s.State.Store, Now: time.Now}
	invitation, token, err := operator.SetUp(ctx, s.Options.Organization, s.Options.Administrator)
	if err != nil || token.Empty() {
		return err
	}
	s.SetUp(InvitationLink(s.Options.PublicURL, token), invitation.ExpiresAt)
	return nil
}

// serve runs the API and the workers until the context ends, or one of them fails.
func (s *Server) serve(ctx context.Context, listeners []net.Listener, files *certificate) error {
	w := s.wire()
	var stopping atomic.Bool
	healthy := func(ctx context.Context) error {
		if stopping.Load() {
			return errors.New("the server stops")
		}
		_, err := s.State.Store.For(s.Options.Organization).Itself(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	server := &http.Server{
		Handler:           newDoor(s.Options, s.Options.PublicURL, s.Log, healthy, w.api.Handler()),
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: maxHeaderBytes,
	}
	if files != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get}
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	var workers, servers sync.WaitGroup
	workers.Go(func() { s.work(working, w) })
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		servers.Go(func() {
			serve := server.Serve
			if files != nil {
				serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
			}
			if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
		})
		s.Log.Info("listening", slog.String("address", l.Addr().String()), slog.Bool("tls", files != nil))
	}
	s.Log.Info("serving", slog.String("url", s.Options.PublicURL), slog.String("version", s.Version), slog.String("principal", s.Principal))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopping.Store(true)
	stop()
	s.Log.Info("stopping")
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	if e := server.Shutdown(within); e != nil {
		s.Log.Warn("requests were cut off", slog.Any("error", e))
		_ = server.Close() // there is nothing more to say
	}
	servers.Wait()
	workers.Wait()
	s.Log.Info("stopped")
	return err
}

// wired is what the functions of a deployment are, and the queues between them.
type wired struct {
	api                          *api.API
	pipeline                     *pipeline.Pipeline
	jobs                         connect.Worker
	tasks, urgent, results, work *memory.Queue
}

func (s *Server) wire() wired {
	var w wired
	options := memory.Options{MaxReceives: taskReceives, Backoff: queue.Backoff, Heed: true}
	tasks := memory.New(options)
	options.MaxReceives = resultReceives
	others := memory.New(options)
	w.tasks, w.urgent = tasks.Queue("tasks"), tasks.Queue("urgent")
	w.results, w.work = others.Queue("results"), others.Queue("jobs")
	data := s.State.Store
	w.pipeline = &pipeline.Pipeline{
		Catalog: s.State.Catalog, Specs: s.Specs, Store: data, Evidence: s.State.Evidence, Index: s.State.Index(), RollUp: s.State.Trends().RollUp,
		Tasks: w.tasks, Urgent: w.urgent, Results: w.results, Signings: w.work, Purges: w.work,
		Accounts: s.Accounts, Signer: connect.Signing{Store: data, Keys: s.Keys, Now: time.Now}, Progress: pipeline.Silent{},
		Alerts: spoken{s.Log}, Now: time.Now, Bound: bound, PurgeAfter: purgeAfter, WatchEvery: watchEvery, TempDir: s.Dir,
	}
	jobs := connect.Jobs{Store: data, Queue: w.work, Now: time.Now}
	w.jobs = connect.Worker{Jobs: jobs, Rekeying: connect.Rekeying{Store: data, Keys: s.Keys}, Indexing: w.pipeline, Log: s.Log}
	w.api = &api.API{
		Store: data, Catalog: s.State.Catalog, Pipeline: w.pipeline, Jobs: jobs,
		ExternalIDs: connect.ExternalIDs{Store: data, Keys: s.Keys, Now: time.Now},
		AccessKeys:  connect.AccessKeys{Store: data, Keys: s.Keys, Now: time.Now},
		Sessions: people.Sessions{
			Store: data, Now: time.Now,
			Tokens: people.NewAccessTokens(data, s.Keys, s.Options.PublicURL, time.Now, s.Log),
		},
		People: people.Service{Keys: s.Keys, Relying: people.RelyingAt(s.Options.PublicURL)},
		SSO: sso.SignIn{
			Client:   sso.NewClient(sso.Reach{PrivateHosts: s.Options.SSOPrivateHosts}),
			Callback: s.Options.PublicURL + api.SSOCallback,
		},
		Origins: s.Options.Origins, Pages: console.Over,
		Evidence: s.State.Evidence, Index: s.State.Index(), Now: time.Now, Log: s.Log, CheckerRole: s.Principal, AuditRole: s.AuditRole, Version: s.Version,
	}
	return w
}

// work takes up what an earlier process left, and then does what comes, until the context
// ends and what runs has seen it.
func (s *Server) work(ctx context.Context, w wired) {
	recovered, err := w.pipeline.Recover(ctx)
	jobs, e := w.jobs.Recover(ctx)
	if err = errors.Join(err, e); err != nil && ctx.Err() == nil {
		s.Log.Error("not all that was under way could be taken up again", slog.Any("error", err))
	}
	s.Log.Info("taken up again", slog.Int("audits", recovered.Audits), slog.Int("statements", recovered.Statements), slog.Int("jobs", jobs))
	var all sync.WaitGroup
	receive := func(q *memory.Queue, name string, handle queue.Handler, atOnce int) {
		all.Go(func() {
			err := q.Receive(ctx, s.logged(name, handle), queue.Options{Concurrency: atOnce})
			if ctx.Err() == nil {
				s.Log.Error("a queue is not worked on any more", slog.String("queue", name), slog.Any("error", err))
			}
		})
	}
	atOnce := min(tasksAtOnce, 4*runtime.NumCPU())
	receive(w.tasks, "tasks", w.pipeline.RunTask, max(1, atOnce/2))
	receive(w.urgent, "urgent", w.pipeline.RunTask, max(1, atOnce/2))
	// One at a time: the store is one file, and scopes have one writer.
	receive(w.results, "results", w.pipeline.Ingest, 1)
	receive(w.work, "jobs", w.jobs.Handler(w.pipeline), 1)
	all.Go(func() { s.clock(ctx, w.pipeline) })
	all.Wait()
}

// logged says of messages that failed what a function would.
func (s *Server) logged(name string, handle queue.Handler) queue.Handler {
	return func(ctx context.Context, m queue.Message) error {
		start := time.Now()
		err := handle(ctx, m)
		log := s.Log.With(slog.String("queue", name), slog.String("kind", pipeline.KindOf(m.Body)), slog.String("org", pipeline.OrganizationOf(m.Body)),
			slog.Int("attempt", m.Attempt), slog.Duration("duration", time.Since(start)))
		switch {
		case err == nil:
			log.DebugContext(ctx, "message handled")
		case ctx.Err() != nil: // the next start takes it up
		case errors.Is(err, queue.ErrPoison) || m.Last():
			log.ErrorContext(ctx, "message is given up", slog.Any("error", err))
		default:
			log.WarnContext(ctx, "message failed and comes again", slog.Any("error", err))
		}
		return err
	}
}

// clock starts what is due, once a minute and at once.
func (s *Server) clock(ctx context.Context, p *pipeline.Pipeline) {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		ticked, err := p.Tick(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.ErrorContext(ctx, "tick", slog.Any("error", err))
		case ticked != (pipeline.Ticked{}):
			s.Log.InfoContext(ctx, "tick", slog.Int("started", ticked.Started), slog.Int("delayed", ticked.Delayed),
				slog.Int("skipped", ticked.Skipped), slog.Int("expired", ticked.Expired), slog.Int("purged", ticked.Purged), slog.Int("rolled", ticked.Rolled))
		}
		select {
		case <-ctx.Done():
			return
		case <-minute.C:
		}
	}
}
