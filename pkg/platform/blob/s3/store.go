// Package s3 keeps blobs in a bucket, where CloudArq is deployed. Whoever reads
// needs s3:ListBucket as well: without it S3 answers 403 for what does not exist,
// and ErrNotFound could not be told from a refusal.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Store is a blob.Store in a bucket. Make one with New.
type Store struct {
	client *s3.Client
	upload *transfermanager.Client
	bucket string
}

var _ blob.Store = (*Store)(nil)

const (
	// partSize is what is sent at once: a blob of at most one part by PutObject, a
	// larger one in parts, of which 10,000 are allowed: 78 GiB.
	partSize = 8 << 20
	// partsAtOnce bounds memory: a large blob takes about five parts, 40 MiB.
	partsAtOnce = 2
	// abortTimeout bounds the removal of what a failed upload had stored.
	abortTimeout = 20 * time.Second
	// deleteKeys is how many keys one call of DeleteObjects takes.
	deleteKeys = 1000
)

// New makes a store of an existing bucket. Addressing and attempts are the
// client's options. The bucket should have a lifecycle rule that aborts
// incomplete multipart uploads, for those of killed processes.
func New(client *s3.Client, bucket string) *Store {
	return &Store{
		client: client,
		bucket: bucket,
		upload: transfermanager.New(client, func(o *transfermanager.Options) {
			o.PartSizeBytes = partSize
			o.MultipartUploadThreshold = partSize + 1
			o.Concurrency = partsAtOnce
			o.FailTimeout = abortTimeout // else a context that ended would end the clean-up too
		}),
	}
}

// Put implements blob.Store. After an error of the network S3 may have stored the
// new content whole, as its answer can get lost; a part it never shows.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	err := blob.CheckKey(key)
	if err == nil {
		err = s.put(ctx, key, r)
	}
	if err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, key string, r io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err // before r is read
	}
	_, err := s.upload.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: aws.String(s.bucket),
		Key:    aws.String(key),
		// The library would ask a Seeker for its length and believe it.
		Body: struct{ io.Reader }{r},
	})
	if ended := ctx.Err(); err != nil && ended != nil && !errors.Is(err, ended) {
		// Of a cancellation the library drops all but the text when the clean-up
		// fails too.
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", key, err)
	}
	return r, nil
}

func (s *Store) get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return nil, fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// List implements blob.Store. Tags are ETags, so the same content put again may
// keep its tag. Objects that Put cannot have made are passed over.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := s.list(ctx, prefix, func(i blob.Info) bool { return yield(i, nil) }); err != nil {
			yield(blob.Info{}, fmt.Errorf("list blobs %s*: %w", prefix, err))
		}
	}
}

// list yields until yield says no.
func (s *Store) list(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	if err := blob.CheckPrefix(prefix); err != nil {
		return err
	}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: aws.String(s.bucket), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			if blob.CheckKey(aws.ToString(o.Key)) != nil {
				continue
			}
			if !yield(info(o)) {
				return nil
			}
		}
	}
	return nil
}

func info(o types.Object) blob.Info {
	return blob.Info{
		Key:      aws.ToString(o.Key),
		Size:     aws.ToInt64(o.Size),
		Modified: aws.ToTime(o.LastModified).UTC(),
		Tag:      strings.Trim(aws.ToString(o.ETag), `"`),
	}
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := blob.CheckKey(key)
	if err == nil {
		_, err = s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return nil
}

// DeleteMany implements blob.Store.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func (s *Store) DeleteMany(ctx context.Context, keys []string) error {
	if err := blob.CheckKeys(keys); err != nil {
		return fmt.Errorf("delete %d blobs: %w", len(keys), err)
	}
	left, first := 0, error(nil)
	for part := range slices.Chunk(keys, deleteKeys) {
		refused, err := s.deletePart(ctx, part)
		if left += refused; first == nil {
			first = err
		}
	}
	if first != nil {
		return fmt.Errorf("delete %d blobs, %d left: %w", len(keys), left, first)
	}
	return nil
}

// deletePart deletes as many as one call takes, and says how many are left and
// why the first of them is.
func (s *Store) deletePart(ctx context.Context, keys []string) (left int, err error) {
	if err := ctx.Err(); err != nil {
		return len(keys), err
	}
	objects := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		objects[i] = types.ObjectIdentifier{Key: aws.String(key)}
	}
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: aws.String(s.bucket), Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}, // tells of errors alone
	})
	if err != nil {
		return len(keys), err
	}
	if len(out.Errors) == 0 {
		return 0, nil
	}
	e := out.Errors[0]
	return len(out.Errors), fmt.Errorf("blob %s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
}

// PutOnce stores a text under key unless something is stored there, and gives the version
// of what is: S3's id for it, empty in a bucket without versions. That another text is
// stored there is blob.ErrOther.
func (s *Store) PutOnce(ctx context.Context, key, text string) (version string, err error) {
	if version, err = s.putOnce(ctx, key, text); err != nil {
		return "", fmt.Errorf("put blob %s once: %w", key, err)
	}
	return version, nil
}

func (s *Store) putOnce(ctx context.Context, key, text string) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	put, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(s.bucket), Key: aws.String(key), Body: strings.NewReader(text), IfNoneMatch: aws.String("*"),
	})
	if err == nil {
		return aws.ToString(put.VersionId), nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "PreconditionFailed" {
		return "", err
	}
	there, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer func() { _ = there.Body.Close() }()
	stored, err := io.ReadAll(io.LimitReader(there.Body, int64(len(text))+1))
	if err != nil {
		return "", err
	}
	if string(stored) != text {
		return "", blob.ErrOther
	}
	return aws.ToString(there.VersionId), nil
}

// Presign makes a URL that shows a version of the blob under key to whoever has it, the
// newest if it is empty, and says until when: as long as said, or until the keys that
// sign it end, if that is known and sooner. The blob need not exist yet, and S3 asks the
// signer's permissions only when the URL is used. It is a secret while it lasts.
func (s *Store) Presign(ctx context.Context, key, version string, last time.Duration) (url string, until time.Time, err error) {
	if url, until, err = s.presign(ctx, key, version, last); err != nil {
		return "", time.Time{}, fmt.Errorf("presign blob %s: %w", key, err)
	}
	return url, until, nil
}

func (s *Store) presign(ctx context.Context, key, version string, last time.Duration) (string, time.Time, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", time.Time{}, err
	}
	keys, err := s.client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	until := time.Now().UTC().Truncate(time.Second).Add(last)
	if keys.CanExpire && keys.Expires.Before(until) {
		until = keys.Expires.UTC()
	}
	shown := &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)}
	if version != "" {
		shown.VersionId = aws.String(version)
	}
	request, err := s3.NewPresignClient(s.client, func(o *s3.PresignOptions) {
		o.Expires = last
		// A checksum to verify is of use to the SDK only, and one parameter more.
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) {
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		})
	}).PresignGetObject(ctx, shown)
	if err != nil {
		return "", time.Time{}, err
	}
	return request.URL, until, nil
}

// PathStyle is an option for clients: it puts the bucket into the path instead
// of the host name, as emulators want it.
func PathStyle(on bool) func(*s3.Options) {
	return func(o *s3.Options) { o.UsePathStyle = on }
}
