// Package collect reads Security Hub's settings from AWS.
package collect

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
)

// Spec is how Security Hub is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "securityhub",
		Walks: []collect.Walk{{
			Kinds:      []string{securityhub.RegionSettings{}.Kind()},
			Operations: []string{"SecurityHub.DescribeHub", "SecurityHub.GetEnabledStandards"},
			Run:        settings,
		}},
	}
}

func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	x := securityhub.RegionSettings{Resource: s.Resource(s.ARN("securityhub", "region-settings"), s.Region)}
	x.Hub = collect.Ask(r, func(ctx context.Context) (string, error) {
		hub, err := client.DescribeHub(ctx, &sdk.DescribeHubInput{})
		if notSubscribed(err) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return *hub.HubArn, nil
	})
	if hub, gap := x.Hub.Get(); gap != nil || hub != "" {
		x.Standards = collect.Ask(r, func(ctx context.Context) ([]securityhub.Standard, error) {
			pages := sdk.NewGetEnabledStandardsPaginator(client, &sdk.GetEnabledStandardsInput{MaxResults: aws.Int32(100)})
			return collect.Pages(ctx, pages, standards)
		})
	}
	s.Emit(x)
	return nil
}

func standards(o *sdk.GetEnabledStandardsOutput) []securityhub.Standard {
	all := make([]securityhub.Standard, len(o.StandardsSubscriptions))
	for i, s := range o.StandardsSubscriptions {
		all[i] = securityhub.Standard{ARN: aws.ToString(s.StandardsArn), Status: string(s.StandardsStatus)}
	}
	return all
}

// notSubscribed reports whether Security Hub answered that the account has not
// enabled it. The code alone also stands for a lack of permission, so the
// message has to tell: "Account … is not subscribed to AWS Security Hub".
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
func notSubscribed(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidAccessException" &&
		strings.Contains(strings.ToLower(api.ErrorMessage()), "not subscribed")
}
