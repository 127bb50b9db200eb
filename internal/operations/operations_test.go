package operations_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/internal/operations"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// root is the repository, seen from this folder.
const root = "../.."

// The table that the guard holds to, the walks' declarations and the calls in
// the source are one list.
func TestTableIsWhatTheSourceCalls(t *testing.T) {
	t.Parallel()
	found, err := operations.Find(root, nil, operations.Packages()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.Check(policy.Connect()); err != nil {
		t.Error(err)
	}
	var table []string
	for _, op := range policy.Operations() {
		table = append(table, op.ID)
	}
	if diff := cmp.Diff(found.IDs(), table); diff != "" {
		t.Errorf("pkg/policy/operations.tsv is stale; run make generate (-called +table):\n%s", diff)
	}
}

// collector is a real collector, which the cases change.
const collector = "pkg/services/kms/collect/collect.go"

// removed is a call that the collector makes.
const removed = `collect.Into(r, &k.Rotation, client.GetKeyRotationStatus, &sdk.GetKeyRotationStatusInput{KeyId: entry.KeyId},
						func(o *sdk.GetKeyRotationStatusOutput) bool { return o.KeyRotationEnabled })`

// TestChangesOfTheSource changes a collector in memory. Calls that are added
// without being declared, and declarations of calls that were removed, are
// refused by file and line; so is every way to call that cannot be followed.
func TestChangesOfTheSource(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits []string // old, new, old, new...
		add   string   // to the end of the file
		want  []string // in the error
	}{
		"unchanged": {},
		"a call is added": {
			add:  `func added(ctx context.Context, c *sdk.Client) { _, _ = c.ListAliases(ctx, &sdk.ListAliasesInput{}) }`,
			want: []string{collector + ":58: KMS.ListAliases is called, and no walk of pkg/services/kms/collect declares it"},
		},
		"a method value is added": {
			add:  `func added(r *collect.Reading, c *sdk.Client) { _ = collect.Get(r, c.GetParametersForImport, &sdk.GetParametersForImportInput{}, func(*sdk.GetParametersForImportOutput) bool { return true }) }`,
			want: []string{":58: KMS.GetParametersForImport is called"},
		},
		"a method expression is added": {
			add:  `var added = (*sdk.Client).ListGrants`,
			want: []string{":58: KMS.ListGrants is called"},
		},
		"a paginator is added": {
			add:  `func added(c *sdk.Client) any { return sdk.NewListKeyPoliciesPaginator(c, &sdk.ListKeyPoliciesInput{}) }`,
			want: []string{":58: KMS.ListKeyPolicies is called"},
		},
		"a paginator of a stored client is added": {
			add: `type store struct{ *sdk.Client }
func (s store) added() any { return sdk.NewListAliasesPaginator(s.Client, nil) }
func (s store) more(ctx context.Context) { _, _ = s.ListRetirableGrants(ctx, nil) }`,
			want: []string{":59: KMS.ListAliases is called", ":60: KMS.ListRetirableGrants is called"},
		},
		"a waiter of another service is added": {
			edits: []string{"import (\n", "import (\n\t\"github.com/aws/aws-sdk-go-v2/service/rds\"\n"},
			add:   `func added(c *rds.Client) any { return rds.NewDBInstanceAvailableWaiter(c) }`,
			want:  []string{":59: RDS.DescribeDBInstances is called"},
		},
		"a call behind a narrow interface": {
			add: `type aliases interface { ListAliases(context.Context, *sdk.ListAliasesInput, ...func(*sdk.Options)) (*sdk.ListAliasesOutput, error) }
func added(c *sdk.Client) aliases { return c }`,
			want: []string{"becomes the interface", "aliases", collector + ":59"},
		},
		"a client is hidden in any": {
			add:  `func added(c *sdk.Client) []any { return []any{c} }`,
			want: []string{"becomes the interface", "any"},
		},
		"what embeds a client is hidden in any": {
			add: `type store struct{ *sdk.Client }
func added(c *sdk.Client) any { return store{c} }`,
			want: []string{"becomes the interface any"},
		},
		"a generic over clients": {
			add: `func use[T any](T) {}
func added(c *sdk.Client) { use(c) }`,
			want: []string{":59: use is instantiated with the client"},
		},
		"reflection": {
			edits: []string{"import (\n", "import (\n\t\"reflect\"\n"},
			add:   `var _ = reflect.ValueOf`,
			want:  []string{"imports reflect"},
		},
		"another part of the SDK": {
			edits: []string{"import (\n", "import (\n\t\"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager\"\n"},
			add:   `var _ = transfermanager.New`,
			want:  []string{"feature/s3/transfermanager is no service client"},
		},
		"a call is removed": {
			edits: []string{removed, ""},
			want:  []string{collector + ":21: KMS.GetKeyRotationStatus is declared, and nothing in pkg/services/kms/collect calls it"},
		},
		"a declaration is removed": {
			edits: []string{`"KMS.DescribeKey", `, ""},
			want:  []string{collector + ":33: KMS.DescribeKey is called"},
		},
		"a declaration that is computed": {
			edits: []string{`"KMS.DescribeKey"`, `string([]byte("x"))`},
			want:  []string{":21: an operation of a walk must be a constant"},
		},
		"a presigner": {
			edits: []string{"import (\n", "import (\n\t\"github.com/aws/aws-sdk-go-v2/service/s3\"\n"},
			add:   `func added(c *s3.Client) { s3.NewPresignClient(c) }`,
			want:  []string{"s3.NewPresignClient takes a client"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			overlay := change(t, c.edits, c.add)
			found, err := operations.Find(root, overlay, "./"+filepath.Dir(collector))
			if err == nil {
				err = found.Check(nil)
			}
			if (err != nil) != (len(c.want) > 0) {
				t.Fatalf("%v, want an error with %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want an error with %q", err, want)
				}
			}
		})
	}
}

func change(t *testing.T, edits []string, add string) map[string][]byte {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, collector))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for pair := range slices.Chunk(edits, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("%s lacks %q", collector, pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	return map[string][]byte{path: []byte(text + "\n" + add + "\n")}
}
