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
						func(o *sdk.GetKeyRotationStatusOutput) bool {
							return collect.RequiredMember(o.ResultMetadata, o.KeyRotationEnabled, "KeyRotationEnabled")
						})`

// imported are packages that the cases need.
const imported = `import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
`

// TestChangesOfTheSource changes a collector in memory. Calls that are added
// without being declared, and declarations of calls that were removed, are
// refused by file and line; so is every way to call that cannot be followed. A
// case has many of a kind, as each takes a second to load.
func TestChangesOfTheSource(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits []string // old, new, old, new...
		add   string   // to the end of the file
		want  []string // all errors
	}{
		"unchanged": {},
		"calls are added": {
			add: `func call(ctx context.Context, c *sdk.Client) { _, _ = c.ListAliases(ctx, &sdk.ListAliasesInput{}) }
func value(r *collect.Reading, c *sdk.Client) { _ = collect.Get(r, c.GetParametersForImport, &sdk.GetParametersForImportInput{}, func(*sdk.GetParametersForImportOutput) bool { return true }) }
var expression = (*sdk.Client).ListGrants
func paginator(c *sdk.Client) any { return sdk.NewListKeyPoliciesPaginator(c, &sdk.ListKeyPoliciesInput{}) }
type store struct{ *sdk.Client }
func (s store) promoted(ctx context.Context) { _, _ = s.ListRetirableGrants(ctx, nil) }
func (s store) paginator() any { return sdk.NewDescribeCustomKeyStoresPaginator(s.Client, nil) }
func inner(c *sdk.Client) func() { return func() { func() { _ = c.ListResourceTags }() } }
type narrow interface { GetPublicKey(context.Context, *sdk.GetPublicKeyInput, ...func(*sdk.Options)) (*sdk.GetPublicKeyOutput, error) }
func through(ctx context.Context, n narrow) { _, _ = n.GetPublicKey(ctx, nil) }
`,
			want: []string{
				":63: KMS.ListAliases is called, and no walk of pkg/services/kms/collect declares it",
				":64: KMS.GetParametersForImport is called",
				":65: KMS.ListGrants is called",
				":66: KMS.ListKeyPolicies is called",
				":68: KMS.ListRetirableGrants is called",
				":69: KMS.DescribeCustomKeyStores is called",
				":70: KMS.ListResourceTags is called",
				":72: KMS.GetPublicKey is called",
			},
		},
		"a waiter of another service is added": {
			edits: []string{"import (\n", "import (\n\t\"github.com/aws/aws-sdk-go-v2/service/rds\"\n"},
			add:   `func waiter(c *rds.Client) any { return rds.NewDBInstanceAvailableWaiter(c) }`,
			want:  []string{":64: RDS.DescribeDBInstances is called"},
		},
		"ways to call that cannot be followed": {
			edits: []string{"import (\n", imported},
			add: `type aliases interface { ListAliases(context.Context, *sdk.ListAliasesInput, ...func(*sdk.Options)) (*sdk.ListAliasesOutput, error) }
func narrow(c *sdk.Client) aliases { return c }
func hidden(c *sdk.Client) []any { return []any{c} }
type store struct{ *sdk.Client }
func embedded(c *sdk.Client) any { return store{c} }
func sent(c *sdk.Client, to chan<- any) { to <- c }
func asserted(x any) { _, _ = x.(*sdk.Client) }
func use[T any](T) {}
func generic(c *sdk.Client) { use(c) }
var _, _ = reflect.ValueOf, transfermanager.New
func presigner(c *s3.Client) { s3.NewPresignClient(c) }
var _ rds.Options
`,
			want: []string{
				"imports reflect; only what computes",
				"imports github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager; only",
				"feature/s3/transfermanager is no service client",
				":69: the client *github.com/aws/aws-sdk-go-v2/service/kms.Client becomes the interface github.com/cloudarq/cloudarq/pkg/services/kms/collect.aliases",
				":70: the client *github.com/aws/aws-sdk-go-v2/service/kms.Client becomes the interface any",
				":72: the client github.com/cloudarq/cloudarq/pkg/services/kms/collect.store becomes the interface any",
				":73: the client *github.com/aws/aws-sdk-go-v2/service/kms.Client becomes the interface any",
				":74: a client is taken out of an interface",
				":76: use is instantiated with the client",
				":78: s3.NewPresignClient takes a client",
			},
		},
		"ways out that no analysis of types would see": {
			edits: []string{"import (\n", `import (
	_ "crypto/hmac"
	_ "crypto/tls"
	_ "net"
	_ "net/http"
	_ "os"
	_ "syscall"

	_ "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	_ "github.com/aws/smithy-go/transport/http"
`},
			want: []string{
				"imports crypto/hmac; only", "imports crypto/tls; only", "imports net; only", "imports net/http; only", "imports os; only", "imports syscall; only",
				"imports github.com/aws/aws-sdk-go-v2/aws/transport/http; only", "imports github.com/aws/smithy-go/transport/http; only",
			},
		},
		"a call and another's declaration are removed": {
			edits: []string{removed, "", `"KMS.DescribeKey", `, ""},
			want: []string{
				":22: KMS.GetKeyRotationStatus is declared, and nothing in pkg/services/kms/collect calls it",
				":34: KMS.DescribeKey is called, and no walk",
			},
		},
		"a declaration that is computed": {
			edits: []string{`"KMS.DescribeKey"`, `string([]byte("x"))`},
			want:  []string{":22: an operation of a walk must be a constant"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := operations.Find(root, change(t, c.edits, c.add), "./"+filepath.Dir(collector))
			if err == nil {
				err = found.Check(nil)
			}
			var said []string
			if err != nil {
				said = strings.Split(err.Error(), "\n")
			}
			if len(said) != len(c.want) {
				t.Errorf("%d errors, want %d:\n%s", len(said), len(c.want), strings.Join(said, "\n"))
			}
			for _, want := range c.want {
				if !slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, collector) && strings.Contains(line, want) }) {
					t.Errorf("no error with %q in\n%s", want, strings.Join(said, "\n"))
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
