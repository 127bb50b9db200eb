package drive

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// lists are the filters by which the server's answers are compared with the table.
func lists(checks index.Texts, ids []model.CheckID) []url.Values {
	some := ids[len(ids)/2]
	return []url.Values{
		{},
		{"severity": {"critical,high"}},
		{"status": {"pass"}},
		{"region": {regions[0]}, "check!": {string(some)}},
		{"project": {projects[0]}, "severity": {"low,medium"}},
		{"check": {string(some)}, "all": {"true"}},
		{"resource": {"*orders*"}},
		{"account": {accountOf(1)}, "all": {"true"}},
		{"first_seen>": {"2026-08-01"}},
		{"name": {"thing-7*"}, "pillar": {"security"}},
		{"framework": findings.Frameworks(checks)[:1]},
	}
}

// Compare is an error unless the server lists what a scan of the whole table finds, for each
// of many filters. It gives how many lists it compared, and how many findings there are.
func Compare(ctx context.Context, s *Server, token string, state *local.State) (compared, scanned int, err error) {
	texts, err := state.Catalog.Texts()
	if err != nil {
		return 0, 0, err
	}
	project := map[model.ConnectionID]string{}
	all, err := scan(ctx, state, project)
	if err != nil {
		return 0, 0, err
	}
	fields := index.Fields(texts)
	fields["connection"] = func(f model.Finding) []string { return []string{string(f.Connection)} }
	fields["project"] = func(f model.Finding) []string { return []string{project[f.Connection]} }
	var ids []model.CheckID
	for _, c := range state.Catalog.Checks() {
		ids = append(ids, c.ID)
	}
	for _, list := range lists(texts, ids) {
		fits, err := filter.Parse(fields, wordsOf(list))
		if err != nil {
			return compared, len(all), err
		}
		var want []string
		for _, f := range all {
			if fits.Match(f) {
				want = append(want, string(f.Connection)+" "+string(f.ID)+" "+string(f.State))
			}
		}
		got, err := s.walk(ctx, token, list)
		if err != nil {
			return compared, len(all), fmt.Errorf("list %s: %w", list.Encode(), err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return compared, len(all), fmt.Errorf("list %s: %d findings, and the table has %d that fit, or not the same", list.Encode(), len(got), len(want))
		}
		compared++
	}
	return compared, len(all), nil
}

// scan reads all findings of the table, and the projects of their connections.
func scan(ctx context.Context, state *local.State, project map[model.ConnectionID]string) (all []model.Finding, err error) {
	connections, err := state.Records.Connections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		project[c.ID] = c.Project
		scopes, err := state.Records.Scopes(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		for _, scope := range scopes {
			found, err := state.Records.Findings(ctx, c.ID, scope)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// wordsOf are the words of a filter that the parameters of a request are, with those that a
// list has unless it is asked for all.
func wordsOf(list url.Values) (words []string) {
	for name, values := range list {
		if name == "all" {
			continue
		}
		words = append(words, name+"="+values[0])
	}
	if !list.Has("all") {
		words = append(words, "folded=false")
		if !list.Has("status") {
			words = append(words, "state=open,reopened")
		}
	}
	return words
}

// walk reads a list to its end.
func (s *Server) walk(ctx context.Context, token string, list url.Values) (all []string, err error) {
	for cursor := ""; ; {
		query := url.Values{"limit": {strconv.Itoa(index.MaxLimit)}, "fields": {"id,state,connection"}}
		for name, values := range list {
			query[name] = values
		}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Findings []struct{ ID, State, Connection string }
			Cursor   string
		}
		// What ends in > or ! has the rest of its operator between it and the value.
		if err := s.Call(ctx, token, http.MethodGet, "/v1/findings?"+strings.ReplaceAll(query.Encode(), "%3E=", ">="), nil, &page); err != nil {
			return nil, err
		}
		for _, f := range page.Findings {
			all = append(all, f.Connection+" "+f.ID+" "+f.State)
		}
		if cursor = page.Cursor; cursor == "" {
			return all, nil
		}
	}
}
