package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func TestDoctor(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	look := func() (healthy bool, wrong []string) {
		t.Helper()
		w := s.call(http.MethodGet, "/operator/v1/doctor", nil, nil)
		if w.Code != http.StatusOK {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
		d := decode[api.Doctor](t, w)
		if len(d.Parts) != 4 || d.Version != "test" || d.PolicyVersion == "" {
			t.Errorf("doctor %+v", d)
		}
		for _, p := range d.Parts {
			if !p.OK {
				wrong = append(wrong, p.Name)
			}
		}
		return d.Healthy, wrong
	}
	if healthy, wrong := look(); !healthy || wrong != nil {
		t.Errorf("of a new installation %q is wrong", wrong)
	}
	c := s.connect(nil, map[string]any{})
	a := model.Audit{ID: "01", Connection: c.ID}
	if err := s.store.For("default").PutBound(t.Context(), a, s.now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if healthy, wrong := look(); healthy || len(wrong) != 1 || wrong[0] != "audits" {
		t.Errorf("where an audit does not end, %q is wrong", wrong)
	}
}
