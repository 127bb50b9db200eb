package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/bench/synthetic"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
	"github.com/cloudarq/cloudarq/test/hostile"
)

// most is how long one service of an account of a few hundred resources may take,
// whatever they hold.
const most = 20 * time.Second

// judged is a sink that judges what it is given, as a task does, and has it read back.
type judged struct {
	mu       sync.Mutex
	catalog  *check.Catalog
	rules    map[string][]check.Rule
	judge    *check.Judge
	problems map[string]bool
	found    int
	listed   int
}

func newJudged(t *rapid.T) *judged {
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	j := &judged{catalog: catalog, rules: map[string][]check.Rule{}, judge: check.NewJudge(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil), problems: map[string]bool{}}
	for _, c := range catalog.Checks() {
		if !c.NeedsAccount() {
			j.rules[c.Kind] = append(j.rules[c.Kind], c.Rule)
		}
	}
	return j
}

// Resource implements collect.Sink.
func (j *judged) Resource(r check.Resource) {
	data, err := json.Marshal(r)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.found++
	if err != nil {
		j.problems[fmt.Sprintf("%s cannot be written: %v", r.Kind(), err)] = true
		return
	}
	kind, _ := j.catalog.Kind(r.Kind())
	if _, err := kind.Decode(data); err != nil {
		j.problems[fmt.Sprintf("%s cannot be read back: %v", r.Kind(), err)] = true
	}
	for _, rule := range j.rules[r.Kind()] {
		for _, gap := range j.judge.Judge(rule, r).Gaps {
			if strings.HasPrefix(gap.Detail, "rule ") {
				j.problems["a rule panics: "+gap.Detail] = true
			}
		}
	}
}

// Listed implements collect.Sink.
func (j *judged) Listed(string, string, *fact.Gap, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.listed++
}

// edge is the property: whatever an endpoint answers, a service's walks end in time, no
// panic leaves them, what they emit can be judged, written and read back.
func edge(t *rapid.T, spec collect.Spec, all []hostile.Class) {
	classes := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID).Draw(t, "classes")
	seed := rapid.Uint64().Draw(t, "seed")
	share := rapid.SampledFrom([]int{1, 3, 20}).Draw(t, "one of so many texts")
	a := &synthetic.Account{ID: account, Regions: []string{region}, Plan: synthetic.PlanOf(100)}
	a.Mangle = func(path, text string) string {
		hash := fnv.New64a()
		_, _ = fmt.Fprint(hash, path, "\x00", text)
		h := hash.Sum64() ^ seed
		if (h>>7)%uint64(share) != 0 {
			return text
		}
		return hostile.NewMaker(h, classes...).Text()
	}
	where, home := region, region
	if spec.Global {
		where, home = model.Global, "us-east-1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	j := newJudged(t)
	session := collect.NewSession(a.Config(home), account, "aws", where, j)
	session.Audited = []string{region}
	session.Caller = model.Identity{Account: account, Partition: "aws", CallerARN: a.Caller(), Entrusted: true}
	kinds := 0
	start := time.Now()
	for _, w := range spec.Walks {
		kinds += len(w.Kinds)
		session.Run(ctx, w)
	}
	if ctx.Err() != nil {
		t.Fatalf("%v: the walks of %s took %s and %d calls", classes, spec.Service, time.Since(start), a.Calls())
	}
	if j.listed != kinds {
		t.Fatalf("%d of %d listings ended", j.listed, kinds)
	}
	for problem := range j.problems {
		t.Fatalf("%v: %.500s", classes, problem)
	}
}

// Each service gets its share of the runs.
func TestEdge(t *testing.T) {
	t.Parallel()
	all := slices.DeleteFunc(hostile.Classes(), func(c hostile.Class) bool { return c == hostile.Wide || c == hostile.Gaps })
	for _, spec := range collectors.All() {
		t.Run(spec.Service, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { edge(rt, spec, all) })
		})
	}
}
