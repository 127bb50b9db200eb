package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestAnswersAreTagged asks for everything that an administrator reads, and again with the
// tag of the answer: the client has it, until something changes.
func TestAnswersAreTagged(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	n := newTenant(t, s, "left")
	token := n.s.people.session(t, n.org, "anna", model.Member{Role: model.RoleAdmin}).Reveal()
	get := func(method, path, tag string) *httptest.ResponseRecorder {
		h := header{in: string(n.org), "Authorization": "Bearer " + token}
		if tag != "" {
			h["If-None-Match"] = tag
		}
		return s.as(caller{person: "anna"}, method, path, h, nil)
	}
	tried := 0
	for _, o := range s.operations() {
		if o.method != http.MethodGet || needs[o.ID] == "operator" || needs[o.ID] == "anybody" {
			continue
		}
		path := n.path(o, n)
		w := get(http.MethodGet, path, "")
		tag := w.Header().Get("ETag")
		if w.Code != http.StatusOK {
			if tag != "" {
				t.Errorf("%s: status %d with a tag", o.ID, w.Code)
			}
			continue
		}
		tried++
		for _, said := range []string{tag, `"x", W/` + tag, "*"} {
			again := get(http.MethodGet, path, said)
			if again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("ETag") != tag || again.Header().Get("Content-Type") != "" {
				t.Errorf("%s, If-None-Match: %s: status %d, %q, %s", o.ID, said, again.Code, again.Body, again.Header().Get("ETag"))
			}
		}
		if head := get(http.MethodHead, path, ""); head.Code != http.StatusOK || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: status %d, %s, want %s", o.ID, head.Code, head.Header().Get("ETag"), tag)
		}
		if other := get(http.MethodGet, path, `"v1", "x"`); other.Code != http.StatusOK || other.Body.String() != w.Body.String() {
			t.Errorf("%s with other tags: status %d", o.ID, other.Code)
		}
	}
	if tried < 20 {
		t.Errorf("%d answers were looked at", tried)
	}
}

// TestTagsOfRecords change with all that is shown, and stay good for a change of the record
// itself for as long as nobody else changed that.
func TestTagsOfRecords(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop", "role_arn": role})
	path := "/v1/connections/" + string(c.ID)
	read := s.call(http.MethodGet, path, nil, nil)
	tag := read.Header().Get("ETag")
	err := s.store.For("default").ChangeState(t.Context(), c.ID, func(c *model.Connection) bool {
		c.State = model.ConnectionActive
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Minute)
	after := s.call(http.MethodGet, path, header{"If-None-Match": tag}, nil)
	if after.Code != http.StatusOK || after.Header().Get("ETag") == tag {
		t.Errorf("what is shown changed: status %d, %s", after.Code, after.Header().Get("ETag"))
	}
	w := s.call(http.MethodPut, path, header{"If-Match": tag}, map[string]any{"name": "other", "role_arn": role})
	if w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	if is := s.call(http.MethodGet, path, nil, nil).Header().Get("ETag"); is != w.Header().Get("ETag") || strings.HasPrefix(is, strings.SplitAfter(tag, ".")[0]) {
		t.Errorf("read %s, written %s, before %s", is, w.Header().Get("ETag"), tag)
	}
	now := w.Header().Get("ETag")
	change := map[string]any{"name": "third", "role_arn": role}
	for what, h := range map[string]header{"any state": {"If-Match": "*"}, "any, with space": {"If-Match": " * "}} {
		problem(t, what, s.call(http.MethodPut, path, h, change), http.StatusPreconditionRequired, "precondition_required")
	}
	for what, tags := range map[string]string{"old ones": tag + `, "v99"`, "a weak one": "W/" + now, "any in a list": "*, " + tag, "no tag": strings.Trim(now, `"`)} {
		problem(t, what, s.call(http.MethodPut, path, header{"If-Match": tags}, change), http.StatusPreconditionFailed, "stale")
	}
	for i, tags := range []string{tag + ", %s", "%s, " + tag, `"v99",%s`, " , %s ,"} {
		read := s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")
		w := s.call(http.MethodPut, path, header{"If-Match": fmt.Sprintf(tags, read)}, map[string]any{"name": fmt.Sprint("other", i), "role_arn": role})
		if w.Code != http.StatusOK {
			t.Errorf("one of %s: %d, %s", tags, w.Code, w.Body)
		}
	}
	problem(t, "an old tag", s.call(http.MethodPut, path, header{"If-Match": tag}, map[string]any{"name": "third", "role_arn": role}), http.StatusPreconditionFailed, "stale")
}
