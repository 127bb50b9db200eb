package ecr

import (
	"regexp"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("ecr-repository-not-public", model.Critical, policies().Asking(policyrule.NotPublic)),
		check.Across("ecr-repository-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.For("ecr-repository-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)),
		check.For("ecr-registry-not-public", model.Critical, registryPolicies().Asking(policyrule.NotPublic)),
		check.Across("ecr-registry-policy-no-other-accounts", model.Medium, registryPolicies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.Across("ecr-repository-image-scanning", model.Medium, imageScanning, check.Using[Registry]()),
		check.For("ecr-repository-tag-immutability", model.Medium, tagImmutability),
		check.For("ecr-repository-lifecycle-policy", model.Low, lifecyclePolicy),
		check.For("ecr-repository-kms-encryption", model.Low, kmsEncryption),
	}
}

// imageScanning asks the registry first: where it scans by Inspector, or has
// filters, the repository's own setting is no longer what counts.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
func imageScanning(e *check.Evidence, r Repository) check.Verdict {
	registries := check.AllIn[Registry](e, r.Region) // a region has one
	if len(registries) == 0 {
		return check.Unassessed(fact.Gap{Reason: fact.NotCollected, Operation: "ecr:GetRegistryScanningConfiguration", Region: r.Region})
	}
	scanning := check.Read(e, registries[0].Scanning)
	for _, filter := range scanning.Filters {
		if matches(filter, r.Name) {
			return check.Passed("the registry scans its images, by the filter " + filter)
		}
	}
	if scanning.Type == "ENHANCED" {
		return check.Failed("no filter of the registry's enhanced scanning chooses the repository")
	}
	return check.Must(check.Read(e, r.Detail).ScanOnPush, "images are scanned when they are pushed", "images are not scanned when they are pushed")
}

// matches tells whether a filter of the registry chooses a repository. Without a
// wildcard it chooses every name that has it in it.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
func matches(filter, name string) bool {
	if !strings.Contains(filter, "*") {
		return strings.Contains(name, filter)
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(filter), `\*`, `.*`)
	return regexp.MustCompile("^" + pattern + "$").MatchString(name)
}

func tagImmutability(e *check.Evidence, r Repository) check.Verdict {
	switch mutability := check.Read(e, r.Detail).TagMutability; mutability {
	case "IMMUTABLE":
		return check.Passed("tags cannot be overwritten")
	case "IMMUTABLE_WITH_EXCLUSION":
		return check.Passed("tags cannot be overwritten, but for those excluded")
	default:
		return check.Failed("tags can be overwritten: " + mutability)
	}
}

func lifecyclePolicy(e *check.Evidence, r Repository) check.Verdict {
	return check.Must(check.Read(e, r.Lifecycle), "there is a lifecycle policy", "there is no lifecycle policy")
}

func kmsEncryption(e *check.Evidence, r Repository) check.Verdict {
	encryption := check.Read(e, r.Detail).Encryption
	return check.Must(strings.HasPrefix(encryption, "KMS"), "images are encrypted under a KMS key", "images are encrypted under a key of S3")
}
