package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Bounds. Each wait has one of its own, below these.
const (
	patience = 25 * time.Minute // of all steps together
	// cleanUp is how long the end may take, which is never cut short by what was before it:
	// a table that is being restored cannot be deleted until it is there.
	cleanUp = 20 * time.Minute
)

// settling is how long AWS may take to let a new role be assumed, or a name that was just
// freed be taken: seconds, as a rule.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency (2026-11-30)
const settling = 2 * time.Minute

// validPrefix is what the template takes as Installation, less names that are too short for
// a table.
var validPrefix = regexp.MustCompile(`^[a-z][a-z0-9-]{2,19}$`)

// tag is on all that a run makes, with the installation's name as its value.
const tag = "cloudarq:smoke"

// platform makes and deletes the deployment's stack. That is all in which AWS and the
// emulator differ.
type platform interface {
	// deploy makes the stack, or changes it, and gives its outputs. The template lies at a
	// URL in S3, too large to be sent with the request.
	deploy(ctx context.Context, template []byte, url string, parameters map[string]string) (outputs map[string]string, err error)
	// remove deletes the stack. What its template retains stays.
	remove(ctx context.Context) error
}

// run is one run, in one account and region.
type run struct {
	options
	aws.Config
	platform platform
	out      io.Writer
	pause    time.Duration // between two questions of a wait
	token    secret.String // of an administrator of the organization

	stacks    *cloudformation.Client
	buckets   *s3.Client
	tables    *dynamodb.Client
	keys      *kms.Client
	roles     *iam.Client
	queues    *sqs.Client
	topics    *sns.Client
	functions *lambda.Client
	sessions  *sts.Client

	account, partition, caller string
	parameters                 map[string]string // of the deployment, as it is now

	// What the steps leave to those after them.
	template   []byte // packaged
	url        string // of the template, in S3
	outputs    map[string]string
	api        *client.Client
	connection client.Connection
	audited    model.Audit
	found      map[model.FindingID]model.FindingState
	mailbox    string // URL of the queue that gets alerts
	began      time.Time
	left       []string // what is not deleted at the end, in words
}

func newRun(o options, cfg aws.Config, out io.Writer) *run {
	return &run{
		options: o, Config: cfg, out: out, pause: 5 * time.Second,
		stacks: cloudformation.NewFromConfig(cfg), tables: dynamodb.NewFromConfig(cfg), keys: kms.NewFromConfig(cfg), roles: iam.NewFromConfig(cfg),
		queues: sqs.NewFromConfig(cfg), topics: sns.NewFromConfig(cfg), functions: lambda.NewFromConfig(cfg), sessions: sts.NewFromConfig(cfg),
		buckets: s3.NewFromConfig(cfg, func(s *s3.Options) { s.UsePathStyle = cfg.BaseEndpoint != nil }),
	}
}

// Names of what a run makes, beside those that the template gives.
func (r *run) auditRole() string      { return r.prefix + "-audit" }
func (r *run) auditStack() string     { return r.prefix + "-audit-role" }
func (r *run) operatorStack() string  { return r.prefix + "-operator" }
func (r *run) restoredTable() string  { return r.prefix + "-restored" }
func (r *run) queue() string          { return r.prefix + "-smoke" }
func (r *run) backup() string         { return r.prefix + "-smoke" }
func (r *run) evidenceBucket() string { return r.prefix + "-evidence-" + r.account + "-" + r.Region }
func (r *run) codeBucket() string     { return r.prefix + "-smoke-" + r.account + "-" + r.Region }

func (r *run) sayf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format+"\n", args...) }

// step is a part of a run.
type step struct {
	name  string
	bound time.Duration
	do    func(context.Context) (summary string, err error)
}

// all does the steps, up to the first that fails, and then deletes everything, unless it
// was told to keep it.
func (r *run) all(ctx context.Context, template string) error {
	r.began = time.Now()
	steps, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := r.do(steps,
		step{"package", 5 * time.Minute, func(ctx context.Context) (string, error) { return r.pack(ctx, template) }},
		step{"deploy", 10 * time.Minute, r.deploy},
		step{"connect", 5 * time.Minute, r.connect},
		step{"audit", 5 * time.Minute, r.audit},
		step{"restore", 18 * time.Minute, r.restore},
		step{"audit again", 5 * time.Minute, r.auditAgain},
	)
	if ctx.Err() != nil {
		r.sayf("interrupted")
	}
	if r.keep {
		r.sayf("Everything stays, and costs up to $4 a month; delete it with: make smoke DESTROY=1 PREFIX=%s", r.prefix)
		return err
	}
	return errors.Join(err, r.end(ctx))
}

// do does steps one after the other, and says of each how it went.
func (r *run) do(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		began := time.Now()
		bounded, cancel := context.WithTimeout(ctx, s.bound)
		summary, err := s.do(bounded)
		if err != nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("gave up after %s: %w", time.Since(began).Round(time.Second), err)
		}
		cancel()
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, explain(err))
			r.sayf("%-12s %6s  FAILED", s.name, time.Since(began).Round(time.Second))
			return err
		}
		r.sayf("%-12s %6s  %s", s.name, time.Since(began).Round(time.Second), summary)
	}
	return nil
}

// end deletes everything, also when what was before was interrupted or ran out of time, and
// says what is left and what it cost.
func (r *run) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	err := r.do(ctx, step{"destroy", cleanUp, r.destroy})
	for _, thing := range r.left {
		r.sayf("left: %s", thing)
	}
	if err != nil {
		return fmt.Errorf("%w; delete the rest with: make smoke DESTROY=1 PREFIX=%s", err, r.prefix)
	}
	if !r.began.IsZero() {
		took := time.Since(r.began)
		cost, err := estimate(prices, took)
		if err != nil {
			return err
		}
		r.sayf("done in %s, for less than $%.2f by AWS's list prices; an audit was %d calls", took.Round(time.Second), cost, calls(r.audited))
	}
	return nil
}

func calls(a model.Audit) int {
	if a.Summary == nil {
		return 0
	}
	return a.Summary.Calls
}

// until asks again and again until what is waited for is there, an error is in the way, or
// the bound is over.
func (r *run) until(ctx context.Context, what string, bound time.Duration, ask func(context.Context) (done bool, err error)) error {
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for {
		done, err := ask(bounded)
		if bounded.Err() == nil && (done || err != nil) {
			return err
		}
		select {
		case <-bounded.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("wait for %s: %w", what, ctx.Err())
			}
			return fmt.Errorf("waited %s for %s", bound, what)
		case <-time.After(r.pause):
		}
	}
}

// retry does something again while AWS refuses it with one of these codes, as it does for a
// while when something else was just made or deleted.
func (r *run) retry(ctx context.Context, bound time.Duration, codes []string, do func(context.Context) error) error {
	var last error
	err := r.until(ctx, "AWS to accept it", bound, func(ctx context.Context) (bool, error) {
		err := do(ctx)
		if err != nil && hasCode(err, codes...) {
			last = err
			return false, nil
		}
		last = nil
		return err == nil, err
	})
	if last != nil {
		return errors.Join(err, last)
	}
	return err
}

// hasCode reports whether AWS answered with one of these codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// unauthorized finds the action in AWS's own sentence.
var unauthorized = regexp.MustCompile(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)`)

// explain makes one sentence of an error. A refusal names the action.
func explain(err error) error {
	var problem *client.Problem
	if errors.As(err, &problem) && problem.Refused() {
		return fmt.Errorf("these credentials may not call execute-api:Invoke: %w", err)
	}
	var call *smithy.OperationError
	if err == nil || !errors.As(err, &call) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	gap := collect.GapOf(err)
	if gap.Reason != fact.Denied && gap.Reason != fact.SCPDenied {
		return fmt.Errorf("%s of %s: %s", call.Operation(), call.Service(), collect.Brief(err))
	}
	action := call.Service() + ":" + call.Operation()
	if named := unauthorized.FindStringSubmatch(err.Error()); named != nil {
		action = named[1]
	}
	if gap.Reason == fact.SCPDenied {
		return fmt.Errorf("a policy of the organization denies %s", action)
	}
	return fmt.Errorf("these credentials may not call %s; `make smoke POLICY=1` prints the policy that a run takes", action)
}

// identify finds out whose account it is.
func (r *run) identify(ctx context.Context) error {
	who, err := r.sessions.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	r.account, r.caller = aws.ToString(who.Account), aws.ToString(who.Arn)
	r.partition = strings.Split(r.caller, ":")[1]
	if strings.HasSuffix(r.caller, ":root") {
		return errors.New("these are credentials of the account's root, which can assume no role; sign in as a user or a role")
	}
	return nil
}

// principal is the user or role that called, as a trust policy names it: a session has
// neither its role's path nor its ARN.
func (r *run) principal(ctx context.Context) (string, error) {
	_, session, assumed := strings.Cut(r.caller, ":assumed-role/")
	if !assumed {
		return r.caller, nil
	}
	name, _, _ := strings.Cut(session, "/")
	role, err := r.roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return "", err
	}
	return aws.ToString(role.Role.Arn), nil
}

// atOnce is how many functions a run lets work at the same time at least: two for each of
// four queues, which is the least that Lambda takes, one for the API and one for the clock.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (2026-11-30); new
// accounts have 10: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const atOnce = 10

// look refuses what cannot end well: too little room for functions, or names that are
// taken. It chooses the parameters.
func (r *run) look(ctx context.Context) error {
	limits, err := r.functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return err
	}
	room := int(aws.ToInt32(limits.AccountLimit.UnreservedConcurrentExecutions))
	if room < atOnce {
		return fmt.Errorf("Lambda lets %d functions work at once in this account and region, and a run takes %d; ask AWS for more, or say another REGION", room, atOnce) //nolint:staticcheck // a name
	}
	r.parameters = parameters(r.prefix, r.auditRole(), room)
	for _, t := range r.things() {
		tags, err := t.tags(ctx)
		switch {
		case errors.Is(err, errAbsent):
		case err != nil:
			return err
		case tags[tag] == r.prefix:
			return fmt.Errorf("%s %s is of an earlier smoke run; delete it with: make smoke DESTROY=1 PREFIX=%s", t.kind, t.name, r.prefix)
		default:
			return fmt.Errorf("%s %s exists already, and no smoke run made it; say another PREFIX", t.kind, t.name)
		}
	}
	return nil
}

// parameters are those of a deployment for so much room: of what is left by the least, half
// does tasks that somebody waits for, which all of a run are.
func parameters(prefix, auditRole string, room int) map[string]string {
	spare := min(room-atOnce, 32)
	return map[string]string{
		"Installation": prefix, "TableName": prefix, "AuditRoleName": auditRole,
		"CheckerConcurrency": "2", "UrgentConcurrency": fmt.Sprint(2 + spare/4), "AggregatorConcurrency": fmt.Sprint(2 + spare/8),
		"LogRetentionDays": "1", "EvidenceRetentionDays": "30", "BackupRetentionDays": "1",
		"AdoptTable": "false", "Paused": "false",
	}
}
