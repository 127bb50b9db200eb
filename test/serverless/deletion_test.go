package serverless_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

const day = 24 * time.Hour

// mostBackup is the most that the template lets BackupRetentionDays be. Of 30 days it
// leaves one for S3, which counts whole days from the next midnight on, and one more for
// S3 to look again, at what is left when the versions are gone.
const mostBackup = 28

// TestDeletionIsComplete deletes the connections of an organization, one of them with an
// access key, and lets days pass: after 30 nothing speaks of them, in the table and its
// index, in the bucket with all versions and delete markers, and in any backup, though
// backups are kept for as long as the template allows. What stays says itself what it is:
// the receipts, and the admin log, which says who deleted them.
//
// The days pass by rules of the emulator's bucket, as the template made them, and by its
// table's recovery; no rule is taken that is not understood. Backups of the daily plan are
// foreseen by the template's DeleteAfterDays.
func TestDeletionIsComplete(t *testing.T) {
	d := newDrill(t, map[string]string{"BackupRetentionDays": strconv.Itoa(mostBackup)})
	if _, err := stack.Deploy(t.Context(), d.emulator.URL, d.file("template.yaml"), "another", map[string]string{
		"Installation": "another", "TableName": "another", "BackupRetentionDays": strconv.Itoa(mostBackup + 1),
	}); err == nil {
		t.Errorf("backups can be kept for %d days", mostBackup+1)
	}
	h := d.run(t, "deleted", func(o *lambdahost.Options) {
		o.Environ["ApiFunction"] = map[string]string{"PURGE_AFTER": "1ms"}
	})
	h.allowKeys(true)
	account, byKey := newSmall(t, d.install, "777777779911"), newSmall(t, d.install, "777777779912")
	connections := []connection{h.connect(account.Account, scope()), h.connectByKey("by key", h.newUser(byKey.ID, "scanner"))}
	for _, c := range connections {
		for range 2 {
			if a := h.wait(c, h.begin(c, fmt.Sprint(c.ID, time.Now().UnixNano())).ID); a.State != "done" {
				t.Fatalf("audit is %s: %v", a.State, a.Problems)
			}
		}
	}
	if n := h.sealedKeys(connections[1]); n != 1 {
		t.Fatalf("%d data keys of access keys are seen", n)
	}
	before, began := moment(), time.Now()
	for _, c := range connections {
		if status, body, err := h.request(http.MethodDelete, "/v1/connections/"+c.ID, map[string]string{"If-Match": h.tag(c)}, nil); err != nil || status != http.StatusAccepted {
			t.Fatalf("delete: status %d, %s, %v", status, body, err)
		}
		if n := h.sealedKeys(c); n != 0 { // at once, and not with the purge
			t.Errorf("%d data keys of access keys are there after the deletion", n)
		}
	}
	for range 2 {
		if _, err := h.Fire(t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
			t.Fatal(err)
		}
		h.idle()
	}
	// Who restores objects of a moment before brings none back, which nothing would purge.
	restored := d.sh("cloudarq operator restore-objects --table cloudarq --bucket " + h.stack.Outputs["EvidenceBucketName"] + " --at " + before.Format(time.RFC3339) + " -o json")
	if !strings.Contains(restored, `"restored":0,`) || strings.Contains(restored, `"gone":0`) {
		t.Errorf("objects of deleted connections were restored: %s", restored)
	}
	d.pass(h, connections, began)
}

// sealedKeys counts the data keys of a connection's access keys.
func (h *house) sealedKeys(c connection) (n int) {
	for _, item := range h.items() {
		if item.PK == "O#"+h.organization+"#KEY" && strings.HasPrefix(item.SK, c.ID+"/") {
			n++
		}
	}
	return n
}

// items is the whole table, whose index holds the keys of these and nothing else.
func (h *house) items() (all []storedItem) {
	h.t.Helper()
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(h.owner()), &dynamodb.ScanInput{TableName: aws.String(h.stack.Outputs["TableName"])})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, stored := range page.Items {
			all = append(all, fromStored(stored))
		}
	}
	return all
}

// pass lets 30 days pass.
func (d *drill) pass(h *house, connections []connection, began time.Time) {
	t := d.t
	speaks := func(text string) bool {
		for _, c := range connections {
			if strings.Contains(text, c.ID) {
				return true
			}
		}
		return false
	}
	recovery := d.recoveryDays(h)
	// Each day's backup, until it is deleted, and each moment that recovery reaches, has what the table had then.
	var lastSpoken time.Time
	last := map[string]int{}
	for n := 0; n <= 30; n++ {
		now := began.Add(time.Duration(n) * day)
		d.lifecycle(h, now)
		d.expire(h, now)
		kinds := map[string]int{}
		for _, item := range h.items() {
			if speaks(item.PK + item.SK + item.IPK + item.ISK + string(item.Body)) {
				kinds[strings.Split(item.PK, "#")[2]]++
			}
		}
		left := 0
		for kind, n := range kinds {
			if kind != "RECEIPT" && kind != "ADMINLOG" {
				left += n
			}
		}
		if left > 0 {
			lastSpoken = now
		}
		last = map[string]int{"records": left, "receipts": kinds["RECEIPT"], "versions": 0, "backups": 0}
		for _, v := range d.versions(h) {
			if speaks(v.key) {
				last["versions"]++
			}
		}
		for back := range max(recovery, mostBackup) + 1 {
			if taken := now.Add(-time.Duration(back) * day); !taken.After(lastSpoken) && !lastSpoken.IsZero() || taken.Before(began) {
				last["backups"]++
			}
		}
		if n == 0 && (last["versions"] < 20 || last["records"] == 0 && last["backups"] == 0) {
			t.Errorf("on the first day there are %v", last)
		}
		t.Logf("day %d: %v %v", n, last, kinds)
	}
	if last["records"]+last["versions"]+last["backups"] != 0 || last["receipts"] != len(connections) {
		t.Errorf("after 30 days there are %v", last)
	}
	fmt.Printf("deletion: after 30 days no record, version, delete marker or backup of %d connections, and %d receipts\n", len(connections), last["receipts"])
}

// recoveryDays is how far the table's recovery reaches back.
func (d *drill) recoveryDays(h *house) int {
	d.t.Helper()
	out, err := dynamodb.NewFromConfig(h.owner()).DescribeContinuousBackups(d.t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String(theTable)})
	if err != nil {
		d.t.Fatal(err)
	}
	days := aws.ToInt32(out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.RecoveryPeriodInDays)
	if days != mostBackup {
		d.t.Fatalf("recovery reaches back %d days", days)
	}
	return int(days)
}

// expire deletes what is past its time to live, which DynamoDB does within days: of a
// deleted connection that is the record of a request, with its id, kept for a day.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func (d *drill) expire(h *house, now time.Time) {
	d.t.Helper()
	for _, item := range h.items() {
		if item.Expires == 0 || item.Expires > now.Unix() {
			continue
		}
		if _, err := dynamodb.NewFromConfig(h.owner()).DeleteItem(d.t.Context(), &dynamodb.DeleteItemInput{
			TableName: aws.String(theTable),
			Key:       map[string]dynamotypes.AttributeValue{"pk": word(item.PK), "sk": word(item.SK)},
		}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// objectVersion is a version, or a delete marker, of an object.
type objectVersion struct {
	key, id string
	at      time.Time
	marker  bool
	newest  bool
	since   time.Time // when the next newer one came
}

// versions are those of all objects of the bucket, the newest of each key first.
func (d *drill) versions(h *house) (all []objectVersion) {
	d.t.Helper()
	bucket := h.stack.Outputs["EvidenceBucketName"]
	pages := sdks3.NewListObjectVersionsPaginator(d.objectsClient(), &sdks3.ListObjectVersionsInput{Bucket: &bucket})
	newer := map[string]time.Time{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		// A purge leaves a marker on top; below it the versions come, the newest first.
		for _, m := range page.DeleteMarkers {
			all = append(all, objectVersion{key: *m.Key, id: *m.VersionId, at: *m.LastModified, marker: true, newest: aws.ToBool(m.IsLatest)})
			if aws.ToBool(m.IsLatest) {
				newer[*m.Key] = *m.LastModified
			}
		}
		for _, v := range page.Versions {
			all = append(all, objectVersion{key: *v.Key, id: *v.VersionId, at: *v.LastModified, newest: aws.ToBool(v.IsLatest), since: newer[*v.Key]})
			newer[*v.Key] = *v.LastModified
		}
	}
	return all
}

// lifecycle does what S3 does at a moment by the rules of the bucket. S3 counts days from
// the midnight that follows; what is left without versions it sees a day later, when it
// looks again.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html (2026-11-30)
func (d *drill) lifecycle(h *house, now time.Time) {
	d.t.Helper()
	bucket, client := h.stack.Outputs["EvidenceBucketName"], d.objectsClient()
	config, err := client.GetBucketLifecycleConfiguration(d.t.Context(), &sdks3.GetBucketLifecycleConfigurationInput{Bucket: &bucket})
	if err != nil {
		d.t.Fatal(err)
	}
	due := func(since time.Time, days *int32) bool {
		midnight := since.UTC().Add(time.Duration(aws.ToInt32(days)) * day).Truncate(day).Add(day)
		return days != nil && !since.IsZero() && !now.Before(midnight)
	}
	all := d.versions(h)
	count := map[string]int{}
	for _, v := range all {
		count[v.key]++
	}
	var gone []objectVersion
	for _, rule := range config.Rules {
		prefix := aws.ToString(rule.Prefix) //nolint:staticcheck // which S3 says of a rule that was made with it
		if f := rule.Filter; f != nil {
			prefix += aws.ToString(f.Prefix)
		}
		if rule.Status != s3types.ExpirationStatusEnabled || rule.Filter != nil && (rule.Filter.And != nil || rule.Filter.Tag != nil) || rule.Transitions != nil || rule.NoncurrentVersionTransitions != nil {
			d.t.Fatalf("rule %s is not understood", aws.ToString(rule.ID))
		}
		for _, v := range all {
			switch e, n := rule.Expiration, rule.NoncurrentVersionExpiration; {
			case !strings.HasPrefix(v.key, prefix) || slices.Contains(gone, v): // or another rule's
			case n != nil && !v.newest && due(v.since, n.NoncurrentDays):
				gone = append(gone, v)
			case e != nil && v.newest && v.marker && count[v.key] == 1 && (aws.ToBool(e.ExpiredObjectDeleteMarker) || due(v.at, e.Days)):
				gone = append(gone, v)
			case e != nil && v.newest && !v.marker && due(v.at, e.Days):
				d.t.Fatalf("%s expires within a month", v.key)
			}
		}
	}
	for _, v := range gone {
		if _, err := client.DeleteObject(d.t.Context(), &sdks3.DeleteObjectInput{Bucket: &bucket, Key: &v.key, VersionId: &v.id}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// owner is the account of the deployment, above all control.
func (h *house) owner() aws.Config { return (&drill{install: h.install}).in(h.stack.Region) }
