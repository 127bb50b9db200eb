package serverless_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// release is all that a release of CloudArq wrote of two organizations.
type release struct {
	Recorded time.Time
	Items    []storedItem
	Objects  map[string][]byte // by key
	// DataKeys are those that the KMS key of the recording wrapped, which is gone: by
	// organization and record, in the clear.
	DataKeys map[string]map[string][]byte
	Tenants  []releasedTenant
	// State is the data directory of the command, by the files' names, after an audit of an
	// account that it keeps by a role, with the findings that it lists.
	State         map[string][]byte
	StateID       string // the External ID that the role asks for
	StateFindings []stateFinding
}

// stateFinding is what a test compares of a finding that the command lists.
type stateFinding struct {
	ID    string `json:"id"`
	Check string `json:"check"`
	State string `json:"state"`
}

// stateAccount is the account that the command of a recording keeps.
const stateAccount = "777777779041"

// storedItem is an item of the table.
type storedItem struct {
	PK, SK, IPK, ISK string
	Version, Expires int64
	Body             []byte // JSON; of long records its zstd
}

// releasedTenant is what the API said of an organization when it was recorded.
type releasedTenant struct {
	Organization string
	Connections  []releasedConnection
}

type releasedConnection struct {
	connection
	Audits   []string
	Findings map[string]found
}

// releasedScope is what the connections of a recording audit: queues, whose ARNs are the
// same in every emulator.
func releasedScope() map[string]any {
	return map[string]any{"regions": []string{stack.Region}, "services": []string{"sqs"}}
}

// releasedAccount is an account of a recording, with two queues.
func releasedAccount(t testing.TB, in *install, id string) *small {
	t.Helper()
	account := newSmall(t, in, id)
	if _, err := sqs.NewFromConfig(estate.Owner(in.emulator.URL, id)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("more")}); err != nil {
		t.Fatal(err)
	}
	return account
}

// TestRecordRelease writes what this tree's functions make of two organizations, if
// CLOUDARQ_RECORD_RELEASE names a file: make record-release, for the release after this one.
func TestRecordRelease(t *testing.T) {
	file := os.Getenv("CLOUDARQ_RECORD_RELEASE")
	if file == "" {
		t.Skip("CLOUDARQ_RECORD_RELEASE names no file")
	}
	r := release{Recorded: time.Now().UTC().Truncate(time.Second)}
	first, second := start(t, "release-1", nil), start(t, "release-2", nil)
	second.allowKeys(true)
	for _, h := range []*house{first, second} {
		n := releasedTenant{Organization: h.organization}
		id := map[string]string{"release-1": "777777779011", "release-2": "777777779021"}[h.organization]
		n.Connections = append(n.Connections, releasedConnection{connection: h.connect(releasedAccount(t, h.install, id).Account, releasedScope())})
		if h == second {
			body := releasedScope()
			body["name"] = "by key"
			var c connection
			if status := h.call(http.MethodPost, "/v1/connections", nil, body, &c); status != http.StatusCreated {
				t.Fatalf("connect: status %d", status)
			}
			if status, answer := h.giveKey(c, h.newUser(releasedAccount(t, h.install, "777777779031").ID, "scanner")); status != http.StatusOK {
				t.Fatalf("give a key: status %d, %s", status, answer)
			}
			n.Connections = append(n.Connections, releasedConnection{connection: c})
		}
		for i := range n.Connections {
			c := &n.Connections[i]
			for range 2 {
				a := h.wait(c.connection, h.begin(c.connection, fmt.Sprint(i, len(c.Audits))).ID)
				if a.State != "done" {
					t.Fatalf("audit is %s: %v", a.State, a.Problems)
				}
				c.Audits = append(c.Audits, a.ID)
			}
			c.Findings = h.list(c.connection)
			c.Links.QuickCreate = "" // which is signed
		}
		r.Tenants = append(r.Tenants, n)
	}
	first.record(&r)
	first.recordState(t, &r)
	r.write(t, file)
}

// onState runs the command on a data directory, and gives what it printed.
func (h *house) onState(t *testing.T, dir, stdin string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command(t), append(args, "--quiet", "--data-dir", dir)...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stderr = h.estate.Environ(), strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cloudarq %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// auditState audits the account that the command keeps, and lists its findings.
func (h *house) auditState(t *testing.T, dir string) []stateFinding {
	t.Helper()
	h.onState(t, dir, "", "audit", "run", "--connection", stateAccount, "--regions", stack.Region, "--services", "sqs")
	return h.stateFindings(t, dir)
}

func (h *house) stateFindings(t *testing.T, dir string) (all []stateFinding) {
	t.Helper()
	if err := json.Unmarshal(h.onState(t, dir, "", "findings", "list", "-o", "json"), &all); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b stateFinding) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// recordState keeps an account by the command, audits it, and reads the data directory.
func (h *house) recordState(t *testing.T, r *release) {
	t.Helper()
	account, dir := releasedAccount(t, h.install, stateAccount), t.TempDir()
	r.StateID, r.State = "an-external-id-of-the-command", map[string][]byte{}
	if err := trust(t.Context(), h.emulator.URL, account.Account, "arn:aws:iam::"+stack.Account+":root", r.StateID); err != nil {
		t.Fatal(err)
	}
	h.onState(t, dir, r.StateID, "connections", "add", "--role-arn", account.RoleARN, "--external-id", "-")
	r.StateFindings = h.auditState(t, dir)
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		r.State[filepath.ToSlash(name)], err = os.ReadFile(path) //nolint:gosec // the test's own
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// write writes a recording.
func (r release) write(t testing.TB, file string) {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(z).Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("release: %d items and %d objects in %d bytes\n", len(r.Items), len(r.Objects), packed.Len())
}

// record reads what lies in the table and the bucket of the organizations of a release.
func (h *house) record(r *release) {
	h.t.Helper()
	r.DataKeys, r.Objects = map[string]map[string][]byte{}, map[string][]byte{}
	cfg := estate.Owner(h.emulator.URL, stack.Account)
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ScanInput{TableName: aws.String(h.stack.Outputs["TableName"])})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, stored := range page.Items {
			item := fromStored(stored)
			org, kind, _ := strings.Cut(strings.TrimPrefix(item.PK, "O#"), "#")
			if !strings.HasPrefix(org, "release-") {
				continue
			}
			r.Items = append(r.Items, item)
			if kind != "KEY" {
				continue
			}
			var k struct{ Wrapped []byte }
			if err := json.Unmarshal(item.Body, &k); err != nil {
				h.t.Fatal(err)
			}
			opened, err := sdkkms.NewFromConfig(cfg).Decrypt(h.t.Context(), &sdkkms.DecryptInput{
				CiphertextBlob: k.Wrapped, EncryptionContext: map[string]string{"organization": org, "record": item.SK},
			})
			if err != nil {
				h.t.Fatal(err)
			}
			if r.DataKeys[org] == nil {
				r.DataKeys[org] = map[string][]byte{}
			}
			r.DataKeys[org][item.SK] = opened.Plaintext
		}
	}
	client, bucket := sdks3.NewFromConfig(cfg, func(o *sdks3.Options) { o.UsePathStyle = true }), h.stack.Resources["EvidenceBucket"].ID
	listing := sdks3.NewListObjectsV2Paginator(client, &sdks3.ListObjectsV2Input{Bucket: &bucket})
	for listing.HasMorePages() {
		page, err := listing.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, o := range page.Contents {
			if !strings.Contains(*o.Key, "org=release-") {
				continue
			}
			got, err := client.GetObject(h.t.Context(), &sdks3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				h.t.Fatal(err)
			}
			if r.Objects[*o.Key], err = io.ReadAll(got.Body); err != nil {
				h.t.Fatal(err)
			}
			_ = got.Body.Close()
		}
	}
	slices.SortFunc(r.Items, func(a, b storedItem) int { return strings.Compare(a.PK+"\x00"+a.SK, b.PK+"\x00"+b.SK) })
}

func fromStored(stored map[string]dynamotypes.AttributeValue) (item storedItem) {
	words := func(name string) string {
		v, _ := stored[name].(*dynamotypes.AttributeValueMemberS)
		if v == nil {
			return ""
		}
		return v.Value
	}
	number := func(name string) (n int64) {
		if v, ok := stored[name].(*dynamotypes.AttributeValueMemberN); ok {
			n, _ = strconv.ParseInt(v.Value, 10, 64)
		}
		return n
	}
	item = storedItem{PK: words("pk"), SK: words("sk"), IPK: words("ipk"), ISK: words("isk"), Version: number("v"), Expires: number("exp")}
	if v, ok := stored["body"].(*dynamotypes.AttributeValueMemberB); ok {
		item.Body = v.Value
	}
	return item
}

// theRelease is the recording of the last release.
func theRelease(t testing.TB) release {
	t.Helper()
	file := os.Getenv("CLOUDARQ_RELEASE")
	if file == "" {
		file = filepath.Join("testdata", "release.json.gz")
	}
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var r release
	if err := json.NewDecoder(z).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// load puts a recording into the table and the bucket of a deployment, as old as it was
// when it was recorded; its data keys are wrapped by the key of this one.
func (h *house) load(r release) {
	h.t.Helper()
	ctx, cfg, table := h.t.Context(), estate.Owner(h.emulator.URL, stack.Account), h.stack.Outputs["TableName"]
	key, db := h.stack.Resources["Key"].ARN, dynamodb.NewFromConfig(cfg)
	later := int64(time.Since(r.Recorded).Seconds())
	for _, item := range r.Items {
		org, kind, _ := strings.Cut(strings.TrimPrefix(item.PK, "O#"), "#")
		if kind == "KEY" {
			wrapped, err := sdkkms.NewFromConfig(cfg).Encrypt(ctx, &sdkkms.EncryptInput{
				KeyId: &key, Plaintext: r.DataKeys[org][item.SK], EncryptionContext: map[string]string{"organization": org, "record": item.SK},
			})
			if err != nil {
				h.t.Fatal(err)
			}
			if item.Body, err = json.Marshal(map[string][]byte{"wrapped": wrapped.CiphertextBlob}); err != nil {
				h.t.Fatal(err)
			}
		}
		number := func(n int64) dynamotypes.AttributeValue {
			return &dynamotypes.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
		}
		stored := map[string]dynamotypes.AttributeValue{
			"pk": &dynamotypes.AttributeValueMemberS{Value: item.PK}, "sk": &dynamotypes.AttributeValueMemberS{Value: item.SK},
			"v": number(item.Version), "body": &dynamotypes.AttributeValueMemberB{Value: item.Body},
		}
		if item.IPK != "" {
			stored["ipk"], stored["isk"] = &dynamotypes.AttributeValueMemberS{Value: item.IPK}, &dynamotypes.AttributeValueMemberS{Value: item.ISK}
		}
		if item.Expires != 0 {
			stored["exp"] = number(item.Expires + later)
		}
		if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: stored}); err != nil {
			h.t.Fatal(err)
		}
	}
	client, bucket := sdks3.NewFromConfig(cfg, func(o *sdks3.Options) { o.UsePathStyle = true }), h.stack.Resources["EvidenceBucket"].ID
	for _, name := range slices.Sorted(maps.Keys(r.Objects)) {
		if _, err := client.PutObject(ctx, &sdks3.PutObjectInput{Bucket: &bucket, Key: &name, Body: bytes.NewReader(r.Objects[name])}); err != nil {
			h.t.Fatal(err)
		}
	}
}
