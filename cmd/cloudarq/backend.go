package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// backend is what verbs read: the state of this machine, or what a server has. A verb has
// one body for both, so that it shows the same of the same records.
type backend interface {
	// Connections are those that are not deleted, by their ids.
	Connections(ctx context.Context) ([]model.Connection, error)
	// Rows are connections as they are shown, with what is noted elsewhere of them.
	Rows(ctx context.Context, of []model.Connection) ([]report.Connection, error)
	// ExternalID is what the role of a connection has to ask for.
	ExternalID(ctx context.Context, c model.Connection) (string, error)

	// Audits yields the audits of a connection in short, the newest first.
	Audits(ctx context.Context, of model.Connection) iter.Seq2[shape.Audit, error]
	// Audit is an audit as it is now, as it can be written, and how far it is.
	Audit(ctx context.Context, a model.Audit) (model.Audit, apiclient.Progress, error)
	Cancel(ctx context.Context, a model.Audit) error
	// Worst are the failures of an audit, the gravest first.
	Worst(ctx context.Context, a model.Audit) ([]shape.Verdict, error)
	// Drift is what was missing in an audit, and since when.
	Drift(ctx context.Context, a model.Audit) (drift.Report, error)
	// Compare is what is different between two audits of an account.
	Compare(ctx context.Context, older, newer model.Audit) ([]shape.Difference, error)
	// Calls visits the calls of an audit, and says how many ledgers were left out because
	// no record names them.
	Calls(ctx context.Context, a model.Audit, visit func(ledger.Entry) error) (unrecorded int, err error)
	// Verify holds what is kept of an audit to its records and its signature, and this to a
	// key unless that is nil.
	Verify(ctx context.Context, a model.Audit, key ed25519.PublicKey) (pipeline.Verification, error)

	// Findings visits the findings of a query, up to a number of them; 0 is all. It gives
	// what a page says besides.
	Findings(ctx context.Context, q findings.Query, most int, visit func(shape.Finding) error) (findings.Page, error)
	// Finding is a finding whole, by its id or the beginning of one: see findings.Lists.One.
	Finding(ctx context.Context, id string) (shape.Finding, error)
	// Resources visits the resources of the newest audits that fit the words of a filter.
	Resources(ctx context.Context, words []string, visit func(shape.Resource) error) (recorded.Left, error)

	// Trend yields the points of a series, the oldest first: of a connection, of a project, or
	// with neither of all accounts.
	Trend(ctx context.Context, connection model.ConnectionID, project string, q trend.Query) iter.Seq2[trend.Point, error]

	// Compliance is how accounts stand by each framework.
	Compliance(ctx context.Context, of ofAccounts) ([]compliance.Standing, error)
	// Framework is how accounts stand by a framework, and by its requirements that are in one
	// of some states; no states are all.
	Framework(ctx context.Context, framework string, of ofAccounts, states []requirement.State) (compliance.Standing, []compliance.Asked, error)
	// Requirement is how accounts stand by a requirement, part by part.
	Requirement(ctx context.Context, framework, requirement string, of ofAccounts) (compliance.WholeAsked, error)
	// Attest says that a requirement is met; Attestations yields what people said, of a
	// framework or of all.
	Attest(ctx context.Context, a model.Attestation) (compliance.Attestation, error)
	Attestations(ctx context.Context, framework string) iter.Seq2[compliance.Attestation, error]
	Approve(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error)
	Withdraw(ctx context.Context, framework string, id model.AttestationID) (compliance.Attestation, error)

	// AdminLog yields what administrators changed, the newest first.
	AdminLog(ctx context.Context) iter.Seq2[model.AdminEntry, error]
	// Settings changes the settings, if there is anything to change, and gives them.
	Settings(ctx context.Context, change func(*model.Settings)) (model.Settings, error)
}

// using runs a verb on what --server names, or on the state of this machine.
func (c *cli) using(ctx context.Context, work func(backend) error) error {
	if _, err := c.format(); err != nil {
		return err
	}
	if c.server == "" {
		return c.with(ctx, func(s *local.State) error { return work(c.here(s)) })
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	return work(there{client})
}

// here is the state of this machine.
type here struct {
	*local.State
	cli *cli
}

func (c *cli) here(s *local.State) here { return here{s, c} }

func (h here) Connections(ctx context.Context) ([]model.Connection, error) {
	return h.Records.Connections(ctx)
}

func (h here) Rows(ctx context.Context, of []model.Connection) ([]report.Connection, error) {
	rows := make([]report.Connection, len(of))
	for i, connection := range of {
		var err error
		if rows[i], err = row(ctx, h.State, connection); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (h here) ExternalID(ctx context.Context, c model.Connection) (string, error) {
	id, err := h.cli.kept(h.State).ExternalID(ctx, c)
	return id.Reveal(), err
}

func (h here) Audits(ctx context.Context, of model.Connection) iter.Seq2[shape.Audit, error] {
	return func(yield func(shape.Audit, error) bool) {
		for cursor := ""; ; {
			page, next, err := h.Records.AuditsPage(ctx, of.ID, cursor, auditsAtOnce)
			if err != nil {
				yield(shape.Audit{}, err)
				return
			}
			for _, a := range page {
				if !yield(shape.NewAudit(a, of.Name), nil) {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	}
}

// auditsAtOnce is how many audits are read at a time: most who list them look at the newest.
const auditsAtOnce = 10

func (h here) Drift(ctx context.Context, a model.Audit) (drift.Report, error) {
	audits, err := h.Records.AuditsOf(ctx, a.Connection)
	if err != nil {
		return drift.Report{}, err
	}
	audits = slices.DeleteFunc(audits, func(o model.Audit) bool { return o.ID > a.ID })
	for i := range audits {
		if audits[i], err = h.Records.WholeAudit(ctx, audits[i]); err != nil {
			return drift.Report{}, err
		}
	}
	return drift.Of(audits), nil
}

// localWatch is how often an audit of another process is looked at.
const localWatch = time.Second

func (h here) Audit(ctx context.Context, a model.Audit) (model.Audit, apiclient.Progress, error) {
	p := apiclient.Progress{Wait: localWatch}
	a, err := h.Records.Audit(ctx, a.Connection, a.ID)
	if err != nil || a.State.Ended() { // of which nobody asks how far it is
		return a, p, err
	}
	tasks, err := h.Tasks(ctx, a)
	for _, t := range tasks {
		p.Calls += t.Calls
		if t.State == model.TaskFailed || t.State == model.TaskIngested {
			p.Done++
		}
	}
	p.Total = len(tasks)
	return a, p, err
}

func (h here) Worst(ctx context.Context, a model.Audit) ([]shape.Verdict, error) {
	audit, err := h.Recorded(ctx, a)
	if err != nil {
		return nil, err
	}
	return audit.Failures(ctx)
}

func (h here) Compare(ctx context.Context, older, newer model.Audit) ([]shape.Difference, error) {
	was, err := h.Recorded(ctx, older)
	if err != nil {
		return nil, err
	}
	is, err := h.Recorded(ctx, newer)
	if err != nil {
		return nil, err
	}
	return recorded.Compare(ctx, was, is)
}

func (h here) Findings(ctx context.Context, q findings.Query, most int, visit func(shape.Finding) error) (findings.Page, error) {
	return h.Lists().Some(ctx, local.Organization, findings.Everything, q, most, visit)
}

func (h here) Finding(ctx context.Context, id string) (shape.Finding, error) {
	return h.Lists().One(ctx, local.Organization, findings.Everything, "", strings.ToLower(id))
}

func (h here) Resources(ctx context.Context, words []string, visit func(shape.Resource) error) (recorded.Left, error) {
	view, err := h.Index().For(local.Organization).View(ctx)
	if err != nil {
		return recorded.Left{}, err
	}
	estate := recorded.Estate{Store: h.Records, Evidence: h.Evidence, Catalog: h.Catalog, View: view, Who: findings.Everything, Now: time.Now}
	_, left, err := estate.Resources(ctx, words, recorded.Position{}, func(r *shape.Resource, _ bool) error {
		if r == nil {
			return nil
		}
		return visit(*r)
	})
	return left, err
}

func (h here) AdminLog(ctx context.Context) iter.Seq2[model.AdminEntry, error] {
	return func(yield func(model.AdminEntry, error) bool) {
		for cursor := ""; ; {
			page, next, err := h.Records.AdminLogPage(ctx, cursor, 1000)
			if err != nil {
				yield(model.AdminEntry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	}
}

func (h here) Settings(ctx context.Context, change func(*model.Settings)) (model.Settings, error) {
	for {
		settings, err := h.Records.Settings(ctx)
		if err == nil && change != nil {
			change(&settings)
			err = h.Records.PutSettings(ctx, model.Change{}, &settings)
		}
		if !errors.Is(err, store.ErrConflict) { // or another process was faster
			return settings, err
		}
	}
}

// there is what a server has.
type there struct{ *apiclient.Client }

// askedAtOnce is how many requests are made at a time where each connection takes one.
const askedAtOnce = 8

func (t there) Rows(ctx context.Context, of []model.Connection) ([]report.Connection, error) {
	rows := make([]report.Connection, len(of))
	all, actx := errgroup.WithContext(ctx)
	all.SetLimit(askedAtOnce)
	for i, connection := range of {
		all.Go(func() error {
			latest, found, err := t.LatestAudit(actx, connection.ID)
			if err != nil {
				return err
			}
			rows[i] = report.NewConnection(connection, time.Now())
			rows[i].LastAudit = string(latest.ID)
			if found && connection.Schedule.Once() {
				whole, _, err := t.Audit(actx, itself(latest))
				if err != nil {
					return err
				}
				rows[i].Reminder = reminder(whole)
			}
			return nil
		})
	}
	return rows, all.Wait()
}

func (t there) ExternalID(ctx context.Context, c model.Connection) (string, error) {
	read, err := t.Connection(ctx, c.ID)
	if err == nil && read.ExternalID == "" {
		err = &exitError{exitAccess, errors.New("the server shows External IDs to those alone who have the scope connections")}
	}
	return read.ExternalID, err
}

func (t there) Audits(ctx context.Context, of model.Connection) iter.Seq2[shape.Audit, error] {
	return t.Client.Audits(ctx, of.ID)
}

func (t there) Cancel(ctx context.Context, a model.Audit) error {
	_, _, err := t.CancelAudit(ctx, a)
	return err
}

func (t there) Worst(ctx context.Context, a model.Audit) ([]shape.Verdict, error) {
	var failed []shape.Verdict
	for v, err := range t.Verdicts(ctx, a, "status="+string(check.Fail)) {
		if err != nil {
			return nil, err
		}
		failed = append(failed, v)
	}
	return recorded.Gravest(failed), nil
}

func (t there) Finding(ctx context.Context, id string) (shape.Finding, error) {
	id = strings.ToLower(id)
	if len(id) == findings.IDLength {
		return t.Client.Finding(ctx, id)
	}
	whole := model.FindingID("")
	page, err := t.Findings(ctx, findings.Query{Words: []string{"id=" + id + "*"}, All: true}, 1, func(f shape.Finding) error {
		whole = f.ID
		return nil
	})
	switch {
	case err != nil:
		return shape.Finding{}, err
	case page.Total == 0:
		return shape.Finding{}, fmt.Errorf("finding %s: %w", id, store.ErrNotFound)
	case page.Total > 1:
		return shape.Finding{}, &findings.SeveralError{Beginning: id, Count: page.Total}
	}
	return t.Client.Finding(ctx, string(whole))
}

func (t there) Calls(ctx context.Context, a model.Audit, visit func(ledger.Entry) error) (int, error) {
	for call, err := range t.Client.Calls(ctx, a) {
		if err == nil {
			err = visit(call)
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func (t there) Verify(ctx context.Context, a model.Audit, key ed25519.PublicKey) (pipeline.Verification, error) {
	v, err := t.VerifyAudit(ctx, a)
	if err != nil || key == nil || v.PublicKey == statement.Text(key) && v.Signature == pipeline.SignatureValid {
		return v, err
	}
	// What the server held the audit to is not what it has to be held to.
	v.PublicKey, v.Fingerprint, v.Verdict = statement.Text(key), statement.Fingerprint(key), pipeline.VerdictAltered
	why := "what is signed was not signed by the key " + v.Fingerprint
	v.Signature = pipeline.SignatureInvalid
	if a.Statement == nil {
		v.Signature, why = pipeline.SignatureNone, "the audit is not signed"
	}
	v.Problems = append(v.Problems, why)
	return v, nil
}

func (t there) Settings(ctx context.Context, change func(*model.Settings)) (model.Settings, error) {
	settings, tag, err := t.Client.Settings(ctx)
	if err != nil || change == nil {
		return settings, err
	}
	change(&settings)
	return t.PutSettings(ctx, tag, settings)
}

// findConnection finds a connection by its id, its account or its name.
func findConnection(ctx context.Context, b backend, word string) (model.Connection, error) {
	all, err := b.Connections(ctx)
	if err != nil {
		return model.Connection{}, err
	}
	return keep.Named(all, word)
}

// auditsOf are the audits of the connections that have a word for their name, or of all if it
// is empty: the newest first, and none that only verified a connection.
func auditsOf(ctx context.Context, b backend, word string) ([]shape.Audit, error) {
	connections, err := b.Connections(ctx)
	if err != nil {
		return nil, err
	}
	if word != "" {
		called := keep.Called(connections, word)
		if len(called) == 0 {
			_, err := keep.Named(connections, word)
			return nil, err
		}
		connections = called
	}
	var audits []shape.Audit
	for _, c := range connections {
		for a, err := range b.Audits(ctx, c) {
			if err != nil {
				return nil, err
			}
			if !a.Verification {
				audits = append(audits, a)
			}
		}
	}
	slices.SortFunc(audits, func(a, b shape.Audit) int { return cmp.Compare(b.ID, a.ID) })
	return audits, nil
}

// findAudit finds an audit by id, by the beginning of one, by connection, or the latest. It
// reads no further than it must.
func findAudit(ctx context.Context, b backend, word string) (model.Audit, error) {
	connections, err := b.Connections(ctx)
	if err != nil {
		return model.Audit{}, err
	}
	var newest, of *shape.Audit // of all, and of the connection that the word names
	var found []shape.Audit
	begin := strings.ToUpper(word)
	named, account := word != "" && word != "latest", accountSyntax.MatchString(word)
	called := keep.Called(connections, word)
	if len(called) > 1 && !account {
		_, err := keep.Named(connections, word)
		return model.Audit{}, err
	}
	for _, c := range connections {
		meant := slices.ContainsFunc(called, func(o model.Connection) bool { return o.ID == c.ID })
		another := account && c.AccountID != "" && c.AccountID != word && !meant
		for a, err := range b.Audits(ctx, c) {
			if err != nil {
				return model.Audit{}, err
			}
			if a.Verification {
				continue
			}
			if newest == nil || a.ID > newest.ID {
				newest = &a
			}
			mine := meant || named && a.Account == word
			if mine && (of == nil || a.ID > of.ID) {
				of = &a
			}
			if named && strings.HasPrefix(string(a.ID), begin) {
				found = append(found, a)
			}
			// Ids are in the order of time, and so no older one begins with the word.
			if !named || mine || another || !account && string(a.ID) < begin {
				break
			}
		}
	}
	switch {
	case newest == nil:
		return model.Audit{}, usagef("there are no audits yet; begin with: cloudarq audit run")
	case !named:
		found = []shape.Audit{*newest}
	case of != nil:
		found = []shape.Audit{*of}
	case len(called) > 0:
		return model.Audit{}, usagef("%q has no audits yet; begin with: cloudarq audit run --connection %s", word, called[0].ID)
	case len(found) == 0:
		return model.Audit{}, usagef("no audit %q; cloudarq audit list shows them", word)
	case len(found) > 1:
		return model.Audit{}, usagef("%s begin with %q", report.Count(len(found), "audit"), word)
	}
	now, _, err := b.Audit(ctx, itself(found[0]))
	return now, err
}

// itself is an audit that is to be read whole.
func itself(a shape.Audit) model.Audit { return model.Audit{ID: a.ID, Connection: a.Connection} }
