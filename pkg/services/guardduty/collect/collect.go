// Package collect reads GuardDuty's detectors from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/guardduty"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
)

// Spec is how GuardDuty is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "guardduty",
		Walks: []collect.Walk{{
			Kinds: []string{guardduty.RegionSettings{}.Kind()},
			Operations: []string{
				"GuardDuty.ListDetectors", "GuardDuty.GetDetector", "GuardDuty.GetAdministratorAccount", "GuardDuty.ListMembers",
			},
			Run: settings,
		}},
	}
}

func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	x := guardduty.RegionSettings{Resource: s.Resource(s.ARN("guardduty", "region-settings"), s.Region)}
	var id string
	x.Detector = collect.Ask(r, func(ctx context.Context) (d guardduty.Detector, err error) {
		if id, err = detectorID(ctx, client); err != nil || id == "" {
			return d, err
		}
		return detector(ctx, client, id)
	})
	if id != "" {
		collect.Into(r, &x.Administrator, client.GetAdministratorAccount, &sdk.GetAdministratorAccountInput{DetectorId: &id}, administrator)
		// One member is enough to know.
		members := &sdk.ListMembersInput{DetectorId: &id, MaxResults: aws.Int32(1), OnlyAssociated: aws.String("true")}
		collect.Into(r, &x.Members, client.ListMembers, members, func(o *sdk.ListMembersOutput) bool { return len(o.Members) > 0 })
	}
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(x)
	return nil
}

// detectorID is the id of the region's detector; empty if there is none.
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html
func detectorID(ctx context.Context, client *sdk.Client) (string, error) {
	pages := sdk.NewListDetectorsPaginator(client, &sdk.ListDetectorsInput{MaxResults: aws.Int32(50)})
	ids, err := collect.Pages(ctx, pages, func(o *sdk.ListDetectorsOutput) []string { return collect.RequiredList("detectorIds", o.DetectorIds) })
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

func detector(ctx context.Context, client *sdk.Client, id string) (guardduty.Detector, error) {
	o, err := client.GetDetector(ctx, &sdk.GetDetectorInput{DetectorId: &id})
	if err != nil {
		return guardduty.Detector{}, err
	}
	d := guardduty.Detector{ID: id, Status: string(collect.RequiredWord("status", o.Status))}
	for _, f := range o.Features {
		feature := guardduty.Feature{Name: string(f.Name), Status: string(collect.RequiredWord("features.status", f.Status))}
		for _, a := range f.AdditionalConfiguration {
			feature.Agents = append(feature.Agents, guardduty.Agent{
				Name: string(a.Name), Status: string(collect.RequiredWord("features.additionalConfiguration.status", a.Status)),
			})
		}
		d.Features = append(d.Features, feature)
	}
	return d, nil
}

// administrator is the account that manages the detector. AWS answers without
// one when there is none, and of an invitation that was not accepted.
func administrator(o *sdk.GetAdministratorAccountOutput) string {
	if o.Administrator == nil || aws.ToString(o.Administrator.RelationshipStatus) != "Enabled" {
		return ""
	}
	return aws.ToString(o.Administrator.AccountId)
}
