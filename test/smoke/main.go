// Command smoke tries a deployment in a real account of AWS, from nothing to nothing: it
// deploys the template, connects the account to itself, audits, looks at findings, alerts
// and drift, restores from a backup, audits again, and deletes what it made. `make smoke`
// runs it with an operator's own credentials; docs/operations.md, "Smoke test", says what
// it takes and costs.
//
// It manages only what it made: it begins where nothing of the installation's name exists,
// tags what it makes with cloudarq:smoke, and deletes nothing that has no such tag of its
// own name.
//
// The same steps run against the emulator as a test of this package. What that cannot show
// is behind the interface platform, and is shown by AWS alone:
//
//   - The deployment's change set: SAM's transform is done on this machine, and an update is
//     a stack that is made anew with what the one before has left. So the rights that
//     CloudFormation uses (the statements CloudFormation… of policy.json) are not tried, nor
//     is what the emulator does not make: the HTTP API, the alarms, the backup plan.
//   - Lambda: functions are processes of this machine, without its concurrency, its
//     pollers and their event source mappings.
//   - Policies of keys, queues and topics, and who may call the API (execute-api:Invoke).
//   - Time: how long stacks, restores and new roles take, and so all bounds of waits; what
//     AWS answers while it has not finished; names that stay taken for a while.
//   - Cost.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who interrupts twice does not wait for the end
	err := command(ctx, os.Args[1:], os.Stdin, os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "smoke: %v\n", err)
		os.Exit(1)
	}
}

// options are what somebody asks for.
type options struct {
	prefix   string   // the installation's name
	profile  string   // of the AWS configuration; empty means the default chain
	region   string   // empty means the profile's
	dist     string   // folder of a release; empty builds the functions
	services []string // that are audited
	yes      bool     // do not ask
	keep     bool     // delete nothing at the end
	destroy  bool     // delete what an earlier run has left, and nothing else
	policy   bool     // print the policy that it takes, and nothing else
}

// prices are AWS's, which the cost page is computed from as well.
const prices = "bench/prices.tsv"

func command(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	o := options{}
	services := ""
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.StringVar(&o.prefix, "prefix", "", "name of the installation, which nothing else has in the account: 3 to 20 lower-case letters, digits and hyphens")
	flags.StringVar(&o.profile, "profile", "", "profile of the AWS configuration (default the default credentials)")
	flags.StringVar(&o.region, "region", "", "where to deploy (default the profile's region)")
	flags.StringVar(&o.dist, "dist", "", "folder of a release to try (default builds this tree's functions)")
	flags.StringVar(&services, "services", "kms,cloudtrail", "services to audit, of which audits make few calls")
	flags.BoolVar(&o.yes, "yes", false, "do not ask")
	flags.BoolVar(&o.keep, "keep", false, "delete nothing at the end")
	flags.BoolVar(&o.destroy, "destroy", false, "delete what an earlier run has left, and nothing else")
	flags.BoolVar(&o.policy, "policy", false, "print the IAM policy that a run takes, and nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !validPrefix.MatchString(o.prefix) {
		return fmt.Errorf("%q is no name for an installation; say PREFIX=… with 3 to 20 lower-case letters, digits and hyphens, the first of them a letter", o.prefix)
	}
	if o.policy {
		_, err := io.WriteString(out, policyFor(o.prefix, o.region))
		return err
	}
	o.services = strings.Split(services, ",")
	cfg, err := load(ctx, o)
	if err != nil {
		return err
	}
	r := newRun(o, cfg, out)
	r.platform = cloudFormation{r}
	return r.command(ctx, in, func(ctx context.Context) (string, error) { return functions(ctx, o.dist, out) })
}

// load is the configuration that everything is called with.
func load(ctx context.Context, o options) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(o.profile), config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts = 8 })
	}))
	if err != nil {
		return cfg, fmt.Errorf("cannot load AWS credentials: %w", err)
	}
	if o.region != "" {
		cfg.Region = o.region
	}
	if cfg.Region == "" {
		return cfg, errors.New("the credentials say no region; say REGION=…")
	}
	return cfg, nil
}

// functions gives the template that is tried, beside the functions that it names: those of
// a release, or of this tree, built as they are deployed.
func functions(ctx context.Context, dist string, out io.Writer) (template string, err error) {
	if dist == "" {
		build := exec.CommandContext(ctx, "tools/functions.sh")
		build.Stdout, build.Stderr = out, out
		if err := build.Run(); err != nil {
			return "", fmt.Errorf("build the functions: %w", err)
		}
		return "template.yaml", nil
	}
	found, err := filepath.Glob(filepath.Join(dist, "cloudarq_*_template.yaml"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s has %d templates of a release, want one", dist, len(found))
	}
	return found[0], nil
}

// command says what is about to happen, asks, and does it.
func (r *run) command(ctx context.Context, in io.Reader, build func(context.Context) (template string, err error)) error {
	if err := r.identify(ctx); err != nil {
		return explain(err)
	}
	if r.options.destroy {
		r.sayf("This deletes what smoke runs of the name %q have left in account %s, %s, as %s.", r.prefix, r.account, r.Region, r.caller)
	} else {
		if err := r.look(ctx); err != nil {
			return explain(err)
		}
		most, err := estimate(prices, time.Hour)
		if err != nil {
			return err
		}
		r.sayf("This deploys CloudArq as %q into account %s, %s, as %s; connects that account to it, audits %s, restores from a backup, and deletes everything again.",
			r.prefix, r.account, r.Region, r.caller, strings.Join(r.services, " and "))
		r.sayf("It takes about fifteen minutes, %d at most before it gives up, and costs less than $%.2f by AWS's list prices.", int(patience.Minutes()), most)
	}
	if !r.yes {
		if err := r.ask(ctx, in); err != nil {
			return err
		}
	}
	if r.options.destroy {
		return r.end(ctx)
	}
	template, err := build(ctx)
	if err != nil {
		return err
	}
	return r.all(ctx, template)
}

// ask wants a yes.
func (r *run) ask(ctx context.Context, in io.Reader) error {
	r.sayf("Go on? Type yes:")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // what cannot be read is no yes
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return errors.New("interrupted; nothing was done")
	case said := <-answer:
		if said != "yes" {
			return errors.New("nothing was done")
		}
		return nil
	}
}
