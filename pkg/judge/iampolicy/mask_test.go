package iampolicy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// TestMaskRefusesWhatNoPolicyIs: it is not kept, nor taken for a policy.
func TestMaskRefusesWhatNoPolicyIs(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"too long": `{"Statement": [], "Id": "` + strings.Repeat("s3cr3t", 100_000) + `"}`,
		"too deep": strings.Repeat("[", 50_000) + `{"sts:ExternalId": "s3cr3t"}` + strings.Repeat("]", 50_000),
	} {
		got := iampolicy.Mask(document, "")
		if _, err := iampolicy.Parse(got); len(got) > 100 || !errors.Is(err, iampolicy.ErrMalformed) {
			t.Errorf("%s: %.100s, %v", name, got, err)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	around := func(condition string) string {
		return `{"Version": "2012-10-17",  "Statement": [{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole", "Condition": ` + condition + ` }]}`
	}
	for name, c := range map[string]struct{ in, want string }{
		"fixed":           {around(`{"StringEquals": {"sts:ExternalId": "s3cr3t"}}`), around(`{"StringEquals": {"sts:ExternalId": "[redacted]"}}`)},
		"several":         {around(`{"StringEquals":{"sts:ExternalId":["s3cr3t" , "s3cr3t2", "s3cr3t"],"aws:x":"y"}}`), around(`{"StringEquals":{"sts:ExternalId":["[redacted]" , "[redacted 2]", "[redacted]"],"aws:x":"y"}}`)},
		"another case":    {around(`{"StringEquals":{"STS:externalID":"s3cr3t"}}`), around(`{"StringEquals":{"STS:externalID":"[redacted]"}}`)},
		"escaped":         {around(`{"StringEquals":{"\u0073ts:ExternalId":"s\u0033cr3t\"\\"}}`), around(`{"StringEquals":{"\u0073ts:ExternalId":"[redacted]"}}`)},
		"pattern":         {around(`{"StringLike":{"sts:ExternalId":"s3cr3t-*"}}`), around(`{"StringLike":{"sts:ExternalId":"[redacted]*"}}`)},
		"anything":        {around(`{"StringLike":{"sts:ExternalId":"*"}}`), around(`{"StringLike":{"sts:ExternalId":"*"}}`)},
		"empty":           {around(`{"StringEquals":{"sts:ExternalId":""}}`), around(`{"StringEquals":{"sts:ExternalId":""}}`)},
		"variable":        {around(`{"StringEquals":{"sts:ExternalId":"${aws:username}"}}`), around(`{"StringEquals":{"sts:ExternalId":"${aws:username}"}}`)},
		"none":            {around(`{"StringEquals":{"aws:x":"y"}}`), around(`{"StringEquals":{"aws:x":"y"}}`)},
		"twice":           {around(`{"StringEquals":{"sts:ExternalId":"s3cr3t","sts:ExternalId":"s3cr3t"}}`), around(`{"StringEquals":{"sts:ExternalId":"[redacted]","sts:ExternalId":"[redacted]"}}`)},
		"number":          {around(`{"StringEquals":{"sts:ExternalId":12345678}}`), around(`{"StringEquals":{"sts:ExternalId":"[redacted]"}}`)},
		"large number":    {around(`{"StringEquals":{"sts:ExternalId" : 123456789012345678901234567890}}`), around(`{"StringEquals":{"sts:ExternalId" : "[redacted]"}}`)},
		"numbers":         {around(`{"StringEquals":{"sts:ExternalId":[1, 2.5 ,-3e7,"x"]}}`), around(`{"StringEquals":{"sts:ExternalId":["[redacted]", "[redacted 2]" ,"[redacted 3]","[redacted 4]"]}}`)},
		"boolean":         {around(`{"StringEquals":{"sts:ExternalId":true}}`), around(`{"StringEquals":{"sts:ExternalId":"[redacted]"}}`)},
		"no value":        {around(`{"StringEquals":{"sts:ExternalId":null}}`), around(`{"StringEquals":{"sts:ExternalId":null}}`)},
		"within":          {around(`{"StringEquals":{"sts:ExternalId":{"a":{"b":[7]}}}}`), around(`{"StringEquals":{"sts:ExternalId":{"a":{"b":["[redacted]"]}}}}`)},
		"absent":          {around(`{"Null":{"sts:ExternalId":"true"}}`), around(`{"Null":{"sts:ExternalId":"true"}}`)},
		"not absent":      {around(`{"null":{"sts:externalid":["false"]}}`), around(`{"null":{"sts:externalid":["false"]}}`)},
		"under Null":      {around(`{"Null":{"sts:ExternalId":"s3cr3t"}}`), around(`{"Null":{"sts:ExternalId":"[redacted]"}}`)},
		"no JSON":         {`{"sts:ExternalId": "s3cr3t`, `not JSON`},
		"a Referer":       {around(`{"StringLike":{"aws:Referer":["s3cr3t","https://s3cr3t/*"]}}`), around(`{"StringLike":{"aws:Referer":["[redacted]","[redacted 2]*"]}}`)},
		"a User-Agent":    {around(`{"ForAnyValue:StringEqualsIfExists":{"AWS:USERAGENT":"s3cr3t"}}`), around(`{"ForAnyValue:StringEqualsIfExists":{"AWS:USERAGENT":"[redacted]"}}`)},
		"a token":         {around(`{"StringEquals":{"lambda:EventSourceToken":"s3cr3t"}}`), around(`{"StringEquals":{"lambda:EventSourceToken":"[redacted]"}}`)},
		"the own account": {around(`{"StringEquals":{"aws:Referer":["111122223333", 111122223333, "444455556666"]}}`), around(`{"StringEquals":{"aws:Referer":["111122223333", 111122223333, "[redacted]"]}}`)},
		"no text":         {"", ""},
		"other value":     {around(`{"Null":{"sts:ExternalId":true}}`), around(`{"Null":{"sts:ExternalId":true}}`)},
		"the key as text": {around(`{"StringEquals":{"aws:x":"sts:ExternalId"}}`), around(`{"StringEquals":{"aws:x":"sts:ExternalId"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := iampolicy.Mask(c.in, "111122223333")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if again := iampolicy.Mask(got, "111122223333"); again != got {
				t.Errorf("hidden again: %s", again)
			}
			was, err := iampolicy.Parse(c.in)
			is, err2 := iampolicy.Parse(got)
			if (err == nil) != (err2 == nil) {
				t.Fatalf("parsed %v before, %v after", err, err2)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(was.Trusts(zone()), is.Trusts(zone())); diff != "" {
				t.Errorf("the role trusts others now (-was +is):\n%s", diff)
			}
		})
	}
}
