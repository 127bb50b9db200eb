package iampolicy_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

const everyElement = `{
	"Version": "2012-10-17", "Id": "all",
	"Statement": [{
		"Sid": "A", "Effect": "Allow",
		"Principal": {"AWS": ["*", "111122223333"], "Service": "s3.amazonaws.com", "Federated": ["graph.facebook.com"], "CanonicalUser": "79a5"},
		"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*"],
		"Condition": {
			"StringEquals": {"aws:SourceAccount": ["1", 2, true], "AWS:SourceOwner": "3"},
			"ForAnyValue:StringLikeIfExists": {"aws:PrincipalOrgPaths": "o-1/*"},
			"Null": {"aws:TokenIssueTime": true},
			"NumericLessThan": {"s3:TlsVersion": 1.20}
		}
	}, {"Effect": "Deny", "NotPrincipal": "*", "NotAction": ["s3:*"], "NotResource": "*"}]
}`

func TestParseEveryElement(t *testing.T) {
	want := iampolicy.Policy{Version: "2012-10-17", ID: "all", Statements: []iampolicy.Statement{{
		Sid: "A", Effect: iampolicy.Allow,
		Principal: iampolicy.Principals{
			AWS: []string{"*", "111122223333"}, Service: []string{"s3.amazonaws.com"},
			Federated: []string{"graph.facebook.com"}, CanonicalUser: []string{"79a5"},
		},
		Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"},
		Conditions: []iampolicy.Condition{
			{Operator: iampolicy.Operator{Name: "StringEquals"}, Key: "aws:SourceAccount", Values: []string{"1", "2", "true"}},
			{Operator: iampolicy.Operator{Name: "StringEquals"}, Key: "AWS:SourceOwner", Values: []string{"3"}},
			{Operator: iampolicy.Operator{Name: "StringLike", Quantifier: "ForAnyValue", IfExists: true}, Key: "aws:PrincipalOrgPaths", Values: []string{"o-1/*"}},
			{Operator: iampolicy.Operator{Name: "Null"}, Key: "aws:TokenIssueTime", Values: []string{"true"}},
			{Operator: iampolicy.Operator{Name: "NumericLessThan"}, Key: "s3:TlsVersion", Values: []string{"1.20"}},
		},
	}, {
		Effect: iampolicy.Deny, NotPrincipal: iampolicy.Principals{Any: true},
		NotActions: []string{"s3:*"}, NotResources: []string{"*"},
	}}}
	for name, read := range map[string]func() (iampolicy.Policy, error){
		"plain":         func() (iampolicy.Policy, error) { return iampolicy.Parse(everyElement) },
		"percent":       func() (iampolicy.Policy, error) { return iampolicy.ParseURLEncoded(url.PathEscape(everyElement)) },
		"not encoded":   func() (iampolicy.Policy, error) { return iampolicy.ParseURLEncoded(everyElement) },
		"written again": func() (iampolicy.Policy, error) { return again(t, everyElement) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(iampolicy.Statement{})); d != "" {
				t.Error(d)
			}
		})
	}
	if p, err := iampolicy.ParseURLEncoded(`%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a+b%22%7D%7D`); err != nil || p.Statements[0].Actions[0] != "a+b" {
		t.Errorf("plus sign: %+v, %v", p, err)
	}
}

func again(t testing.TB, doc string) (iampolicy.Policy, error) {
	t.Helper()
	p, err := iampolicy.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return iampolicy.Parse(string(text))
}

func TestParseRefuses(t *testing.T) {
	statement := func(s string) string { return `{"Statement": [` + s + `]}` }
	for name, doc := range map[string]string{
		"empty":                         ``,
		"white space":                   ` `,
		"null":                          `null`,
		"list":                          `[]`,
		"text":                          `"Statement"`,
		"cut off":                       `{"Statement": [`,
		"two documents":                 `{"Statement": []} {}`,
		"trailing comma":                `{"Statement": [],}`,
		"no statement":                  `{"Version": "2012-10-17"}`,
		"statement null":                `{"Statement": null}`,
		"statement a string":            `{"Statement": "x"}`,
		"unknown version":               `{"Version": "2013-01-01", "Statement": []}`,
		"unknown element":               `{"Statement": [], "Statements": []}`,
		"wrong case":                    `{"statement": []}`,
		"statement twice":               `{"Statement": [], "Statement": []}`,
		"no effect":                     statement(`{"Action": "*"}`),
		"unknown effect":                statement(`{"Effect": "allow", "Action": "*"}`),
		"no action":                     statement(`{"Effect": "Allow", "Resource": "*"}`),
		"both actions":                  statement(`{"Effect": "Allow", "Action": "*", "NotAction": "x:y"}`),
		"both resources":                statement(`{"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}`),
		"both principals":               statement(`{"Effect": "Allow", "Action": "*", "Principal": "*", "NotPrincipal": "*"}`),
		"empty actions":                 statement(`{"Effect": "Allow", "Action": []}`),
		"empty action":                  statement(`{"Effect": "Allow", "Action": ""}`),
		"number as action":              statement(`{"Effect": "Allow", "Action": 1}`),
		"unknown statement element":     statement(`{"Effect": "Allow", "Action": "*", "Conditions": {}}`),
		"principal a name":              statement(`{"Effect": "Allow", "Action": "*", "Principal": "111122223333"}`),
		"principal empty":               statement(`{"Effect": "Allow", "Action": "*", "Principal": {}}`),
		"principal list":                statement(`{"Effect": "Allow", "Action": "*", "Principal": ["*"]}`),
		"principal of unknown kind":     statement(`{"Effect": "Allow", "Action": "*", "Principal": {"Aws": "*"}}`),
		"principal twice":               statement(`{"Effect": "Allow", "Action": "*", "Principal": {"AWS": "1", "AWS": "*"}}`),
		"principal null":                statement(`{"Effect": "Allow", "Action": "*", "Principal": null}`),
		"condition a list":              statement(`{"Effect": "Allow", "Action": "*", "Condition": []}`),
		"condition null":                statement(`{"Effect": "Allow", "Action": "*", "Condition": null}`),
		"unknown operator":              statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringIs": {"a": "b"}}}`),
		"unknown quantifier":            statement(`{"Effect": "Allow", "Action": "*", "Condition": {"ForSomeValue:StringEquals": {"a": "b"}}}`),
		"null if exists":                statement(`{"Effect": "Allow", "Action": "*", "Condition": {"NullIfExists": {"a": "true"}}}`),
		"operator twice, cases differ":  statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"a": "b"}, "stringEquals": {"c": "d"}}}`),
		"key twice, cases differ":       statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"aws:SourceIp": "b", "AWS:sourceip": "c"}}}`),
		"condition value null":          statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"a": null}}}`),
		"condition value an object":     statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"a": {"b": "c"}}}}`),
		"condition key empty":           statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"": "c"}}}`),
		"condition keys not an object":  statement(`{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": "c"}}`),
		"nested lists":                  statement(`{"Effect": "Allow", "Action": [["*"]]}`),
		"longer than any policy":        `{"Statement": []` + strings.Repeat(" ", 128<<10) + `}`,
		"nested too deeply":             `{"Statement": [[[[[[[[[[[[[[]]]]]]]]]]]]]]}`,
		"percent-encoded, not by Parse": url.PathEscape(everyElement),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := iampolicy.Parse(doc)
			if !errors.Is(err, iampolicy.ErrMalformed) {
				t.Errorf("parsed as %+v, %v", p, err)
			}
			if len(p.Statements) > 0 {
				t.Error("an error and a policy")
			}
		})
	}
	if _, err := iampolicy.ParseURLEncoded("%7B%zz"); !errors.Is(err, iampolicy.ErrMalformed) {
		t.Errorf("bad escape: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everyElement)
	f.Add(url.PathEscape(everyElement))
	f.Add(`{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"AWS": "*"}, "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}}`)
	f.Add(`{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/gitlab.com"}, "Condition": {"StringLike": {"gitlab.com:sub": "a:b/*"}}}}`)
	f.Add(`{"Statement": [{"Effect": "Allow", "Action": "?*", "Principal": "*"}, {"Effect": "Deny", "Action": "*", "Principal": "*", "Condition": {"StringNotLike": {"aws:SourceArn": "arn:aws:s3:::b"}}}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := iampolicy.ParseURLEncoded(doc)
		if err != nil {
			return
		}
		first := p.Evaluate(zone(), "s3:Get*", "?")
		p.EvaluateEndpoint(ignorant)
		p.Trusts(ignorant)
		p.Allows("s3:*", "")
		p.RequiresTLS([]string{"s3:*"}, []string{"*"})
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := iampolicy.Parse(string(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if d := cmp.Diff(p, q, cmp.AllowUnexported(iampolicy.Statement{})); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(first, q.Evaluate(zone(), "s3:Get*", "?")); d != "" {
			t.Fatal(d)
		}
	})
}
