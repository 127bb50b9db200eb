package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// pack makes the run's own bucket, puts the functions there, and the template that names
// them: what `aws cloudformation package` does.
func (r *run) pack(ctx context.Context, template string) (string, error) {
	if err := r.makeBucket(ctx, r.codeBucket()); err != nil {
		return "", err
	}
	text, err := os.ReadFile(template)
	if err != nil {
		return "", err
	}
	functions, size := 0, 0
	r.template, err = packaged(text, func(uri string) (string, error) {
		code, err := archive(filepath.Join(filepath.Dir(template), filepath.FromSlash(uri)))
		if err != nil {
			return "", err
		}
		functions, size = functions+1, size+len(code)
		return r.upload(ctx, path.Base(strings.TrimSuffix(uri, ".zip")), ".zip", code)
	})
	if err != nil {
		return "", err
	}
	key, err := r.upload(ctx, "template", ".yaml", r.template)
	if err != nil {
		return "", err
	}
	r.url = fmt.Sprintf("https://%s.s3.%s%s/%s", r.codeBucket(), r.Region, model.PartitionOf(r.Region).Domains[0], strings.TrimPrefix(key, "s3://"+r.codeBucket()+"/"))
	return fmt.Sprintf("%d functions, %d MB, in %s", functions, size>>20, r.codeBucket()), nil
}

// packaged is a template with each function's local code replaced by where put says that it
// lies.
func packaged(template []byte, put func(uri string) (string, error)) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(template, &doc); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("the template has %d documents", len(doc.Content))
	}
	resources, functions := value(doc.Content[0], "Resources"), 0
	for i := 1; resources != nil && i < len(resources.Content); i += 2 {
		resource := resources.Content[i]
		if kind := value(resource, "Type"); kind == nil || kind.Value != "AWS::Serverless::Function" {
			continue
		}
		code := value(value(resource, "Properties"), "CodeUri")
		if code == nil || code.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("%s has no CodeUri", resources.Content[i-1].Value)
		}
		uri, err := put(code.Value)
		if err != nil {
			return nil, err
		}
		code.Value = uri
		functions++
	}
	if functions == 0 {
		return nil, fmt.Errorf("the template has no functions")
	}
	return yaml.Marshal(&doc)
}

// value is what a mapping has under a key, or nil.
func value(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// archive is a function's code as Lambda takes it: the file, if it is packed already, or a
// folder's bootstrap.
func archive(place string) ([]byte, error) {
	if strings.HasSuffix(place, ".zip") {
		return os.ReadFile(place)
	}
	program, err := os.Open(filepath.Join(place, "bootstrap"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = program.Close() }()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(fs.FileMode(0o755))
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, program); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// makeBucket makes a bucket that only we can read, with our tag.
func (r *run) makeBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if r.Region != "us-east-1" { // which S3 takes for granted, and refuses to be told
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(r.Region)}
	}
	// A name that was just freed stays taken for a while.
	if err := r.retry(ctx, settling, []string{"OperationAborted"}, func(ctx context.Context) error {
		_, err := r.buckets.CreateBucket(ctx, in)
		return err
	}); err != nil {
		return err
	}
	if _, err := r.buckets.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &name, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String(tag), Value: &r.prefix}}}}); err != nil {
		return err
	}
	_, err := r.buckets.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}})
	return err
}

// upload puts something into the run's bucket under a name that tells its content, so that
// CloudFormation sees what changed, and gives where it lies.
func (r *run) upload(ctx context.Context, name, ending string, content []byte) (uri string, err error) {
	sum := sha256.Sum256(content)
	bucket, key := r.codeBucket(), name+"-"+hex.EncodeToString(sum[:8])+ending
	_, err = r.buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)})
	return "s3://" + bucket + "/" + key, err
}
