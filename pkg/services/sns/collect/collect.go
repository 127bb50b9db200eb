// Package collect reads SNS topics and subscriptions from AWS.
package collect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
)

// Spec is how SNS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "sns",
		Walks: []collect.Walk{
			{
				Kinds:      []string{sns.Topic{}.Kind()},
				Operations: []string{"SNS.ListTopics", "SNS.GetTopicAttributes"},
				Run:        topics,
			},
			{
				Kinds:      []string{sns.Subscription{}.Kind()},
				Operations: []string{"SNS.ListSubscriptions"},
				Run:        subscriptions,
			},
		},
	}
}

func topics(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	pages := sdk.NewListTopicsPaginator(client, &sdk.ListTopicsInput{})
	return collect.Each(ctx, s, pages, func(o *sdk.ListTopicsOutput) []types.Topic { return o.Topics },
		func(r *collect.Reading, entry types.Topic) *sns.Topic {
			t := &sns.Topic{Resource: s.Resource(collect.RequiredARN("TopicArn", entry.TopicArn), name(*entry.TopicArn))}
			collect.Into(r, &t.Attributes, client.GetTopicAttributes, &sdk.GetTopicAttributesInput{TopicArn: entry.TopicArn},
				func(o *sdk.GetTopicAttributesOutput) sns.Attributes { return attributes(s, o) })
			return t
		})
}

// name is the part of a topic's ARN after the account.
func name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// roles end the names of the attributes that name the role for logging the
// deliveries of one protocol: "HTTPFailureFeedbackRoleArn".
// https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html
var roles = []string{"SuccessFeedbackRoleArn", "FailureFeedbackRoleArn"}

func attributes(s *collect.Session, o *sdk.GetTopicAttributesOutput) sns.Attributes {
	collect.RequiredEntries(o.ResultMetadata, "Attributes")
	confirmed, err := strconv.Atoi(o.Attributes["SubscriptionsConfirmed"])
	if err != nil {
		collect.Garbled("SubscriptionsConfirmed: %v", err)
	}
	// Every topic has a policy: at least the one that it was made with.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html, 29 November 2026.
	a := sns.Attributes{Policy: s.Policy(collect.RequiredWord("Policy", o.Attributes["Policy"])), Key: o.Attributes["KmsMasterKeyId"], Confirmed: confirmed}
	for attribute, value := range o.Attributes {
		for _, role := range roles {
			if protocol, ok := strings.CutSuffix(attribute, role); ok && value != "" {
				a.Logged = append(a.Logged, protocol)
			}
		}
	}
	slices.Sort(a.Logged)
	a.Logged = slices.Compact(a.Logged)
	return a
}

// mostSubscriptions bounds how many subscriptions of a region are read: a topic
// for mobile devices has millions of them, at 100 a call.
const mostSubscriptions = 20_000

func subscriptions(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	pages := sdk.NewListSubscriptionsPaginator(client, &sdk.ListSubscriptionsInput{})
	for read := 0; pages.HasMorePages(); {
		if read >= mostSubscriptions {
			return fmt.Errorf("the region has more than %d subscriptions", mostSubscriptions)
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, entry := range page.Subscriptions {
			// The others are "PendingConfirmation" or "Deleted", and receive nothing.
			if arn := aws.ToString(entry.SubscriptionArn); strings.HasPrefix(arn, "arn:") {
				s.Emit(subscription(s, r, arn, entry))
			}
		}
		read += len(page.Subscriptions)
	}
	return nil
}

func subscription(s *collect.Session, r *collect.Reading, arn string, entry types.Subscription) sns.Subscription {
	return sns.Subscription{
		Resource: s.Resource(arn, name(aws.ToString(entry.TopicArn))),
		Detail: collect.From(r, entry, func(entry types.Subscription) sns.Detail {
			return sns.Detail{Protocol: collect.RequiredText("Protocol", entry.Protocol)}
		}),
	}
}
