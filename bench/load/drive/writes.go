package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Write is one that was made: how long it took, and what was answered.
type Write struct {
	Kind  string
	Began time.Time
	Took  time.Duration
	Code  int // 0 if there was no answer
	Err   error
}

// said is what a connection was last told to be.
type said struct{ Name, Project string }

// Writer changes what a server has, one request after the other, and remembers what was
// acknowledged. It is for one goroutine.
type Writer struct {
	Server *Server
	Access Access
	Size   Size

	n         int
	tags      map[model.ConnectionID]string
	now       map[model.ConnectionID]said // as acknowledged
	maybe     map[model.ConnectionID]said // what was on its way when the server fell silent
	tokens    []string                    // of which all were acknowledged
	madeAlone map[string]bool             // names of connections that were created
}

// mostTokens is how many API tokens are made: a person may have 20, and make 30 an hour.
const mostTokens = 15

// Next makes the next write: a connection gets another name, moves to another project, is
// made, or an API token is.
func (w *Writer) Next(ctx context.Context) Write {
	if w.now == nil {
		w.tags, w.now, w.maybe, w.madeAlone = map[model.ConnectionID]string{}, map[model.ConnectionID]said{}, map[model.ConnectionID]said{}, map[string]bool{}
	}
	w.n++
	did := Write{Began: time.Now()}
	switch {
	case w.n%8 == 0 && len(w.tokens) < mostTokens:
		did.Kind, did.Err = "make a token", w.token(ctx)
	case w.n%8 == 4:
		did.Kind, did.Err = "connect", w.connect(ctx)
	default:
		did.Kind, did.Err = "change a connection", w.change(ctx, connectionID(w.n*7%w.Size.Connections))
	}
	did.Took = time.Since(did.Began)
	var status *StatusError
	switch {
	case errors.As(did.Err, &status):
		did.Code = status.Code
	case did.Err == nil:
		did.Code = http.StatusOK
	}
	return did
}

func (w *Writer) token(ctx context.Context) error {
	name := fmt.Sprintf("made-%d", w.n)
	err := w.Server.Call(ctx, w.Access.Session, http.MethodPost, "/v1/tokens", map[string]any{"name": name, "scopes": []string{"read"}}, nil)
	if err == nil {
		w.tokens = append(w.tokens, name)
	}
	return err
}

func (w *Writer) connect(ctx context.Context) error {
	name := fmt.Sprintf("another-%d", w.n)
	err := w.Server.Call(ctx, w.Access.Token, http.MethodPost, "/v1/connections", map[string]any{"name": name, "project": projects[w.n%len(projects)]}, nil)
	if err == nil {
		w.madeAlone[name] = true
	}
	return err
}

func (w *Writer) change(ctx context.Context, id model.ConnectionID) error {
	path := "/v1/connections/" + string(id)
	if w.tags[id] == "" {
		var c said
		header, err := w.Server.call(ctx, w.Access.Token, http.MethodGet, path, nil, nil, &c)
		if err != nil {
			return err
		}
		w.now[id], w.tags[id] = c, header.Get("ETag")
	}
	next := w.now[id]
	if w.n%2 == 0 {
		next.Project = projects[(slices.Index(projects, next.Project)+1)%len(projects)]
	} else {
		next.Name = fmt.Sprintf("renamed-%d", w.n)
	}
	w.maybe[id] = next
	header, err := w.Server.call(ctx, w.Access.Token, http.MethodPut, path, http.Header{"If-Match": {w.tags[id]}}, map[string]any{"name": next.Name, "project": next.Project}, nil)
	if err != nil {
		return err
	}
	w.now[id], w.tags[id] = next, header.Get("ETag")
	delete(w.maybe, id)
	return nil
}

// Kept is an error unless the server has everything that was acknowledged.
func (w *Writer) Kept(ctx context.Context, s *Server) error {
	for id, want := range w.now {
		var c said
		if err := s.Call(ctx, w.Access.Token, http.MethodGet, "/v1/connections/"+string(id), nil, &c); err != nil {
			return fmt.Errorf("connection %s: %w", id, err)
		}
		if c != want && (w.maybe[id] == said{} || c != w.maybe[id]) {
			return fmt.Errorf("connection %s is %+v, and was acknowledged as %+v", id, c, want)
		}
	}
	names := map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Connections []said
			Cursor      string
		}
		if err := s.Call(ctx, w.Access.Token, http.MethodGet, "/v1/connections?"+url.Values{"limit": {"500"}, "cursor": {cursor}}.Encode(), nil, &page); err != nil {
			return err
		}
		for _, c := range page.Connections {
			names[c.Name] = true
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	for name := range w.madeAlone {
		if !names[name] {
			return fmt.Errorf("connection %s was acknowledged, and is not there", name)
		}
	}
	var all struct{ Tokens []struct{ Name string } }
	if err := s.Call(ctx, w.Access.Session, http.MethodGet, "/v1/tokens", nil, &all); err != nil {
		return err
	}
	for _, name := range w.tokens {
		if !slices.ContainsFunc(all.Tokens, func(t struct{ Name string }) bool { return t.Name == name }) {
			return fmt.Errorf("API token %s was acknowledged, and is not there", name)
		}
	}
	return nil
}

// Acknowledged is how many writes of it the server has to have.
func (w *Writer) Acknowledged() int { return len(w.now) + len(w.madeAlone) + len(w.tokens) }

// changedAtOnce is how many findings an audit changes.
const changedAtOnce = 20

// Audit changes some findings of a connection as the end of an audit does, in a process of
// its own beside the server.
func Audit(ctx context.Context, s *local.State, size Size, n int) (did Write) {
	did = Write{Kind: "an audit's findings", Began: time.Now(), Code: http.StatusOK}
	defer func() { did.Took = time.Since(did.Began) }()
	r := rand.New(rand.NewPCG(uint64(n), 2)) //nolint:gosec // made up, and the same each time
	id, by := connectionID(r.IntN(size.Connections)), "audit-"+strconv.Itoa(n)
	scopes, err := s.Records.Scopes(ctx, id)
	if err == nil {
		err = s.Records.BeginFindings(ctx, id, by, time.Now(), time.Now().Add(time.Minute))
	}
	if err == nil && len(scopes) > 0 {
		err = change(ctx, s, id, scopes[r.IntN(len(scopes))])
	}
	var prepared store.Prepared
	if err == nil {
		prepared, err = s.Index().Prepare(ctx, local.Organization, id, by)
	}
	if err == nil {
		err = s.Records.EndPrepared(ctx, id, by, prepared, time.Now())
	}
	did.Err = err
	return did
}

// change resolves what is open in a scope, and reopens what is not.
func change(ctx context.Context, s *local.State, id model.ConnectionID, scope string) error {
	var some []model.Finding
	for f, err := range s.Records.EachFinding(ctx, id, scope, 1) {
		if err != nil {
			return err
		}
		if some = append(some, f); len(some) == changedAtOnce {
			break
		}
	}
	for _, f := range some {
		if f.State.Open() {
			f.State, f.Why, f.ResolvedAt = model.FindingResolved, model.WhyFixed, time.Now().UTC().Truncate(time.Second)
		} else {
			f.State, f.Why, f.ResolvedAt, f.Reopened = model.FindingReopened, "", time.Time{}, f.Reopened+1
		}
		if err := s.Records.PutFinding(ctx, scope, 1, f); err != nil {
			return err
		}
	}
	return nil
}
