package eks_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/eks"
)

// cluster is a cluster in good order, changed as a case needs.
func cluster(change func(*eks.Detail)) eks.Cluster {
	d := eks.Detail{
		Version: "1.34", PrivateEndpoint: true, SecretsKey: "arn:aws:kms:eu-west-1:111122223333:key/1",
		Logs: []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}, DeletionProtection: new(true),
	}
	if change != nil {
		change(&d)
	}
	return eks.Cluster{Resource: checktest.Ref("eks", "cluster/shop"), Detail: fact.Known(d)}
}

func public(cidrs ...string) eks.Cluster {
	return cluster(func(d *eks.Detail) { d.PublicEndpoint, d.PublicCIDRs = true, cidrs })
}

func version(v string) eks.Cluster { return cluster(func(d *eks.Detail) { d.Version = v }) }

func TestChecks(t *testing.T) {
	t.Parallel()
	good := cluster(nil)
	checktest.Run(t, eks.Service(), checktest.Table{
		"eks-cluster-endpoint-not-public": {
			{Name: "private", Resource: good, Want: check.Pass},
			{Name: "private, addresses left over", Resource: cluster(func(d *eks.Detail) { d.PublicCIDRs = []string{"0.0.0.0/0"} }), Want: check.Pass},
			{Name: "to an office", Resource: public("203.0.113.0/24"), Want: check.Pass},
			{Name: "to everybody", Resource: public("203.0.113.0/24", "0.0.0.0/0"), Want: check.Fail},
			{Name: "to everybody by IPv6", Resource: public("::/0"), Want: check.Fail},
			{Name: "to everybody by halves", Resource: public("0.0.0.0/1", "128.0.0.0/1"), Want: check.Fail, Reports: []string{"prowler-cloud/prowler#2824", "prowler-cloud/prowler#2825"}},
			{Name: "to everybody by quarters", Resource: public("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"), Want: check.Fail},
			{Name: "to nobody said", Resource: public(), Want: check.Fail},
		},
		"eks-cluster-private-endpoint": {
			{Name: "private", Resource: good, Want: check.Pass},
			{Name: "public only", Resource: cluster(func(d *eks.Detail) { d.PrivateEndpoint = false }), Want: check.Fail},
		},
		"eks-cluster-secrets-customer-key": {
			{Name: "own key", Resource: good, Want: check.Pass},
			{Name: "none", Resource: cluster(func(d *eks.Detail) { d.SecretsKey = "" }), Want: check.Fail},
		},
		"eks-cluster-control-plane-logging": {
			{Name: "all", Resource: good, Want: check.Pass},
			{Name: "some", Resource: cluster(func(d *eks.Detail) { d.Logs = []string{"audit", "api"} }), Want: check.Fail},
			{Name: "none", Resource: cluster(func(d *eks.Detail) { d.Logs = nil }), Want: check.Fail},
		},
		"eks-cluster-version-supported": { // judged as of 2026-06-01
			{Name: "current", Resource: good, Want: check.Pass},
			{Name: "newer than the table", Resource: version("1.99"), Want: check.Pass},
			{Name: "extended", Resource: version("1.30"), Want: check.Pass},
			{Name: "just ended", Resource: version("1.29"), Want: check.Fail},
			{Name: "older than the table", Resource: version("1.16"), Want: check.Fail},
			{Name: "no version", Resource: version(""), Want: check.NotAssessed},
			{Name: "another Kubernetes", Resource: version("2.0"), Want: check.NotAssessed},
		},
		"eks-cluster-version-standard-support": {
			{Name: "current", Resource: good, Want: check.Pass},
			{Name: "newer than the table", Resource: version("1.99"), Want: check.Pass},
			{Name: "extended", Resource: version("1.32"), Want: check.Fail},
			{Name: "no version", Resource: version(""), Want: check.NotAssessed},
		},
		"eks-cluster-deletion-protection": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: cluster(func(d *eks.Detail) { d.DeletionProtection = new(false) }), Want: check.Fail},
			{Name: "not told", Resource: cluster(func(d *eks.Detail) { d.DeletionProtection = nil }), Want: check.NotAssessed},
		},
	})
}
