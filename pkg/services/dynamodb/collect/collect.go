// Package collect reads DynamoDB tables from AWS.
package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
)

// Spec is how DynamoDB is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "dynamodb",
		Walks: []collect.Walk{{
			Kinds: []string{dynamodb.Table{}.Kind()},
			Operations: []string{
				"DynamoDB.ListTables", "DynamoDB.DescribeTable", "DynamoDB.DescribeContinuousBackups", "DynamoDB.GetResourcePolicy",
			},
			Run: tables,
		}},
	}
}

// noPolicy is the answer for a table or stream without a policy.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
const noPolicy = "PolicyNotFoundException"

func tables(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListTablesPaginator(client, &sdk.ListTablesInput{Limit: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListTablesOutput) []string { return o.TableNames },
		func(r *collect.Reading, name string) *dynamodb.Table {
			collect.RequiredWord("TableNames", name)
			t := &dynamodb.Table{Resource: s.Resource(s.ARN("dynamodb", "table/"+name), name)}
			r.Do(func(context.Context) { describe(s, r, client, t) })
			collect.Into(r, &t.PointInTimeRecovery, client.DescribeContinuousBackups, &sdk.DescribeContinuousBackupsInput{TableName: &name},
				func(o *sdk.DescribeContinuousBackupsOutput) bool {
					recovery := o.ContinuousBackupsDescription.PointInTimeRecoveryDescription
					return recovery != nil && recovery.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
				})
			r.Do(func(context.Context) { t.Policy = policy(s, r, client, t.ARN) })
			return t
		})
}

func policy(s *collect.Session, r *collect.Reading, client *sdk.Client, arn string) fact.Of[string] {
	return collect.Get(r, client.GetResourcePolicy, &sdk.GetResourcePolicyInput{ResourceArn: &arn},
		func(o *sdk.GetResourcePolicyOutput) string { return s.Policy(collect.RequiredText("Policy", o.Policy)) }, noPolicy)
}

// describe reads what DescribeTable tells, and the policy of the stream that it names.
func describe(s *collect.Session, r *collect.Reading, client *sdk.Client, t *dynamodb.Table) {
	described := collect.Get(r, client.DescribeTable, &sdk.DescribeTableInput{TableName: &t.Name},
		func(o *sdk.DescribeTableOutput) types.TableDescription { return collect.Required("Table", o.Table) })
	table, gap := described.Get()
	if gap != nil {
		t.Detail, t.StreamPolicy = fact.Unknown[dynamodb.Detail](*gap), fact.Unknown[string](*gap)
		return
	}
	t.Detail = collect.From(r, table, detail)
	t.StreamPolicy = collect.From(r, table, func(d types.TableDescription) string { return stream(t.ARN, d) })
	if arn, gap := t.StreamPolicy.Get(); gap == nil && arn != "" {
		t.StreamPolicy = policy(s, r, client, arn)
	}
}

// stream is the ARN of a table's stream; empty if it has none that is on. Of one that was
// switched off nothing is left to be read after a day.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html, 29 November 2026.
func stream(table string, d types.TableDescription) string {
	if d.StreamSpecification == nil || !collect.Required("StreamSpecification.StreamEnabled", d.StreamSpecification.StreamEnabled) {
		return ""
	}
	arn := collect.RequiredARN("LatestStreamArn", d.LatestStreamArn)
	if !strings.HasPrefix(arn, table+"/stream/") { // the policy would be another's
		collect.Garbled("%s is no stream of %s", arn, table)
	}
	return arn
}

// detail has no key for a table under DynamoDB's own, as DescribeTable has none.
func detail(t types.TableDescription) dynamodb.Detail {
	d := dynamodb.Detail{
		State:     string(t.TableStatus),
		Protected: t.DeletionProtectionEnabled,
	}
	if t.SSEDescription != nil && t.SSEDescription.Status != types.SSEStatusDisabled {
		d.KMSKey = aws.ToString(t.SSEDescription.KMSMasterKeyArn)
	}
	return d
}
