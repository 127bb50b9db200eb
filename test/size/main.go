// Command size prints how large the functions are as they are deployed, and how
// long each takes to start. `make size` builds them for arm64 first; what is
// started is a build for this machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/lambdahost"
)

// starts of each function; the median counts.
const starts = 15

// What Lambda accepts: a package as uploaded directly, and all of it unzipped.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	zipLimit = 50 << 20
	rawLimit = 250 << 20
)

// functions are the functions by their ids in the template.
func functions() [][2]string {
	return [][2]string{{"ApiFunction", "api"}, {"SchedulerFunction", "scheduler"}, {"CheckerFunction", "checker"}, {"AggregatorFunction", "aggregator"}}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := emulator.Root()
	if err != nil {
		return err
	}
	settings, err := readSettings(filepath.Join(root, "template.yaml"))
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "cloudarq-size-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	fmt.Printf("%-12s %12s %12s %24s\n", "function", "arm64", "zipped", fmt.Sprintf("start (median of %d)", starts))
	for _, f := range functions() {
		id, name := f[0], f[1]
		deployed := filepath.Join(root, "bin", "functions", name, "bootstrap")
		info, err := os.Stat(deployed)
		if err != nil {
			return fmt.Errorf("%w; make functions builds it", err)
		}
		zipped, err := lambdahost.Zipped(deployed)
		if err != nil {
			return err
		}
		dir := filepath.Join(temp, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		native, err := lambdahost.Build(ctx, filepath.Join(root, "functions", name), dir)
		if err != nil {
			return err
		}
		start, err := median(ctx, native, settings[id])
		if err != nil {
			return err
		}
		fmt.Printf("%-12s %12s %12s %24s\n", name, megabytes(info.Size()), megabytes(zipped), start.Round(time.Millisecond))
	}
	fmt.Printf("%-12s %12s %12s\n", "Lambda takes", megabytes(rawLimit), megabytes(zipLimit))
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

func median(ctx context.Context, bootstrap string, settings map[string]string) (time.Duration, error) {
	var all []time.Duration
	for range starts {
		took, err := lambdahost.InitTime(ctx, bootstrap, settings)
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// reference is a parameter or a resource in a text of the template.
var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// readSettings reads the variables of each function from the template. Nobody is
// called by the names in them, so that any will do; numbers that parameters stand
// for are 8.
func readSettings(path string) (map[string]map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	type environment struct {
		Variables map[string]string `yaml:"Variables"`
	}
	var t struct {
		Globals struct {
			Function struct {
				Environment environment `yaml:"Environment"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Environment environment `yaml:"Environment"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	all := map[string]map[string]string{}
	for id, r := range t.Resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		all[id] = map[string]string{}
		for _, variables := range []map[string]string{t.Globals.Function.Environment.Variables, r.Properties.Environment.Variables} {
			for name, value := range variables {
				all[id][name] = reference.ReplaceAllString(value, "8")
			}
		}
	}
	return all, nil
}
