package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// Restoring says to what moment a bucket with versions goes back.
type Restoring struct {
	At time.Time // a whole second: S3 knows no smaller ones
	// Newer hides what was put first after the moment, too, for a bucket whose records go
	// back to it as well; else that stays.
	Newer bool
	// Only tells which keys are looked at; nil means all.
	Only func(key string) bool
	// Gone tells which keys belong to nothing any more, and are not brought back, as if they
	// had not been there; nil means none. It is asked of several at once.
	Gone func(key string) bool
	// Dry changes nothing, and counts.
	Dry bool
}

// Restored counts keys by what became of them.
type Restored struct {
	Same     int64 `json:"same"`     // as it was at the moment
	Restored int64 `json:"restored"` // brought back: the version of the moment is the newest again
	Newer    int64 `json:"newer"`    // not there at the moment
	Hidden   int64 `json:"hidden"`   // of these, hidden by a delete marker
	Gone     int64 `json:"gone"`     // of all, belong to nothing any more
}

// restoredFrom is the metadata of an object that was brought back: the id of its version.
const restoredFrom = "restored-from"

// restoreAtOnce is how many objects are copied at once. S3 takes 3,500 a second of a
// prefix. https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
const restoreAtOnce = 16

// RestoreTo makes what a bucket held at a moment its content again, of objects that were
// replaced or deleted since. It deletes no version, so that it can be repeated, for any
// moment, also after a death: what was brought back before is seen and left. Of a version
// and a deletion in one second the deletion is taken for the later one. S3 copies objects
// of up to 5 GiB at once, and larger ones are an error.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (s *Store) RestoreTo(ctx context.Context, r Restoring) (Restored, error) {
	var done Restored
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(restoreAtOnce)
	err := s.histories(gctx, func(h history) error {
		if r.Only != nil && !r.Only(h.key) {
			return nil
		}
		group.Go(func() error {
			if err := s.restore(gctx, h, r, &done); err != nil {
				return fmt.Errorf("restore blob %s: %w", h.key, err)
			}
			return nil
		})
		return nil
	})
	if e := group.Wait(); e != nil { // what ended the listing, if that failed too
		err = e
	}
	if err != nil {
		return done, fmt.Errorf("restore the bucket %s: %w", s.bucket, err)
	}
	return done, nil
}

// history is all versions of a key, the newest first.
type history struct {
	key      string
	versions []version
}

type version struct {
	id      string
	at      time.Time
	deleted bool // a delete marker
	latest  bool
}

func (s *Store) restore(ctx context.Context, h history, r Restoring, done *Restored) error {
	newest := h.versions[0]
	if r.Gone != nil && r.Gone(h.key) {
		atomic.AddInt64(&done.Gone, 1)
		return s.hide(ctx, h, newest, r, done)
	}
	i := slices.IndexFunc(h.versions, func(v version) bool { return !v.at.After(r.At) })
	switch {
	case i < 0 || h.versions[i].deleted: // it was not there
		return s.hide(ctx, h, newest, r, done)
	case i == 0:
		atomic.AddInt64(&done.Same, 1)
		return nil
	}
	then := h.versions[i]
	if !newest.deleted {
		head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(h.key), VersionId: aws.String(newest.id)})
		if err != nil {
			return err
		}
		if head.Metadata[restoredFrom] == then.id {
			atomic.AddInt64(&done.Same, 1)
			return nil
		}
	}
	if !r.Dry {
		if _, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: aws.String(s.bucket), Key: aws.String(h.key),
			CopySource:        aws.String(s.bucket + "/" + escaped(h.key) + "?versionId=" + url.QueryEscape(then.id)),
			MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{restoredFrom: then.id},
		}); err != nil {
			return err
		}
	}
	atomic.AddInt64(&done.Restored, 1)
	return nil
}

// hide hides what was not there at the moment, if that is wanted.
func (s *Store) hide(ctx context.Context, h history, newest version, r Restoring, done *Restored) error {
	if newest.deleted {
		atomic.AddInt64(&done.Same, 1)
		return nil
	}
	atomic.AddInt64(&done.Newer, 1)
	if !r.Newer {
		return nil
	}
	if !r.Dry {
		if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(h.key)}); err != nil {
			return err
		}
	}
	atomic.AddInt64(&done.Hidden, 1)
	return nil
}

// escaped is a key as it stands in the header that names a source.
func escaped(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// errVersions says that a bucket keeps no versions, so that nothing can come back.
var errVersions = errors.New("the bucket does not keep versions")

// histories gives the history of each key, in the order of the keys.
func (s *Store) histories(ctx context.Context, give func(history) error) error {
	kept, err := s.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String(s.bucket)})
	if err != nil {
		return err
	}
	if kept.Status == "" { // never enabled; of a suspended one the versions before are there
		return errVersions
	}
	var h history
	flush := func() error {
		if len(h.versions) == 0 {
			return nil
		}
		slices.SortStableFunc(h.versions, newestFirst)
		return give(h)
	}
	pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: aws.String(s.bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		// Both lists are in the order of the keys, and a key's versions may go on on the next page.
		versions, markers := page.Versions, page.DeleteMarkers
		for len(versions)+len(markers) > 0 {
			var key string
			var v version
			if len(markers) == 0 || len(versions) > 0 && aws.ToString(versions[0].Key) <= aws.ToString(markers[0].Key) {
				o := versions[0]
				key, v = aws.ToString(o.Key), version{aws.ToString(o.VersionId), aws.ToTime(o.LastModified), false, aws.ToBool(o.IsLatest)}
				versions = versions[1:]
			} else {
				m := markers[0]
				key, v = aws.ToString(m.Key), version{aws.ToString(m.VersionId), aws.ToTime(m.LastModified), true, aws.ToBool(m.IsLatest)}
				markers = markers[1:]
			}
			if key != h.key {
				if err := flush(); err != nil {
					return err
				}
				h = history{key: key}
			}
			h.versions = append(h.versions, v)
		}
	}
	return flush()
}

// newestFirst orders what S3 lists in two lists: within each the newer come first, and
// the moment is known to the second.
func newestFirst(a, b version) int {
	switch {
	case a.latest != b.latest:
		return newer(a.latest)
	case !a.at.Equal(b.at):
		return b.at.Compare(a.at)
	case a.deleted != b.deleted:
		return newer(a.deleted)
	default:
		return 0
	}
}

func newer(first bool) int {
	if first {
		return -1
	}
	return 1
}
