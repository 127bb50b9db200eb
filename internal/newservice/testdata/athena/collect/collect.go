// Package collect reads Amazon Athena from AWS.
package collect

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/athena"
)

// Spec is how Amazon Athena is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "athena",
		Walks: []collect.Walk{{
			Kinds:      []string{athena.WorkGroup{}.Kind()},
			Operations: []string{"Athena.ListWorkGroups", "Athena.GetWorkGroup"},
			Run:        workGroups,
		}},
	}
}

func workGroups(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListWorkGroupsPaginator(client, &sdk.ListWorkGroupsInput{})
	return collect.Each(ctx, s, pages, func(o *sdk.ListWorkGroupsOutput) []types.WorkGroupSummary { return o.WorkGroups },
		func(r *collect.Reading, found types.WorkGroupSummary) *athena.WorkGroup {
			name := collect.RequiredText("Name", found.Name)
			x := &athena.WorkGroup{Resource: s.Resource(s.ARN("athena", "workgroup/"+name), name)}
			collect.Into(r, &x.Detail, client.GetWorkGroup, &sdk.GetWorkGroupInput{WorkGroup: &name}, detail)
			return x
		})
}

func detail(o *sdk.GetWorkGroupOutput) athena.Detail {
	found := collect.Required("WorkGroup", o.WorkGroup)
	c := collect.Required("Configuration", found.Configuration)
	engine := collect.Required("EngineVersion", c.EngineVersion)
	d := athena.Detail{
		State: string(collect.RequiredWord("State", found.State)),
		Spark: strings.HasPrefix(collect.RequiredText("EffectiveEngineVersion", engine.EffectiveEngineVersion), "PySpark"),
	}
	if !d.Spark {
		d.Enforced = collect.Required("EnforceWorkGroupConfiguration", c.EnforceWorkGroupConfiguration)
	}
	if managed := c.ManagedQueryResultsConfiguration; managed != nil && managed.Enabled {
		d.Encryption = "MANAGED" // with a key of AWS's, where none of the account's is named
	} else if r := c.ResultConfiguration; r != nil && r.EncryptionConfiguration != nil {
		option := r.EncryptionConfiguration.EncryptionOption
		d.Encryption = string(collect.Known("EncryptionOption", option, option.Values()...))
	}
	return d
}
