package collect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
	"github.com/cloudarq/cloudarq/pkg/services/sns/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), sns.Service())
}

func TestNoAddressIsKept(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), collecttest.Scenario(t, "neglected")).Resources)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "example.com") {
		t.Errorf("the snapshot holds an endpoint: %s", data)
	}
}

func TestTooManySubscriptions(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	for i := range 100 {
		fmt.Fprintf(&page, `<member><TopicArn>arn:aws:sns:eu-west-1:111122223333:devices</TopicArn><Protocol>application</Protocol>`+
			`<SubscriptionArn>arn:aws:sns:eu-west-1:111122223333:devices:%d</SubscriptionArn></member>`, i)
	}
	answer := func(parameters string) string {
		return "-- ListSubscriptions" + parameters + " --\n<ListSubscriptionsResponse><ListSubscriptionsResult><Subscriptions>" + page.String() +
			"</Subscriptions><NextToken>more</NextToken></ListSubscriptionsResult></ListSubscriptionsResponse>\n"
	}
	cloud := collecttest.Scenario(t, "neglected", answer(""), answer(" NextToken=more"))
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if gap := found.Gaps[sns.Subscription{}.Kind()]; gap == nil || !strings.Contains(gap.Detail, "more than 20000 subscriptions") {
		t.Errorf("gap %v; want the listing to end as incomplete", gap)
	}
	if calls := cloud.Calls("SNS.ListSubscriptions"); calls != 200 {
		t.Errorf("%d calls, want 200", calls)
	}
}
