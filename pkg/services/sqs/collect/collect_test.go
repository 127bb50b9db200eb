package collect_test

import (
	"path"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
	"github.com/cloudarq/cloudarq/pkg/services/sqs/collect"
)

const queuePolicy = `{"Version":"2012-10-17","Statement":[]}`

func url(name string) string { return "https://sqs.eu-west-1.amazonaws.com/111122223333/" + name }

func arn(name string) string { return "arn:aws:sqs:eu-west-1:111122223333:" + name }

// answers are attributes as GetQueueAttributes gives them: what is not set is
// left out.
var answers = map[string]map[string]string{
	"jobs": {
		"QueueArn": arn("jobs"), "ApproximateNumberOfMessages": "0", "VisibilityTimeout": "30",
		"SqsManagedSseEnabled": "true", "Policy": queuePolicy,
		"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("jobs-failed") + `","maxReceiveCount":5}`,
	},
	"jobs-failed": {
		"QueueArn": arn("jobs-failed"), "SqsManagedSseEnabled": "false",
		"KmsMasterKeyId": "alias/jobs", "KmsDataKeyReusePeriodSeconds": "300",
	},
	"broken": {"QueueArn": arn("broken"), "RedrivePolicy": "{"},
}

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListQueuesInput](f,
		&sdk.ListQueuesOutput{QueueUrls: []string{url("jobs")}, NextToken: aws.String("2")},
		&sdk.ListQueuesOutput{QueueUrls: []string{url("jobs-failed")}})
	fake.On(f, func(in *sdk.GetQueueAttributesInput) (*sdk.GetQueueAttributesOutput, error) {
		return &sdk.GetQueueAttributesOutput{Attributes: answers[path.Base(*in.QueueUrl)]}, nil
	})
}

func queue(name string, a sqs.Attributes) sqs.Queue {
	return sqs.Queue{
		Resource:   model.Resource{Ref: model.Ref{ARN: arn(name), Account: collecttest.Account, Region: collecttest.Region, Name: name}},
		Attributes: fact.Known(a),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		queue("jobs", sqs.Attributes{ManagedSSE: true, Policy: queuePolicy, DeadLetterQueue: arn("jobs-failed")}),
		queue("jobs-failed", sqs.Attributes{KMSKey: "alias/jobs"}),
	})
}

func TestAttributesThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"broken", "empty"} {
		cloud := fake.New()
		full(cloud)
		fake.OnPages[sdk.ListQueuesInput](cloud, &sdk.ListQueuesOutput{QueueUrls: []string{url(name)}})
		found := collecttest.Walk(t, collect.Spec(), cloud)
		if len(found.Resources) != 1 || found.Resources[0].(sqs.Queue).Attributes.Gap() == nil {
			t.Errorf("%s: %+v, want one queue with a gap", name, found.Resources)
		}
	}
}
