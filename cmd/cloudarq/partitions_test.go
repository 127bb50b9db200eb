package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/emulator"
)

// TestPartitions audits an account in each of AWS's partitions, as somebody with
// credentials and a region there does.
func TestPartitions(t *testing.T) {
	server, err := emulator.Start(t.Context(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for _, p := range model.Partitions() {
		t.Run(p.Name, func(t *testing.T) {
			environment(t, map[string]string{
				"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": p.Home, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x",
			})
			cfg := aws.Config{Region: p.Home, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "x", "")}
			if _, err := awskms.NewFromConfig(cfg).CreateKey(t.Context(), &awskms.CreateKeyInput{}); err != nil {
				t.Fatal(err)
			}
			bucket := &s3.CreateBucketInput{Bucket: aws.String("shop-of-" + p.Name)}
			if p.Home != "us-east-1" {
				bucket.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(p.Home)}
			}
			if _, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), bucket); err != nil {
				t.Fatal(err)
			}
			data := t.TempDir()
			r := cloudarq(t, data, "audit", "run", "--services", "s3,kms,iam,ec2", "--regions", p.Home, "-o", "json", "--incomplete-ok")
			if r.code != exitOK {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			kinds := map[string]bool{}
			for _, v := range decode[[]shape.Verdict](t, r) {
				kinds[v.Service] = true
				if !strings.HasPrefix(v.Resource, "arn:"+p.Name+":") {
					t.Errorf("%s of %s: %s", v.Check, v.Region, v.Resource)
				}
			}
			for _, service := range []string{"s3", "kms", "iam", "ec2"} {
				if !kinds[service] {
					t.Errorf("nothing of %s was looked at", service)
				}
			}
			a := wholeAudits(t, data)[0]
			if a.Partition != p.Name || a.State != model.AuditDone || a.Summary.Score.Coverage < 0.8 { // the emulator does not have all operations
				t.Errorf("the audit is of %s, %s, covers %.2f: %q, gaps %+v", a.Partition, a.State, a.Summary.Score.Coverage, a.Problems, a.Summary.Gaps)
			}
		})
	}
}
