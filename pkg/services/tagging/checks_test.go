package tagging_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

func region(secrets ...tagging.Secret) tagging.RegionTags {
	return tagging.RegionTags{Resource: checktest.Ref("tag", "region-tags"), Secrets: fact.Known(secrets)}
}

func secret(key string) tagging.Secret {
	return tagging.Secret{Resource: "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", Key: key}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	checktest.Run(t, tagging.Service(), checktest.Table{
		"tagging-no-secrets": {
			{Name: "none", Resource: region(), Want: check.Pass},
			{Name: "one", Resource: region(secret("password")), Want: check.Fail},
			{Name: "many", Resource: region(secret("password"), secret("token")), Want: check.Fail},
		},
	})
}

// The reason names a tag without its value, and how many there are.
func TestReason(t *testing.T) {
	t.Parallel()
	rule := tagging.Service().Rules[0]
	verdict := check.NewJudge(checktest.Now, nil).Judge(rule, region(secret("password"), secret("token"), secret("key")))
	for _, want := range []string{`"password"`, "i-1", "2 more"} {
		if !strings.Contains(verdict.Reason, want) {
			t.Errorf("%q does not say %s", verdict.Reason, want)
		}
	}
}
