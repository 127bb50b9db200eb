// Command demo shows the whole of CloudArq on a sample estate: it starts the
// AWS emulator, fills three accounts, audits them through their roles, changes
// two things and audits again. It cleans up after itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// reportFile is left behind on purpose.
const reportFile = "cloudarq-report.html"

func demo(ctx context.Context) (err error) {
	root, err := emulator.Root()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "cloudarq-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()

	say("Building cloudarq")
	program := filepath.Join(temp, "cloudarq")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/cloudarq")
	build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build cloudarq: %w", err)
	}
	say("Starting the AWS emulator and filling three accounts")
	server, err := emulator.Start(ctx, emulator.Options{Enforce: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	sample, err := estate.Seed(ctx, server.URL, 0)
	if err != nil {
		return err
	}
	d := &demonstration{ctx: ctx, root: root, program: program, data: filepath.Join(temp, "data"), estate: sample}
	for _, account := range sample.Accounts {
		say("Auditing account %s (%s) through %s", account.ID, account.Name, account.RoleARN)
		if err := d.audit(account); err != nil {
			return err
		}
	}
	neglected := sample.Account("neglected")
	if err := d.cloudarq("", "report", "html", "--file", filepath.Join(root, reportFile)); err != nil {
		return err
	}
	say("Changing two things in the neglected account")
	changes, err := sample.Change(ctx)
	if err != nil {
		return err
	}
	for _, change := range changes {
		fmt.Println("  " + change)
	}
	say("Auditing account %s again: what is different", neglected.ID)
	if err := d.quietAudit(neglected); err != nil {
		return err
	}
	if err := d.cloudarq("", "audit", "diff", neglected.ID); err != nil {
		return err
	}
	say("The HTML report of the three accounts is in %s", reportFile)
	return nil
}

func say(format string, args ...any) {
	fmt.Printf("\n== "+format+"\n", args...)
}

// demonstration runs the built command as its user would.
type demonstration struct {
	ctx           context.Context //nolint:containedctx // lives as long as the program
	root, program string
	data          string
	estate        *estate.Estate
}

func (d *demonstration) audit(a estate.Account) error {
	return d.cloudarq(a.ExternalID, "audit", "run", "--role-arn", a.RoleARN, "--external-id", "-")
}

func (d *demonstration) quietAudit(a estate.Account) error {
	return d.run(io.Discard, a.ExternalID, "audit", "run", "--quiet", "--role-arn", a.RoleARN, "--external-id", "-")
}

func (d *demonstration) cloudarq(stdin string, args ...string) error {
	return d.run(os.Stdout, stdin, args...)
}

func (d *demonstration) run(stdout io.Writer, stdin string, args ...string) error {
	cmd := exec.CommandContext(d.ctx, d.program, append(args, "--data-dir", d.data)...)
	cmd.Dir, cmd.Env = d.root, d.estate.Environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cloudarq %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
