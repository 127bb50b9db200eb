package eks

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("eks-cluster-endpoint-not-public", model.High, clusters.Asks(endpointNotPublic)),
		check.For("eks-cluster-private-endpoint", model.Medium, clusters.Must(
			func(d Detail) bool { return d.PrivateEndpoint }, "the API server answers in the VPC", "the API server does not answer in the VPC, so nodes reach it by the internet")),
		check.For("eks-cluster-secrets-customer-key", model.Medium, clusters.Asks(secretsKey)),
		check.For("eks-cluster-control-plane-logging", model.Medium, clusters.Weighs(controlPlaneLogging)).With(logsWanted),
		check.For("eks-cluster-version-supported", model.High, onVersion(func(s support) string { return s.extended }, "support")),
		check.For("eks-cluster-version-standard-support", model.Medium, onVersion(func(s support) string { return s.standard }, "standard support")),
		// Prowler: high. A deleted cluster is a loss, not a way in, and few may delete one.
		check.For("eks-cluster-deletion-protection", model.Low, clusters.Must(
			func(d Detail) bool { return check.Told("deletionProtection", d.DeletionProtection) }, "deletion protection is on", "deletion protection is off")),
	}
}

var clusters = check.On(func(c Cluster) fact.Of[Detail] { return c.Detail })

func endpointNotPublic(d Detail) check.Verdict {
	switch {
	case !d.PublicEndpoint:
		return check.Passed("the API server answers in the VPC only")
	case len(d.PublicCIDRs) == 0:
		return check.Failed("the API server answers the whole internet")
	}
	if by, open := internet.Open(d.PublicCIDRs); open {
		return check.Failed("the API server answers " + check.List(by))
	}
	return check.Passed("the API server answers only " + check.List(d.PublicCIDRs))
}

func secretsKey(d Detail) check.Verdict {
	return check.Must(d.SecretsKey != "", "secrets are encrypted under "+d.SecretsKey, "secrets are encrypted under no key of the account")
}

// logTypes are all logs of the control plane.
// https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
var (
	logTypes   = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}
	logsWanted = check.NewChoice("logs", "log", "Logs of the control plane that are on", logTypes, logTypes...)
)

func controlPlaneLogging(e *check.Evidence, d Detail) check.Verdict {
	missing := slices.DeleteFunc(slices.Clone(logsWanted.Of(e)), func(t string) bool { return slices.Contains(d.Logs, t) })
	return check.Must(len(missing) == 0, "all logs of the control plane that are wanted are on", "logs are off: "+strings.Join(missing, ", "))
}

// onVersion is a rule that a kind of support of the cluster's version lasts.
func onVersion(lastDay func(support) string, what string) func(*check.Evidence, Cluster) check.Verdict {
	return func(e *check.Evidence, c Cluster) check.Verdict {
		version := check.Read(e, c.Detail).Version
		s, ok := supportOf(version)
		if !ok {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "eks:DescribeCluster", Detail: "unknown version " + version})
		}
		switch day := lastDay(s); {
		case over(day, e.Now()):
			return check.Failed(what + " of Kubernetes " + version + " is over since " + day)
		case day == "":
			return check.Passed("no end of " + what + " is known of Kubernetes " + version)
		default:
			return check.Passed(what + " of Kubernetes " + version + " lasts until " + day)
		}
	}
}
