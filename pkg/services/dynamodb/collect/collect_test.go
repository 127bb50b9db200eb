package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb/collect"
)

const (
	tablePolicy = `{"Version":"2012-10-17","Statement":[]}`
	key         = "arn:aws:kms:eu-west-1:111122223333:key/1"
)

func arn(name string) string { return "arn:aws:dynamodb:eu-west-1:111122223333:table/" + name }

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListTablesInput](f,
		&sdk.ListTablesOutput{TableNames: []string{"orders"}, LastEvaluatedTableName: aws.String("orders")},
		&sdk.ListTablesOutput{TableNames: []string{"sessions"}})
	fake.On(f, func(in *sdk.DescribeTableInput) (*sdk.DescribeTableOutput, error) {
		t := types.TableDescription{TableName: in.TableName, TableArn: aws.String(arn(*in.TableName)), TableStatus: types.TableStatusActive}
		if *in.TableName == "orders" {
			t.DeletionProtectionEnabled = aws.Bool(true)
			t.BillingModeSummary = &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest}
			t.SSEDescription = &types.SSEDescription{SSEType: types.SSETypeKms, Status: types.SSEStatusEnabled, KMSMasterKeyArn: aws.String(key)}
		}
		return &sdk.DescribeTableOutput{Table: &t}, nil
	})
	fake.On(f, func(in *sdk.DescribeContinuousBackupsInput) (*sdk.DescribeContinuousBackupsOutput, error) {
		status := types.PointInTimeRecoveryStatusDisabled
		if *in.TableName == "orders" {
			status = types.PointInTimeRecoveryStatusEnabled
		}
		return &sdk.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: &types.ContinuousBackupsDescription{
			ContinuousBackupsStatus:        types.ContinuousBackupsStatusEnabled,
			PointInTimeRecoveryDescription: &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: status},
		}}, nil
	})
	fake.On(f, func(in *sdk.GetResourcePolicyInput) (*sdk.GetResourcePolicyOutput, error) {
		if *in.ResourceArn == arn("orders") {
			return &sdk.GetResourcePolicyOutput{Policy: aws.String(tablePolicy), RevisionId: aws.String("1")}, nil
		}
		return nil, fake.Error("PolicyNotFoundException")
	})
}

func table(name string, d dynamodb.Detail, recovery bool, policy string) dynamodb.Table {
	return dynamodb.Table{
		Resource: model.Resource{Ref: model.Ref{ARN: arn(name), Account: collecttest.Account, Region: collecttest.Region, Name: name}},
		Detail:   fact.Known(d), PointInTimeRecovery: fact.Known(recovery), Policy: fact.Known(policy),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		table("orders", dynamodb.Detail{State: "ACTIVE", BillingMode: "PAY_PER_REQUEST", Protected: true, KMSKey: key}, true, tablePolicy),
		table("sessions", dynamodb.Detail{State: "ACTIVE", BillingMode: "PROVISIONED"}, false, ""),
	})
}
