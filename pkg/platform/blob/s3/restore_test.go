package s3_test

import (
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// TestRestoreTo gives keys of every history, two of which go on on a second page.
func TestRestoreTo(t *testing.T) {
	at := func(seconds int) *time.Time { return aws.Time(noon.Add(time.Duration(seconds) * time.Second)) }
	put := func(key, id string, seconds int, latest bool) types.ObjectVersion {
		return types.ObjectVersion{Key: &key, VersionId: &id, LastModified: at(seconds), IsLatest: &latest}
	}
	del := func(key, id string, seconds int, latest bool) types.DeleteMarkerEntry {
		return types.DeleteMarkerEntry{Key: &key, VersionId: &id, LastModified: at(seconds), IsLatest: &latest}
	}
	pages := []*awss3.ListObjectVersionsOutput{
		{
			IsTruncated: aws.Bool(true), NextKeyMarker: aws.String("replaced twice"), NextVersionIdMarker: aws.String("3"),
			Versions: []types.ObjectVersion{
				put("brought back before", "copy", 90, true), put("brought back before", "2", 60, false), put("brought back before", "1", -60, false),
				put("deleted & at=1", "1", -60, false),
				put("deleted before", "1", -60, false),
				put("deleted in its second", "1", -1, false),
				put("left alone", "1", 0, true),
				put("new", "1", 1, true),
				put("replaced twice", "3", 2, true),
			},
			DeleteMarkers: []types.DeleteMarkerEntry{
				del("deleted & at=1", "2", 60, true), del("deleted before", "2", -30, true), del("deleted in its second", "2", -1, true),
			},
		},
		{Versions: []types.ObjectVersion{put("replaced twice", "2", 1, false), put("replaced twice", "1", 0, false), put("was hidden and is new", "1", 5, false)}, DeleteMarkers: []types.DeleteMarkerEntry{del("was hidden and is new", "2", 6, true)}},
	}
	for name, c := range map[string]struct {
		restoring s3.Restoring
		want      s3.Restored
		copied    []string
		hidden    []string
	}{
		"objects alone": {s3.Restoring{At: noon}, s3.Restored{Same: 5, Restored: 2, Newer: 1}, []string{"b/deleted%20&%20at=1?versionId=1", "b/replaced%20twice?versionId=1"}, nil},
		"with the records": {
			s3.Restoring{At: noon, Newer: true},
			s3.Restored{Same: 5, Restored: 2, Newer: 1, Hidden: 1},
			[]string{"b/deleted%20&%20at=1?versionId=1", "b/replaced%20twice?versionId=1"},
			[]string{"new"},
		},
		"a dry run": {s3.Restoring{At: noon, Newer: true, Dry: true}, s3.Restored{Same: 5, Restored: 2, Newer: 1, Hidden: 1}, nil, nil},
		"some that belong to nothing": {
			s3.Restoring{At: noon, Newer: true, Gone: func(key string) bool { return strings.HasPrefix(key, "re") || key == "deleted & at=1" }},
			s3.Restored{Same: 6, Newer: 2, Hidden: 2, Gone: 2},
			nil,
			[]string{"new", "replaced twice"},
		},
		"some keys": {s3.Restoring{At: noon, Only: func(key string) bool { return strings.HasPrefix(key, "replaced") }}, s3.Restored{Restored: 1}, []string{"b/replaced%20twice?versionId=1"}, nil},
		"earlier": {
			s3.Restoring{At: noon.Add(-time.Minute)},
			s3.Restored{Same: 3, Restored: 2, Newer: 3},
			[]string{"b/deleted%20&%20at=1?versionId=1", "b/deleted%20before?versionId=1"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake.New()
			fake.On(f, func(*awss3.GetBucketVersioningInput) (*awss3.GetBucketVersioningOutput, error) {
				return &awss3.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled}, nil
			})
			fake.On(f, func(in *awss3.ListObjectVersionsInput) (*awss3.ListObjectVersionsOutput, error) {
				if in.KeyMarker == nil {
					return pages[0], nil
				}
				return pages[1], nil
			})
			fake.On(f, func(in *awss3.HeadObjectInput) (*awss3.HeadObjectOutput, error) {
				if aws.ToString(in.VersionId) == "copy" {
					return &awss3.HeadObjectOutput{Metadata: map[string]string{"restored-from": "1"}}, nil
				}
				return &awss3.HeadObjectOutput{}, nil
			})
			var copied, hidden lines
			fake.On(f, func(in *awss3.CopyObjectInput) (*awss3.CopyObjectOutput, error) {
				copied.add(aws.ToString(in.CopySource))
				return &awss3.CopyObjectOutput{}, nil
			})
			fake.On(f, func(in *awss3.DeleteObjectInput) (*awss3.DeleteObjectOutput, error) {
				if in.VersionId != nil {
					t.Errorf("a version of %s is deleted", aws.ToString(in.Key))
				}
				hidden.add(aws.ToString(in.Key))
				return &awss3.DeleteObjectOutput{}, nil
			})
			got, err := s3.New(awss3.NewFromConfig(f.Config(t)), "b").RestoreTo(t.Context(), c.restoring)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got) + cmp.Diff(c.copied, copied.sorted()) + cmp.Diff(c.hidden, hidden.sorted()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRestoreOnS3 goes back twice, on a bucket of the emulator.
func TestRestoreOnS3(t *testing.T) {
	client, name := bucket(t)
	store := s3.New(client, name)
	if _, err := store.RestoreTo(t.Context(), s3.Restoring{At: time.Now()}); err == nil || !strings.Contains(err.Error(), "does not keep versions") {
		t.Errorf("without versions: %v", err)
	}
	if _, err := client.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	const key = "evidence/org=a b/date=2026-11-29/100%"
	put := func(text string) {
		t.Helper()
		if err := store.Put(t.Context(), key, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("as it was")
	then := time.Now()
	<-time.After(time.Until(then.Truncate(time.Second).Add(time.Second))) // S3's moments are whole seconds
	put("tampered with")
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for _, want := range []s3.Restored{{Restored: 1}, {Same: 1}} {
		if got, err := store.RestoreTo(t.Context(), s3.Restoring{At: then.Truncate(time.Second)}); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		r, err := store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if _ = r.Close(); err != nil || string(text) != "as it was" {
			t.Errorf("%q, %v", text, err)
		}
	}
}

// lines gathers text of calls that overlap.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) sorted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.all)
	return l.all
}
