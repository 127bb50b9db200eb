package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func (a *API) calls(api huma.API) {
	register(api, mayRead, huma.Operation{
		OperationID: "list-calls", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits/{audit}/calls",
		Summary: "List the calls that an audit made to AWS, with AWS's request ids", Tags: []string{"audits"},
		Description: "Those of attempts that failed are among them; those of a task that runs are there after half a minute. With Accept: application/x-ndjson each call is a line, as `cloudarq audit calls -o ndjson` writes it, and the cursor is in the header alone.",
	}, a.listCalls)
}

type callsPage struct {
	Calls  []ledger.Entry `json:"calls"`
	Cursor string         `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
}

type callsAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   callsPage
}

// errFull ends the reading of a page.
var errFull = errors.New("the page is full")

// listCalls goes through the ledgers of an audit one after the other. Its cursor
// is an attempt at a task and how many of that attempt's calls were listed.
func (a *API) listCalls(ctx context.Context, in *struct {
	AuditPath
	Service string `query:"service" maxLength:"64" doc:"Only the calls that were made to audit this service, or \"connect\": to open the account"`
	Cursor  string `query:"cursor" maxLength:"4096"`
	Limit   int    `query:"limit" minimum:"1" maximum:"5000" default:"1000"`
},
) (*callsAnswer, error) {
	org, audit, err := a.audit(ctx, &in.AuditPath)
	if err != nil {
		return nil, err
	}
	tasks, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	all, err := pipeline.Ledgers(ctx, a.Evidence, callerOf(ctx).Organization, audit, tasks)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if in.Service != "" {
		all = slices.DeleteFunc(all, func(l pipeline.Ledger) bool { return string(l.Task) != in.Service })
		known := in.Service == "connect" || slices.ContainsFunc(tasks, func(t model.Task) bool { return string(t.ID) == in.Service })
		if len(all) == 0 && !known {
			return nil, invalid(ctx, "query.service", strconv.Quote(in.Service)+" is none of the audit's services")
		}
	}
	all = slices.DeleteFunc(all, func(l pipeline.Ledger) bool { return l.Unrecorded })
	after, err := a.after(ctx, in.Cursor)
	if err != nil {
		return nil, err
	}
	at, skip, err := callsCursor(after, all)
	if err != nil {
		return nil, a.cursor(ctx, err)
	}
	out := &callsAnswer{Body: callsPage{Calls: []ledger.Entry{}}}
	for ; at < len(all); at, skip = at+1, 0 {
		line := 0
		err := pipeline.ReadLedger(ctx, a.Evidence, all[at].Object, func(e ledger.Entry) error {
			if line++; line <= skip {
				return nil
			}
			if len(out.Body.Calls) == in.Limit {
				return errFull
			}
			out.Body.Calls, skip = append(out.Body.Calls, e), line
			return nil
		})
		switch {
		case err == nil || errors.Is(err, blob.ErrNotFound) && (!all[at].Known() || audit.Forgotten(a.Now())): // not written yet, or older than evidence is kept
		case errors.Is(err, errFull):
			out.Cursor, err = a.next(ctx, ledgerName(all[at])+"\x00"+strconv.Itoa(skip))
			out.Body.Cursor = out.Cursor
			return out, err
		default:
			return nil, a.answer(ctx, err)
		}
	}
	return out, nil
}

// ledgerName is what a cursor knows a ledger by.
func ledgerName(l pipeline.Ledger) string { return string(l.Task) + "." + l.Attempt }

// callsCursor says which ledger a page begins in, and after how many calls of it.
func callsCursor(cursor string, all []pipeline.Ledger) (at, skip int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	name, line, _ := strings.Cut(cursor, "\x00")
	at = slices.IndexFunc(all, func(l pipeline.Ledger) bool { return ledgerName(l) == name })
	if skip, err = strconv.Atoi(line); err != nil || skip < 0 || at < 0 {
		return 0, 0, table.ErrCursor
	}
	return at, skip, nil
}

// ndjson is the media type of JSON lines, in which requests cannot be.
const ndjson = "application/x-ndjson"

var jsonLines = huma.Format{
	Marshal:   writeLines,
	Unmarshal: func([]byte, any) error { return fmt.Errorf("%w: %s", huma.ErrUnknownContentType, ndjson) },
}

// lined is an answer that is a list, each entry of which can be a line.
type lined interface{ lines() iter.Seq[any] }

// isLined reports whether the body of an answer is such a list.
func isLined[O any]() bool {
	body, ok := reflect.TypeFor[O]().FieldByName("Body")
	return ok && body.Type.Implements(reflect.TypeFor[lined]())
}

func (p callsPage) lines() iter.Seq[any] { return linesOf(p.Calls) }

func linesOf[T any](list []T) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, one := range list {
			if !yield(one) {
				return
			}
		}
	}
}

// writeLines writes a list as a line for each of its entries, and anything else, which is
// on one line, too, as it is.
func writeLines(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	page, ok := v.(lined)
	if !ok {
		return encoder.Encode(v)
	}
	for line := range page.lines() {
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
