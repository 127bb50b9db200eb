package local_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/goleak"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type door struct {
	model.Resource
	Locked fact.Of[bool] `json:"locked"`
}

func (door) Kind() string { return "Test::House::Door" }

const texts = `door-locked: {title: Doors are locked, pillar: security, risk: Thieves., remediation: {console: Lock it.},
  references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}`

type house struct{}

func (house) Config(region string, _ ledger.Ledger) aws.Config { return aws.Config{Region: region} }
func (house) HomeRegion() string                               { return "us-east-1" }
func (house) Identity() model.Identity {
	return model.Identity{Account: "111122223333", Partition: "aws"}
}

func (house) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return []string{"eu-west-1"}, nil, nil
}

func open(t *testing.T, path string) (*local.State, local.Run) {
	t.Helper()
	catalog, err := check.NewCatalog(check.Service{
		Name: "house", Texts: []byte(texts), Kinds: []check.Kind{check.KindOf[door]()},
		Rules: []check.Rule{check.For("door-locked", model.High, func(e *check.Evidence, d door) check.Verdict {
			return check.Must(check.Read(e, d.Locked), "locked", "open")
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := local.Open(t.Context(), path, catalog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	walk := func(_ context.Context, s *collect.Session) error {
		s.Emit(door{Resource: s.Resource(s.ARN("house", "door/front"), "front"), Locked: fact.Known(false)})
		return nil
	}
	return state, local.Run{
		Request: pipeline.Request{
			Connection: model.Connection{AccountID: "111122223333"}, Partition: "aws", Regions: []string{"eu-west-1"}, Checks: catalog.Checks(),
		},
		Open: func(context.Context, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
			return house{}, nil
		}, Progress: pipeline.Silent{},
		Specs: map[string]collect.Spec{"house": {Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind()}, Run: walk}}}},
	}
}

// full is a disk without space.
type full struct{ blob.Store }

func (f full) Put(ctx context.Context, key string, r io.Reader) error {
	if strings.HasPrefix(filepath.Base(key), "service=connect.") { // there was still room for that
		return f.Store.Put(ctx, key, r)
	}
	_, _ = io.Copy(io.Discard, r)
	return blob.ErrFull
}

func TestFullDiskLosesNoEarlierAudit(t *testing.T) {
	t.Parallel()
	state, run := open(t, t.TempDir())
	first, err := state.Audit(t.Context(), run)
	if err != nil || first.State != model.AuditDone || first.Summary.Counts.Fail != 1 {
		t.Fatalf("first audit: %+v, %v", first, err)
	}
	disk := state.Evidence
	state.Evidence = full{disk}
	if _, err := state.Audit(t.Context(), run); !errors.Is(err, blob.ErrFull) {
		t.Errorf("audit on a full disk: %v, want ErrFull", err)
	}
	state.Evidence = disk
	page, err := state.Lists().Page(t.Context(), local.Organization, findings.Everything, findings.Query{Limit: 10})
	if err != nil || page.Total != 1 || page.Findings[0].State != model.FindingOpen {
		t.Errorf("findings after the full disk: %+v, %v", page, err)
	}
	audits, err := state.Records.Audits(t.Context())
	if err != nil || len(audits) != 2 || audits[0].State != model.AuditPartial || audits[1].State != model.AuditDone {
		t.Errorf("audits after the full disk: %+v, %v", audits, err)
	}
	if latest, err := state.Latest(t.Context()); err != nil || len(latest) != 1 || latest[0].ID != first.ID {
		t.Errorf("the newest audit with a result is %+v (%v), want the first", latest, err)
	}
	again, err := state.Audit(t.Context(), run)
	if err != nil || again.State != model.AuditDone || again.Summary.Changes.New != 0 {
		t.Errorf("audit once there is space again: %+v, %v", again, err)
	}
}

func TestStateIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	state, run := open(t, path)
	if _, err := state.Audit(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(path, func(at string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", at, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
