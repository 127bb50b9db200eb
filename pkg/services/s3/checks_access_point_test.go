package s3_test

import (
	"maps"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

func accessPointCases() checktest.Table {
	table := pointCases("s3-access-point", "arn:aws:s3:eu-west-1:111122223333:accesspoint/reader",
		func(r model.Resource, policy fact.Of[string], block fact.Of[s3.PublicAccessBlock]) check.Resource {
			return s3.AccessPoint{Resource: r, PublicAccessBlock: block, Policy: policy}
		})
	maps.Copy(table, pointCases("s3-multi-region-access-point", "arn:aws:s3::111122223333:accesspoint/readermfzwi23gnjvgw.mrap",
		func(r model.Resource, policy fact.Of[string], block fact.Of[s3.PublicAccessBlock]) check.Resource {
			return s3.MultiRegionAccessPoint{Resource: r, Detail: fact.Known(s3.AccessPointDetail{State: "READY"}), PublicAccessBlock: block, Policy: policy}
		}))
	return table
}

// pointCases are those of access points of either kind.
func pointCases(prefix model.CheckID, arn string, with func(model.Resource, fact.Of[string], fact.Of[s3.PublicAccessBlock]) check.Resource) checktest.Table {
	resource := model.Resource{Ref: model.Ref{ARN: arn, Account: accountID, Region: "eu-west-1", Name: "reader"}}
	point := func(policy fact.Of[string], block s3.PublicAccessBlock) check.Resource {
		return with(resource, policy, fact.Known(block))
	}
	statement := func(principal string) fact.Of[string] {
		return fact.Known(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
			`,"Action":"s3:GetObject","Resource":"` + arn + `/object/*"}]}`)
	}
	own, partner, everybody := statement(`{"AWS":"arn:aws:iam::111122223333:role/reader"}`), statement(`{"AWS":"arn:aws:iam::444455556666:root"}`), statement(`"*"`)
	none, denied := fact.Known(""), fact.Missing[string](fact.Denied, "s3:GetAccessPointPolicy")
	return checktest.Table{
		prefix + "-public-access-block": {
			{Name: "on", Resource: point(none, allOn), Want: check.Pass},
			{Name: "off", Resource: point(none, off), Want: check.Fail},
			{Name: "in part", Resource: point(none, s3.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true}), Want: check.Fail},
			{Name: "denied", Resource: with(resource, none, fact.Missing[s3.PublicAccessBlock](fact.Denied, "s3:GetAccessPoint")), Want: check.NotAssessed},
		},
		prefix + "-policy-not-public": {
			{Name: "no policy", Resource: point(none, off), Others: accountOff, Want: check.Pass},
			{Name: "own role", Resource: point(own, off), Others: accountOff, Want: check.Pass},
			{Name: "a partner is another check's", Resource: point(partner, off), Others: accountOff, Want: check.Pass},
			{Name: "everybody", Resource: point(everybody, off), Others: accountOff, Want: check.Fail},
			{Name: "everybody, kept out again", Resource: point(everybody, allOn), Others: accountOff, Want: check.Pass},
			{Name: "everybody, kept out by the account", Resource: point(everybody, off), Others: accountOn, Want: check.Pass},
			{Name: "everybody, account unknown", Resource: point(everybody, off), Others: accountBlind, Want: check.NotAssessed},
			{Name: "denied", Resource: point(denied, off), Others: accountOff, Want: check.NotAssessed},
		},
		prefix + "-policy-no-other-accounts": policytest.InZone([]checktest.Case{
			{Name: "no policy", Resource: point(none, off), Want: check.Pass},
			{Name: "own role", Resource: point(own, off), Want: check.Pass},
			{Name: "a partner", Resource: point(partner, off), Want: check.Fail},
			{Name: "everybody is another check's", Resource: point(everybody, off), Want: check.Pass},
			{Name: "denied", Resource: point(denied, off), Want: check.NotAssessed},
		}),
	}
}
