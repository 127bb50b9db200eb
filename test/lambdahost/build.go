package lambdahost

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build compiles a function's package, given by import path or by a path that
// begins with "./" or "/", to a bootstrap for this machine in the directory.
func Build(ctx context.Context, pkg, dir string) (bootstrap string, err error) {
	bootstrap = filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-o", bootstrap, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return bootstrap, nil
}
