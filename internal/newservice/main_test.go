package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	// TestAddService adds this service, and needs no network.
	_ "github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/google/go-cmp/cmp"
)

// most is how many lines a service of two checks may take that people write.
const most = 100

// TestAddService adds a service to a copy of the repository, as CONTRIBUTING says it is
// done: newservice writes the folder, a person writes what stands in testdata/athena, and
// make writes the rest. Nothing else is edited, and what holds services is content.
//
// What is counted are the lines of all files in testdata/athena, rules, texts, cases and
// AWS's answers, but for those that newservice wrote. What -update, make generate and make
// blinds write is not.
func TestAddService(t *testing.T) {
	t.Parallel()
	// One place for all runs, so that the go command finds again what it built there.
	copied := filepath.Join("..", "..", ".cache", "newservice")
	t.Cleanup(func() { _ = os.RemoveAll(copied) })
	copyOf(t, filepath.Join("..", ".."), copied)
	within := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = copied
		cmd.Env = append(os.Environ(), "GOPROXY=off")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
		}
	}

	within("go", "run", "./internal/newservice", "athena", "Amazon Athena", "Athena", "ListWorkGroups", "GetWorkGroup")
	service := filepath.Join(copied, "pkg", "services", "athena")
	written := 0
	err := fs.WalkDir(os.DirFS(filepath.Join("testdata", "athena")), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		person, err := os.ReadFile(filepath.Join("testdata", "athena", path))
		if err != nil {
			return err
		}
		skeleton, err := os.ReadFile(filepath.Join(service, path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		n := added(lines(skeleton), lines(person))
		t.Logf("%3d lines of %s", n, path)
		written += n
		return os.WriteFile(filepath.Join(service, path), person, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%3d lines are written by hand", written); written > most {
		t.Errorf("%d lines are written by hand, want at most %d", written, most)
	}

	within("go", "test", "./pkg/services/athena/collect", "-update")
	within("go", "run", "./internal/register", ".")
	within("go", "run", "./internal/generate", ".")
	within("make", "blinds", "SERVICE=athena")
	within("go", "test", "-skip", "TestLinear", "./pkg/services/athena/...", "./pkg/services", "./pkg/services/collectors", "./pkg/policy/...", "./bench/synthetic")
}

// The skeleton compiles for each form in which services tell of their resources, and its
// rules pass their tests. It is written into the module, where alone it can be built.
func TestSkeletons(t *testing.T) {
	t.Parallel()
	const below = "testdata/skeletons"
	t.Cleanup(func() { _ = os.RemoveAll(below) })
	record := t.TempDir()
	for name, c := range map[string]struct {
		sdkID      string
		operations []string
		want       service
	}{
		"structure": {"KMS", []string{"ListKeys", "DescribeKey"}, service{
			Client: "kms", Prefix: "kms", Namespace: "KMS", Kind: "Key", Items: "Keys", Item: "types.KeyListEntry", Key: "KeyId", ARN: "KeyArn", Ask: "KeyId", Asked: true, Answer: "KeyMetadata", State: "KeyState",
			Paginator: true, Judged: []string{"Enabled", "Disabled", "PendingImport", "Unavailable", "Updating"}, Passed: []string{"Creating", "PendingDeletion", "PendingReplicaDeletion"},
		}},
		"names": {"EKS", []string{"ListClusters", "DescribeCluster"}, service{
			Client: "eks", Prefix: "eks", Namespace: "EKS", Kind: "Cluster", Items: "Clusters", Item: "string", Ask: "Name", Answer: "Cluster", State: "Status",
			Paginator: true, Judged: []string{"ACTIVE", "FAILED", "UPDATING"}, Passed: []string{"CREATING", "DELETING", "PENDING"},
		}},
		"listing": {"Elastic Load Balancing v2", []string{"DescribeTargetGroups"}, service{
			Client: "elasticloadbalancingv2", Prefix: "elasticloadbalancing", Namespace: "ElasticLoadBalancingv2", Kind: "TargetGroup", Items: "TargetGroups", Item: "types.TargetGroup",
			Paginator: true, Key: "TargetGroupName", ARN: "TargetGroupArn",
		}},
		"answer": {"SNS", []string{"ListTopics", "GetTopicAttributes"}, service{
			Client: "sns", Paginator: true, Prefix: "sns", Namespace: "SNS", Kind: "Topic", Items: "Topics", Item: "types.Topic", Key: "TopicArn", ARN: "TopicArn", Ask: "TopicArn", Asked: true,
		}},
		"tokens": {"EventBridge", []string{"ListEventBuses"}, service{
			Client: "eventbridge", Prefix: "events", Namespace: "EventBridge", Kind: "EventBus", Items: "EventBuses", Item: "types.EventBus",
			Next: "NextToken", Token: "NextToken", Key: "Name", ARN: "Arn",
		}},
		"onepage": {"Auto Scaling", []string{"DescribeLifecycleHooks"}, service{
			Client: "autoscaling", Prefix: "autoscaling", Namespace: "AutoScaling", Kind: "LifecycleHook", Items: "LifecycleHooks", Item: "types.LifecycleHook",
			Key: "LifecycleHookName",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := describe(name, "Amazon Sample", c.sdkID, c.operations...)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name, c.want.Title, c.want.SDKID, c.want.List = name, "Amazon Sample", c.sdkID, c.operations[0]
			if len(c.operations) > 1 {
				c.want.Describe = c.operations[1]
			}
			if diff := cmp.Diff(c.want, s); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := write(below, s); err != nil {
				t.Fatal(err)
			}
			// It imports itself by its place in the real tree.
			for _, file := range []string{"checks_test.go", "collect/collect.go", "collect/collect_test.go"} {
				path := filepath.Join(below, name, file)
				source, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				here := strings.ReplaceAll(string(source), "cloudarq/pkg/services/"+name, "cloudarq/internal/newservice/"+below+"/"+name)
				if err := os.WriteFile(path, []byte(here), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{{"vet", "./" + below + "/" + name + "/..."}, {"test", "./" + below + "/" + name}} {
				cmd := exec.Command("go", args...)
				cmd.Env = append(os.Environ(), "CLOUDARQ_RECORD="+record) // as make blinds does for a new service
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("go %v: %v\n%s", args, err, out)
				}
			}
			if err := write(below, s); err == nil || !strings.Contains(err.Error(), "exists") {
				t.Errorf("%v: a service that exists was written over", err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		name, sdkID string
		operations  []string
		want        string
	}{
		"a name that Go does not accept":  {"No-Name", "KMS", []string{"ListKeys", "DescribeKey"}, "not the name of a Go package"},
		"a client that there is not":      {"sample", "KMS 2", []string{"ListKeys"}, "service/kms2"},
		"an operation that lists nothing": {"sample", "KMS", []string{"DescribeKey"}, "answers with no list"},
		"a listing that there is not":     {"sample", "KMS", []string{"ListLocks"}, "no operation ListLocks"},
		"an operation that there is not":  {"sample", "KMS", []string{"ListKeys", "DescribeKeys"}, "no operation DescribeKeys"},
		"many described at once":          {"sample", "ECS", []string{"ListClusters", "DescribeClusters"}, "not asked by a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := describe(c.name, "Amazon Sample", c.sdkID, c.operations...)
			if err == nil {
				err = write(t.TempDir(), s)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for one, many := range map[string]string{"workGroup": "workGroups", "event bus": "event buses", "Policy": "Policies", "gateway": "gateways", "index": "indexes"} {
		if got := plural(one); got != many {
			t.Errorf("%s: %s, want %s", one, got, many)
		}
	}
}

// A client is as new as the SDK's core allows that the others have.
func TestNewest(t *testing.T) {
	t.Parallel()
	cores := map[string]string{"v1.9.0": "v1.47.5", "v1.10.0": "v1.47.7", "v1.11.0": "v1.48.0"}
	needs := func(version string) (string, error) { return cores[version], nil }
	for core, want := range map[string]string{"v1.47.6": "v1.9.0", "v1.47.7": "v1.10.0", "v1.100.0": "v1.11.0", "v1.2.0": ""} {
		got, err := newest([]string{"v1.9.0", "v1.10.0", "v1.11.0"}, core, needs)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("with core %s: %s, %v; want %s", core, got, err, want)
		}
	}
}

func TestAdded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		earlier, later string
		want           int
	}{
		"the same":            {"a\nb\n", "a\nb\n", 0},
		"one more":            {"a\nb\n", "a\nx\nb\n", 1},
		"one other":           {"a\nb\nc\n", "a\nx\nc\n", 1},
		"one fewer":           {"a\nb\nc\n", "a\nc\n", 0},
		"in other order":      {"a\nb\n", "b\na\n", 1},
		"twice what was once": {"a\n", "a\na\n", 1},
		"a new file":          {"", "a\n\nb\n", 3},
	} {
		if got := added(lines([]byte(c.earlier)), lines([]byte(c.later))); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// copyOf copies a repository, but for what is no part of it.
func copyOf(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	err := fs.WalkDir(os.DirFS(from), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (strings.HasPrefix(path, ".") || path == "bin"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o750)
		case strings.HasPrefix(path, "."):
			return nil
		}
		data, err := os.ReadFile(filepath.Join(from, path))
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), data, info.Mode())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lines(text []byte) [][]byte { return slices.Collect(bytes.Lines(text)) }

// added is how many lines the later text has that are not the earlier one's, in its order.
func added(earlier, later [][]byte) int {
	kept := make([]int, len(earlier)+1) // of the later lines so far, by how many of the earlier are looked at
	for _, line := range later {
		diagonal := 0
		for i := range earlier {
			above := kept[i+1]
			if kept[i+1] = max(above, kept[i]); bytes.Equal(line, earlier[i]) {
				kept[i+1] = max(kept[i+1], diagonal+1)
			}
			diagonal = above
		}
	}
	return len(later) - kept[len(earlier)]
}
