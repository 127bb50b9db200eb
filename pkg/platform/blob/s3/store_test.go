package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/blobtest"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
	"github.com/google/go-cmp/cmp"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

const part = 8 << 20

// bucket makes one in the emulator.
func bucket(t testing.TB) (*awss3.Client, string) {
	t.Helper()
	client := awss3.NewFromConfig(emulated.Config(t), func(o *awss3.Options) { o.UsePathStyle = true })
	name := emulated.Name("bucket")
	_, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{
		Bucket:                    aws.String(name),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, name
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t testing.TB) blob.Store { return s3.New(bucket(t)) })
}

// endless is a reader of n bytes that do not repeat, which no buffer can guess
// the length of.
func endless(n int64) io.Reader {
	return iotest.HalfReader(io.LimitReader(&counter{}, n))
}

type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.n
		c.n = c.n*5 + 1
	}
	return len(p), nil
}

func sum(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %x", n, h.Sum(nil))
}

func TestLargeBlobs(t *testing.T) {
	client, name := bucket(t)
	s := s3.New(client, name)
	for _, size := range []int64{part - 1, part, part + 1, 2*part + 3, 3 * part} {
		if err := s.Put(t.Context(), "k", endless(size)); err != nil {
			t.Fatal(err)
		}
		r, err := s.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(sum(t, endless(size)), sum(t, r)); d != "" {
			t.Errorf("%d bytes: %s", size, d)
		}
		r.Close()
		for i, err := range s.List(t.Context(), "") {
			if err != nil || i.Size != size || i.Tag == "" || strings.Contains(i.Tag, `"`) {
				t.Errorf("%+v, %v; want %d bytes", i, err, size)
			}
		}
	}
	noUploads(t, client, name)
}

func noUploads(t *testing.T, client *awss3.Client, name string) {
	t.Helper()
	out, err := client.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Uploads {
		t.Errorf("upload of %s is still open", aws.ToString(u.Key))
	}
}

// atEnd is a reader that calls f when all else is read.
type atEnd func() error

func (f atEnd) Read([]byte) (int, error) { return 0, f() }

func TestFailedUploadLeavesNothing(t *testing.T) {
	client, name := bucket(t)
	s := s3.New(client, name)
	if err := s.Put(t.Context(), "k", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	ctx, cancel := context.WithCancel(t.Context())
	for what, c := range map[string]struct {
		ctx  context.Context
		size int64
		end  func() error
		want error
	}{
		"reader fails at once":     {t.Context(), 0, func() error { return mine }, mine},
		"reader fails in part 1":   {t.Context(), 1000, func() error { return mine }, mine},
		"reader fails after one":   {t.Context(), part, func() error { return mine }, mine},
		"reader fails in part 3":   {t.Context(), 2*part + 1000, func() error { return mine }, mine},
		"reader fails after three": {t.Context(), 3 * part, func() error { return mine }, mine},
		"context ends in part 3":   {ctx, 2*part + 1000, func() error { cancel(); return io.EOF }, context.Canceled},
	} {
		err := s.Put(c.ctx, "k", io.MultiReader(endless(c.size), atEnd(c.end)))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		noUploads(t, client, name)
		if got := read(t, s, "k"); got != "old" {
			t.Errorf("%s: k holds %d bytes, want the old ones", what, len(got))
		}
	}
}

func read(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A part that S3 refuses, and an upload that it does not complete.
func TestRefusedPartLeavesNothing(t *testing.T) {
	for _, operation := range []string{"UploadPart", "CompleteMultipartUpload"} {
		client, name := bucket(t)
		s := s3.New(client, name)
		server := emulated.Server(t)
		denied := emulator.Answer{Service: "s3", Operation: operation, Status: 403, Code: "AccessDenied", Body: "no"}
		if err := server.Answer(denied); err != nil {
			t.Fatal(err)
		}
		err := s.Put(t.Context(), "k", endless(2*part))
		if err := server.Retract(denied); err != nil {
			t.Fatal(err)
		}
		if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s: %v, want AccessDenied", operation, err)
		}
		noUploads(t, client, name)
		if _, err := s.Get(t.Context(), "k"); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", operation, err)
		}
	}
}

// When S3 refuses the clean-up as well, what went wrong first is still there.
func TestCauseSurvivesFailedCleanUp(t *testing.T) {
	mine := errors.New("mine")
	ctx, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		ctx  context.Context
		end  func() error
		want error
	}{
		"reader's error":     {t.Context(), func() error { return mine }, mine},
		"end of the context": {ctx, func() error { cancel(); return io.EOF }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake.New()
			fake.On(f, func(*awss3.CreateMultipartUploadInput) (*awss3.CreateMultipartUploadOutput, error) {
				return &awss3.CreateMultipartUploadOutput{UploadId: aws.String("u")}, nil
			})
			fake.On(f, func(*awss3.UploadPartInput) (*awss3.UploadPartOutput, error) {
				return &awss3.UploadPartOutput{}, c.ctx.Err()
			})
			fake.On(f, func(*awss3.CompleteMultipartUploadInput) (*awss3.CompleteMultipartUploadOutput, error) {
				return nil, c.ctx.Err()
			})
			fake.Fail[awss3.AbortMultipartUploadInput](f, "AccessDenied")
			s := s3.New(awss3.NewFromConfig(f.Config(t)), "b")
			if err := s.Put(c.ctx, "k", io.MultiReader(endless(part+1), atEnd(c.end))); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if f.Calls("S3.AbortMultipartUpload") == 0 {
				t.Error("nothing was cleaned up")
			}
		})
	}
}

// Only what must be sent in parts is.
func TestSmallBlobIsOneCall(t *testing.T) {
	f := fake.New()
	var stored atomic.Int64
	fake.On(f, func(in *awss3.PutObjectInput) (*awss3.PutObjectOutput, error) {
		n, err := io.Copy(io.Discard, in.Body)
		stored.Store(n)
		return &awss3.PutObjectOutput{}, err
	})
	s := s3.New(awss3.NewFromConfig(f.Config(t)), "b")
	for _, size := range []int64{0, 1, part} {
		if err := s.Put(t.Context(), "k", endless(size)); err != nil || stored.Load() != size {
			t.Errorf("%d bytes stored, %v; want %d", stored.Load(), err, size)
		}
	}
	// What a Seeker has behind it does not count, only what is left to read.
	r := bytes.NewReader([]byte("0123456789"))
	if _, err := r.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "k", r); err != nil || stored.Load() != 6 {
		t.Errorf("%d bytes stored, %v; want 6", stored.Load(), err)
	}
}

// A presigned URL shows one blob to whoever has it, without keys.
func TestPresign(t *testing.T) {
	client, name := bucket(t)
	s := s3.New(client, name)
	if err := s.Put(t.Context(), "templates/role.yaml", strings.NewReader("a template")); err != nil {
		t.Fatal(err)
	}
	link, until, err := s.Presign(t.Context(), "templates/role.yaml", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if in := time.Until(until); in < 59*time.Minute || in > time.Hour {
		t.Errorf("good for %s, want an hour", in)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if content, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || string(content) != "a template" {
		t.Errorf("status %d, %q, %v", answer.StatusCode, content, err)
	}
	if _, _, err := s.Presign(t.Context(), "a//b", "", time.Hour); !errors.Is(err, blob.ErrKey) {
		t.Errorf("%v, want ErrKey", err)
	}
}

// What is put once is never replaced, and a URL shows the version that was put.
func TestPutOnce(t *testing.T) {
	client, name := bucket(t)
	if _, err := client.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	s := s3.New(client, name)
	first, err := s.PutOnce(t.Context(), "templates/role.yaml", "a template")
	if err != nil || first == "" {
		t.Fatalf("version %q, %v", first, err)
	}
	if again, err := s.PutOnce(t.Context(), "templates/role.yaml", "a template"); err != nil || again != first {
		t.Errorf("version %q, %v; want %q", again, err, first)
	}
	for _, other := range []string{"a templatE", "a", "a template of somebody else"} {
		if _, err := s.PutOnce(t.Context(), "templates/role.yaml", other); !errors.Is(err, blob.ErrOther) {
			t.Errorf("%q: %v, want ErrOther", other, err)
		}
	}
	if err := s.Put(t.Context(), "templates/role.yaml", strings.NewReader("an evil template")); err != nil { // by who may
		t.Fatal(err)
	}
	link, _, err := s.Presign(t.Context(), "templates/role.yaml", first, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if content, err := io.ReadAll(answer.Body); err != nil || string(content) != "a template" {
		t.Errorf("%q, %v", content, err)
	}
}

// CloudFormation wants the bucket and its region in the host, and at most 5,120
// characters; and a URL ends with the keys that signed it.
func TestPresignAsARole(t *testing.T) {
	ends := time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	for region, host := range map[string]string{
		"eu-west-1": "evidence.s3.eu-west-1.amazonaws.com", "us-east-1": "evidence.s3.us-east-1.amazonaws.com", "cn-north-1": "evidence.s3.cn-north-1.amazonaws.com.cn",
	} {
		keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: "ASIAEXAMPLE000000000", SecretAccessKey: "secret", SessionToken: strings.Repeat("+/token/", 250), CanExpire: true, Expires: ends,
			}, nil
		})
		link, until, err := s3.New(awss3.New(awss3.Options{Region: region, Credentials: keys}), "evidence").Presign(t.Context(), "templates/role.yaml", "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(link)
		if err != nil || u.Scheme != "https" || u.Host != host || u.Path != "/templates/role.yaml" || len(link) > 5120 || u.Query().Get("X-Amz-Expires") != "3600" {
			t.Errorf("%s: %d characters, %s, %v", region, len(link), link, err)
		}
		if !until.Equal(ends) {
			t.Errorf("%s: good until %s, want %s", region, until, ends)
		}
	}
}

func TestListPages(t *testing.T) {
	f := fake.New()
	object := func(key string) types.Object { return types.Object{Key: aws.String(key), ETag: aws.String(`"t"`)} }
	fake.OnPages[awss3.ListObjectsV2Input](f,
		&awss3.ListObjectsV2Output{Contents: []types.Object{object("a"), object("folder/")}, IsTruncated: aws.Bool(true), NextContinuationToken: aws.String("1")},
		&awss3.ListObjectsV2Output{IsTruncated: aws.Bool(true), NextContinuationToken: aws.String("2")},
		&awss3.ListObjectsV2Output{Contents: []types.Object{object("b"), object(".hidden")}},
	)
	var got []string
	for i, err := range s3.New(awss3.NewFromConfig(f.Config(t)), "b").List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i.Key+" "+i.Tag)
	}
	if d := cmp.Diff([]string{"a t", "b t"}, got); d != "" {
		t.Error(d)
	}
	f.Meddle = func(_ string, call int) error {
		if call > 4 {
			return fake.Error("AccessDenied")
		}
		return nil
	}
	n := 0
	for i, err := range s3.New(awss3.NewFromConfig(f.Config(t)), "b").List(t.Context(), "") {
		if n++; n == 2 && (err == nil || i != blob.Info{}) {
			t.Errorf("%v, %v; want an error, last and alone", i, err)
		}
	}
	if n != 2 {
		t.Errorf("list yields %d times, want 2", n)
	}
}

// S3 answers of each key: what it refuses is an error although the call went
// well, and the other keys' calls are made.
func TestDeleteManyTellsOfEachKey(t *testing.T) {
	f := fake.New()
	denied := true
	var sizes []int
	fake.On(f, func(in *awss3.DeleteObjectsInput) (*awss3.DeleteObjectsOutput, error) {
		sizes = append(sizes, len(in.Delete.Objects))
		out := &awss3.DeleteObjectsOutput{}
		for _, o := range in.Delete.Objects {
			if key := aws.ToString(o.Key); denied && strings.HasSuffix(key, "7") {
				out.Errors = append(out.Errors, types.Error{Key: o.Key, Code: aws.String("AccessDenied"), Message: aws.String("no")})
			}
		}
		return out, nil
	})
	s := s3.New(awss3.NewFromConfig(f.Config(t)), "b")
	var keys []string
	for i := range 2050 {
		keys = append(keys, fmt.Sprintf("k/%04d", i))
	}
	err := s.DeleteMany(t.Context(), keys)
	if err == nil || !strings.Contains(err.Error(), "delete 2050 blobs, 205 left: blob k/0007: AccessDenied: no") {
		t.Errorf("%v, want an error that names the first", err)
	}
	denied = false
	if err := s.DeleteMany(t.Context(), keys); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]int{1000, 1000, 50, 1000, 1000, 50}, sizes); d != "" {
		t.Error(d)
	}
}
