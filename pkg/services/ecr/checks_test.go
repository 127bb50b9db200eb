package ecr_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ecr"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// repository is a repository in good order, changed as a case needs.
func repository(change func(*ecr.Repository, *ecr.Detail)) ecr.Repository {
	d := ecr.Detail{ScanOnPush: true, TagMutability: "IMMUTABLE", Encryption: "KMS"}
	r := ecr.Repository{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web", Account: "111122223333", Region: "eu-west-1", Name: "shop/web",
		}},
		Policy: fact.Known(""), Lifecycle: fact.Known(true),
	}
	if change != nil {
		change(&r, &d)
	}
	r.Detail = fact.Known(d)
	return r
}

func detail(change func(*ecr.Detail)) ecr.Repository {
	return repository(func(_ *ecr.Repository, d *ecr.Detail) { change(d) })
}

// policies name no resource, as those of ECR do.
var policies = policytest.Subject{
	NotPublic: "ecr-repository-not-public", NoOtherAccounts: "ecr-repository-policy-no-other-accounts", ServicesScoped: "ecr-repository-policy-services-scoped",
	Action:  "ecr:BatchGetImage",
	Service: "lambda.amazonaws.com", Scope: `{"StringLike": {"aws:sourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:*"}}`,
	With: func(policy string) check.Resource {
		return repository(func(r *ecr.Repository, _ *ecr.Detail) { r.Policy = fact.Known(policy) })
	},
	Denied: repository(func(r *ecr.Repository, _ *ecr.Detail) {
		r.Policy = fact.Missing[string](fact.Denied, "ecr:GetRepositoryPolicy")
	}),
}

// registryPolicies name the repositories of the registry.
var registryPolicies = policytest.Subject{
	NotPublic: "ecr-registry-not-public", NoOtherAccounts: "ecr-registry-policy-no-other-accounts",
	Action: "ecr:ReplicateImage", Resource: "arn:aws:ecr:eu-west-1:111122223333:repository/*",
	With:   func(policy string) check.Resource { return registryWith(fact.Known(policy)) },
	Denied: registryWith(fact.Missing[string](fact.Denied, "ecr:GetRegistryPolicy")),
}

func registryWith(policy fact.Of[string]) ecr.Registry {
	r := registry("BASIC")
	r.Policy = policy
	return r
}

func registry(scanType string, filters ...string) ecr.Registry {
	return ecr.Registry{Resource: checktest.Ref("ecr", "registry"), Scanning: fact.Known(ecr.Scanning{Type: scanType, Filters: filters})}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := repository(nil)
	table := policies.Cases()
	maps.Copy(table, registryPolicies.Cases())
	maps.Copy(table, checktest.Table{
		"ecr-repository-image-scanning": scanningCases(),
		"ecr-repository-tag-immutability": {
			{Name: "immutable", Resource: good, Want: check.Pass},
			{Name: "with exclusions", Resource: detail(func(d *ecr.Detail) { d.TagMutability = "IMMUTABLE_WITH_EXCLUSION" }), Want: check.Pass},
			{Name: "mutable", Resource: detail(func(d *ecr.Detail) { d.TagMutability = "MUTABLE" }), Want: check.Fail},
			{Name: "mutable with exclusions", Resource: detail(func(d *ecr.Detail) { d.TagMutability = "MUTABLE_WITH_EXCLUSION" }), Want: check.Fail},
		},
		"ecr-repository-lifecycle-policy": {
			{Name: "has one", Resource: good, Want: check.Pass},
			{Name: "has none", Resource: repository(func(r *ecr.Repository, _ *ecr.Detail) { r.Lifecycle = fact.Known(false) }), Want: check.Fail},
		},
		"ecr-repository-kms-encryption": {
			{Name: "KMS", Resource: good, Want: check.Pass},
			{Name: "twice under KMS", Resource: detail(func(d *ecr.Detail) { d.Encryption = "KMS_DSSE" }), Want: check.Pass},
			{Name: "S3", Resource: detail(func(d *ecr.Detail) { d.Encryption = "AES256" }), Want: check.Fail},
		},
	})
	checktest.Run(t, ecr.Service(), table, policytest.Zones())
}

func scanningCases() []checktest.Case {
	good := repository(nil)
	off := detail(func(d *ecr.Detail) { d.ScanOnPush = false })
	elsewhere := registry("ENHANCED", "*")
	elsewhere.Region = "us-east-1"
	in := func(r ecr.Registry) []check.Resource { return []check.Resource{elsewhere, r} }
	return []checktest.Case{
		{Name: "on push", Resource: good, Others: in(registry("BASIC")), Want: check.Pass},
		{Name: "basic, all", Resource: off, Others: in(registry("BASIC", "*")), Want: check.Pass},
		{Name: "enhanced, by prefix", Resource: off, Others: in(registry("ENHANCED", "other", "shop/*")), Want: check.Pass},
		{Name: "enhanced, by a part of the name", Resource: off, Others: in(registry("ENHANCED", "web")), Want: check.Pass},
		{Name: "off", Resource: off, Others: in(registry("BASIC")), Want: check.Fail},
		{Name: "off, others filtered", Resource: off, Others: in(registry("BASIC", "web*", "*.shop/web")), Want: check.Fail},
		{Name: "enhanced without it", Resource: good, Others: in(registry("ENHANCED", "other")), Want: check.Fail},
		{Name: "registry not collected", Resource: good, Others: []check.Resource{elsewhere}, Want: check.NotAssessed},
	}
}
