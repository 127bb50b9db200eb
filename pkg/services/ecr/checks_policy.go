package ecr

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Repository] {
	return policyrule.Source[Repository]{
		Operation: "ecr:GetRepositoryPolicy",
		Policy:    func(e *check.Evidence, r Repository) string { return check.Read(e, r.Policy) },
	}
}

func registryPolicies() policyrule.Source[Registry] {
	return policyrule.Source[Registry]{
		Operation: "ecr:GetRegistryPolicy",
		Policy:    func(e *check.Evidence, r Registry) string { return check.Read(e, r.Policy) },
	}
}
