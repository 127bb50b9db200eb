package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// large is an audit as large accounts have them, that ended.
func large(connection model.ConnectionID, n int) model.Audit {
	a := model.Audit{
		ID: model.AuditID(fmt.Sprintf("%026d", n)), Connection: connection, AccountID: "111111111111", State: model.AuditDone, StartedAt: time.Date(2026, 5, 1, 0, 0, n, 0, time.UTC),
		Services: []string{"s3"}, Regions: []string{"eu-west-1"}, TrustedAccounts: []string{"222222222222"}, Options: model.CheckOptions{"a": {"days": model.NumberOf(45), "ports": model.WordsOf("80")}}, Problems: []string{"late"},
		Permissions: &model.Permissions{Principal: "arn:aws:iam::111111111111:role/x", Needed: 3}, Trust: &model.Trust{Open: "without an External ID"},
		Objects: []model.Object{{Key: "calls"}}, Statement: &model.Envelope{PayloadType: "application/vnd.in-toto+json"},
		Summary: &model.Summary{
			Score: model.Score{Value: 50, Version: 3, Assessed: 2, Cap: 100}, Services: map[string]model.Score{"s3": {Value: 50, Version: 3, Assessed: 2, Cap: 100}}, Pillars: map[model.Pillar]model.Score{}, Failed: map[model.Severity]int{model.High: 1},
			Counts: model.Counts{Pass: 1, Fail: 1}, Tally: model.Tally{}, Wanted: model.Tally{"a?days=90": {Pass: 1}}, Gaps: []model.GapCount{}, Changes: model.Changes{New: 1}, Resources: 7, Calls: 9, Load: map[string]model.Load{"s3": {Calls: 9}},
		},
	}
	for i := range 700 {
		id := model.CheckID(fmt.Sprintf("service-that-has-a-name-check-%d", i))
		a.Checks = append(a.Checks, id)
		a.Summary.Tally[id] = model.Counts{Pass: i, Fail: 1}
	}
	return a
}

// apart is what the store's own marks of an audit do not decide.
var apart = cmpopts.IgnoreFields(model.Audit{}, "Detail", "Version")

func bodies(ctx context.Context, t *testing.T, tab table.Table, pk string) (items []table.Item) {
	t.Helper()
	for it, err := range table.All(ctx, tab, table.Query{PK: pk}) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	return items
}

// TestAuditsAreListedShort: a list reads a small part of what an audit is, and an audit that is
// read by itself, or is the newest of some, is as it was written.
func TestAuditsAreListedShort(t *testing.T) {
	t.Parallel()
	ctx, tab := t.Context(), memtable.New(nil)
	o := store.New(tab, nil).For("acme")
	a := large("c", 1)
	want := large("c", 1)
	if err := o.PutAudit(ctx, &a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, a, apart); diff != "" {
		t.Errorf("writing it changed it: %s", diff)
	}
	for _, it := range bodies(ctx, t, tab, table.Path("O", "acme", "AUDIT", "c")) {
		if whole, err := json.Marshal(want); err != nil || len(it.Body) > 2048 || len(whole) < 40_000 {
			t.Errorf("the record has %d bytes of %d (%v)", len(it.Body), len(whole), err)
		}
	}
	read, err := o.Audit(ctx, "c", a.ID)
	if diff := cmp.Diff(want, read, apart); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	latest, err := o.LatestAudit(ctx, "c", func(a model.Audit) bool { return a.Summary != nil })
	if diff := cmp.Diff(want, latest, apart); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	short := large("c", 1)
	short.Checks, short.TrustedAccounts, short.Options, short.Permissions, short.Trust, short.Objects, short.Statement = nil, nil, nil, nil, nil, nil, nil
	short.Summary.Services, short.Summary.Pillars, short.Summary.Tally, short.Summary.Wanted, short.Summary.Gaps, short.Summary.Load = nil, nil, nil, nil, nil, nil
	of, err1 := o.AuditsOf(ctx, "c")
	page, _, err2 := o.AuditsPage(ctx, "c", "", 10)
	all, err3 := o.Audits(ctx)
	one, err4 := o.LatestInShort(ctx, "c", func(model.Audit) bool { return true })
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]model.Audit{of, page, all, {one}} {
		if diff := cmp.Diff([]model.Audit{short}, list, apart); diff != "" || !list[0].Detail.Unread {
			t.Errorf("listed: %s", diff)
		}
		whole, err := o.WholeAudit(ctx, list[0])
		if diff := cmp.Diff(want, whole, apart); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	}
	// Who changes what a list gave changes that, and takes nothing away.
	one.State = model.AuditFailed
	if err := o.PutAudit(ctx, &one); err != nil {
		t.Fatal(err)
	}
	want.State = model.AuditFailed
	read, err = o.Audit(ctx, "c", a.ID)
	if diff := cmp.Diff(want, read, apart); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

// TestARunningAuditIsOneRecord, which functions of an earlier release read as well; also one that
// is taken up again.
func TestARunningAuditIsOneRecord(t *testing.T) {
	t.Parallel()
	ctx, tab := t.Context(), memtable.New(nil)
	o := store.New(tab, nil).For("acme")
	a := large("c", 1)
	for _, state := range []model.AuditState{model.AuditRunning, model.AuditDone, model.AuditRunning, model.AuditDone} {
		a.State = state
		if err := o.PutAudit(ctx, &a); err != nil {
			t.Fatal(err)
		}
		apart := bodies(ctx, t, tab, table.Path("O", "acme", "AUDIT", "c", string(a.ID)))
		if state.Ended() != (len(apart) == 1) {
			t.Errorf("an audit that is %s has %d records beside its own", state, len(apart))
		}
		var err error
		if a, err = o.Audit(ctx, "c", a.ID); err != nil || len(a.Checks) != 700 || len(a.Summary.Tally) != 700 {
			t.Errorf("an audit that is %s has %d checks (%v)", state, len(a.Checks), err)
		}
	}
}

// TestAuditsOfEarlierReleases have all in one record, until they are written again.
func TestAuditsOfEarlierReleases(t *testing.T) {
	t.Parallel()
	ctx, tab := t.Context(), memtable.New(nil)
	o := store.New(tab, nil).For("acme")
	want := large("c", 1)
	body, err := json.Marshal(want)
	if err == nil {
		err = tab.Put(ctx, table.Item{Key: table.Key{PK: table.Path("O", "acme", "AUDIT", "c"), SK: string(want.ID)}, Index: table.Key{PK: table.Path("O", "acme", "AUDITS"), SK: string(want.ID)}, Body: body})
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		read, err := o.Audit(ctx, "c", want.ID)
		if diff := cmp.Diff(want, read, apart); err != nil || diff != "" {
			t.Fatalf("%v: %s", err, diff)
		}
		if err := o.PutAudit(ctx, &read); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnAuditIsWholeWhoeverDies: wherever somebody dies who writes an audit, and whatever
// another writes meanwhile, it is read as one of them wrote it, and a purge leaves nothing of it.
func TestAnAuditIsWholeWhoeverDies(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	change := func(a *model.Audit, by string) {
		a.Problems = []string{by}
		a.Permissions = &model.Permissions{Principal: by}
		a.Summary.Gaps = []model.GapCount{{Reason: by}}
	}
	for at := int64(1); at <= 8; at++ {
		for _, how := range []string{"dies before", "dies after", "is overtaken"} {
			tab := memtable.New(nil)
			s := store.New(tab, nil)
			o := s.For("acme")
			a := large("c", 1)
			if err := o.PutAudit(ctx, &a); err != nil {
				t.Fatal(err)
			}
			var lives table.Table
			switch how {
			case "is overtaken":
				lives = mortal.Overtaken(tab, at, func() {
					other, err := o.Audit(ctx, "c", a.ID)
					if err == nil {
						change(&other, "the other")
						err = o.PutAudit(ctx, &other)
					}
					if err != nil {
						t.Fatal(err)
					}
				})
			default:
				lives = mortal.Dies(tab, at, how == "dies after")
			}
			own := store.New(lives, nil).For("acme")
			mine, err := own.Audit(ctx, "c", a.ID)
			if err == nil {
				change(&mine, "one")
				err = own.PutAudit(ctx, &mine)
			}
			if err != nil && !errors.Is(err, mortal.ErrDead) && !errors.Is(err, store.ErrConflict) {
				t.Fatalf("%s at %d: %v", how, at, err)
			}
			is, err := o.Audit(ctx, "c", a.ID)
			if err != nil {
				t.Fatalf("%s at %d: %v", how, at, err)
			}
			by := is.Problems[0]
			want := large("c", 1)
			if by != "late" {
				change(&want, by)
			}
			if diff := cmp.Diff(want, is, apart); diff != "" {
				t.Errorf("%s at %d: %s", how, at, diff)
			}
		}
	}
}

// TestAPurgeTakesDetails, also those that nobody names any more.
func TestAPurgeTakesDetails(t *testing.T) {
	t.Parallel()
	ctx, tab := t.Context(), memtable.New(nil)
	s := store.New(tab, nil)
	o := s.For("acme")
	for n := range 3 {
		a := large("c", n)
		dying := store.New(mortal.Dies(tab, 1, true), nil).For("acme")
		if err := dying.PutAudit(ctx, &a); !errors.Is(err, mortal.ErrDead) {
			t.Fatal(err)
		}
		if err := o.PutAudit(ctx, &a); err != nil {
			t.Fatal(err)
		}
		if parts := bodies(ctx, t, tab, table.Path("O", "acme", "AUDIT", "c", string(a.ID))); len(parts) != 2 {
			t.Fatalf("%d parts", len(parts))
		}
	}
	if err := o.PutConnection(ctx, &model.Connection{ID: "c", State: model.ConnectionDeleted}); err != nil {
		t.Fatal(err)
	}
	if err := o.PutReceipt(ctx, model.Receipt{Connection: "c"}); err != nil {
		t.Fatal(err)
	}
	purge, err := o.Purge(ctx, "c")
	if err == nil {
		_, err = purge.Records(ctx, nil, func() bool { return true })
	}
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		id := string(large("c", n).ID)
		if parts := bodies(ctx, t, tab, table.Path("O", "acme", "AUDIT", "c", id)); len(parts) > 0 {
			t.Errorf("%d parts of audit %s are left", len(parts), strings.TrimLeft(id, "0"))
		}
	}
	if left := bodies(ctx, t, tab, table.Path("O", "acme", "AUDIT", "c")); len(left) > 0 {
		t.Errorf("%d audits are left", len(left))
	}
}
