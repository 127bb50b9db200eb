package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
	"github.com/cloudarq/cloudarq/pkg/services/sqs/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), sqs.Service())
}

func TestAttributesThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	for _, attributes := range []string{
		`{"QueueArn": "arn:aws:sqs:eu-west-1:111122223333:open", "RedrivePolicy": "{"}`,
		`{}`,
	} {
		cloud := collecttest.Scenario(t, "neglected", "-- GetQueueAttributes QueueUrl=https://sqs.eu-west-1.amazonaws.com/111122223333/open --\n{\"Attributes\": "+attributes+"}\n")
		found := collecttest.Walk(t, collect.Spec(), cloud)
		if len(found.Resources) != 1 || found.Resources[0].(sqs.Queue).Attributes.Gap() == nil {
			t.Errorf("%s: %+v, want one queue with a gap", attributes, found.Resources)
		}
	}
}
