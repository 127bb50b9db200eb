package tagging

import (
	"fmt"
	"path"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("tagging-no-secrets", model.High, noSecrets),
	}
}

func noSecrets(e *check.Evidence, r RegionTags) check.Verdict {
	secrets := check.Read(e, r.Secrets)
	if len(secrets) == 0 {
		return check.Passed("no tag looks like a credential")
	}
	first := secrets[0]
	reason := fmt.Sprintf("tag %q of %s looks like a credential", first.Key, path.Base(first.Resource))
	if more := len(secrets) - 1; more > 0 {
		reason += fmt.Sprintf(", and %d more", more)
	}
	return check.Failed(reason)
}
