package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

// zipBudget is half of what AWS Lambda accepts as a direct upload, in bytes.
const zipBudget = 25 << 20

// TestProgramsStaySmall builds the command and the functions, and holds each to
// two rules. Nothing in it may call reflect's Method or MethodByName with a name
// that the linker does not know: the linker would then keep every operation of
// every client that the program links, and the checker would be five times as
// large. And it must fit the budget.
func TestProgramsStaySmall(t *testing.T) {
	t.Parallel()
	for name, pkg := range map[string]string{
		"command": "./cmd/cloudarq", "checker": "./functions/checker", "aggregator": "./functions/aggregator",
		"scheduler": "./functions/scheduler", "api": "./functions/api",
	} {
		t.Run(name, func(t *testing.T) { // one after the other: each takes a gigabyte to link
			program := filepath.Join(t.TempDir(), name)
			build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", program, "-ldflags=-s -w -dumpdep", pkg)
			build.Dir = root
			out, err := build.CombinedOutput()
			if err != nil {
				t.Fatalf("build: %v\n%s", err, out[:min(len(out), 2000)])
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "<ReflectMethod>") {
					t.Errorf("the linker can drop no method of any client because of: %s", line)
				}
			}
			info, err := os.Stat(program)
			if err != nil {
				t.Fatal(err)
			}
			packed, err := lambdahost.Zipped(program)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes, %d zipped", info.Size(), packed)
			if packed > zipBudget {
				t.Errorf("the program is %d bytes zipped, over the budget of %d", packed, zipBudget)
			}
		})
	}
}
