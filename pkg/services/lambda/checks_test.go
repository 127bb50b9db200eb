package lambda_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/secretscan"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// function is a function in good order, changed as a case needs.
func function(change func(*lambda.Function, *lambda.Detail)) lambda.Function {
	d := lambda.Detail{
		Package: "Zip", Runtime: "python3.13", Environment: true, KMSKey: "arn:aws:kms:eu-west-1:111122223333:key/1",
		VPC: "vpc-1", Subnets: []string{"subnet-1", "subnet-2"}, Tracing: "Active",
		DeadLetter: "arn:aws:sqs:eu-west-1:111122223333:failed",
		Layers:     []string{"arn:aws:lambda:eu-west-1:111122223333:layer:common:3"},
	}
	f := lambda.Function{
		Resource:            checktest.Ref("lambda", "function:resize"),
		SecretVariables:     fact.Known[[]string](nil),
		Policy:              fact.Known(""),
		Aliases:             fact.Known[[]lambda.Qualified](nil),
		Versions:            fact.Known[[]lambda.Qualified](nil),
		URLs:                fact.Known[[]lambda.URL](nil),
		ReservedConcurrency: fact.Known(new(int32(10))),
		CodeSigning:         fact.Known("arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"),
	}
	if change != nil {
		change(&f, &d)
	}
	f.Detail = fact.Known(d)
	return f
}

func detail(change func(*lambda.Detail)) lambda.Function {
	return function(func(_ *lambda.Function, d *lambda.Detail) { change(d) })
}

// failing is a function without a dead-letter queue.
func failing(to fact.Of[[]string]) lambda.Function {
	return function(func(f *lambda.Function, d *lambda.Detail) { d.DeadLetter, f.Destinations = "", to })
}

func withAlias(aliases fact.Of[[]lambda.Qualified]) lambda.Function {
	return function(func(f *lambda.Function, _ *lambda.Detail) { f.Aliases = aliases })
}

func withVersion(versions fact.Of[[]lambda.Qualified]) lambda.Function {
	return function(func(f *lambda.Function, _ *lambda.Detail) { f.Versions = versions })
}

const open = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*"}]}`

func withPolicy(policy string) check.Resource {
	return function(func(f *lambda.Function, _ *lambda.Detail) { f.Policy = fact.Known(policy) })
}

func withURL(auth string, origins ...string) lambda.Function {
	return function(func(f *lambda.Function, _ *lambda.Detail) {
		f.URLs = fact.Known([]lambda.URL{{Address: "https://abc.lambda-url.eu-west-1.on.aws/", Auth: auth, Origins: origins}})
	})
}

var (
	good  = function(nil)
	image = function(func(f *lambda.Function, d *lambda.Detail) {
		d.Package, d.Runtime, f.CodeSigning = "Image", "", fact.Of[string]{}
	})
)

func TestChecks(t *testing.T) {
	t.Parallel()
	table := policyCases()
	maps.Copy(table, layers.Cases())
	maps.Copy(table, urlCases())
	maps.Copy(table, codeCases())
	maps.Copy(table, operationCases())
	checktest.Run(t, lambda.Service(), table, policytest.Zones())
}

var policies = policytest.Subject{
	NotPublic: "lambda-function-not-public", NoOtherAccounts: "lambda-function-policy-no-other-accounts", ServicesScoped: "lambda-function-policy-services-scoped",
	Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:eu-west-1:111122223333:function:resize",
	Service: "events.amazonaws.com", Scope: `{"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/nightly"}}`,
	With: withPolicy,
	Denied: function(func(f *lambda.Function, _ *lambda.Detail) {
		f.Policy = fact.Missing[string](fact.Denied, "lambda:GetPolicy")
	}),
}

var layers = policytest.Subject{
	NotPublic: "lambda-layer-not-public", NoOtherAccounts: "lambda-layer-policy-no-other-accounts",
	Action: "lambda:GetLayerVersion", Resource: "arn:aws:lambda:eu-west-1:111122223333:layer:shared:3",
	With: func(policy string) check.Resource {
		return lambda.LayerVersion{Resource: checktest.Ref("lambda", "layer:shared:3"), Policy: fact.Known(policy)}
	},
	Denied: lambda.LayerVersion{Resource: checktest.Ref("lambda", "layer:shared:3"), Policy: fact.Missing[string](fact.Denied, "lambda:GetLayerVersionPolicy")},
}

// policyCases has, besides those of every policy, function URLs and buckets,
// whose ARNs name no account.
func policyCases() checktest.Table {
	byBucket := `{"Service": "s3.amazonaws.com"}`
	bucket := policies.Statement(byBucket, `{"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"}}`)
	ownBucket := policies.Statement(byBucket, `{"StringEquals": {"AWS:SourceAccount": "111122223333"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"}}`)
	// What the console adds for a URL of auth type NONE.
	byURL := policies.Statement(`"*"`, `{"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}`)
	anyAccount := withPolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
		"Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}]}`)
	byEvent := func(condition string) check.Resource {
		return withPolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
			"Resource": "*", "Condition": {` + condition + `}}]}`)
	}
	noBuckets := []check.Resource{policytest.Blind(func(z *policyrule.Zone) { z.Buckets = fact.Missing[[]string](fact.Denied, "s3:ListAllMyBuckets") })}
	table := policies.Cases()
	for id, more := range (checktest.Table{
		"lambda-function-not-public": {
			{Name: "everybody, an alias", Resource: withAlias(fact.Known([]lambda.Qualified{{Qualifier: "old"}, {Qualifier: "live", Policy: open}})), Want: check.Fail},
			{Name: "nobody, an alias", Resource: withAlias(fact.Known([]lambda.Qualified{{Qualifier: "live"}})), Want: check.Pass},
			{Name: "aliases denied", Resource: withAlias(fact.Missing[[]lambda.Qualified](fact.Denied, "lambda:ListAliases")), Want: check.NotAssessed},
			{Name: "everybody, a version", Resource: withVersion(fact.Known([]lambda.Qualified{{Qualifier: "1"}, {Qualifier: "2", Policy: open}})), Want: check.Fail},
			{Name: "versions denied", Resource: withVersion(fact.Missing[[]lambda.Qualified](fact.Denied, "lambda:ListFunctions")), Want: check.NotAssessed},
			{Name: "everybody by URL", Resource: byURL, Want: check.Fail},
			{Name: "every account by URL", Resource: anyAccount, Want: check.Fail},
		},
		"lambda-function-policy-no-other-accounts": policytest.InZone([]checktest.Case{
			{Name: "another account, an alias", Resource: withAlias(fact.Known([]lambda.Qualified{{Qualifier: "live", Policy: strings.ReplaceAll(open, `"*", "Action"`, `{"AWS": "444455556666"}, "Action"`)}})), Want: check.Fail},
			{Name: "own bucket", Resource: ownBucket, Want: check.Pass},
			{Name: "a bucket of whoever has its name", Resource: bucket, Want: check.Fail},
			{Name: "an own bucket by its name", Resource: byEvent(`"ArnLike": {"aws:SourceArn": "arn:aws:s3:::own-bucket"}`), Want: check.Pass},
			{Name: "a bucket, and nobody knows the owner's", Resource: bucket, Others: noBuckets, Want: check.NotAssessed},
			{Name: "one Alexa skill", Resource: byEvent(`"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}`), Want: check.Pass},
		}),
	}) {
		table[id] = append(table[id], more...)
	}
	return table
}

func urlCases() checktest.Table {
	return checktest.Table{
		"lambda-function-url-authenticated": {
			{Name: "signed", Resource: withURL("AWS_IAM"), Want: check.Pass},
			{Name: "open", Resource: withURL("NONE"), Want: check.Fail},
			{Name: "no URL", Resource: good, Want: check.NotApplicable},
		},
		"lambda-function-url-cors": {
			{Name: "no origins", Resource: withURL("NONE"), Want: check.Pass},
			{Name: "one origin", Resource: withURL("NONE", "https://www.example.com"), Want: check.Pass},
			{Name: "any origin", Resource: withURL("AWS_IAM", "*"), Want: check.Fail},
			{Name: "any origin over TLS", Resource: withURL("NONE", "https://www.example.com", "https://*"), Want: check.Fail},
			{Name: "no URL", Resource: good, Want: check.NotApplicable},
		},
	}
}

func codeCases() checktest.Table {
	secrets := function(func(f *lambda.Function, _ *lambda.Detail) { f.SecretVariables = fact.Known([]string{"DB_PASSWORD"}) })
	runtime := func(name string) lambda.Function {
		return detail(func(d *lambda.Detail) { d.Runtime = name })
	}
	layers := func(arns ...string) lambda.Function {
		return detail(func(d *lambda.Detail) { d.Layers = arns })
	}
	// with is a function with a variable, as its collector sees it.
	with := func(name, value string) lambda.Function {
		return function(func(f *lambda.Function, _ *lambda.Detail) {
			if scan := (secretscan.Scan{Unpack: 1 << 10}); scan.Setting(name, value) {
				f.SecretVariables = fact.Known([]string{name})
			}
		})
	}
	return checktest.Table{
		"lambda-function-no-secrets-in-environment": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "the name of a secret", Resource: with("RDS_secrets_name", "config/database_credentials"), Want: check.Pass, Reports: []string{"prowler-cloud/prowler#1760"}},
			{Name: "a setting", Resource: with("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"), Want: check.Pass, Reports: []string{"prowler-cloud/prowler#4893"}},
			{Name: "a password of marks", Resource: with("PASSWORD2", "=hq3v-z7h38V=29fiRx=U7p4"), Want: check.Fail, Reports: []string{"prowler-cloud/prowler#900"}},
			{Name: "a password", Resource: secrets, Want: check.Fail},
			{Name: "not decrypted", Resource: function(func(f *lambda.Function, _ *lambda.Detail) {
				f.SecretVariables = fact.Unknown[[]string](fact.Gap{Reason: fact.Denied, Operation: "lambda:ListFunctions"})
			}), Want: check.NotAssessed},
		},
		"lambda-function-environment-customer-key": {
			{Name: "own key", Resource: good, Want: check.Pass},
			{Name: "AWS managed key", Resource: detail(func(d *lambda.Detail) { d.KMSKey = "" }), Want: check.Fail},
			{Name: "no variables", Resource: detail(func(d *lambda.Detail) { d.Environment = false }), Want: check.NotApplicable},
		},
		"lambda-function-runtime-supported": { // judged as of 2026-06-01
			{Name: "newer than any announced end", Resource: runtime("ruby4.0"), Want: check.Pass},
			{Name: "current", Resource: good, Want: check.Pass},
			{Name: "newer than the table", Resource: runtime("python9.9"), Want: check.NotAssessed},
			{Name: "in its last months", Resource: runtime("python3.10"), Want: check.Pass},
			{Name: "just ended", Resource: runtime("nodejs20.x"), Want: check.Fail},
			{Name: "long ended", Resource: runtime("python2.7"), Want: check.Fail},
			{Name: "image", Resource: image, Want: check.NotApplicable},
		},
		"lambda-function-code-signing": {
			{Name: "signed", Resource: good, Want: check.Pass},
			{Name: "not signed", Resource: function(func(f *lambda.Function, _ *lambda.Detail) { f.CodeSigning = fact.Known("") }), Want: check.Fail},
			{Name: "image", Resource: image, Want: check.NotApplicable},
		},
		"lambda-function-layers-of-account": {
			{Name: "own", Resource: good, Want: check.Pass},
			{Name: "of another account", Resource: layers("arn:aws:lambda:eu-west-1:444455556666:layer:vendor:1"), Want: check.Fail},
			{Name: "none", Resource: layers(), Want: check.NotApplicable},
		},
	}
}

func operationCases() checktest.Table {
	return checktest.Table{
		"lambda-function-in-vpc": {
			{Name: "in one", Resource: good, Want: check.Pass},
			{Name: "in none", Resource: detail(func(d *lambda.Detail) { d.VPC = "" }), Want: check.Fail},
		},
		"lambda-function-tracing": {
			{Name: "active", Resource: good, Want: check.Pass},
			{Name: "passed through", Resource: detail(func(d *lambda.Detail) { d.Tracing = "PassThrough" }), Want: check.Fail},
		},
		"lambda-function-dead-letter-queue": {
			{Name: "has one", Resource: good, Want: check.Pass},
			{Name: "has none", Resource: failing(fact.Known[[]string](nil)), Want: check.Fail},
			{Name: "has a destination", Resource: failing(fact.Known([]string{"arn:aws:sqs:eu-west-1:111122223333:failed"})), Want: check.Pass, Reports: []string{"grafana/lambda-promtail#13"}},
			{Name: "destinations denied", Resource: failing(fact.Missing[[]string](fact.Denied, "lambda:ListFunctionEventInvokeConfigs")), Want: check.NotAssessed},
		},
		"lambda-function-reserved-concurrency": {
			{Name: "reserved", Resource: good, Want: check.Pass},
			{Name: "switched off", Resource: function(func(f *lambda.Function, _ *lambda.Detail) { f.ReservedConcurrency = fact.Known(new(int32(0))) }), Want: check.Pass},
			{Name: "not reserved", Resource: function(func(f *lambda.Function, _ *lambda.Detail) { f.ReservedConcurrency = fact.Known[*int32](nil) }), Want: check.Fail},
		},
	}
}
