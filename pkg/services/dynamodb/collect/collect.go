// Package collect reads DynamoDB tables from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
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

// noPolicy is the answer for a table without a policy.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
const noPolicy = "PolicyNotFoundException"

func tables(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListTablesPaginator(client, &sdk.ListTablesInput{Limit: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListTablesOutput) []string { return o.TableNames },
		func(r *collect.Reading, name string) *dynamodb.Table {
			collect.RequiredWord("TableNames", name)
			t := &dynamodb.Table{Resource: s.Resource(s.ARN("dynamodb", "table/"+name), name)}
			collect.Into(r, &t.Detail, client.DescribeTable, &sdk.DescribeTableInput{TableName: &name}, detail)
			collect.Into(r, &t.PointInTimeRecovery, client.DescribeContinuousBackups, &sdk.DescribeContinuousBackupsInput{TableName: &name},
				func(o *sdk.DescribeContinuousBackupsOutput) bool {
					recovery := o.ContinuousBackupsDescription.PointInTimeRecoveryDescription
					return recovery != nil && recovery.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
				})
			collect.Into(r, &t.Policy, client.GetResourcePolicy, &sdk.GetResourcePolicyInput{ResourceArn: aws.String(t.ARN)},
				func(o *sdk.GetResourcePolicyOutput) string { return s.Policy(collect.RequiredText("Policy", o.Policy)) }, noPolicy)
			return t
		})
}

// detail has no key for a table under DynamoDB's own, as DescribeTable has none.
func detail(o *sdk.DescribeTableOutput) dynamodb.Detail {
	t := o.Table
	d := dynamodb.Detail{
		State:     string(t.TableStatus),
		Protected: t.DeletionProtectionEnabled,
	}
	if t.SSEDescription != nil && t.SSEDescription.Status != types.SSEStatusDisabled {
		d.KMSKey = aws.ToString(t.SSEDescription.KMSMasterKeyArn)
	}
	return d
}
