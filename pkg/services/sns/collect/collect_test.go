package collect_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
	"github.com/cloudarq/cloudarq/pkg/services/sns/collect"
)

const (
	topicPolicy = `{"Version":"2012-10-17","Statement":[]}`
	role        = "arn:aws:iam::111122223333:role/SNSFeedback"
)

func arn(name string) string { return "arn:aws:sns:eu-west-1:111122223333:" + name }

func full(f *fake.Fake) {
	topic := func(name string) []types.Topic { return []types.Topic{{TopicArn: aws.String(arn(name))}} }
	fake.OnPages[sdk.ListTopicsInput](f,
		&sdk.ListTopicsOutput{Topics: topic("orders"), NextToken: aws.String("2")},
		&sdk.ListTopicsOutput{Topics: topic("plain")})
	fake.On(f, func(in *sdk.GetTopicAttributesInput) (*sdk.GetTopicAttributesOutput, error) {
		attributes := map[string]string{
			"TopicArn": aws.ToString(in.TopicArn), "Owner": "111122223333", "DisplayName": "", "Policy": topicPolicy,
			"SubscriptionsPending": "1", "SubscriptionsConfirmed": "0", "SubscriptionsDeleted": "0",
		}
		if aws.ToString(in.TopicArn) == arn("orders") {
			attributes["KmsMasterKeyId"], attributes["SubscriptionsConfirmed"] = "alias/aws/sns", "2"
			attributes["SQSSuccessFeedbackRoleArn"], attributes["SQSFailureFeedbackRoleArn"] = role, role
			attributes["HTTPFailureFeedbackRoleArn"], attributes["SQSSuccessFeedbackSampleRate"] = role, "100"
		}
		return &sdk.GetTopicAttributesOutput{Attributes: attributes}, nil
	})
	subscription := func(id, protocol, endpoint string) []types.Subscription {
		return []types.Subscription{{
			SubscriptionArn: aws.String(id), TopicArn: aws.String(arn("orders")), Protocol: aws.String(protocol),
			Endpoint: aws.String(endpoint), Owner: aws.String("111122223333"),
		}}
	}
	fake.OnPages[sdk.ListSubscriptionsInput](f,
		&sdk.ListSubscriptionsOutput{Subscriptions: subscription(arn("orders:1"), "email", "jane@example.com"), NextToken: aws.String("2")},
		&sdk.ListSubscriptionsOutput{Subscriptions: append(subscription("PendingConfirmation", "http", "http://example.com"),
			subscription(arn("orders:2"), "http", "http://example.com")...)})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), sns.Service())
}

func TestNoAddressIsKept(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), f).Resources)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "example.com") {
		t.Errorf("the snapshot holds an endpoint: %s", data)
	}
}

func TestTooManySubscriptions(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	next := 0
	fake.On(f, func(*sdk.ListSubscriptionsInput) (*sdk.ListSubscriptionsOutput, error) {
		o := &sdk.ListSubscriptionsOutput{NextToken: aws.String(strconv.Itoa(next))}
		for range 100 {
			next++
			o.Subscriptions = append(o.Subscriptions, types.Subscription{
				SubscriptionArn: aws.String(arn("devices:" + strconv.Itoa(next))), TopicArn: aws.String(arn("devices")), Protocol: aws.String("application"),
			})
		}
		return o, nil
	})
	found := collecttest.Walk(t, collect.Spec(), f)
	if gap := found.Gaps[sns.Subscription{}.Kind()]; gap == nil || !strings.Contains(gap.Detail, "more than 20000 subscriptions") {
		t.Errorf("gap %v; want the listing to end as incomplete", gap)
	}
	if calls := f.Calls("SNS.ListSubscriptions"); calls != 200 {
		t.Errorf("%d calls, want 200", calls)
	}
}
