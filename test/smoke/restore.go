package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/access/operator"
	"github.com/cloudarq/cloudarq/pkg/model"
	blobs "github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// restoreBound is how long a restore of a small table may take: minutes as a rule, and AWS
// promises nothing. It says that most take less than an hour, and that a restore to a
// moment takes 20 minutes at least, of whatever size, which a run has no time for.
// https://repost.aws/knowledge-center/dynamodb-restore-taking-long (2026-11-30)
const restoreBound = 14 * time.Minute

// restore does what docs/operations.md, "Restore", says, of a backup that is made by hand.
// Between the backup and the restore a record and an object are damaged.
func (r *run) restore(ctx context.Context) (string, error) {
	as, err := r.operator(ctx)
	if err != nil {
		return "", err
	}
	r.parameters["Paused"] = "true"
	if err := r.redeploy(ctx); err != nil {
		return "", err
	}
	tables, o := dynamodb.NewFromConfig(as), operator.New(as)
	var before []store.Kind
	if err := r.retry(ctx, settling, justMade, func(ctx context.Context) (err error) {
		before, err = o.Inventory(ctx, r.prefix)
		return err
	}); err != nil {
		return "", err
	}
	moment := time.Now().UTC().Truncate(time.Second).Add(time.Second) // S3 knows no part of a second
	backup, err := r.backUp(ctx, tables)
	if err != nil {
		return "", err
	}
	if err := r.wait(ctx, time.Until(moment.Add(time.Second))); err != nil {
		return "", err
	}
	if err := r.damage(ctx, as); err != nil {
		return "", err
	}

	if err := r.restoreTable(ctx, tables, backup); err != nil {
		return "", err
	}
	after, err := o.Inventory(ctx, r.restoredTable())
	if err != nil {
		return "", err
	}
	if diff := cmp.Diff(before, after); diff != "" {
		return "", fmt.Errorf("the restored table is not what it was (-before +restored):\n%s", diff)
	}
	objects, err := o.RestoreObjects(ctx, r.evidenceBucket(), r.restoredTable(), blobs.Restoring{At: moment, Newer: true})
	if err != nil {
		return "", err
	}
	if objects.Restored == 0 {
		return "", errors.New("the deleted object was not brought back")
	}
	r.parameters["TableName"], r.parameters["AdoptTable"], r.parameters["Paused"] = r.restoredTable(), "true", "false"
	if err := r.redeploy(ctx); err != nil {
		return "", err
	}
	if err := r.deleteStack(ctx, r.operatorStack()); err != nil {
		return "", err
	}
	if err := r.undamaged(ctx); err != nil {
		return "", err
	}
	records := 0
	for _, kind := range after {
		records += kind.Records
	}
	return fmt.Sprintf("%d records as they were, %d objects brought back and %d untouched; the stack goes on with %s", records, objects.Restored, objects.Same, r.restoredTable()), nil
}

// justMade are the codes by which AWS refuses a role that it does not know everywhere yet.
var justMade = []string{"AccessDenied", "AccessDeniedException"}

// operator makes the operator's role and assumes it.
func (r *run) operator(ctx context.Context) (aws.Config, error) {
	template, err := os.ReadFile(filepath.Join("cloudformation", "operator-role.yaml"))
	if err != nil {
		return aws.Config{}, err
	}
	principal, err := r.principal(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	key, err := r.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/" + r.prefix)})
	if err != nil {
		return aws.Config{}, err
	}
	outputs, err := r.deployStack(ctx, stackSpec{name: r.operatorStack(), body: string(template), parameters: map[string]string{
		"Installation": r.prefix, "OperatorArn": principal, "Tables": r.prefix + "*", "KeyArns": aws.ToString(key.KeyMetadata.Arn),
	}})
	if err != nil {
		return aws.Config{}, err
	}
	as := r.Copy()
	as.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(r.sessions, outputs["RoleArn"], func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "smoke"
	}))
	return as, r.retry(ctx, settling, justMade, func(ctx context.Context) error {
		_, err := as.Credentials.Retrieve(ctx)
		return err
	})
}

// wait waits, unless there is nothing to wait for or somebody has enough.
func (r *run) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// backUp backs the table up, once it is known everywhere that it can be restored.
func (r *run) backUp(ctx context.Context, tables *dynamodb.Client) (arn *string, err error) {
	name := r.backup()
	if err := r.retry(ctx, settling, []string{"ContinuousBackupsUnavailableException"}, func(ctx context.Context) error {
		out, err := tables.CreateBackup(ctx, &dynamodb.CreateBackupInput{TableName: &r.prefix, BackupName: &name})
		if err == nil {
			arn = out.BackupDetails.BackupArn
		}
		return err
	}); err != nil {
		return nil, err
	}
	return arn, r.until(ctx, "the backup", settling, func(ctx context.Context) (bool, error) {
		out, err := r.tables.DescribeBackup(ctx, &dynamodb.DescribeBackupInput{BackupArn: arn})
		return err == nil && out.BackupDescription.BackupDetails.BackupStatus == dynamotypes.BackupStatusAvailable, err
	})
}

// damage renames the connection and deletes the evidence of an audit.
func (r *run) damage(ctx context.Context, as aws.Config) error {
	in := r.connection.Input()
	in.Name = "damaged"
	if _, err := r.api.Update(ctx, r.connection, in); err != nil {
		return err
	}
	bucket := r.evidenceBucket()
	objects := s3.NewFromConfig(as, func(o *s3.Options) { o.UsePathStyle = as.BaseEndpoint != nil })
	found, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("evidence/"), MaxKeys: aws.Int32(1)})
	if err != nil {
		return err
	}
	if len(found.Contents) == 0 {
		return errors.New("the audit left no evidence")
	}
	_, err = objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: found.Contents[0].Key})
	return err
}

// restoreTable restores the backup into another table, and gives it what a restored one
// lacks.
func (r *run) restoreTable(ctx context.Context, tables *dynamodb.Client, backup *string) error {
	name := r.restoredTable()
	if _, err := tables.RestoreTableFromBackup(ctx, &dynamodb.RestoreTableFromBackupInput{BackupArn: backup, TargetTableName: &name}); err != nil {
		return err
	}
	r.sayf("  restoring the table takes minutes")
	if err := r.active(ctx, name, restoreBound); err != nil {
		return err
	}
	restored, err := r.describeTable(ctx, name)
	if err != nil {
		return err
	}
	busy := []string{"ResourceInUseException", "ContinuousBackupsUnavailableException"}
	return errors.Join(
		r.retry(ctx, settling, busy, func(ctx context.Context) error {
			_, err := r.tables.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: restored.TableArn, Tags: []dynamotypes.Tag{{Key: aws.String(tag), Value: &r.prefix}}})
			return err
		}),
		r.retry(ctx, settling, busy, func(ctx context.Context) error {
			_, err := tables.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName: &name, TimeToLiveSpecification: &dynamotypes.TimeToLiveSpecification{AttributeName: aws.String("exp"), Enabled: aws.Bool(true)},
			})
			return err
		}),
		r.retry(ctx, settling, busy, func(ctx context.Context) error {
			_, err := tables.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
				TableName: &name, PointInTimeRecoverySpecification: &dynamotypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: aws.Int32(1)},
			})
			return err
		}),
		r.retry(ctx, settling, busy, func(ctx context.Context) error {
			_, err := tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(true)})
			return err
		}),
		r.active(ctx, name, settling),
	)
}

// undamaged wants everything to be as it was seen before the damage.
func (r *run) undamaged(ctx context.Context) error {
	if err := r.answered(ctx, "the API to read the restored table", func(ctx context.Context) error {
		c, err := r.api.Connection(ctx, r.connection.ID)
		if err == nil && c.Name != r.connection.Name {
			return fmt.Errorf("the connection was called %q and is %q", r.connection.Name, c.Name)
		}
		return err
	}); err != nil {
		return err
	}
	if err := r.whole(ctx, r.audited.ID); err != nil {
		return err
	}
	now, err := r.findings(ctx)
	if err != nil {
		return err
	}
	if len(now) > len(r.found) {
		return fmt.Errorf("there were %d findings and are %d", len(r.found), len(now))
	}
	return r.sameFindings(now)
}

// sameFindings wants the findings of the first audit to be as they were. Others may have
// come: somebody else may work in the account, and the restored table is new.
func (r *run) sameFindings(now map[model.FindingID]model.FindingState) error {
	var differ []string
	for _, id := range slices.Sorted(maps.Keys(r.found)) {
		if state, found := now[id]; !found || state != r.found[id] {
			differ = append(differ, fmt.Sprintf("%s was %s and is %s", id, r.found[id], state))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("%d findings are not what they were: %s", len(differ), strings.Join(differ[:min(3, len(differ))], "; "))
	}
	return nil
}

// auditAgain audits with what was restored.
func (r *run) auditAgain(ctx context.Context) (string, error) {
	a, err := r.auditNow(ctx, "again")
	if err != nil {
		return "", err
	}
	if err := r.whole(ctx, a.ID); err != nil {
		return "", err
	}
	now, err := r.findings(ctx)
	if err != nil {
		return "", err
	}
	if err := r.sameFindings(now); err != nil {
		return "", err
	}
	if err := r.alerted(ctx, a.ID); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: the same %d findings", a.State, len(r.found)), nil
}
