package iampolicy_test

import (
	"encoding/json"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// FuzzValues tries principals, keys, operators and values of conditions: nothing panics,
// and to know more of the zone of trust never widens what a policy lets in.
func FuzzValues(f *testing.F) {
	for _, seed := range []struct{ principal, operator, key, value string }{
		{"*", "StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"},
		{"*", "StringLike", "aws:SourceArn", "arn:aws:logs:*:111122223333:*"},
		{"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", "IpAddress", "aws:SourceIp", "0.0.0.0/1"},
		{"444455556666", "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-1/*"},
		{"*", "StringLike", "token.actions.githubusercontent.com:sub", "repo:me/*"},
		{"*", "ArnNotLikeIfExists", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/?"},
		{"*", "Null", "aws:SourceAccount", "false"},
		{"*", "StringEquals", "s3:ResourceAccount", "${aws:PrincipalAccount, 'x'}"},
	} {
		f.Add(seed.principal, seed.operator, seed.key, seed.value)
	}
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			panic(err) // strings can be written
		}
		return string(text)
	}
	f.Fuzz(func(t *testing.T, principal, operator, key, value string) {
		condition := `{` + quoted(operator) + `: {` + quoted(key) + `: ` + quoted(value) + `}}`
		doc := `{"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Principal": {"AWS": ` + quoted(principal) + `, "Service": "s3.amazonaws.com"}, "Action": "*", "Resource": ` + quoted("x"+value) + `, "Condition": ` + condition + `},
			{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": ` + quoted("x"+value) + `, "Condition": ` + condition + `}]}`
		p, err := iampolicy.Parse(doc)
		if err != nil {
			return
		}
		known, unknown := p.Evaluate(zone("bucket b", "origin access identity E1")), p.Evaluate(ignorant)
		if widest(known) > widest(unknown) {
			t.Fatalf("%s, and %s for who knows nothing of the zone: %s", widest(known), widest(unknown), doc)
		}
		p.EvaluateEndpoint(zone())
		p.Trusts(ignorant)
		if hidden := iampolicy.Mask(doc, "111122223333"); iampolicy.Mask(hidden, "111122223333") != hidden {
			t.Fatalf("hidden twice: %s", hidden)
		}
	})
}
