package lambdahost

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
)

// Call is one request of a function to AWS.
type Call struct {
	Seq       int    // within the host's life, from 1
	Function  string // logical id
	RequestID string // of the invocation; "" during init
	Service   string // the signing name: dynamodb, s3, sqs, sns, kms, sts; "" if unsigned
	Operation string // for example "PutItem"; "GET /path" where a REST API's is not known
	Resource  string // table, bucket/key, queue, topic, key or role, where known
	Seconds   int    // that a message shall wait: of ChangeMessageVisibility and SendMessage
	Effect    bool   // the operation changes something
	Sent      bool   // it reached the emulator
	Status    int    // of the emulator's answer; 0 before
	protocol  protocol
}

// Is reports whether the call is of that service and operation.
func (c Call) Is(service, operation string) bool {
	return c.Service == service && c.Operation == operation
}

// protocol is how a service writes its errors.
type protocol int

const (
	jsonProtocol protocol = iota
	queryProtocol
	ec2Protocol
	s3Protocol
	restProtocol
)

// s3Control begins the paths of S3 Control, which signs as S3 and is another service.
const s3Control = "/v20180820/"

// identify recognises a request to AWS.
func identify(r *http.Request, body []byte) Call {
	c := Call{Service: signingName(r)}
	form, _ := url.ParseQuery(string(body)) // no form: no Action
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		c.protocol = jsonProtocol
		c.Operation = target[strings.LastIndex(target, ".")+1:]
		c.Resource, c.Seconds = readJSON(body)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && form.Has("Action"):
		c.protocol = queryProtocol
		if c.Service == "ec2" {
			c.protocol = ec2Protocol
		}
		c.Operation = form.Get("Action")
		c.Resource = resourceInForm(form)
	case c.Service == "s3" && !strings.HasPrefix(r.URL.Path, s3Control):
		c.protocol = s3Protocol
		c.Operation, c.Resource = s3Operation(r)
	default:
		c.protocol = restProtocol
		c.Operation = r.Method + " " + r.URL.Path
	}
	c.Effect = changes(r.Method, c)
	return c
}

// signingName is the service that a request is signed for: the scope of its
// signature is key/date/region/service/aws4_request.
func signingName(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 4 {
		return parts[3]
	}
	return ""
}

func readJSON(body []byte) (resource string, seconds int) {
	var in struct {
		TableName, QueueUrl, KeyId      string //nolint:revive // AWS's spelling
		VisibilityTimeout, DelaySeconds int
		RequestItems                    map[string]json.RawMessage
	}
	if json.Unmarshal(body, &in) != nil {
		return "", 0
	}
	for table := range in.RequestItems {
		return table, 0
	}
	if in.QueueUrl != "" {
		return path.Base(in.QueueUrl), in.VisibilityTimeout + in.DelaySeconds
	}
	return in.TableName + in.KeyId, 0
}

func resourceInForm(form url.Values) string {
	for _, name := range []string{"TopicArn", "TargetArn", "RoleArn"} {
		if form.Has(name) {
			return form.Get(name)
		}
	}
	return ""
}

// s3Operation names the operation of a path-style request.
func s3Operation(r *http.Request) (operation, resource string) {
	resource = strings.TrimPrefix(r.URL.Path, "/")
	query := r.URL.Query()
	if id := query.Get("x-id"); id != "" { // the SDK says it itself, for some
		return id, resource
	}
	bucket, key, _ := strings.Cut(resource, "/")
	if bucket == "" {
		return "ListBuckets", ""
	}
	kind := r.Method + " bucket"
	if key != "" {
		kind = r.Method + " object"
	}
	has := func(name string) bool { return query.Has(name) }
	switch {
	case kind == "POST object" && has("uploads"):
		return "CreateMultipartUpload", resource
	case kind == "POST object" && has("uploadId"):
		return "CompleteMultipartUpload", resource
	case kind == "PUT object" && has("partNumber"):
		return "UploadPart", resource
	case kind == "DELETE object" && has("uploadId"):
		return "AbortMultipartUpload", resource
	case kind == "PUT object" && r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject", resource
	case kind == "GET bucket" && query.Get("list-type") == "2":
		return "ListObjectsV2", resource
	case kind == "POST bucket" && has("delete"):
		return "DeleteObjects", resource
	}
	for name := range query {
		if query.Get(name) == "" { // a subresource, such as ?tagging
			return kind + " " + name, resource
		}
	}
	known := map[string]string{
		"GET object": "GetObject", "PUT object": "PutObject", "HEAD object": "HeadObject", "DELETE object": "DeleteObject",
		"GET bucket": "ListObjects", "PUT bucket": "CreateBucket", "HEAD bucket": "HeadBucket", "DELETE bucket": "DeleteBucket",
	}
	if name, ok := known[kind]; ok {
		return name, resource
	}
	return kind, resource
}

// changes reports whether an operation has an effect that outlasts it. What is not
// known to be harmless has one.
func changes(method string, c Call) bool {
	if c.Service == "sts" {
		return false
	}
	if strings.Contains(c.Operation, " ") { // known by its method only
		return method != http.MethodGet && method != http.MethodHead
	}
	harmless := []string{
		"Get", "List", "Describe", "Head", "BatchGet", "TransactGet", "Query", "Scan", "Select", "Lookup", "Search", "Receive",
		"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateRandom", "GenerateMac", "VerifyMac", "Sign", "Verify",
	}
	return !slices.ContainsFunc(harmless, func(prefix string) bool { return strings.HasPrefix(c.Operation, prefix) })
}

// recorder keeps all calls.
type recorder struct {
	mu    sync.Mutex
	calls []Call
}

// add gives the call its number.
func (r *recorder) add(c Call) Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Seq = len(r.calls) + 1
	r.calls = append(r.calls, c)
	return c
}

func (r *recorder) update(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[c.Seq-1] = c
}

func (r *recorder) all() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}
