package synthetic_test

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/cloudarq/cloudarq/bench/synthetic"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// found counts what the walks of an account emit.
type found struct {
	mu    sync.Mutex
	kinds map[string]map[string]bool // ids
	gaps  map[string]int
	facts int
}

// Resource implements collect.Sink.
func (f *found) Resource(r check.Resource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds[r.Kind()] == nil {
		f.kinds[r.Kind()] = map[string]bool{}
	}
	if id := r.Reference().String(); f.kinds[r.Kind()][id] {
		f.gaps["two "+r.Kind()+" called "+id]++
	} else {
		f.kinds[r.Kind()][id] = true
	}
	for _, field := range check.Facts(r) {
		f.facts++
		if gap := field.Value.Gap(); gap != nil && gap.Reason != fact.NotCollected {
			f.gaps[r.Kind()+" "+field.Name+": "+gap.Operation+" "+string(gap.Reason)+" "+gap.Detail]++
		}
	}
}

// Listed implements collect.Sink.
func (f *found) Listed(kind, region string, gap *fact.Gap, _ bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if gap != nil {
		f.gaps["listing of "+kind+" in "+region+": "+gap.Detail]++
	}
}

func walk(t testing.TB, a *synthetic.Account) *found {
	t.Helper()
	f := &found{kinds: map[string]map[string]bool{}, gaps: map[string]int{}}
	for _, spec := range collectors.All() {
		regions := a.Regions
		if spec.Global {
			regions = []string{model.Global}
		}
		for _, region := range regions {
			home := region
			if spec.Global {
				home = "us-east-1"
			}
			session := collect.NewSession(a.Config(home), a.ID, "aws", region, f)
			session.Audited = a.Regions
			session.Caller = model.Identity{Account: a.ID, Partition: "aws", CallerARN: a.Caller(), Entrusted: true}
			for _, w := range spec.Walks {
				session.Run(t.Context(), w)
			}
		}
	}
	return f
}

// Every collector understands every answer, and finds as many of each type as were
// planned.
func TestAccount(t *testing.T) {
	t.Parallel()
	const total = 3000
	a := &synthetic.Account{ID: "111122223333", Regions: []string{"eu-west-1", "eu-west-2"}, Plan: synthetic.PlanOf(total)}
	f := walk(t, a)
	for gap, n := range f.gaps {
		t.Errorf("%d of %s", n, gap)
	}
	all := 0
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range catalog.Services() {
		for _, kind := range service.Kinds {
			n := len(f.kinds[kind.Name])
			all += n
			if n == 0 {
				t.Errorf("no %s", kind.Name)
			}
			// Some are of a state in which a collector leaves them out.
			if planned := a.Plan[kind.Name]; slices.Contains(synthetic.Kinds(), kind.Name) && n < planned/2 {
				t.Errorf("%d of %s, planned %d", n, kind.Name, planned)
			}
		}
	}
	if all < total || all > total*11/10 {
		t.Errorf("%d resources, planned %d", all, total)
	}
	t.Logf("%d resources, %d facts, %d calls", all, f.facts, a.Calls())
}

// The same account answers the same twice, and a round sets as many resources to
// something else as it says.
func TestRounds(t *testing.T) {
	t.Parallel()
	settings := func(rounds ...uint64) map[string]string {
		a := &synthetic.Account{ID: "111122223333", Regions: []string{"eu-west-1"}, Plan: synthetic.Plan{"AWS::EC2::Volume": 5000}, Rounds: rounds}
		all := map[string]string{}
		pages := ec2.NewDescribeVolumesPaginator(ec2.NewFromConfig(a.Config("eu-west-1")), &ec2.DescribeVolumesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Volumes {
				said, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				all[*v.VolumeId] = string(said)
			}
		}
		return all
	}
	before, again, after := settings(), settings(), settings(100)
	if len(before) != 5000 || !maps.Equal(before, again) {
		t.Errorf("%d volumes, and the same twice: %t", len(before), maps.Equal(before, again))
	}
	changed := 0
	for id, said := range before {
		if after[id] != said {
			changed++
		}
	}
	if changed < 400 || changed > 600 {
		t.Errorf("%d of 5000 volumes changed, want about 500", changed)
	}
}
