// Command cloudarq audits AWS accounts, read-only, from this machine.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	// Where the system has no certificates of authorities, as in a container of nothing
	// but this program, those that Mozilla trusts serve.
	_ "golang.org/x/crypto/x509roots/fallback"
)

// memoryForTime makes the garbage collector run twice as often as by itself: an
// audit mostly waits for AWS, and should leave a small machine its memory.
// docs/performance.md has the figures.
const memoryForTime = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(memoryForTime)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: data goes to stdout, all else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return c.exit(root.ExecuteContext(ctx))
}
