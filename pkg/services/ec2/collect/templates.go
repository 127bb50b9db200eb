package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// launchTemplates needs one listing: asked for versions without naming a
// template, AWS gives those of all.
func launchTemplates(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeLaunchTemplateVersionsPaginator(client, &sdk.DescribeLaunchTemplateVersionsInput{
		Versions: []string{"$Default", "$Latest"}, MaxResults: aws.Int32(200),
	})
	type template struct {
		id, name *string
		manager  string
		versions []ec2.TemplateVersion
	}
	templates := map[string]*template{}
	_, err := collect.Pages(ctx, pages, func(o *sdk.DescribeLaunchTemplateVersionsOutput) []struct{} {
		for _, v := range o.LaunchTemplateVersions {
			id := aws.ToString(v.LaunchTemplateId)
			if templates[id] == nil {
				templates[id] = &template{id: v.LaunchTemplateId, name: v.LaunchTemplateName, manager: operator(v.Operator)}
			}
			templates[id].versions = append(templates[id].versions, templateVersion(ctx, s, v))
		}
		return nil
	})
	if err != nil {
		return err // of any template a version may be missing
	}
	for _, t := range templates {
		l := ec2.LaunchTemplate{Resource: resource(s, "launch-template", t.id)}
		l.Name = aws.ToString(t.name)
		l.Detail = fact.Known(ec2.TemplateDetail{Manager: t.manager})
		slices.SortFunc(t.versions, func(a, b ec2.TemplateVersion) int { return int(a.Number - b.Number) })
		// The default version may be the latest, and then comes twice.
		l.Versions = fact.Known(slices.CompactFunc(t.versions, func(a, b ec2.TemplateVersion) bool { return a.Number == b.Number }))
		s.Emit(l)
	}
	return nil
}

func templateVersion(ctx context.Context, s *collect.Session, v types.LaunchTemplateVersion) ec2.TemplateVersion {
	version := ec2.TemplateVersion{Number: aws.ToInt64(v.VersionNumber)}
	data := collect.Required("LaunchTemplateData", v.LaunchTemplateData)
	if m := data.MetadataOptions; m != nil {
		version.Metadata = ec2.Metadata{
			Endpoint: string(m.HttpEndpoint), Tokens: string(m.HttpTokens), HopLimit: aws.ToInt32(m.HttpPutResponseHopLimit),
		}
	}
	version.Groups = slices.Clone(data.SecurityGroupIds)
	for _, n := range data.NetworkInterfaces {
		version.Groups = append(version.Groups, n.Groups...)
		version.PublicIP = version.PublicIP || aws.ToBool(n.AssociatePublicIpAddress)
	}
	search := collect.NewSearch(ctx)
	version.SecretUserData = search.UserData(base64Text("UserData", data.UserData))
	version.UnreadUserData = search.Gap(s, "ec2:DescribeLaunchTemplateVersions")
	return version
}
