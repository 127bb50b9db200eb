package lambdahost

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSDKCalls asks by the real SDK: each call must be recognised, and an error that
// the proxy makes up must be understood.
func TestSDKCalls(t *testing.T) {
	var seen Call
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, max(r.ContentLength, 0))
		_, _ = r.Body.Read(body)
		seen = identify(r, body)
		time.Sleep(settle)
		writeError(w, r, seen, http.StatusBadRequest, "SomeException")
	}))
	defer server.Close()
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: awscredentials.NewStaticCredentialsProvider("a", "b", ""),
		HTTPClient:  &http.Client{Transport: &toEmulator{next: &http.Transport{DisableKeepAlives: true}}},
	}
	objects, bucket, key := s3.NewFromConfig(cfg), aws.String("bucket"), aws.String("a/key")
	queues, queue := sqs.NewFromConfig(cfg), aws.String("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")
	for _, c := range []struct {
		want Call
		call func(context.Context) error
	}{
		{Call{Service: "s3", Operation: "PutObject", Resource: "bucket/a/key", Effect: true}, func(ctx context.Context) error {
			_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x")})
			return err
		}},
		{Call{Service: "s3", Operation: "GetObject", Resource: "bucket/a/key"}, func(ctx context.Context) error {
			_, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
			return err
		}},
		{Call{Service: "s3", Operation: "DeleteObject", Resource: "bucket/a/key", Effect: true}, func(ctx context.Context) error {
			_, err := objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
			return err
		}},
		{Call{Service: "s3", Operation: "DeleteObjects", Resource: "bucket", Effect: true}, func(ctx context.Context) error {
			_, err := objects.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}}}})
			return err
		}},
		{Call{Service: "s3", Operation: "ListObjectsV2", Resource: "bucket"}, func(ctx context.Context) error {
			_, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
			return err
		}},
		{Call{Service: "s3", Operation: "CreateMultipartUpload", Resource: "bucket/a/key", Effect: true}, func(ctx context.Context) error {
			_, err := objects.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return err
		}},
		{Call{Service: "s3", Operation: "CompleteMultipartUpload", Resource: "bucket/a/key", Effect: true}, func(ctx context.Context) error {
			_, err := objects.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
				Bucket: bucket, Key: key, UploadId: aws.String("u"), MultipartUpload: &types.CompletedMultipartUpload{},
			})
			return err
		}},
		{Call{Service: "dynamodb", Operation: "DescribeTable", Resource: "t"}, func(ctx context.Context) error {
			_, err := dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("t")})
			return err
		}},
		{Call{Service: "dynamodb", Operation: "BatchWriteItem", Resource: "t", Effect: true}, func(ctx context.Context) error {
			remove := dynamodbtypes.WriteRequest{DeleteRequest: &dynamodbtypes.DeleteRequest{Key: map[string]dynamodbtypes.AttributeValue{}}}
			_, err := dynamodb.NewFromConfig(cfg).BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamodbtypes.WriteRequest{"t": {remove}}})
			return err
		}},
		{Call{Service: "sqs", Operation: "ChangeMessageVisibility", Resource: "jobs", Seconds: 45, Effect: true}, func(ctx context.Context) error {
			_, err := queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: aws.String("r"), VisibilityTimeout: 45})
			return err
		}},
		{Call{Service: "sns", Operation: "Publish", Resource: "arn:topic", Effect: true}, func(ctx context.Context) error {
			_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: aws.String("arn:topic"), Message: aws.String("m")})
			return err
		}},
		{Call{Service: "kms", Operation: "GenerateDataKey", Resource: "k"}, func(ctx context.Context) error {
			_, err := kms.NewFromConfig(cfg).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String("k"), KeySpec: "AES_256"})
			return err
		}},
		{Call{Service: "sts", Operation: "AssumeRole", Resource: "arn:aws:iam::1:role/r"}, func(ctx context.Context) error {
			_, err := sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::1:role/r"), RoleSessionName: aws.String("s")})
			return err
		}},
	} {
		t.Run(c.want.Service+" "+c.want.Operation, func(t *testing.T) {
			err := c.call(t.Context())
			var failed smithy.APIError
			if !errors.As(err, &failed) || failed.ErrorCode() != "SomeException" || !strings.Contains(failed.ErrorMessage(), "was made to fail") {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(c.want, seen, cmpopts.IgnoreUnexported(Call{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
