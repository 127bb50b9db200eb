package index_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// plain is a sealer that seals nothing, and tells what was altered.
type plain struct{}

func (plain) Seal(_ context.Context, purpose, text string) (string, error) {
	return base64.RawURLEncoding.EncodeToString([]byte(purpose + "\n" + text)), nil
}

func (plain) Open(_ context.Context, purpose, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	text, ok := strings.CutPrefix(string(raw), purpose+"\n")
	if err != nil || !ok {
		return "", index.ErrCursor
	}
	return text, nil
}

// What findings are drawn from: little, so that many are equal in much.
var (
	checkIDs   = []string{"s3-encrypted", "s3-logged", "iam-mfa", "kms-rotates", "odd/check*"}
	regions    = []string{"eu-west-1", "us-east-1", model.Global}
	arns       = []string{"arn:aws:s3:::Logs", "arn:aws:s3:::logs/a", "arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/", "a", "", "arn:aws:kms:eu-west-1:1:key/é/ü", "arn:aws:s3:::logs/a/b", "arn:aws:logs:e:111111111111:x:222222222222:y", "arn:aws:logs:e:333333333333:x:222222222222:y", "arn:a:b::111111111111"}
	tagKeys    = []string{"env", "team"}
	tagValues  = []string{"prod", "dev", "", "Prod"}
	projects   = []string{"", "p1", "p2"}
	severities = []string{"critical", "high", "medium", "low"}
	states     = []string{"open", "reopened", "resolved"}
	began      = time.Date(2026, 5, 1, 10, 0, 0, 123456789, time.UTC)
)

var texts = index.Texts{
	"s3-encrypted": {Pillar: model.Security, Controls: map[string][]string{"cis-aws-5.0": {"2.1"}, "fsbp": {"S3.1"}}},
	"s3-logged":    {Pillar: model.Operations, Controls: map[string][]string{"fsbp": {"S3.9"}}},
	"iam-mfa":      {Pillar: model.Security},
}

// today is how grave checks are today.
func today(id model.CheckID) (model.Severity, bool) {
	return map[model.CheckID]model.Severity{"s3-logged": model.Low, "iam-mfa": model.Critical}[id], id == "s3-logged" || id == "iam-mfa"
}

var checks = index.Checks{Texts: texts, Severity: today}

func drawTime(t *rapid.T, name string) time.Time {
	n := rapid.IntRange(-1, 4).Draw(t, name)
	if n < 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(n) * 12 * time.Hour)
}

func drawEntry(t *rapid.T, connection model.ConnectionID) index.Entry {
	pick := func(from []string, name string) string { return rapid.SampledFrom(from).Draw(t, name) }
	f := model.Finding{
		Check: model.CheckID(pick(checkIDs, "check")), Service: pick([]string{"s3", "iam", "kms"}, "service"), Kind: pick([]string{"AWS::S3::Bucket", "AWS::IAM::User"}, "kind"),
		Severity: model.Severity(pick(severities, "severity")), Connection: connection,
		Resource: model.Ref{
			ARN: pick(arns, "arn"), Sub: pick([]string{"", "", "key/1", "key/2"}, "sub"), Account: pick([]string{"111111111111", "222222222222"}, "account"),
			Region: pick(regions, "region"), Name: pick([]string{"", "logs", "Logs", "\x01", "\x01a", "a"}, "name"),
		},
		State: model.FindingState(pick(states, "state")), Reason: rapid.String().Draw(t, "reason"), FirstSeen: drawTime(t, "first"),
	}
	if !f.State.Open() {
		f.ResolvedAt, f.Why = drawTime(t, "resolved"), model.WhyFixed
	}
	if rapid.Bool().Draw(t, "is folded") {
		f.Cause = model.CheckID(pick(checkIDs, "cause"))
	}
	if rapid.Bool().Draw(t, "is blind") {
		f.BlindSince = drawTime(t, "blind")
	}
	f.Reopened = rapid.IntRange(0, 3).Draw(t, "reopened")
	f.ID = model.NewFindingID(f.Check, f.Resource)
	return index.Entry{Finding: f}
}

// tagsOf are the tags of a resource, which follow from its ARN.
func tagsOf(r model.Ref) (map[string]string, bool) {
	n := len(r.ARN)
	switch n % 3 {
	case 0:
		return nil, false
	case 1:
		return map[string]string{}, true
	default:
		return map[string]string{tagKeys[n%2]: tagValues[n%4]}, true
	}
}

// oracle answers as the words of filters say, one finding after the other.
type oracle struct {
	entries  []index.Entry
	projects map[model.ConnectionID][]string
	called   map[model.ConnectionID]string
}

func (o oracle) fields() filter.Fields[index.Entry] {
	fields := filter.Fields[index.Entry]{
		"connection": func(e index.Entry) []string { return []string{string(e.Connection)} },
		"project":    func(e index.Entry) []string { return o.projects[e.Connection] },
	}
	fields["tags"] = func(e index.Entry) []string {
		switch {
		case !e.TagsKnown:
			return []string{index.TagsUnknown}
		case len(e.Tags) == 0:
			return []string{"none"}
		}
		return []string{"some"}
	}
	for name, values := range index.Fields(texts) {
		fields[name] = func(e index.Entry) []string { return values(e.Finding) }
	}
	for _, key := range tagKeys {
		fields["tag:"+key] = func(e index.Entry) []string {
			if !e.TagsKnown {
				return filter.Unknown
			}
			if v, ok := e.Tags[key]; ok {
				return []string{v}
			}
			return nil
		}
	}
	return fields
}

func (o oracle) find(words []string, sees func(string) bool) ([]index.Entry, error) {
	f, err := filter.Parse(o.fields(), words)
	if err != nil {
		return nil, err
	}
	var found []index.Entry
	for _, e := range o.entries {
		own := o.projects[e.Connection]
		visible := !slices.ContainsFunc(own, func(p string) bool { return !sees(p) })
		if len(own) == 0 {
			visible = sees("")
		}
		if visible && f.Match(e) {
			found = append(found, e)
		}
	}
	return found, nil
}

func compare(order []index.Order) func(a, b index.Entry) int {
	seconds := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.Unix()
	}
	by := map[string]func(a, b index.Entry) int{
		"severity":    func(a, b index.Entry) int { return a.Severity.Weight() - b.Severity.Weight() },
		"first_seen":  func(a, b index.Entry) int { return cmp.Compare(seconds(a.FirstSeen), seconds(b.FirstSeen)) },
		"resolved_at": func(a, b index.Entry) int { return cmp.Compare(seconds(a.ResolvedAt), seconds(b.ResolvedAt)) },
		"resource": func(a, b index.Entry) int {
			return cmp.Or(cmp.Compare(a.Resource.ARN, b.Resource.ARN), cmp.Compare(a.Resource.Sub, b.Resource.Sub))
		},
	}
	o := oracle{}
	return func(a, b index.Entry) int {
		for _, one := range order {
			c, ok := by[one.Field]
			if !ok {
				values := o.fields()[one.Field]
				c = func(a, b index.Entry) int { return cmp.Compare(values(a)[0], values(b)[0]) }
			}
			d := c(a, b)
			if one.Desc {
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Connection, b.Connection))
	}
}

func (o oracle) groups(found []index.Entry, field string) map[string]int {
	counts := map[string]int{}
	for _, e := range found {
		values := o.fields()[field](e)
		if slices.Equal(values, filter.Unknown) {
			continue
		}
		for _, v := range values {
			counts[v]++
		}
	}
	return counts
}

func drawWord(t *rapid.T) string {
	fields := append(index.Filterable(), "tag:env", "tag:team")
	field := rapid.SampledFrom(slices.DeleteFunc(fields, func(f string) bool { return f == "tag:" })).Draw(t, "field")
	if strings.HasSuffix(field, "_at") || strings.HasPrefix(field, "first") {
		if op := rapid.SampledFrom([]string{">=", "<=", ">", "<", ""}).Draw(t, "range"); op != "" {
			at := drawTime(t, "bound")
			return field + op + rapid.SampledFrom([]string{at.Format(time.DateOnly), at.Format(time.RFC3339), at.Format(time.RFC3339Nano)}).Draw(t, "form")
		}
	}
	pool := slices.Concat(checkIDs, regions, arns, tagValues, projects, severities, states, []string{
		"true", "false", "fail", "pass", "unknown", "none", "some", "*", "?*", "s3*", "*S3*", "*a", "c?", "c1", "c2", "aws::*", "[a-m]*", "*/*", "security", "cis*", "fsbp", "0*", "2026-05-01*", "\\*", "s3", "iam",
	})
	values := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "values")
	return field + rapid.SampledFrom([]string{"=", "!="}).Draw(t, "operator") + strings.Join(values, ",")
}
