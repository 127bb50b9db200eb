package report

import (
	"context"
	_ "embed"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

//go:embed html.css
var css string

// Page is the HTML report of one or more audits. It is one file without
// scripts; everything that AWS supplied is escaped.
type Page struct {
	Texts map[model.CheckID]check.Text

	sections []section
}

type section struct {
	audit  model.Audit
	groups []group // the gravest first
}

// group is the failures of one check.
type group struct {
	check    model.CheckID
	severity model.Severity
	failures []shape.Verdict
}

// Add adds an audit that ended with a summary, with its failures sorted by
// gravity.
func (p *Page) Add(audit model.Audit, failures []shape.Verdict) {
	s := section{audit: audit}
	for _, f := range failures {
		if n := len(s.groups); n == 0 || s.groups[n-1].check != f.Check {
			s.groups = append(s.groups, group{check: f.Check, severity: f.Severity})
		}
		last := &s.groups[len(s.groups)-1]
		last.failures = append(last.failures, f)
	}
	p.sections = append(p.sections, s)
}

// Write writes the page. Escaping leaves what turns text round as it is, so that a name
// could be shown as another.
func (p *Page) Write(ctx context.Context, w io.Writer) error {
	return document(p).Render(ctx, &plainWriter{w: w})
}

func (s section) services() []string { return slices.Sorted(maps.Keys(s.audit.Summary.Services)) }

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func stamp(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// by says which version began an audit, if that is known.
func by(version string) string {
	if version == "" {
		return ""
	}
	return ", by CloudArq " + version
}

func resourceName(v shape.Verdict) string {
	if v.Part == "" {
		return v.Resource
	}
	return v.Resource + " " + v.Part
}

// proof is the evidence of a verdict as text.
func proof(v shape.Verdict) string {
	var b strings.Builder
	for _, x := range v.Evidence {
		b.WriteString(x.Fact)
		if x.Resource != "" {
			b.WriteString(" of " + x.Resource)
		}
		b.WriteString("\n" + pretty(x) + "\n")
	}
	return b.String()
}

func checkList(ids []model.CheckID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	return strings.Join(names, ", ")
}
