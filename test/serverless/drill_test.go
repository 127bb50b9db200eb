package serverless_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// drill is an installation of a test's own, which it may break, and the machine of
// whoever operates it: a shell with docs/operations.md, the AWS command line, sam, and
// cloudarq.
type drill struct {
	*install
	t         testing.TB
	home      string
	variables map[string]string // what the documentation exports
}

const theTable, theStack = "cloudarq", "cloudarq"

// newDrill deploys with parameters over the template's own.
func newDrill(t testing.TB, parameters map[string]string) *drill {
	t.Helper()
	if sample() > 1 {
		t.Skip("make e2e breaks and mends installations")
	}
	programs, err := built()
	if err != nil {
		t.Fatal(err)
	}
	d := &drill{install: &install{binaries: programs, emulator: emulator.ForTest(t, emulator.Options{Enforce: true, Stderr: emulatorLog()})}, t: t, home: t.TempDir()}
	if d.stack, err = stack.Deploy(t.Context(), d.emulator.URL, d.file("template.yaml"), theStack, parameters); err != nil {
		t.Fatal(err)
	}
	d.machine(command(t))
	return d
}

// file is a file of the repository.
func (d *drill) file(name string) string {
	root, err := emulator.Root()
	if err != nil {
		d.t.Fatal(err)
	}
	return filepath.Join(root, name)
}

// machine makes a home for an administrator of the account, with the programs that the
// documentation types.
func (d *drill) machine(program string) {
	d.t.Helper()
	users, name := iam.NewFromConfig(estate.Owner(d.emulator.URL, stack.Account)), "ann"
	everything := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if _, err := users.CreateUser(d.t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		d.t.Fatal(err)
	}
	if _, err := users.PutUserPolicy(d.t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("all"), PolicyDocument: &everything}); err != nil {
		d.t.Fatal(err)
	}
	keys, err := users.CreateAccessKey(d.t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		d.t.Fatal(err)
	}
	python := d.file("test/emulator/python")
	for path, content := range map[string]string{
		"credentials":  fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", *keys.AccessKey.AccessKeyId, *keys.AccessKey.SecretAccessKey),
		"bin/aws":      "#!/bin/sh\nexport AWS_DEFAULT_REGION=$AWS_REGION # version 2 reads the one, and this the other\nexec " + python + " -m awscli \"$@\"\n",
		"bin/sam":      "#!/bin/sh\ncd " + d.file("test/stack") + "\nPYTHONPATH=" + d.file("test/estate") + " exec " + python + " -m deployer.sam \"$@\"\n",
		"bin/cloudarq": "#!/bin/sh\nexec " + program + " \"$@\"\n",
	} {
		path = filepath.Join(d.home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil { //nolint:gosec // programs
			d.t.Fatal(err)
		}
	}
	if err := os.Symlink(d.file("cloudformation"), filepath.Join(d.home, "cloudformation")); err != nil {
		d.t.Fatal(err)
	}
}

// commands are what a section of docs/operations.md types, with the variables that it
// exports at first replaced by those of the drill.
func (d *drill) commands(section string) string {
	d.t.Helper()
	doc, err := os.ReadFile(d.file("docs/operations.md"))
	if err != nil {
		d.t.Fatal(err)
	}
	_, text, found := strings.Cut(string(doc), "\n## "+section+"\n")
	if !found {
		d.t.Fatalf("docs/operations.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	exported := regexp.MustCompile(`([A-Z_]+)=([^\s"$]+)`)
	var script strings.Builder
	for line := range strings.Lines(text) {
		code := strings.TrimLeft(line, " ")
		if indent := len(line) - len(code); indent != 4 && indent < 7 { // code stands four deep, and four more in a list
			continue
		}
		if strings.HasPrefix(code, "export ") {
			code = exported.ReplaceAllStringFunc(code, func(pair string) string {
				name, _, _ := strings.Cut(pair, "=")
				value, ok := d.variables[name]
				if !ok {
					d.t.Fatalf("the drill has no %s, which %q exports", name, section)
				}
				return name + "=" + value
			})
		}
		script.WriteString(code)
	}
	return script.String()
}

// follow types all that a section says, as it stands there, and gives what was printed.
// The stack is then what the last deployment made.
func (d *drill) follow(section string) string {
	d.t.Helper()
	began := time.Now()
	printed := d.sh("set -x\n" + d.commands(section))
	made, err := os.ReadFile(filepath.Join(d.home, "stack.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.stack = &stack.Stack{}
	if err := json.Unmarshal(made, d.stack); err != nil {
		d.t.Fatal(err)
	}
	d.t.Logf("%q took %s", section, time.Since(began).Round(time.Second))
	return printed
}

// sh runs a script on the machine.
func (d *drill) sh(script string) string {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = d.home
	cmd.Env = []string{
		"PATH=" + filepath.Join(d.home, "bin") + ":" + os.Getenv("PATH"), "HOME=" + d.home, "AWS_ENDPOINT_URL=" + d.emulator.URL,
		"AWS_ENDPOINT_URL_STS=" + d.emulator.URL, // the one that the SDK believes when it assumes a profile's role
		"AWS_REGION=" + stack.Region,
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(d.home, "credentials"), "AWS_CONFIG_FILE=" + filepath.Join(d.home, "config"), "AWS_PAGER=",
		"CLOUDARQ_STACK=" + filepath.Join(d.home, "stack.json"), "ACCOUNT=" + stack.Account, "PYTHONDONTWRITEBYTECODE=1",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("%v\n%s\n%s", err, out, stderr.Bytes())
	}
	if testing.Verbose() {
		d.t.Logf("%s%s", stderr.Bytes(), out)
	}
	return string(out)
}

// tenant is an organization with what there is of it, and what was seen of it.
type tenant struct {
	*house
	connections []connection
	accounts    []*small
	audits      map[string]string // the audits, and whose they are
	findings    map[string]map[string]found
}

// tenants make two organizations: one with a role and an External ID that is being
// replaced, one with a role and an access key. Each connection was audited twice, and a
// finding was resolved meanwhile.
func (d *drill) tenants(h *house) []*tenant {
	d.t.Helper()
	var all []*tenant
	for i, name := range []string{"first", "second"} {
		of := *h
		of.organization = name
		n := &tenant{house: &of, audits: map[string]string{}, findings: map[string]map[string]found{}}
		account := newSmall(d.t, d.install, fmt.Sprintf("7777777778%d1", i))
		n.accounts, n.connections = append(n.accounts, account), append(n.connections, n.connect(account.Account, scope()))
		if name == "second" {
			n.allowKeys(true)
			account := newSmall(d.t, d.install, fmt.Sprintf("7777777778%d2", i))
			n.accounts, n.connections = append(n.accounts, account), append(n.connections, n.connectByKey("by key", n.newUser(account.ID, "scanner")))
			n.rekey()
		}
		n.audit("first")
		n.accounts[0].rotate(d.t, true)
		n.audit("second")
		if name == "first" {
			if status := n.call(http.MethodPost, "/v1/external-id/rotate", map[string]string{"If-Match": n.tagOf("/v1/external-id")}, nil, nil); status != http.StatusOK {
				d.t.Fatalf("rotate: status %d", status)
			}
		}
		all = append(all, n)
	}
	for _, n := range all {
		n.look()
	}
	return all
}

// audit audits all connections.
func (n *tenant) audit(key string) {
	n.t.Helper()
	for _, c := range n.connections {
		a := n.wait(c, n.begin(c, fmt.Sprint(key, len(n.audits))).ID)
		if a.State != "done" {
			n.t.Fatalf("audit %s of %s is %s: %v", key, n.organization, a.State, a.Problems)
		}
		n.audits[a.ID] = c.ID
	}
}

// look remembers what the API says of all findings.
func (n *tenant) look() {
	n.t.Helper()
	for _, c := range n.connections {
		n.findings[c.ID] = n.list(c)
		if len(n.findings[c.ID]) == 0 {
			n.t.Errorf("%s has no findings", c.ID)
		}
	}
}

// goesOn says that everything is there as it was seen last, and works: audits are whole,
// findings are the same, and the next audits keep them, and resolve what was mended.
func (n *tenant) goesOn() {
	n.t.Helper()
	for id, c := range n.audits {
		var v struct{ Verdict string }
		if status := n.call(http.MethodGet, "/v1/connections/"+c+"/audits/"+id+"/verification", nil, nil, &v); status != http.StatusOK || v.Verdict != "whole" {
			n.t.Errorf("audit %s is %q (status %d)", id, v.Verdict, status)
		}
	}
	for _, c := range n.connections {
		if d := cmp.Diff(n.findings[c.ID], n.list(c)); d != "" {
			n.t.Errorf("findings of %s: %s", c.ID, d)
		}
	}
	n.accounts[0].rotate(n.t, false)
	n.audit("after")
	reopened := 0
	for i, c := range n.connections {
		now := n.list(c)
		if d := cmp.Diff(slices.Sorted(maps.Keys(n.findings[c.ID])), slices.Sorted(maps.Keys(now))); d != "" {
			n.t.Errorf("findings of %s after one audit more: %s", c.ID, d)
		}
		for id, f := range now {
			if was := n.findings[c.ID][id]; was.State != f.State {
				if i > 0 || f.Check != "kms-key-rotation" || was.State != "resolved" {
					n.t.Errorf("%s of %s was %s and is %s", f.Check, c.ID, was.State, f.State)
				}
				reopened++
			}
		}
	}
	if reopened != 1 {
		n.t.Errorf("%d findings changed, want the one whose cause came back", reopened)
	}
	n.look()
}

// inventory is what cloudarq operator inventory says of a table, which the administrator
// may read too.
func (d *drill) inventory(region, table string) (records int, text string) {
	d.t.Helper()
	text = d.sh("cloudarq operator inventory --table " + table + " --region " + region + " -o json")
	var kinds []struct {
		Kind    string
		Records int
	}
	if err := json.Unmarshal([]byte(text), &kinds); err != nil {
		d.t.Fatal(err)
	}
	for _, k := range kinds {
		if k.Kind == "?" {
			d.t.Errorf("%d records are of no kind", k.Records)
		}
		records += k.Records
	}
	return records, text
}

// client is a client of the emulator's for a region, above all control.
func (d *drill) in(region string) aws.Config {
	cfg := estate.Owner(d.emulator.URL, stack.Account)
	cfg.Region = region
	return cfg
}

func (d *drill) objectsClient() *sdks3.Client {
	return sdks3.NewFromConfig(d.in(stack.Region), func(o *sdks3.Options) { o.UsePathStyle = true })
}

// objects are the SHA-256 of all objects of a bucket, by key.
func (d *drill) objects(bucket string) map[string]string {
	d.t.Helper()
	client, all := d.objectsClient(), map[string]string{}
	pages := sdks3.NewListObjectsV2Paginator(client, &sdks3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		for _, o := range page.Contents {
			if strings.HasPrefix(*o.Key, "templates/") { // which the API publishes again
				continue
			}
			got, err := client.GetObject(d.t.Context(), &sdks3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				d.t.Fatal(err)
			}
			h := sha256.New()
			_, err = io.Copy(h, got.Body)
			if _ = got.Body.Close(); err != nil {
				d.t.Fatal(err)
			}
			all[*o.Key] = hex.EncodeToString(h.Sum(nil))
		}
	}
	if len(all) < 10 {
		d.t.Errorf("the bucket %s has %d objects", bucket, len(all))
	}
	return all
}

// evidence is objects without those that are made anew from the table.
func (d *drill) evidence(bucket string) map[string]string {
	d.t.Helper()
	all := d.objects(bucket)
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, "index/") })
	return all
}

// damage alters a third of all records and objects, deletes a third, and adds some.
func (d *drill) damage(bucket string) {
	d.t.Helper()
	ctx, db, name := d.t.Context(), dynamodb.NewFromConfig(d.in(stack.Region)), theTable
	scan, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: &name})
	if err != nil {
		d.t.Fatal(err)
	}
	for i, item := range scan.Items {
		switch i % 3 {
		case 0:
			item["body"] = &dynamotypes.AttributeValueMemberB{Value: []byte(`{"altered":true}`)}
			_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: item})
		case 1:
			_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &name, Key: map[string]dynamotypes.AttributeValue{"pk": item["pk"], "sk": item["sk"]}})
		case 2:
			item["sk"] = word("added-" + strconv.Itoa(i))
			_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: item})
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	client := d.objectsClient()
	for i, key := range slices.Sorted(maps.Keys(d.objects(bucket))) {
		switch i % 3 {
		case 0:
			_, err = client.PutObject(ctx, &sdks3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("altered")})
		case 1:
			_, err = client.DeleteObject(ctx, &sdks3.DeleteObjectInput{Bucket: &bucket, Key: &key})
		case 2:
			added := key + ".added"
			_, err = client.PutObject(ctx, &sdks3.PutObjectInput{Bucket: &bucket, Key: &added, Body: strings.NewReader("added")})
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// moment is the second that follows, and is over when it returns: restores are as exact
// as that, and S3 says of what was put within a second that it was then.
func moment() time.Time {
	at := time.Now().UTC().Truncate(time.Second).Add(time.Second)
	<-time.After(time.Until(at.Add(time.Second)))
	return at
}

// TestRestoreDrill breaks records and objects of two organizations, follows the
// documentation, and counts. Before it goes on a stack that would collide with what the
// one before has left fails.
func TestRestoreDrill(t *testing.T) {
	d := newDrill(t, nil)
	bucket, key := d.stack.Resources["EvidenceBucket"].ID, d.stack.Resources["Key"].ARN
	h := d.run(t, "none", nil)
	tenants := d.tenants(h)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	records, before := d.inventory(stack.Region, theTable)
	objects := d.evidence(bucket)
	at := moment()
	backup, err := dynamodb.NewFromConfig(d.in(stack.Region)).CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: aws.String(theTable), BackupName: aws.String("daily")})
	if err != nil {
		t.Fatal(err)
	}
	d.damage(bucket)
	if _, damaged := d.inventory(stack.Region, theTable); damaged == before || cmp.Equal(objects, d.evidence(bucket)) {
		t.Fatal("nothing is damaged")
	}

	d.variables = map[string]string{
		"AWS_REGION": stack.Region, "ACCOUNT": stack.Account, "MOMENT": at.Format(time.RFC3339), "TABLE": theTable, "RESTORED": "cloudarq-restored",
		"BUCKET": bucket, "KEY_ARN": key, "OPERATOR_ARN": "arn:aws:iam::" + stack.Account + ":user/ann",
	}
	d.follow("Restore")
	if _, restored := d.inventory(stack.Region, "cloudarq-restored"); restored != before {
		t.Errorf("the restored table differs (-before +restored):\n%s", cmp.Diff(before, restored))
	}
	if diff := cmp.Diff(objects, d.evidence(bucket)); diff != "" {
		t.Errorf("the bucket differs (-before +restored):\n%s", diff)
	}
	// The table before goes, which somebody has to want twice; its backups stay.
	d.sh("! aws dynamodb delete-table --table-name cloudarq && aws dynamodb update-table --table-name cloudarq --no-deletion-protection-enabled && " +
		"aws dynamodb delete-table --table-name cloudarq && " +
		"aws dynamodb restore-table-from-backup --target-table-name of-the-backup --backup-arn " + *backup.BackupDetails.BackupArn)
	if _, restored := d.inventory(stack.Region, "of-the-backup"); restored != before {
		t.Errorf("the table of the backup differs (-before +restored):\n%s", cmp.Diff(before, restored))
	}
	if name := d.stack.Outputs["TableName"]; name != "cloudarq-restored" {
		t.Errorf("the stack works with the table %s", name)
	}
	h = d.run(t, "none", nil)
	for _, n := range tenants {
		n.install, n.Host = d.install, h.Host
		n.goesOn()
	}
	fmt.Printf("restore drill: %d records and %d objects as they were, of 2 organizations\n", records, len(objects))

	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	d.anew(tenants, key)
}

// anew deletes the stack and makes it anew.
func (d *drill) anew(tenants []*tenant, key string) {
	t := d.t
	t.Helper()
	if err := d.stack.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	for adopted, collides := range map[string]string{"": "exist", "AdoptTable": "BucketAlreadyExists", "AdoptBucket": "Table already exists"} {
		parameters := map[string]string{"TableName": "cloudarq-restored"}
		if adopted != "" {
			parameters[adopted] = "true"
		}
		_, err := stack.Deploy(t.Context(), d.emulator.URL, d.file("template.yaml"), theStack, parameters)
		if err == nil || !strings.Contains(err.Error(), "ROLLBACK_COMPLETE") || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(collides)) {
			t.Fatalf("a stack with %v beside what there is: %v", parameters, err)
		}
		d.sh("aws cloudformation delete-stack --stack-name " + theStack)
	}
	parameters := map[string]string{"TableName": "cloudarq-restored", "AdoptTable": "true", "AdoptBucket": "true", "KeyArn": key}
	var err error
	if d.stack, err = stack.Deploy(t.Context(), d.emulator.URL, d.file("template.yaml"), theStack, parameters); err != nil {
		t.Fatal(err)
	}
	h := d.run(t, "none", nil)
	for _, n := range tenants {
		n.install, n.Host = d.install, h.Host
		n.accounts[0].rotate(t, true)
		n.audit("mended")
		n.look()
		n.goesOn()
	}
}

// TestRegionMove moves two organizations to another region by the documentation, where
// everything goes on without the old key.
func TestRegionMove(t *testing.T) {
	const to = "eu-central-1"
	d := newDrill(t, nil)
	bucket, key := d.stack.Resources["EvidenceBucket"].ID, d.stack.Resources["Key"].ARN
	h := d.run(t, "none", nil)
	tenants := d.tenants(h)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	objects := d.objects(bucket)
	moved := strings.ReplaceAll(bucket, stack.Region, to)
	d.variables = map[string]string{
		"FROM": stack.Region, "TO": to, "ACCOUNT": stack.Account, "TABLE": theTable, "OLD_BUCKET": bucket, "NEW_BUCKET": moved,
		"OLD_KEY_ARN": key, "OPERATOR_ARN": "arn:aws:iam::" + stack.Account + ":user/ann",
	}
	printed := d.follow("Move to another region")
	if diff := cmp.Diff(objects, d.objects(moved)); diff != "" {
		t.Errorf("the bucket differs (-before +moved):\n%s", diff)
	}
	records, _ := d.inventory(to, theTable)
	// Nothing needs the old key any more, and nothing in the table is of it.
	id := key[strings.LastIndex(key, "/")+1:]
	nobody := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}]}`
	if _, err := sdkkms.NewFromConfig(d.in(stack.Region)).PutKeyPolicy(t.Context(), &sdkkms.PutKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default"), Policy: &nobody}); err != nil {
		t.Fatal(err)
	}
	if n := d.mentions(stack.Region, id); n == 0 {
		t.Error("what the old key wrapped is not seen in the old table")
	}
	if n := d.mentions(to, id); n > 0 {
		t.Errorf("%d records are wrapped by the old key", n)
	}
	if d.stack.Region != to || d.stack.Resources["CheckerRole"].ARN != "arn:aws:iam::"+stack.Account+":role/cloudarq-checker" {
		t.Errorf("the checker of %s is %s", d.stack.Region, d.stack.Resources["CheckerRole"].ARN)
	}
	h = d.run(t, "none", nil)
	for _, n := range tenants {
		n.install, n.Host, n.client = d.install, h.Host, h.client
		n.goesOn()
	}
	// External IDs of both, the access key, what signs for both, and what seals the cursors of
	// lists, which is the installation's.
	if !regexp.MustCompile(`(?m)^2\t6\t0\t6$`).MatchString(printed) {
		t.Errorf("not six data keys of two organizations were sealed anew, and proven: %s", printed)
	}
	fmt.Printf("region move: %d records and %d objects as they were, of 2 organizations, sealed by the new key\n", records, len(objects))
}

// mentions counts the records of a table in which a text stands, in the clear or in what
// JSON has of bytes.
func (d *drill) mentions(region, word string) (n int) {
	d.t.Helper()
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(d.in(region)), &dynamodb.ScanInput{TableName: aws.String(theTable)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		for _, item := range page.Items {
			if within(text(item), word) {
				n++
			}
		}
	}
	return n
}

var inBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// within reports whether a word stands in a text, or in bytes that it has in base64: the
// emulator's ciphertexts begin with the id of their key.
func within(text, word string) bool {
	if strings.Contains(text, word) {
		return true
	}
	for _, encoded := range inBase64.FindAllString(text, -1) {
		if decoded, err := base64.StdEncoding.DecodeString(encoded); err == nil && bytes.Contains(decoded, []byte(word)) {
			return true
		}
	}
	return false
}
