package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// errAbsent says that there is none of a name.
var errAbsent = errors.New("there is none")

// thing is something that a run makes, under a name that only one can have.
type thing struct {
	kind, name string
	// tags are what it is tagged with. An error is errAbsent if there is none.
	tags func(context.Context) (map[string]string, error)
	// remove deletes it; nil if a stack does.
	remove func(context.Context) error
}

// kindTable is that of tables, of which DynamoDB keeps a backup if they had point-in-time
// recovery.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html (2026-11-30)
const kindTable = "the table"

// things are all that a run makes, in the order in which they can be deleted.
func (r *run) things() []thing {
	all := []thing{
		r.stack(r.prefix, r.platform.remove),
		r.stack(r.auditStack(), func(ctx context.Context) error { return r.deleteStack(ctx, r.auditStack()) }),
		r.stack(r.operatorStack(), func(ctx context.Context) error { return r.deleteStack(ctx, r.operatorStack()) }),
		{"the queue", r.queue(), r.queueTags, r.deleteQueue},
		r.table(r.prefix), r.table(r.restoredTable()),
		r.bucket(r.evidenceBucket()), r.bucket(r.codeBucket()),
		{"the key's alias", "alias/" + r.prefix, r.aliasTags, nil},
	}
	for _, name := range []string{"api", "scheduler", "checker", "aggregator", "worker", "operator", "audit"} {
		all = append(all, r.role(r.prefix+"-"+name))
	}
	return all
}

// destroy deletes all that runs of this name made: each thing only if it has their tag.
// What fails does not keep the rest.
func (r *run) destroy(ctx context.Context) (string, error) {
	var failed []error
	deleted := 0
	for _, t := range r.things() {
		if t.remove == nil {
			continue
		}
		tags, err := t.tags(ctx)
		switch {
		case errors.Is(err, errAbsent):
			continue
		case err != nil:
		case tags[tag] != r.prefix:
			r.left = append(r.left, fmt.Sprintf("%s %s, which no smoke run made", t.kind, t.name))
			continue
		default:
			err = t.remove(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s: %w", t.kind, t.name, explain(err)))
			continue
		}
		if t.kind == kindTable {
			r.left = append(r.left, fmt.Sprintf("a backup of the table %s, which DynamoDB itself keeps for 35 days and does not charge for", t.name))
		}
		deleted++
	}
	for _, rest := range []func(context.Context) error{r.deleteBackups, r.deleteKeys} {
		if err := rest(ctx); err != nil {
			failed = append(failed, explain(err))
		}
	}
	return fmt.Sprintf("%d things", deleted), errors.Join(failed...)
}

func (r *run) role(name string) thing {
	return thing{"the role", name, func(ctx context.Context) (map[string]string, error) {
		out, err := r.roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if hasCode(err, "NoSuchEntity") {
			return nil, errAbsent
		}
		if err != nil {
			return nil, err
		}
		tags := map[string]string{}
		for _, t := range out.Role.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return tags, nil
	}, nil}
}

// ---- Queues ----

func (r *run) queueURL(ctx context.Context) (string, error) {
	name := r.queue()
	out, err := r.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	// One code of SQS's XML, one of its JSON.
	if hasCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return "", errAbsent
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.QueueUrl), nil
}

func (r *run) queueTags(ctx context.Context) (map[string]string, error) {
	url, err := r.queueURL(ctx)
	if err != nil {
		return nil, err
	}
	out, err := r.queues.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
	if err != nil {
		return nil, err
	}
	return out.Tags, nil
}

func (r *run) deleteQueue(ctx context.Context) error {
	url, err := r.queueURL(ctx)
	if err != nil {
		return err
	}
	_, err = r.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	return err
}

// ---- Tables ----

func (r *run) table(name string) thing {
	return thing{
		kindTable, name,
		func(ctx context.Context) (map[string]string, error) { return r.tableTags(ctx, name) },
		func(ctx context.Context) error { return r.deleteTable(ctx, name) },
	}
}

func (r *run) describeTable(ctx context.Context, name string) (*dynamotypes.TableDescription, error) {
	out, err := r.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if hasCode(err, "ResourceNotFoundException") {
		return nil, errAbsent
	}
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// tableTags are a table's. One that is being restored can have none yet, and is known by
// the backup that it is of.
func (r *run) tableTags(ctx context.Context, name string) (map[string]string, error) {
	table, err := r.describeTable(ctx, name)
	if err != nil {
		return nil, err
	}
	out, err := r.tables.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.TableArn})
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range out.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if of := table.RestoreSummary; of != nil && of.SourceBackupArn != nil && len(tags) == 0 {
		backup, err := r.tables.DescribeBackup(ctx, &dynamodb.DescribeBackupInput{BackupArn: of.SourceBackupArn})
		if err != nil {
			return nil, err
		}
		if aws.ToString(backup.BackupDescription.BackupDetails.BackupName) == r.backup() {
			tags[tag] = r.prefix
		}
	}
	return tags, nil
}

// active waits until a table can be changed. A restore of a small one takes minutes.
func (r *run) active(ctx context.Context, name string, bound time.Duration) error {
	return r.until(ctx, "the table "+name, bound, func(ctx context.Context) (bool, error) {
		table, err := r.describeTable(ctx, name)
		if err != nil {
			return false, err
		}
		return table.TableStatus == dynamotypes.TableStatusActive, nil
	})
}

func (r *run) deleteTable(ctx context.Context, name string) error {
	if err := r.active(ctx, name, restoreBound); err != nil {
		return err
	}
	table, err := r.describeTable(ctx, name)
	if err != nil {
		return err
	}
	if aws.ToBool(table.DeletionProtectionEnabled) {
		if _, err := r.tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
			return err
		}
		if err := r.active(ctx, name, settling); err != nil {
			return err
		}
	}
	if err := r.retry(ctx, settling, []string{"ResourceInUseException", "LimitExceededException"}, func(ctx context.Context) error {
		_, err := r.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		return err
	}); err != nil {
		return err
	}
	return r.until(ctx, "the table "+name+" to be gone", 5*time.Minute, func(ctx context.Context) (bool, error) {
		_, err := r.describeTable(ctx, name)
		if errors.Is(err, errAbsent) {
			return true, nil
		}
		return false, err
	})
}

// deleteBackups deletes those that runs of this name made of the table.
func (r *run) deleteBackups(ctx context.Context) error {
	in := &dynamodb.ListBackupsInput{TableName: &r.prefix, BackupType: dynamotypes.BackupTypeFilterUser}
	for {
		out, err := r.tables.ListBackups(ctx, in)
		if err != nil {
			return err
		}
		for _, b := range out.BackupSummaries {
			if aws.ToString(b.BackupName) != r.backup() {
				continue
			}
			if err := r.retry(ctx, settling, []string{"BackupInUseException", "LimitExceededException"}, func(ctx context.Context) error {
				_, err := r.tables.DeleteBackup(ctx, &dynamodb.DeleteBackupInput{BackupArn: b.BackupArn})
				return err
			}); err != nil && !hasCode(err, "BackupNotFoundException") {
				return err
			}
		}
		if in.ExclusiveStartBackupArn = out.LastEvaluatedBackupArn; in.ExclusiveStartBackupArn == nil {
			return nil
		}
	}
}

// ---- Buckets ----

func (r *run) bucket(name string) thing {
	return thing{
		"the bucket", name,
		func(ctx context.Context) (map[string]string, error) {
			out, err := r.buckets.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
			if hasCode(err, "NoSuchBucket") {
				return nil, errAbsent
			}
			if hasCode(err, "NoSuchTagSet") {
				return map[string]string{}, nil
			}
			if err != nil {
				return nil, err
			}
			tags := map[string]string{}
			for _, t := range out.TagSet {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			return tags, nil
		},
		func(ctx context.Context) error { return r.deleteBucket(ctx, name) },
	}
}

// deleteBucket deletes a bucket with all versions of its objects. Its policy, which lets
// nobody delete templates, goes first: the stack has it, unless it was deleted half.
func (r *run) deleteBucket(ctx context.Context, name string) error {
	if _, err := r.buckets.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &name}); err != nil {
		return err
	}
	versions := s3.NewListObjectVersionsPaginator(r.buckets, &s3.ListObjectVersionsInput{Bucket: &name})
	for versions.HasMorePages() {
		page, err := versions.NextPage(ctx)
		if err != nil {
			return err
		}
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) == 0 {
			continue
		}
		out, err := r.buckets.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &s3types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			e := out.Errors[0]
			return fmt.Errorf("%d objects were not deleted; the first, %s: %s", len(out.Errors), aws.ToString(e.Key), aws.ToString(e.Message))
		}
	}
	return r.retry(ctx, settling, []string{"BucketNotEmpty", "OperationAborted"}, func(ctx context.Context) error {
		_, err := r.buckets.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		return err
	})
}

// ---- Keys ----

func (r *run) aliasTags(ctx context.Context) (map[string]string, error) {
	out, err := r.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/" + r.prefix)})
	if hasCode(err, "NotFoundException") {
		return nil, errAbsent
	}
	if err != nil {
		return nil, err
	}
	return r.keyTags(ctx, aws.ToString(out.KeyMetadata.KeyId))
}

func (r *run) keyTags(ctx context.Context, id string) (map[string]string, error) {
	tags := map[string]string{}
	pages := kms.NewListResourceTagsPaginator(r.keys, &kms.ListResourceTagsInput{KeyId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tags {
			tags[aws.ToString(t.TagKey)] = aws.ToString(t.TagValue)
		}
	}
	return tags, nil
}

// pendingDays is the least that KMS keeps a key that is to be deleted.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html (2026-11-30)
const pendingDays = 7

// deleteKeys schedules the deletion of the keys that runs of this name made. A stack that
// is gone leaves nothing by which its key could be found but the key's tag.
func (r *run) deleteKeys(ctx context.Context) error {
	unread := 0
	pages := kms.NewListKeysPaginator(r.keys, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Keys {
			tags, err := r.keyTags(ctx, aws.ToString(k.KeyId))
			if hasCode(err, "AccessDeniedException") {
				unread++ // by its policy, or ours
				continue
			}
			if err != nil {
				return err
			}
			if tags[tag] != r.prefix {
				continue
			}
			if err := r.deleteKey(ctx, k.KeyId); err != nil {
				return err
			}
		}
	}
	if unread > 0 {
		r.left = append(r.left, fmt.Sprintf("%d keys whose tags these credentials may not read (kms:ListResourceTags); none of them should be a smoke run's", unread))
	}
	return nil
}

func (r *run) deleteKey(ctx context.Context, id *string) error {
	is, err := r.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	if err != nil {
		return err
	}
	at := is.KeyMetadata.DeletionDate
	if is.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
		out, err := r.keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(pendingDays)})
		if err != nil {
			return err
		}
		at = out.DeletionDate
	}
	r.left = append(r.left, fmt.Sprintf("the key %s, which KMS deletes on %s and does not charge for until then", aws.ToString(id), at.UTC().Format(time.DateOnly)))
	return nil
}
