package remedy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// TestEveryWordIsKnown: each word in capitals of a check's command line is filled from its
// resource, or said not to be.
func TestEveryWordIsKnown(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := catalog.Texts()
	if err != nil {
		t.Fatal(err)
	}
	used := map[[2]string]bool{}
	for _, k := range catalog.Checks() {
		for _, w := range word.FindAllString(texts[k.ID].Remediation.CLI, -1) {
			used[[2]string{k.Kind, w}] = true
			if _, known := words()[k.Kind][w]; !known {
				t.Errorf("check %s: words.tsv does not say what %s is of a %s", k.ID, w, k.Kind)
			}
		}
	}
	for kind, all := range words() {
		for w := range all {
			if !used[[2]string{kind, w}] {
				t.Errorf("words.tsv has %s of %s, which no command line has", w, kind)
			}
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, kind, arn, sub, region, name, want string }{
		{"aws s3api put-bucket-acl --bucket BUCKET --acl private", "AWS::S3::Bucket", "arn:aws:s3:::logs.example", "", "eu-west-1", "logs.example", "aws s3api put-bucket-acl --region eu-west-1 --bucket logs.example --acl private"},
		{"aws iam detach-user-policy --user-name USER --policy-arn POLICY_ARN", "AWS::IAM::User", "arn:aws:iam::111111111111:user/team/anna", "", "global", "anna", "aws iam detach-user-policy --user-name anna --policy-arn POLICY_ARN"},
		{"aws iam update-access-key --user-name USER --access-key-id KEY_ID", "AWS::IAM::AccessKey", "arn:aws:iam::111111111111:user/deploy", "access-key/2", "global", "deploy, access key 2", "aws iam update-access-key --user-name deploy --access-key-id KEY_ID"},
		{"aws sqs set-queue-attributes --queue-url QUEUE_URL", "AWS::SQS::Queue", "arn:aws-cn:sqs:cn-north-1:111111111111:jobs", "", "cn-north-1", "jobs", "aws sqs set-queue-attributes --region cn-north-1 --queue-url https://sqs.cn-north-1.amazonaws.com.cn/111111111111/jobs"},
		{"aws ec2 copy-snapshot --source-region REGION --source-snapshot-id SNAPSHOT_ID --kms-key-id KEY_ID", "AWS::EC2::Snapshot", "arn:aws:ec2:eu-west-1::snapshot/snap-1", "", "eu-west-1", "snap-1", "aws ec2 copy-snapshot --region eu-west-1 --source-region eu-west-1 --source-snapshot-id snap-1 --kms-key-id KEY_ID"},
		{"aws rds copy-db-snapshot --target-db-snapshot-identifier SNAPSHOT-encrypted", "AWS::RDS::DBSnapshot", "arn:aws:rds:eu-west-1:111111111111:snapshot:shop-2019", "", "eu-west-1", "shop-2019", "aws rds copy-db-snapshot --region eu-west-1 --target-db-snapshot-identifier shop-2019-encrypted"},
		{"aws ecs update-service --cluster CLUSTER --service SERVICE", "AWS::ECS::Service", "arn:aws:ecs:eu-west-1:111111111111:service/shop/web", "", "eu-west-1", "web", "aws ecs update-service --region eu-west-1 --cluster shop --service web"},
		{"aws efs delete-mount-target --mount-target-id MOUNT_TARGET && aws efs create-mount-target --file-system-id FS_ID", "AWS::EFS::FileSystem", "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-1", "", "eu-west-1", "", "aws efs delete-mount-target --region eu-west-1 --mount-target-id MOUNT_TARGET && aws efs create-mount-target --region eu-west-1 --file-system-id fs-1"},
		{"aws guardduty create-detector --enable --region REGION", "AWS::GuardDuty::RegionSettings", "arn:aws:guardduty:eu-west-1:111111111111:region-settings", "", "eu-west-1", "eu-west-1", "aws guardduty create-detector --enable --region eu-west-1"},
	} {
		if got := Fill(c.line, c.kind, model.Ref{ARN: c.arn, Sub: c.sub, Account: "111111111111", Region: c.region, Name: c.name}); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.kind, got, c.want)
		}
	}
}

// TestNothingHostileIsFilled: whatever a resource is called, the command line holds nothing
// that a shell would run, end a word at, or take for an option.
func TestNothingHostileIsFilled(t *testing.T) {
	t.Parallel()
	type line struct{ kind, word string }
	var all []line
	for kind, of := range words() {
		for w, value := range of {
			if value != nil {
				all = append(all, line{kind, w})
			}
		}
	}
	safe := regexp.MustCompile(`^aws x y( --region [A-Za-z0-9_./:@+=][A-Za-z0-9_./:@+=-]*)? --id [A-Za-z0-9_./:@+=][A-Za-z0-9_./:@+=-]*$`)
	rapid.Check(t, func(t *rapid.T) {
		l := all[rapid.IntRange(0, len(all)-1).Draw(t, "line")]
		name := rapid.OneOf(rapid.StringMatching("(-|--|')?[a-z$`;&|\"' (){}\n\\\\*]{0,6}"), rapid.String()).Draw(t, "name")
		prefix := rapid.SampledFrom([]string{"arn:aws:x:eu-west-1:111111111111:", "arn:aws:s3:::", "arn:aws:iam::111111111111:user/", "arn:aws:ec2:eu-west-1:111111111111:volume/", "arn:aws:lambda:eu-west-1:1:function:", ""}).Draw(t, "prefix")
		r := model.Ref{ARN: prefix + name, Account: "111111111111", Region: rapid.SampledFrom([]string{"eu-west-1", "global", name}).Draw(t, "region"), Name: name}
		if got := Fill("aws x y --id "+l.word, l.kind, r); !safe.MatchString(got) || strings.Contains(got, "--id -") {
			t.Fatalf("%+v became %q", r, got)
		}
	})
}
