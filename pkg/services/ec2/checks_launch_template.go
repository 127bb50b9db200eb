package ec2

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func launchTemplateRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-launch-template-imdsv2", model.High, eachVersion(templateIMDSv2)),
		check.For("ec2-launch-template-no-public-ip", model.High, eachVersion(templateNoPublicIP)),
		check.For("ec2-launch-template-no-secrets-in-user-data", model.High, eachVersion(templateNoSecrets)),
	}
}

// eachVersion is a rule that the default and the latest version of a template
// must both satisfy; the first that does not decides. One that cannot be judged
// leaves it open whether both do.
func eachVersion(decide func(TemplateVersion) check.Verdict) func(*check.Evidence, LaunchTemplate) check.Verdict {
	return func(e *check.Evidence, t LaunchTemplate) check.Verdict {
		verdict := check.Inapplicable("the template has no version")
		for _, v := range check.Read(e, t.Versions) {
			switch next := decide(v); {
			case next.Status == check.Fail:
				next.Reason = fmt.Sprintf("version %d %s", v.Number, next.Reason)
				return next
			case verdict.Status != check.NotAssessed:
				verdict = next
			}
		}
		return verdict
	}
}

func templateIMDSv2(v TemplateVersion) check.Verdict {
	switch {
	case v.Metadata.Endpoint == "disabled":
		return check.Passed("the metadata service is off")
	case v.Metadata.Tokens == "required":
		return check.Passed("the metadata service asks for a token")
	case v.Metadata.Tokens == "":
		return check.Failed("leaves it to defaults whether the metadata service asks for a token")
	default:
		return check.Failed("lets the metadata service answer requests without a token")
	}
}

func templateNoPublicIP(v TemplateVersion) check.Verdict {
	return check.Must(!v.PublicIP, "no version gives a public address", "gives instances a public address")
}

func templateNoSecrets(v TemplateVersion) check.Verdict {
	if v.UnreadUserData != nil && !v.SecretUserData {
		return check.Unassessed(*v.UnreadUserData)
	}
	return check.Must(!v.SecretUserData, "nothing in the user data looks like a secret", "holds what looks like a secret in its user data")
}
