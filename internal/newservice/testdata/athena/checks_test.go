package athena_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/athena"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

func with(d athena.Detail) athena.WorkGroup {
	d.State = "ENABLED"
	return athena.WorkGroup{Resource: checktest.Ref("athena", "workgroup/1"), Detail: fact.Known(d)}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	checktest.Run(t, athena.Service(), checktest.Table{
		"athena-work-group-results-encrypted": {
			{Name: "by a key", Resource: with(athena.Detail{Encryption: "SSE_KMS"}), Want: check.Pass},
			{Name: "in the clear", Resource: with(athena.Detail{}), Want: check.Fail},
			{Name: "for Spark", Resource: with(athena.Detail{Spark: true}), Want: check.NotApplicable},
		},
		"athena-work-group-settings-enforced": {
			{Name: "enforced", Resource: with(athena.Detail{Enforced: true}), Want: check.Pass},
			{Name: "as clients like", Resource: with(athena.Detail{Encryption: "SSE_S3"}), Want: check.Fail},
		},
	})
}
