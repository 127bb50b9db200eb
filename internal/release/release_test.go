package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

const changelog = "# Changelog\n\n## Unreleased\n\n- 9.9.9 is not a section.\n\n## 1.2.3 - 2026-12-01\n\n## 1.3.0-rc.1\n"

func TestPublishable(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"1.2.3":      "",
		"1.3.0-rc.1": "",
		"":           "no version is named",
		"v1.2.3":     "want 1.2.3, without the v",
		"1.2":        "not a semantic version",
		"1.2.3.4":    "not a semantic version",
		"01.2.3":     "not a semantic version",
		"1.2.3-":     "not a semantic version",
		"1.2.3\n":    "not a semantic version",
		"dev":        "not a semantic version",
		"../1.2.3":   "not a semantic version",
		"1.2.3+5":    "build metadata",
		"1.2.4":      `no section "## 1.2.4"`,
		"1.3.0":      `no section "## 1.3.0"`, // that of the candidate is not the release's
		"9.9.9":      `no section "## 9.9.9"`,
	} {
		err := publishable(version, changelog)
		if (want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v; want one sentence with %q", version, err, want)
		}
	}
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"linux", "linux/386", "linux/amd64/", "plan9/amd64"} {
		if _, err := parsePlatform(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	for _, name := range every {
		if p, err := parsePlatform(name); err != nil || p.os+"/"+p.arch != name {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	if _, at, err := commit(root, "86400"); err != nil || at != time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%v, %v", at, err)
	}
	for _, bad := range []string{"yesterday", "-1", "1.5"} {
		if _, _, err := commit(root, bad); err == nil {
			t.Errorf("SOURCE_DATE_EPOCH=%s: no error", bad)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is no clone")
	}
	name, at, err := commit(root, "")
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{40}(-dirty)?$`).MatchString(name) || at.Year() < 2026 {
		t.Errorf("%s at %v, %v", name, at, err)
	}
}

var root = filepath.Join("..", "..")

// drafted builds the command as it is built here anyway, and no function: those are for
// another processor, for which nothing is compiled yet.
type drafted struct{ builder }

func (drafted) functions(dir string) error {
	for _, name := range functionNames {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name, "bootstrap"), []byte("the function "+name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// TestRelease makes a release for this machine, and does with it what its users do.
func TestRelease(t *testing.T) {
	t.Parallel()
	here, err := parsePlatform(runtime.GOOS + "/" + runtime.GOARCH)
	if err != nil {
		t.Skip(err)
	}
	var log bytes.Buffer
	r := release{version: "1.2.3-rc.1", root: root, dist: t.TempDir(), platforms: []platform{here}, commit: "c0ffee", time: time.Unix(1796000000, 0), log: &log}
	if err := r.make(drafted{builder{root: root, version: r.version, commit: r.commit, log: &log, draft: true}}); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}

	want := []string{"SHA256SUMS", "cloudarq_1.2.3-rc.1.cdx.json"}
	for _, rest := range []string{
		"audit-role-stackset.yaml", "audit-role.tf", "audit-role.yaml", "function_aggregator_arm64.zip", "function_api_arm64.zip",
		"function_checker_arm64.zip", "function_scheduler_arm64.zip", "function_worker_arm64.zip", "template.yaml",
	} {
		want = append(want, r.name(rest))
	}
	command := r.name(here.os + "_" + here.arch + ".tar.gz")
	if here.os == "windows" {
		command = r.name(here.os + "_" + here.arch + ".zip")
	}
	want = append(want, command)
	slices.Sort(want)
	published := map[string][]byte{}
	var names []string
	entries, err := os.ReadDir(r.dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(r.dist, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		names, published[e.Name()] = append(names, e.Name()), content
	}
	if !slices.Equal(names, want) {
		t.Errorf("published is\n%q, want\n%q", names, want)
	}

	t.Run("checksums", func(t *testing.T) {
		t.Parallel()
		var lines strings.Builder
		for _, name := range names {
			if name != sumsName {
				fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(published[name]), name)
			}
		}
		if got := string(published[sumsName]); got != lines.String() {
			t.Errorf("%s is\n%s, want\n%s", sumsName, got, &lines)
		}
	})
	t.Run("command", func(t *testing.T) {
		t.Parallel()
		files := unpacked(t, command, published[command])
		for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
			if own, err := os.ReadFile(filepath.Join(root, name)); err != nil || !bytes.Equal(own, files[name]) {
				t.Errorf("%s is not the repository's: %v", name, err)
			}
		}
		program := filepath.Join(t.TempDir(), here.program())
		if err := os.WriteFile(program, files[here.program()], 0o700); err != nil {
			t.Fatal(err)
		}
		saysVersion(t, program, r)
		tellsAWS(t, program, r)
	})
	t.Run("functions", func(t *testing.T) {
		t.Parallel()
		var template struct {
			Description string `yaml:"Description"`
			Metadata    struct {
				CloudArq struct {
					Version string `yaml:"Version"`
				} `yaml:"CloudArq"`
			} `yaml:"Metadata"`
			Resources map[string]struct {
				Type       string `yaml:"Type"`
				Properties struct {
					Code any `yaml:"CodeUri"`
				} `yaml:"Properties"`
			} `yaml:"Resources"`
			Outputs map[string]struct {
				Value any `yaml:"Value"`
			} `yaml:"Outputs"`
		}
		if err := yaml.Unmarshal(published[r.name("template.yaml")], &template); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(template.Description, "CloudArq 1.2.3-rc.1 audits ") || template.Metadata.CloudArq.Version != r.version || template.Outputs["Version"].Value != r.version {
			t.Errorf("the template's version: %q, %q, %v", template.Description, template.Metadata.CloudArq.Version, template.Outputs["Version"].Value)
		}
		found := 0
		for id, resource := range template.Resources {
			if resource.Type != "AWS::Serverless::Function" {
				continue
			}
			found++
			code, _ := resource.Properties.Code.(string)
			archive, ok := published[code]
			if !ok {
				t.Errorf("%s: its code is %q, which is not published", id, code)
				continue
			}
			name := strings.ToLower(strings.TrimSuffix(id, "Function"))
			if files := unpacked(t, code, archive); len(files) != 1 || string(files["bootstrap"]) != "the function "+name {
				t.Errorf("%s: the code is %q", id, files)
			}
		}
		if found != len(functionNames) {
			t.Errorf("%d functions in the template, want %d", found, len(functionNames))
		}
	})
	t.Run("audit role", func(t *testing.T) {
		t.Parallel()
		role, err := policy.NewRole(policy.Operations())
		if err != nil {
			t.Fatal(err)
		}
		for name, own := range map[string]string{"audit-role.yaml": role.CloudFormation(), "audit-role-stackset.yaml": role.StackSet(), "audit-role.tf": role.Terraform()} {
			text := string(published[r.name(name)])
			for _, want := range []string{"Published with CloudArq 1.2.3-rc.1.", policy.VersionDate} {
				if !strings.Contains(text, want) {
					t.Errorf("%s does not say %q", name, want)
				}
			}
			// It is what `cloudarq policy show` gives, but for what says so.
			stamp := fmt.Sprintf("  CloudArq: {Version: %q, PolicyVersion: %q}\n", r.version, policy.VersionDate)
			if got := strings.Replace(text, stamp, "", 1); !strings.HasPrefix(got, "# Published") || !strings.HasSuffix(got, "\n"+own) {
				t.Errorf("%s is another role", name)
			}
		}
	})
	t.Run("bill of materials", func(t *testing.T) {
		t.Parallel()
		isBill(t, published["cloudarq_1.2.3-rc.1.cdx.json"], r)
	})
}

// saysVersion runs the command.
func saysVersion(t *testing.T, program string, r release) {
	t.Helper()
	out, err := exec.Command(program, "version", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Version, Commit string }
	if err := json.Unmarshal(out, &got); err != nil || got.Version != r.version || got.Commit != r.commit {
		t.Errorf("version: %s, %v", out, err)
	}
	short, err := exec.Command(program, "--version").Output()
	if err != nil || !strings.HasPrefix(string(short), "cloudarq version "+r.version+"\n") {
		t.Errorf("--version: %s, %v", short, err)
	}
}

// tellsAWS has the command call somebody else than AWS, who looks at the user agent.
func tellsAWS(t *testing.T, program string, r release) {
	t.Helper()
	var agent atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		agent.Store(q.UserAgent())
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	audit := exec.Command(program, "audit", "run", "--data-dir", t.TempDir())
	audit.Env = []string{
		"HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + server.URL, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	}
	if out, err := audit.CombinedOutput(); err == nil {
		t.Errorf("an audit that AWS refuses succeeds: %s", out)
	}
	if got, _ := agent.Load().(string); !slices.Contains(strings.Fields(got), "cloudarq/"+r.version) {
		t.Errorf("the user agent is %q", got)
	}
}

// TestFunctionLogsVersion starts a function where nobody has work for it.
func TestFunctionLogsVersion(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "bootstrap")
	b := builder{version: "1.2.3-rc.1", commit: "c0ffee"}
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", b.stamp(), "-o", program, "./functions/scheduler")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runtime := httptest.NewServer(http.NotFoundHandler())
	defer runtime.Close()
	function := exec.Command(program)
	function.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://"), "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "TABLE_NAME=t", "TASKS_QUEUE_URL=t", "RESULTS_QUEUE_URL=r", "JOBS_QUEUE_URL=j", "AUDIT_BOUND=1h", "EVIDENCE_DAYS=30",
	}
	out, _ := function.CombinedOutput() // it ends, for there is no such runtime
	for line := range strings.Lines(string(out)) {
		var said struct{ Version, Commit string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Version == b.version && said.Commit == b.commit {
			return
		}
	}
	t.Errorf("the function logs no version:\n%s", out)
}

// isBill holds a bill of materials to CycloneDX's own schema, and to what is linked.
func isBill(t *testing.T, text []byte, r release) {
	t.Helper()
	library, err := output(root, "go", "-C", "tools", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")
	if err != nil {
		t.Fatal(err)
	}
	schemas := jsonschema.NewCompiler()
	for id, file := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		content, err := os.ReadFile(filepath.Join(library, "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if err := schemas.AddResource("http://cyclonedx.org/schema/"+id, document); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := schemas.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Errorf("not CycloneDX 1.6: %v", err)
	}

	type component struct {
		Ref      string `json:"bom-ref"`
		Name     string
		Version  string
		Evidence struct{ Licenses []any }
	}
	var bill struct {
		Metadata struct {
			Timestamp time.Time
			Component component
		}
		Components   []component
		Dependencies []struct{ Ref string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	product := bill.Metadata.Component
	if product.Version != r.version || product.Ref != "pkg:golang/github.com/cloudarq/cloudarq@v"+r.version || !bill.Metadata.Timestamp.Equal(r.time) {
		t.Errorf("it is of %+v at %v", product, bill.Metadata.Timestamp)
	}
	if strings.Contains(string(text), `"pkg:golang/github.com/cloudarq/cloudarq"`) || strings.Contains(string(text), "MD5") {
		t.Error("it has another version of the product, or what differs between machines")
	}
	refers := map[string]bool{}
	for _, d := range bill.Dependencies {
		refers[d.Ref] = true
	}
	has := map[string]string{}
	for _, c := range bill.Components {
		has[c.Name] = c.Version
		if c.Name != "std" && len(c.Evidence.Licenses) == 0 {
			t.Errorf("%s has no license", c.Name)
		}
	}
	if !refers[product.Ref] || has["std"] == "" {
		t.Error("it does not say what the product depends on, or not which Go")
	}
	linked, err := output(root, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/...", "./functions/...")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(linked) {
		if module, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok && has[module] != version {
			t.Errorf("%s %s is linked, and %q listed", module, version, has[module])
		}
	}
}

// TestSame packs the same twice.
func TestSame(t *testing.T) {
	t.Parallel()
	at := time.Unix(1796000000, 0)
	var sums [2]string
	for i := range sums {
		dir := t.TempDir()
		program := filepath.Join(dir, "program")
		if err := os.WriteFile(program, bytes.Repeat([]byte("text "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		// Neither when it was built nor by whom may matter.
		if err := os.Chtimes(program, time.Time{}, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		files := []file{{"cloudarq", program, 0o755}, {"README.md", program, 0o644}}
		r := release{version: "1.2.3", dist: filepath.Join(dir, "dist"), time: at, log: io.Discard}
		if err := errors.Join(os.Mkdir(r.dist, 0o755), tarred(r.path("a.tar.gz"), at, files), zipped(r.path("b.zip"), at.In(time.FixedZone("", 3600*i)), files), r.sums()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(r.dist, sumsName))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != 2 {
		t.Errorf("once\n%s, then\n%s", sums[0], sums[1])
	}
}

// unpacked are the files of an archive, which may be run if they are programs.
func unpacked(t *testing.T, name string, archive []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	add := func(name string, mode os.FileMode, r io.Reader) {
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
		if program := filepath.Ext(name) == "" && name != "LICENSE" || filepath.Ext(name) == ".exe"; program != (mode&0o111 != 0) {
			t.Errorf("%s has mode %v", name, mode)
		}
	}
	if strings.HasSuffix(name, ".zip") {
		z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			add(f.Name, f.Mode(), r)
			r.Close()
		}
		return files
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		add(header.Name, header.FileInfo().Mode(), r)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"a version": true, "nothing": false, "version version": false} {
		if got, err := changed(text, []change{{"version", "1.2.3"}}); (err == nil) != ok || ok && got != "a 1.2.3" {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// TestSigned signs and verifies by the commands that docs/releases.md has.
func TestSigned(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	key, sums := filepath.Join(dir, "key"), filepath.Join(dir, sumsName)
	if err := os.WriteFile(sums, []byte("0123  a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := release{dist: dir, log: &log}
	if err := r.sign(""); err != nil || !strings.Contains(log.String(), "is not signed") {
		t.Errorf("without a key: %v, %s", err, &log)
	}
	if err := r.sign(filepath.Join(dir, "none")); err == nil {
		t.Error("a key that is not there signs")
	}
	shell := func(script string) error {
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir = dir
		return cmd.Run()
	}
	if err := shell(`ssh-keygen -q -t ed25519 -N "" -f key; echo "releases@cloudarq $(cat key.pub)" >allowed_signers`); err != nil {
		t.Fatal(err)
	}
	if err := r.sign(key); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	const verify = `ssh-keygen -Y verify -f allowed_signers -I releases@cloudarq -n cloudarq-release -s SHA256SUMS.sig <SHA256SUMS`
	if err := shell(verify); err != nil {
		t.Errorf("a good signature: %v", err)
	}
	if err := shell("echo 4567  b >>SHA256SUMS; " + verify); err == nil {
		t.Error("what was changed since verifies")
	}
}
