package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// shelf is a store of blobs whose presigned URLs are of its own making.
type shelf struct {
	*memblob.Store
	fail error
	puts int
}

func (s *shelf) PutOnce(ctx context.Context, key, text string) (string, error) {
	if s.fail != nil {
		return "", s.fail
	}
	s.puts++
	return "v7", s.Put(ctx, key, strings.NewReader(text))
}

// Presign is signed with what must be in no log.
func (s *shelf) Presign(_ context.Context, key, version string, last time.Duration) (string, time.Time, error) {
	return "https://bucket.s3.eu-west-1.amazonaws.com/" + key + "?versionId=" + version + "&X-Amz-Signature=abc&x=y+z", time.Unix(1_800_000_000, 0).Add(last).UTC(), nil
}

// quickCreate takes a quick-create link apart, as the console does.
func quickCreate(t *testing.T, link string) (console string, parameters map[string]string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(u.EscapedFragment(), "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	parameters = map[string]string{}
	for name := range values {
		parameters[name] = values.Get(name)
	}
	return u.Host + " " + u.Query().Get("region"), parameters
}

// TestLinks: until a role works, a connection comes with the way to one, and only
// to whoever asks for that connection.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	c := s.connect(nil, map[string]any{"role_arn": ""})
	if c.Links == nil {
		t.Fatal("a connection without a role has no links")
	}
	if want := time.Unix(1_800_000_000, 0).Add(time.Hour); !c.Links.ExpiresAt.Equal(want) {
		t.Errorf("links end %s, want %s", c.Links.ExpiresAt, want)
	}
	console, parameters := quickCreate(t, c.Links.QuickCreate)
	if console != "console.aws.amazon.com eu-west-1" {
		t.Errorf("the link leads to %s", console)
	}
	if d := cmp.Diff(map[string]string{
		"templateURL": c.Links.Template, "stackName": "CloudArq", "param_ExternalId": c.ExternalID,
		"param_CheckerRoleArn": c.CheckerRole, "param_RoleName": "TheirAuditRole",
	}, parameters); d != "" {
		t.Errorf("the link fills in (-want +got):\n%s", d)
	}
	u, err := url.Parse(c.Links.Template)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.shelf.Get(t.Context(), strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if text, err := io.ReadAll(r); err != nil || string(text) != role.CloudFormation() || !strings.HasPrefix(u.Path, "/templates/audit-role-") {
		t.Errorf("%s has %d bytes, %v; want the published template", u.Path, len(text), err)
	}

	named := s.connect(nil, map[string]any{})
	if named.Links == nil {
		t.Error("a connection whose role was not seen to work has no links")
	}
	org := s.store.For("default")
	seen, err := org.Connection(t.Context(), named.ID)
	if err != nil {
		t.Fatal(err)
	}
	seen.State = model.ConnectionActive
	if err := org.PutConnection(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	keyed := s.connect(nil, map[string]any{"role_arn": ""})
	s.allow(true)
	if w := s.give("/v1/connections/"+string(keyed.ID), nil); w.Code != http.StatusOK {
		t.Fatalf("give a key: status %d, %s", w.Code, w.Body)
	}
	for id, want := range map[model.ConnectionID]bool{c.ID: true, named.ID: false, keyed.ID: false} {
		got := decode[api.ConnectionOutput](t, s.call(http.MethodGet, "/v1/connections/"+string(id), nil, nil))
		if (got.Links != nil) != want {
			t.Errorf("connection %s, %s: links %+v", id, got.State, got.Links)
		}
	}
	if list := s.call(http.MethodGet, "/v1/connections", nil, nil).Body.String(); strings.Contains(list, "Signature") {
		t.Errorf("the list has links: %s", list)
	}
	if s.shelf.puts != 1 {
		t.Errorf("the template was put %d times, want once", s.shelf.puts)
	}
}

// TestLinksThatFail: while the template cannot be put, a connection has no links, and
// is made all the same. It has them the next time, and no log has one.
func TestLinksThatFail(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.shelf.fail = errors.New("S3 is away")
	w := s.call(http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, map[string]any{})
	if c := decode[api.ConnectionOutput](t, w); w.Code != http.StatusCreated || c.Links != nil || c.ExternalID == "" {
		t.Errorf("without a template: status %d, %+v", w.Code, c)
	}
	s.shelf.fail = nil
	w = s.call(http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, map[string]any{})
	if c := decode[api.ConnectionOutput](t, w); w.Code != http.StatusCreated || c.Links == nil {
		t.Errorf("again: status %d, links %+v", w.Code, c.Links)
	}
	if log := s.log.String(); !strings.Contains(log, "S3 is away") || strings.Contains(log, "Signature") {
		t.Errorf("log: %s", log)
	}
}
