// Package collect reads Route 53's hosted zones from AWS.
package collect

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/route53"
)

// Spec is how Route 53 is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "route53",
		Global:  true,
		Walks: []collect.Walk{{
			Kinds:      []string{route53.HostedZone{}.Kind()},
			Operations: []string{"Route 53.ListHostedZones", "Route 53.ListQueryLoggingConfigs", "Route 53.GetDNSSEC"},
			Run:        zones,
		}},
	}
}

const most = 100

// zones asks once for the query logs of all zones: Route 53 answers five
// requests a second for the whole account.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
func zones(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	all := collect.NewReading(ctx, s)
	logs := sync.OnceValue(func() fact.Of[[]types.QueryLoggingConfig] {
		return collect.Ask(all, func(ctx context.Context) ([]types.QueryLoggingConfig, error) {
			pages := sdk.NewListQueryLoggingConfigsPaginator(client, &sdk.ListQueryLoggingConfigsInput{MaxResults: aws.Int32(most)})
			return collect.Pages(ctx, pages, func(o *sdk.ListQueryLoggingConfigsOutput) []types.QueryLoggingConfig { return o.QueryLoggingConfigs })
		})
	})
	pages := sdk.NewListHostedZonesPaginator(client, &sdk.ListHostedZonesInput{MaxItems: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListHostedZonesOutput) []types.HostedZone { return o.HostedZones },
		func(r *collect.Reading, found types.HostedZone) *route53.HostedZone {
			id := strings.TrimPrefix(*found.Id, "/hostedzone/")
			z := &route53.HostedZone{Resource: s.Resource(arn(s, id), aws.ToString(found.Name)), Detail: collect.From(r, found, detail)}
			if d, gap := z.Detail.Get(); gap == nil && !d.Private {
				collect.Into(r, &z.Signing, client.GetDNSSEC, &sdk.GetDNSSECInput{HostedZoneId: &id},
					func(o *sdk.GetDNSSECOutput) string { return *o.Status.ServeSignature })
				r.Do(func(context.Context) {
					z.QueryLogs = fact.Map(logs(), func(configs []types.QueryLoggingConfig) []string { return groups(configs, id) })
				})
			}
			return z
		})
}

// arn makes the ARN of a zone, which names no account.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html
func arn(s *collect.Session, id string) string {
	return "arn:" + s.Partition + ":route53:::hostedzone/" + id
}

func detail(z types.HostedZone) route53.Detail {
	d := route53.Detail{Private: collect.Required("Config", z.Config).PrivateZone}
	if z.LinkedService != nil {
		d.CreatedBy = collect.RequiredText("ServicePrincipal", z.LinkedService.ServicePrincipal)
	}
	return d
}

func groups(configs []types.QueryLoggingConfig, zone string) []string {
	var all []string
	for _, c := range configs {
		if aws.ToString(c.HostedZoneId) == zone {
			all = append(all, aws.ToString(c.CloudWatchLogsLogGroupArn))
		}
	}
	return all
}
