package tags_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const account = "111122223333"

var denied = fact.Gap{Reason: fact.Denied, Operation: "tag:GetResources", Action: "tag:GetResources", Region: "us-west-2"}

// stored is the evidence of an account: eu-west-1 and us-east-1 were listed,
// us-west-2 broke off after one resource, and other regions were not asked.
func stored(t *testing.T) blob.Store {
	t.Helper()
	store, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	var content bytes.Buffer
	w := blob.NewWriter(&content)
	write := func(e evidence.Entry) {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	kind := tagging.TaggedResource{}.Kind()
	for arn, set := range map[string]map[string]string{
		"arn:aws:s3:::uploads":                               {"env": "prod", "team": "web", "unasked": "x"},
		"arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1": {"env": "test"},
		"arn:aws:logs:eu-west-1:111122223333:log-group:app":  {"env": "test"},
		"arn:aws:sqs:us-west-2:111122223333:early":           {"env": "prod"},
		"arn:aws:iam::111122223333:policy/own":               {"env": "prod"},
		"arn:aws:sqs:eu-west-1:111122223333:tagged-once":     {},
	} {
		resource := tagging.TaggedResource{Resource: model.Resource{Ref: ref(arn, "eu-west-1")}, Tags: fact.Known(set)}
		data, err := json.Marshal(resource)
		if err != nil {
			t.Fatal(err)
		}
		write(evidence.Entry{Kind: kind, Ref: resource.Ref, Resource: data})
	}
	for region, gap := range map[string]*fact.Gap{"eu-west-1": nil, "us-east-1": nil, "us-west-2": &denied} {
		write(evidence.Entry{Kind: kind, Listing: &evidence.Listing{Region: region, Gap: gap}})
		write(evidence.Entry{Kind: tagging.RegionTags{}.Kind(), Listing: &evidence.Listing{Region: "not-this-kind"}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "evidence/tagging", &content); err != nil {
		t.Fatal(err)
	}
	return store
}

func ref(arn, region string) model.Ref { return model.Ref{ARN: arn, Account: account, Region: region} }

func TestOf(t *testing.T) {
	t.Parallel()
	index, err := tags.Read(t.Context(), stored(t), []model.Object{{Key: "evidence/tagging"}}, func(key string) bool { return key != "unasked" })
	if err != nil {
		t.Fatal(err)
	}
	none := map[string]string{}
	part := ref("arn:aws:s3:::uploads", "eu-west-1")
	part.Sub = "rule/1"
	for name, c := range map[string]struct {
		ref    model.Ref
		tags   map[string]string
		reason fact.Reason // why they are not known
	}{
		"the tags asked for":                {ref("arn:aws:s3:::uploads", "eu-west-1"), map[string]string{"env": "prod", "team": "web"}, ""},
		"a part has those of the whole":     {part, map[string]string{"env": "prod", "team": "web"}, ""},
		"a snapshot, without account":       {ref("arn:aws:ec2:eu-west-1::snapshot/snap-1", "eu-west-1"), map[string]string{"env": "test"}, ""},
		"a log group, with a star":          {ref("arn:aws:logs:eu-west-1:111122223333:log-group:app:*", "eu-west-1"), map[string]string{"env": "test"}, ""},
		"found before the listing broke":    {ref("arn:aws:sqs:us-west-2:111122223333:early", "us-west-2"), map[string]string{"env": "prod"}, ""},
		"not listed in a complete listing":  {ref("arn:aws:sqs:eu-west-1:111122223333:plain", "eu-west-1"), none, ""},
		"tagged no longer":                  {ref("arn:aws:sqs:eu-west-1:111122223333:tagged-once", "eu-west-1"), none, ""},
		"the listing broke off":             {ref("arn:aws:sqs:us-west-2:111122223333:late", "us-west-2"), nil, fact.Denied},
		"the region was not asked":          {ref("arn:aws:sqs:eu-north-1:111122223333:q", "eu-north-1"), nil, fact.NotCollected},
		"global, of us-east-1":              {ref("arn:aws:cloudfront::111122223333:distribution/E1", model.Global), none, ""},
		"global, of another partition":      {ref("arn:aws-cn:cloudfront::111122223333:distribution/E1", model.Global), nil, fact.NotCollected},
		"a policy of IAM":                   {ref("arn:aws:iam::111122223333:policy/own", model.Global), map[string]string{"env": "prod"}, ""},
		"another policy of IAM":             {ref("arn:aws:iam::111122223333:policy/other", model.Global), none, ""},
		"AWS lists no users":                {ref("arn:aws:iam::111122223333:user/alice", model.Global), nil, fact.Unsupported},
		"AWS lists no roles":                {ref("arn:aws:iam::111122223333:role/web", model.Global), nil, fact.Unsupported},
		"AWS lists no Auto Scaling groups":  {ref("arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1:autoScalingGroupName/web", "eu-west-1"), nil, fact.Unsupported},
		"what AWS could never have listed":  {ref("no ARN", "eu-west-1"), nil, fact.Unsupported},
		"the account as a whole, us-east-1": {ref("arn:aws:s3::111122223333:account", model.Global), none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, gap := index.Of(c.ref)
			if diff := cmp.Diff(c.tags, got); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			if c.reason == "" && gap != nil || c.reason != "" && (gap == nil || gap.Reason != c.reason) {
				t.Errorf("gap %+v, want reason %q", gap, c.reason)
			}
		})
	}
}

func TestReadTellsOfMissingEvidence(t *testing.T) {
	t.Parallel()
	if _, err := tags.Read(t.Context(), stored(t), []model.Object{{Key: "evidence/none"}}, nil); err == nil {
		t.Error("no error")
	}
}

// TestSource finds the tags in all evidence of the newest audit that listed them, and knows
// none that is not as it was written.
func TestSource(t *testing.T) {
	t.Parallel()
	blobs, now := memblob.New(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := store.New(memtable.New(func() time.Time { return now }), nil)
	org := all.For("acme")
	write := func(key, arn, env string, gap *fact.Gap) {
		t.Helper()
		var content bytes.Buffer
		w := blob.NewWriter(&content)
		r := tagging.TaggedResource{Resource: model.Resource{Ref: ref(arn, "eu-west-1")}, Tags: fact.Known(map[string]string{"env": env})}
		data, err := json.Marshal(r)
		if err == nil {
			err = w.Write(evidence.Entry{Kind: r.Kind(), Ref: r.Ref, Resource: data})
		}
		if err == nil {
			err = w.Write(evidence.Entry{Kind: r.Kind(), Listing: &evidence.Listing{Region: "eu-west-1", Gap: gap}})
		}
		if err == nil {
			err = w.Close()
		}
		if err == nil {
			err = blobs.Put(t.Context(), key, &content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	audit := func(id model.AuditID, services []string, ended bool, tasks ...model.Task) {
		t.Helper()
		a := model.Audit{ID: id, Connection: "c1", Services: services, StartedAt: now}
		if ended {
			a.Summary = &model.Summary{}
		}
		if err := org.PutAudit(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			task.Audit, task.Service = id, "tagging"
			if err := org.PutTask(t.Context(), &task); err != nil {
				t.Fatal(err)
			}
		}
	}
	const a, b = "arn:aws:sqs:eu-west-1:111122223333:a", "arn:aws:sqs:eu-west-1:111122223333:b"
	of := func(arn string) string {
		t.Helper()
		tagsOf, err := tags.Source{Store: all, Evidence: blobs}.Of(t.Context(), "acme", "c1")
		if err != nil {
			t.Fatal(err)
		}
		found, known := tagsOf(ref(arn, "eu-west-1"))
		switch {
		case !known:
			return "unknown"
		case len(found) == 0:
			return "none"
		}
		return found["env"]
	}
	check := func(when, wantA, wantB string) {
		t.Helper()
		if gotA, gotB := of(a), of(b); gotA != wantA || gotB != wantB {
			t.Errorf("%s: a is %s, b is %s; want %s and %s", when, gotA, gotB, wantA, wantB)
		}
	}
	check("no audit", "unknown", "unknown")
	write("e/1", a, "old", nil)
	audit("01", []string{"s3", "tagging"}, true, model.Task{ID: "tagging", Evidence: "e/1"})
	check("one audit", "old", "none")
	write("e/2", a, "new", nil)
	write("e/3", b, "part", &denied)
	audit("02", []string{"tagging"}, true, model.Task{ID: "tagging", Evidence: "e/2"}, model.Task{ID: "tagging.1", Of: "tagging", Evidence: "e/3"})
	check("a newer one, in parts", "new", "part")
	if got := of("arn:aws:sqs:eu-west-1:111122223333:c"); got != "unknown" {
		t.Errorf("what a part could not list is %s", got)
	}
	audit("03", []string{"s3"}, true)
	audit("04", []string{"tagging"}, false, model.Task{ID: "tagging", Evidence: "e/9"})
	check("then one of other services, and one that runs", "new", "part")
	if err := blobs.Put(t.Context(), "e/3", strings.NewReader("altered")); err != nil {
		t.Fatal(err)
	}
	check("what was altered", "unknown", "unknown")
	if err := blobs.Delete(t.Context(), "e/2"); err != nil {
		t.Fatal(err)
	}
	check("what is gone", "unknown", "unknown")
}
