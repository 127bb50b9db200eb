// Command invoke deploys template.yaml in the emulator, runs the real binaries of
// its functions there, gives one of them an event and prints its answer:
//
//	go run ./test/invoke api events/http.json
//
// What the functions log goes to the standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// patience is how long a function and what follows from it may take.
const patience = 5 * time.Minute

// functions are the functions by their names, as the template knows them.
func functions() map[string]string {
	return map[string]string{"api": "ApiFunction", "scheduler": "SchedulerFunction", "checker": "CheckerFunction", "aggregator": "AggregatorFunction", "worker": "WorkerFunction"}
}

// sample is the name of a queue in the events, with its logical id.
var sample = regexp.MustCompile(`cloudarq-(\w+Queue)-A1B2C3D4E5F6`)

// here is an event with the queues that were deployed in place of the samples: a
// function tells its queues apart by their names.
func here(event []byte, deployed *stack.Stack) []byte {
	return sample.ReplaceAllFunc(event, func(name []byte) []byte {
		return []byte(path.Base(deployed.Resources[string(sample.FindSubmatch(name)[1])].ID))
	})
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "invoke:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 2 || functions()[args[0]] == "" {
		return errors.New("usage: invoke api|scheduler|checker|aggregator|worker EVENT.json")
	}
	event, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	root, err := emulator.Root()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "cloudarq-invoke-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	binaries := map[string]string{}
	for name, id := range functions() {
		dir := filepath.Join(temp, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if binaries[id], err = lambdahost.Build(ctx, filepath.Join(root, "functions", name), dir); err != nil {
			return err
		}
	}
	server, err := emulator.Start(ctx, emulator.Options{Enforce: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	deployed, err := stack.Deploy(ctx, server.URL, filepath.Join(root, "template.yaml"), "cloudarq", nil)
	if err != nil {
		return err
	}
	host, err := lambdahost.Start(ctx, deployed, lambdahost.Options{
		Binaries: binaries, VisibilityOverride: time.Second,
		Logs: func(function, line string) { fmt.Fprintln(os.Stderr, function, line) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := host.Invoke(ctx, functions()[args[0]], here(event, deployed))
	if err != nil {
		return err
	}
	fmt.Println(string(answer))
	return host.Idle(ctx)
}
