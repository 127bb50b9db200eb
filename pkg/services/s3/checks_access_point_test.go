package s3_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

func accessPointCases() checktest.Table {
	point := func(policy fact.Of[string], block s3.PublicAccessBlock) s3.AccessPoint {
		return s3.AccessPoint{
			Resource:          model.Resource{Ref: model.Ref{ARN: "arn:aws:s3:eu-west-1:111122223333:accesspoint/reader", Account: accountID, Region: "eu-west-1", Name: "reader"}},
			PublicAccessBlock: fact.Known(block), Policy: policy,
		}
	}
	statement := func(principal string) fact.Of[string] {
		return fact.Known(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
			`,"Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:111122223333:accesspoint/reader/object/*"}]}`)
	}
	own, partner, everybody := statement(`{"AWS":"arn:aws:iam::111122223333:role/reader"}`), statement(`{"AWS":"arn:aws:iam::444455556666:root"}`), statement(`"*"`)
	none, denied := fact.Known(""), fact.Missing[string](fact.Denied, "s3:GetAccessPointPolicy")
	unknown := point(none, off)
	unknown.PublicAccessBlock = fact.Missing[s3.PublicAccessBlock](fact.Denied, "s3:GetAccessPoint")
	return checktest.Table{
		"s3-access-point-public-access-block": {
			{Name: "on", Resource: point(none, allOn), Want: check.Pass},
			{Name: "off", Resource: point(none, off), Want: check.Fail},
			{Name: "in part", Resource: point(none, s3.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true}), Want: check.Fail},
			{Name: "denied", Resource: unknown, Want: check.NotAssessed},
		},
		"s3-access-point-policy-not-public": {
			{Name: "no policy", Resource: point(none, off), Others: accountOff, Want: check.Pass},
			{Name: "own role", Resource: point(own, off), Others: accountOff, Want: check.Pass},
			{Name: "a partner is another check's", Resource: point(partner, off), Others: accountOff, Want: check.Pass},
			{Name: "everybody", Resource: point(everybody, off), Others: accountOff, Want: check.Fail},
			{Name: "everybody, kept out again", Resource: point(everybody, allOn), Others: accountOff, Want: check.Pass},
			{Name: "everybody, kept out by the account", Resource: point(everybody, off), Others: accountOn, Want: check.Pass},
			{Name: "everybody, account unknown", Resource: point(everybody, off), Others: accountBlind, Want: check.NotAssessed},
			{Name: "denied", Resource: point(denied, off), Others: accountOff, Want: check.NotAssessed},
		},
		"s3-access-point-policy-no-other-accounts": policytest.InZone([]checktest.Case{
			{Name: "no policy", Resource: point(none, off), Want: check.Pass},
			{Name: "own role", Resource: point(own, off), Want: check.Pass},
			{Name: "a partner", Resource: point(partner, off), Want: check.Fail},
			{Name: "everybody is another check's", Resource: point(everybody, off), Want: check.Pass},
			{Name: "denied", Resource: point(denied, off), Want: check.NotAssessed},
		}),
	}
}
