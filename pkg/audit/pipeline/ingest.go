package pipeline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ingest writes what the evidence of one scope changes in its findings, and announces
// it.
//
// Two streams in the order of finding ids are merged: the findings that are known, and
// what the evidence says. Neither is ever in memory as a whole. Changes are written a
// batch at a time; then the scope's record moves its cursor, with the counts and the
// news so far. Whoever dies is followed by somebody who starts behind the cursor, and
// knows from the findings themselves what of the batch was written. Then the news is
// announced, and the record says that all is done.
//
// Several may try at once, for the same audit or another: one holds the record, and
// the others come again. An audit that began before the record's changes nothing.
func (p *Pipeline) ingest(ctx context.Context, orgID model.OrganizationID, audit model.Audit, scope string, parts []model.Task) (model.Changes, error) {
	org := p.Store.For(orgID)
	record, err := org.Scope(ctx, audit.Connection, scope)
	if err != nil {
		return model.Changes{}, err
	}
	same := record.Audit == audit.ID
	switch {
	case same && record.Done && record.Try >= audit.Retries:
		return record.Changes, nil
	case !same && (record.Began.After(audit.StartedAt) || record.Began.Equal(audit.StartedAt) && record.Audit > audit.ID):
		return model.Changes{}, nil // a newer audit was here: what this one saw is history
	}
	h, err := p.hold(org, audit.Connection, scope, record)
	if err != nil {
		return model.Changes{}, err
	}
	in := ingestion{held: h, orgID: orgID, audit: audit, life: diff.NewLifecycle(audit, p.Catalog, func(c check.Check) bool { return scopeOf(c) == scope })}
	if err := in.run(ctx, parts); err != nil {
		h.release(ctx)
		return model.Changes{}, err
	}
	return h.record.Changes, nil
}

// ingestion is one attempt to take the evidence of an audit in to a scope.
type ingestion struct {
	*held
	orgID   model.OrganizationID
	audit   model.Audit
	life    *diff.Lifecycle
	unknown bool      // what was looked at before: then all was
	marked  time.Time // until when it is said that findings are written; zero if none were

	unread  []model.Rest
	batch   []diff.Change
	written map[model.FindingID]model.Finding // those that the news may be about
}

// changesAtOnce is how many changes are written before the cursor moves, and
// writesAtOnce how many of them at a time.
const (
	changesAtOnce = 256
	writesAtOnce  = 16
)

func (in *ingestion) run(ctx context.Context, parts []model.Task) error {
	if err := in.begin(ctx); err != nil {
		return err
	}
	findings, err := in.read(ctx)
	if err != nil {
		return err
	}
	sorted, err := in.sort(ctx, sourcesOf(parts), findings.has)
	if err != nil {
		return err
	}
	defer sorted.close()
	if in.record.IsNew() {
		in.record.Parts = store.PartsFor(sorted.failures)
	}
	for pair, err := range merge(findings.all(ctx), sorted.all()) {
		if err != nil {
			return err
		}
		if pair.id <= in.record.Cursor {
			continue
		}
		if change, changed := in.life.Next(pair.known, pair.seen); changed {
			in.batch = append(in.batch, change)
		}
		if len(in.batch) == changesAtOnce {
			if err := in.flush(ctx); err != nil {
				return err
			}
			if in.p.timeIsUp(ctx) {
				return errMore
			}
		}
	}
	in.unread = in.unasked()
	for _, t := range parts {
		in.unread = append(in.unread, t.Unread...)
	}
	return in.end(ctx)
}

// unasked is what earlier audits could not read of regions that this one does not look
// at: the next that does begins with it.
func (in *ingestion) unasked() []model.Rest {
	asked := append([]string{model.Global}, in.audit.Regions...)
	return slices.DeleteFunc(slices.Clone(in.record.Unread), func(r model.Rest) bool { return slices.Contains(asked, r.Region) })
}

// errMore says that time was up before all was done. It goes on where the record says.
var errMore = errors.New("goes on with the next message")

// timeIsUp reports whether what is left of the context's time is to be spared.
func (p *Pipeline) timeIsUp(ctx context.Context) bool {
	end, bounded := ctx.Deadline()
	return bounded && p.Spare > 0 && time.Until(end) < p.Spare
}

// begin makes the record the audit's, and completes what an older one left, or an
// earlier try: what was written has to be announced.
func (in *ingestion) begin(ctx context.Context) error {
	in.written = map[model.FindingID]model.Finding{}
	r := &in.record
	if err := in.looked(ctx); err != nil {
		return err
	}
	same, unfinished := r.Audit == in.audit.ID, r.Audit != "" && !r.Done && !r.Began.IsZero()
	if same && unfinished && r.Try == in.audit.Retries {
		return in.settleDebt(ctx) // somebody died here: from the cursor on
	}
	if unfinished {
		if err := in.owe(ctx); err != nil {
			return err
		}
	}
	in.forget()
	// Also when a first audit is retried, or was never taken in to its end.
	r.First = r.Audit == "" || r.First && (same || unfinished)
	r.Audit, r.Began, r.Try = in.audit.ID, in.audit.StartedAt, in.audit.Retries
	r.Done, r.Cursor, r.Changes, r.News = false, "", model.Changes{}, store.News{}
	if r.Owed == nil {
		r.Announced = 0
	}
	return in.settleDebt(ctx)
}

// owe notes what is to be announced of an audit, or a try, that is not gone on with:
// what the record has, and what of the batch was written whose writer died before it
// could note it.
func (in *ingestion) owe(ctx context.Context) error {
	r := &in.record
	if r.First || r.Owed != nil { // who owes has written nothing yet
		return nil
	}
	for f, err := range in.org.EachFinding(ctx, in.connection, in.scope, r.Parts) {
		if err != nil {
			return err
		}
		last, _ := f.Last()
		if f.ID > r.Cursor && last.Audit == r.Audit && last.Try == r.Try && !r.News.Tells(f.ID) {
			in.note(diff.Change{What: last.What, Finding: f})
		}
	}
	if r.News.Total > 0 {
		r.Owed = &store.Owed{Audit: r.Audit, Try: r.Try, News: r.News}
	}
	return nil
}

// settleDebt announces what the record owes, before anything else is written.
func (in *ingestion) settleDebt(ctx context.Context) error {
	r := &in.record
	if r.Owed == nil {
		return nil
	}
	of, err := in.org.Audit(ctx, in.connection, r.Owed.Audit)
	if err == nil {
		of.Retries = r.Owed.Try
		err = in.announce(ctx, of, r.Owed.News)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // it may be purged
		return err
	}
	r.Owed, r.Announced = nil, 0
	return in.put(ctx) // it is out
}

// looked settles what was looked at before, by the ids that checks have today. Checks
// that are gone stay in it as long as what was written of them may have to be announced.
func (in *ingestion) looked(ctx context.Context) error {
	r := &in.record
	if r.Looked == nil && r.Audit != "" && (r.Done || r.Began.IsZero()) {
		// A record of a version that did not note it: its audit knows.
		before, err := in.org.Audit(ctx, in.connection, r.Audit)
		if errors.Is(err, store.ErrNotFound) {
			in.unknown = true
			return nil
		}
		if err != nil {
			return err
		}
		in.look(before)
		return nil
	}
	in.relook(store.Names.Renamed)
	return nil
}

// forget drops the checks that are gone from what was looked at: one that comes back has
// its first look again.
func (in *ingestion) forget() { in.relook(store.Names.Today) }

// relook has the checks of what was looked at renamed.
func (in *ingestion) relook(rename func(store.Names, [][]string) store.Names) {
	var checks [][]string
	for _, c := range in.p.Catalog.Checks() {
		if scopeOf(c) == in.scope {
			ids := []string{string(c.ID)}
			for _, former := range c.Former {
				ids = append(ids, string(former))
			}
			checks = append(checks, ids)
		}
	}
	r := &in.record
	before := r.Looked
	r.Looked = nil
	for _, l := range before {
		r.Looked = store.AddLook(r.Looked, store.Look{Checks: rename(l.Checks, checks), Regions: l.Regions})
	}
}

// byRules reports whether a change follows from what CloudArq looks at, and not from
// the account: a check or a region that is looked at for the first time, a check that
// is gone, one of which options are set to something else, or have another default.
func (in *ingestion) byRules(c diff.Change) bool {
	if in.unknown {
		return false
	}
	f := c.Finding
	today, _ := in.p.Catalog.Today(f.Check)
	return f.Why == model.WhyRetired && c.What == model.EventResolved || in.otherwise(today.ID) ||
		!slices.ContainsFunc(in.record.Looked, func(l store.Look) bool {
			return l.At(string(today.ID), f.Resource.Region) || l.At(string(f.Check), f.Resource.Region)
		})
}

// otherwise reports whether options of a check are set to something else than they were when
// it ran the last time.
func (in *ingestion) otherwise(id model.CheckID) bool {
	for name, was := range in.record.Options[id] {
		if now, set := in.audit.Options[id][name]; set && !now.Equal(was) {
			return true
		}
	}
	return false
}

// flush writes a batch of changes and moves the cursor behind it.
func (in *ingestion) flush(ctx context.Context) error {
	if len(in.batch) == 0 {
		return nil
	}
	if err := in.renew(ctx); err != nil { // nobody else writes from here on
		return err
	}
	if err := in.writing(ctx); err != nil {
		return err
	}
	err := in.while(ctx, func(ctx context.Context) error {
		group, writing := errgroup.WithContext(ctx)
		group.SetLimit(writesAtOnce)
		for _, c := range in.batch {
			if !c.Written {
				group.Go(func() error { return in.write(writing, c.Finding) })
			}
		}
		return group.Wait()
	})
	if err != nil {
		return err
	}
	for _, c := range in.batch {
		in.note(c)
	}
	in.p.meter(metrics.FindingsWritten, len(in.batch))
	in.record.Cursor = in.batch[len(in.batch)-1].Finding.ID
	in.batch = in.batch[:0]
	return nil
}

// write writes a finding over the version that its change was worked out from. What
// can never be written is written without what was read of the resource: it must not
// hold up what comes after it.
func (in *ingestion) write(ctx context.Context, f model.Finding) error {
	err := in.org.PutFinding(ctx, in.scope, in.record.Parts, f)
	if store.Refused(err) {
		in.p.meter(metrics.FindingsShortened, 1)
		f.Evidence = nil
		f.History = f.History[max(0, len(f.History)-1):]
		err = in.org.PutFinding(ctx, in.scope, in.record.Parts, f)
	}
	if errors.Is(err, store.ErrConflict) {
		// Somebody took over the scope, or this is our own write, whose answer was lost.
		stored, e := in.org.FindingOf(ctx, f.Connection, in.scope, in.record.Parts, f.ID)
		last, _ := stored.Last()
		if e == nil && last.Audit == in.audit.ID && last.Try == in.audit.Retries {
			return nil
		}
	}
	return err
}

// note counts a change, and keeps what is news of it.
func (in *ingestion) note(c diff.Change) {
	r := &in.record
	counts := func(n *model.Changes) {
		switch c.What {
		case model.EventNew:
			n.New++
		case model.EventResolved:
			n.Resolved++
		case model.EventReopened:
			n.Reopened++
		case model.EventFolded:
			n.Folded++
		case model.EventUnfolded:
			n.Unfolded++
		case model.EventBlind, model.EventSeen, model.EventChanged:
		}
	}
	if c.Finding.Cause != "" && c.What != model.EventFolded {
		return // it counts with its cause
	}
	counts(&r.Changes)
	rules := in.byRules(c)
	if rules && !r.First {
		r.Changes.ByRules++
	}
	if !alert.IsNews(c) || rules && !r.First {
		return
	}
	severity, ok := in.p.Catalog.Severity(c.Finding.Check)
	if !ok {
		severity = c.Finding.Severity
	}
	counts(&r.News.Counts)
	r.News.Total++
	if r.News.Severities == nil {
		r.News.Severities = map[model.Severity]int{}
	}
	r.News.Severities[severity]++
	headline := store.Headline{Finding: c.Finding.ID, What: c.What, Severity: severity}
	if r.News.Total <= alert.Limit {
		r.News.Told = append(r.News.Told, headline)
	} else {
		r.News.Told = nil
	}
	r.News.Worst = worst(r.News.Worst, headline)
	in.written[c.Finding.ID] = c.Finding
	if len(in.written) > 4*alert.Limit {
		clear(in.written) // read again when needed
	}
}

// worst keeps the gravest of the news.
func worst(sofar []store.Headline, more ...store.Headline) []store.Headline {
	all := append(slices.Clone(sofar), more...)
	slices.SortStableFunc(all, func(a, b store.Headline) int {
		return cmp.Or(cmp.Compare(b.Severity.Weight(), a.Severity.Weight()), cmp.Compare(a.Finding, b.Finding))
	})
	return all[:min(len(all), alert.WorstShown)]
}

// end writes the last changes, announces the news and says that all is done.
func (in *ingestion) end(ctx context.Context) error {
	if err := in.flush(ctx); err != nil {
		return err
	}
	if err := in.wrote(ctx); err != nil { // before anything is announced: nothing may come between that and noting it
		return err
	}
	r := &in.record
	if r.News.Total > 0 && !r.First {
		if err := in.announce(ctx, in.audit, r.News); err != nil {
			return err
		}
	}
	in.forget()
	in.look(in.audit)
	r.Unread = in.unread
	r.Done, r.News.Told = true, nil
	if !r.First {
		r.News = store.News{}
	}
	return in.put(ctx)
}

// look notes that an audit's checks looked at its regions, by the ids that checks have
// today. One that left out resources is still to have its first look at them.
func (in *ingestion) look(audit model.Audit) {
	var checks []string
	for _, id := range audit.Checks {
		if c, exists := in.p.Catalog.Today(id); exists && scopeOf(c) == in.scope && !in.life.Unjudged(c.ID) {
			checks = append(checks, string(c.ID))
			if values := audit.Options[id]; values != nil {
				in.record.Options = model.CheckOptions{c.ID: values}.Or(in.record.Options)
			}
		}
	}
	in.record.Looked = store.AddLook(in.record.Looked, store.NewLook(checks, audit.Regions))
	if in.record.Looked == nil {
		in.record.Looked = []store.Look{{}} // at nothing, which is not to be taken for a record that does not tell
	}
}

// announce publishes what is news of an audit.
func (in *ingestion) announce(ctx context.Context, audit model.Audit, news store.News) error {
	if !in.p.announces() {
		return nil
	}
	if err := in.renew(ctx); err != nil {
		return err
	}
	of, err := in.p.alertsOf(ctx, in.orgID, audit)
	if err != nil {
		return err
	}
	headlines := news.Told
	if news.Total > alert.Limit {
		headlines = news.Worst
	}
	changes, err := in.p.changes(ctx, in.org, in.connection, in.scope, in.record.Parts, headlines, in.written)
	if err != nil {
		return err
	}
	alerts := of.Changes(changes)
	if news.Total > alert.Limit {
		alerts = []alert.Alert{of.Digest(in.scope, news.Total, news.Counts, news.Severities, changes)}
	}
	return in.publish(ctx, alerts)
}

// changes reads the findings that headlines are about.
func (p *Pipeline) changes(ctx context.Context, org *store.Organization, connection model.ConnectionID, scope string, parts int, headlines []store.Headline, at map[model.FindingID]model.Finding) ([]diff.Change, error) {
	changes := make([]diff.Change, 0, len(headlines))
	for _, n := range headlines {
		f, ok := at[n.Finding]
		if !ok {
			var err error
			if f, err = org.FindingOf(ctx, connection, scope, parts, n.Finding); errors.Is(err, store.ErrNotFound) {
				continue // there is nothing left to tell of it
			} else if err != nil {
				return nil, err
			}
		}
		f.Severity = n.Severity
		changes = append(changes, diff.Change{What: n.What, Finding: f})
	}
	return changes, nil
}

// rename moves a finding to the id that its check has today. Doing it again changes
// nothing.
func (in *ingestion) rename(ctx context.Context, f model.Finding, id model.CheckID) (model.Finding, error) {
	before := f.ID
	if err := in.writing(ctx); err != nil {
		return f, err
	}
	f.Check, f.ID, f.Version = id, model.NewFindingID(id, f.Resource), 0
	if err := in.org.PutFinding(ctx, in.scope, in.record.Parts, f); err != nil && !errors.Is(err, store.ErrConflict) {
		return f, err
	}
	if owed := in.record.Owed; in.record.News.Rename(before, f.ID) || owed != nil && owed.News.Rename(before, f.ID) { // what is still to be announced is found under the new one
		if err := in.put(ctx); err != nil {
			return f, err
		}
	}
	return f, in.org.DeleteFinding(ctx, in.connection, in.scope, in.record.Parts, before)
}
