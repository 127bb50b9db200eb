package arch

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// zipBudget is half of what AWS Lambda accepts as a direct upload, in bytes.
const zipBudget = 25 << 20

// TestProgramStaysSmall builds the program that links every service client and
// holds it to two rules. Nothing in it may call reflect's Method or MethodByName
// with a name that the linker does not know: the linker would then keep every
// operation of every client, and the program would be five times as large. And
// it must fit the budget.
func TestProgramStaysSmall(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "cloudarq")
	build := exec.Command("go", "build", "-o", program, "-ldflags=-s -w -dumpdep", "./cmd/cloudarq")
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
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	entry, err := archive.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.Copy(entry, binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d zipped", raw, packed.Len())
	if packed.Len() > zipBudget {
		t.Errorf("the program is %d bytes zipped, over the budget of %d", packed.Len(), zipBudget)
	}
}
