// Package collect reads Amazon EventBridge from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/eventbridge"
)

// Spec is how Amazon EventBridge is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "eventbridge",
		Walks: []collect.Walk{{
			Kinds:      []string{eventbridge.EventBus{}.Kind()},
			Operations: []string{"EventBridge.ListEventBuses"},
			Run:        eventBuses,
		}},
	}
}

// pageSize is the most that the listing gives at once.
const pageSize = 100

func eventBuses(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := collect.Listing(client.ListEventBuses, &sdk.ListEventBusesInput{Limit: aws.Int32(pageSize)}, func(in *sdk.ListEventBusesInput, o *sdk.ListEventBusesOutput) *string {
		in.NextToken = o.NextToken
		return in.NextToken
	})
	return collect.Each(ctx, s, pages, func(o *sdk.ListEventBusesOutput) []types.EventBus { return o.EventBuses },
		func(r *collect.Reading, found types.EventBus) *eventbridge.EventBus {
			return &eventbridge.EventBus{
				Resource: s.Resource(collect.RequiredARN("Arn", found.Arn), collect.RequiredText("Name", found.Name)),
				Policy:   collect.From(r, found, func(b types.EventBus) string { return s.Policy(collect.Optional("Policy", b.Policy)) }),
			}
		})
}
