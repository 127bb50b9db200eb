package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Progress is how far an audit is.
type Progress struct {
	Done    int           `json:"tasks_done"`
	Total   int           `json:"tasks_total"`
	Calls   int           `json:"calls"`
	Seconds int64         `json:"eta_seconds"` // until the end; 0 if that cannot be told
	Wait    time.Duration `json:"-"`           // before it is looked at again
}

// auditsAtOnce is how many audits a page has. Most who list audits look at the newest.
var auditsAtOnce = sizes{1, 100}

// Audits yields the audits of a connection in short, the newest first.
func (c *Client) Audits(ctx context.Context, id model.ConnectionID) iter.Seq2[shape.Audit, error] {
	return pages[shape.Audit](ctx, c, path(id)+"/audits", "audits", auditsAtOnce, nil)
}

// LatestAudit is the newest audit of a connection; false says that there is none.
func (c *Client) LatestAudit(ctx context.Context, id model.ConnectionID) (a shape.Audit, found bool, err error) {
	for a, err := range c.Audits(ctx, id) {
		return a, err == nil, err
	}
	return a, false, nil
}

func auditPath(a model.Audit) string {
	return path(a.Connection) + "/audits/" + url.PathEscape(string(a.ID))
}

// Audit reads an audit, of which its ids are enough, and how far it is.
func (c *Client) Audit(ctx context.Context, a model.Audit) (model.Audit, Progress, error) {
	return c.audit(ctx, "read audit "+string(a.ID), http.MethodGet, auditPath(a), nil, nil)
}

// StartAudit begins an audit of a connection. The same key again gives the audit that it
// gave before.
func (c *Client) StartAudit(ctx context.Context, key string, id model.ConnectionID) (model.Audit, Progress, error) {
	return c.audit(ctx, "start an audit", http.MethodPost, "/v1/audits", map[string]string{KeyHeader: key}, map[string]model.ConnectionID{"connection": id})
}

// CancelAudit stops an audit that runs.
func (c *Client) CancelAudit(ctx context.Context, a model.Audit) (model.Audit, Progress, error) {
	return c.audit(ctx, "cancel audit "+string(a.ID), http.MethodPost, auditPath(a)+"/cancel", nil, nil)
}

// RetryAudit goes on with an audit that was cancelled, or in which something failed.
func (c *Client) RetryAudit(ctx context.Context, a model.Audit) (model.Audit, Progress, error) {
	return c.audit(ctx, "resume audit "+string(a.ID), http.MethodPost, auditPath(a)+"/retry", nil, nil)
}

func (c *Client) audit(ctx context.Context, doing, method, path string, header map[string]string, in any) (model.Audit, Progress, error) {
	var out struct {
		model.Audit
		Progress Progress `json:"progress"`
	}
	answered, err := c.Call(ctx, method, path, header, in, &out)
	if err != nil {
		return out.Audit, out.Progress, fmt.Errorf("%s: %w", doing, err)
	}
	out.Progress.Wait = retryAfter(answered)
	return out.Audit, out.Progress, nil
}

// Calls yields the calls that an audit made to AWS.
func (c *Client) Calls(ctx context.Context, a model.Audit) iter.Seq2[ledger.Entry, error] {
	return pages[ledger.Entry](ctx, c, auditPath(a)+"/calls", "calls", sizes{2000, 2000}, nil)
}

// verdictsAtOnce is the most verdicts and resources of a page.
var verdictsAtOnce = sizes{500, 500}

// Verdicts yields what an audit said of each resource, as far as it fits the words of a
// filter.
func (c *Client) Verdicts(ctx context.Context, a model.Audit, words ...string) iter.Seq2[shape.Verdict, error] {
	return pages[shape.Verdict](ctx, c, auditPath(a)+"/verdicts", "verdicts", verdictsAtOnce, nil, words...)
}

// Compare is what is different between two audits of an account.
func (c *Client) Compare(ctx context.Context, older, newer model.Audit) ([]shape.Difference, error) {
	return collected(pages[shape.Difference](ctx, c, auditPath(newer)+"/diff", "differences", verdictsAtOnce, url.Values{"since": {string(older.ID)}}))
}

// Drift is what was missing in an audit, and since when.
func (c *Client) Drift(ctx context.Context, a model.Audit) (r drift.Report, err error) {
	_, err = c.Call(ctx, http.MethodGet, path(a.Connection)+"/drift?audit="+url.QueryEscape(string(a.ID)), nil, nil, &r)
	if err != nil {
		err = fmt.Errorf("ask the server what is missing: %w", err)
	}
	return r, err
}

// VerifyAudit has the server tell whether what it keeps of an audit is as it was written.
func (c *Client) VerifyAudit(ctx context.Context, a model.Audit) (v pipeline.Verification, err error) {
	if _, err = c.Call(ctx, http.MethodGet, auditPath(a)+"/verification", nil, nil, &v); err != nil {
		err = fmt.Errorf("verify audit %s: %w", a.ID, err)
	}
	return v, err
}
