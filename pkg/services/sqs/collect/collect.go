// Package collect reads SQS queues from AWS.
package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
)

// Spec is how SQS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "sqs",
		Walks: []collect.Walk{{
			Kinds:      []string{sqs.Queue{}.Kind()},
			Operations: []string{"SQS.ListQueues", "SQS.GetQueueAttributes"},
			Run:        queues,
		}},
	}
}

func queues(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListQueuesPaginator(client, &sdk.ListQueuesInput{MaxResults: aws.Int32(1000)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListQueuesOutput) []string { return o.QueueUrls },
		func(r *collect.Reading, url string) *sqs.Queue {
			// The listing tells only URLs, which end in the account and the name.
			name := path.Base(url)
			q := &sqs.Queue{Resource: s.Resource(s.ARN("sqs", name), name)}
			q.Attributes = collect.Ask(r, func(ctx context.Context) (sqs.Attributes, error) {
				o, err := client.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
					QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
				})
				if err != nil {
					return sqs.Attributes{}, err
				}
				return attributes(s, o.Attributes)
			})
			return q
		})
}

func attributes(s *collect.Session, all map[string]string) (sqs.Attributes, error) {
	if all[string(types.QueueAttributeNameQueueArn)] == "" {
		return sqs.Attributes{}, fmt.Errorf("%w: QueueArn", collect.ErrGarbled)
	}
	// All values were asked for: a queue without a policy has none to give, an empty one
	// is no policy that SQS accepts.
	policy, given := all[string(types.QueueAttributeNamePolicy)]
	if given && policy == "" {
		return sqs.Attributes{}, fmt.Errorf("%w: Policy", collect.ErrGarbled)
	}
	var redrive struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if document := all[string(types.QueueAttributeNameRedrivePolicy)]; document != "" {
		if err := json.Unmarshal([]byte(document), &redrive); err != nil {
			return sqs.Attributes{}, fmt.Errorf("redrive policy: %w", err)
		}
	}
	return sqs.Attributes{
		ManagedSSE:      all[string(types.QueueAttributeNameSqsManagedSseEnabled)] == "true",
		KMSKey:          all[string(types.QueueAttributeNameKmsMasterKeyId)],
		Policy:          s.Policy(policy),
		DeadLetterQueue: redrive.Target,
	}, nil
}
