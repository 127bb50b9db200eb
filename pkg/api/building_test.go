package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// stuck is a blob store that answers nobody.
type stuck struct{ blob.Store }

func (stuck) Get(ctx context.Context, _ string) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestListsWhileTheIndexIsMade: each list that waits for its index says so, and when to come
// again. That the document knows it of each operation that does, the server of these tests
// sees to.
func TestListsWhileTheIndexIsMade(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.lists.Blobs, s.lists.Patience = stuck{s.lists.Blobs}, 20*time.Millisecond
	c := s.connect(nil, map[string]any{"role_arn": ""})
	fill := strings.NewReplacer("{connection}", string(c.ID), "{audit}", newULID(), "{finding}", strings.Repeat("0", 32), "{check}", "door-locked", "{project}", "none", "{framework}", "house-1", "{requirement}", "1.1")
	waits := 0
	for _, o := range s.operations() {
		if o.method != http.MethodGet || strings.HasPrefix(o.path, "/operator/") {
			continue
		}
		w := s.call(http.MethodGet, fill.Replace(o.path), nil, nil)
		if w.Code != http.StatusServiceUnavailable {
			continue
		}
		waits++
		problem(t, o.ID, w, http.StatusServiceUnavailable, "index_building")
		if w.Header().Get("Retry-After") != "5" {
			t.Errorf("%s: Retry-After is %q", o.ID, w.Header().Get("Retry-After"))
		}
	}
	if waits < 6 {
		t.Errorf("%d lists wait for the index", waits)
	}
}
