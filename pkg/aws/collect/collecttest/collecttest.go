// Package collecttest tests a service's collector, and its rules with it, from the text
// that AWS sends and the resources and verdicts that it must become. From that follow the
// tests that every collector needs and nobody likes to write: each operation denied,
// throttled, unsupported; each part of each answer changed; every field set; operations
// seen equal to operations declared.
package collecttest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Account and Region are those of the account; Trusted is another, that whoever asks
// trusts.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
	Trusted = "666677778888"
)

// Caller is whom the account was opened as: the role that was made for it.
func Caller() model.Identity {
	return model.Identity{Account: Account, Partition: "aws", CallerARN: "arn:aws:sts::" + Account + ":assumed-role/CloudArqAuditRole/cloudarq-test", Entrusted: true}
}

// Trust is what came of trying to come in by the caller's role without its External ID,
// unless a scenario says otherwise.
func Trust() *model.Trust {
	return &model.Trust{TriedAt: Now.Add(-24 * time.Hour)}
}

// Audited are the regions that the audit looks at.
func Audited() []string { return []string{Region, "eu-west-2"} }

// Found is what walks emitted.
type Found struct {
	mu        sync.Mutex
	Resources []check.Resource
	Gaps      map[string]*fact.Gap // by kind; a nil gap is a complete listing
	Elsewhere []string             // the kinds of which some in other regions were left out
}

// Resource implements collect.Sink.
func (f *Found) Resource(r check.Resource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Resources = append(f.Resources, r)
}

// Listed implements collect.Sink.
func (f *Found) Listed(kind, _ string, gap *fact.Gap, elsewhere bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if elsewhere {
		f.Elsewhere = append(f.Elsewhere, kind)
	}
	if _, twice := f.Gaps[kind]; twice {
		panic("listing of " + kind + " ended twice")
	}
	f.Gaps[kind] = gap
}

// Cloud answers a collector's calls: a fake or a wire.Cloud.
type Cloud interface {
	Config(t testing.TB) aws.Config
}

// Walk makes all walks of a service over a cloud.
func Walk(t testing.TB, spec collect.Spec, cloud Cloud) *Found {
	t.Helper()
	return walk(t.Context(), cloud.Config(t), spec)
}

func walk(ctx context.Context, cfg aws.Config, specs ...collect.Spec) *Found {
	found := &Found{Gaps: map[string]*fact.Gap{}}
	for _, spec := range specs {
		region := Region
		if spec.Global {
			region = model.Global
		}
		session := collect.NewSession(cfg, Account, "aws", region, found)
		session.Caller, session.Trust, session.Trusted, session.Audited = Caller(), Trust(), []string{Trusted}, Audited()
		for _, walk := range spec.Walks {
			session.Run(ctx, walk)
		}
	}
	slices.SortFunc(found.Resources, func(a, b check.Resource) int {
		return strings.Compare(a.Kind()+a.Reference().String(), b.Kind()+b.Reference().String())
	})
	return found
}

func declared(spec collect.Spec) []string {
	var all []string
	for _, w := range spec.Walks {
		all = append(all, w.Operations...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func render(t *testing.T, resources []check.Resource) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, r := range resources {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("marshal %s: %v", r.Reference(), err)
		}
		var fields any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		id := r.Kind() + " " + r.Reference().String()
		if all[id] != nil {
			t.Errorf("%s was emitted twice", id)
		}
		all[id] = fields
	}
	return all
}
