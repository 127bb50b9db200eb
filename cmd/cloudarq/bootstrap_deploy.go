package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// bootstrapped is an account whose role was made.
type bootstrapped struct {
	report.Connection
	StackID    string             `json:"stack_id"`
	Changes    []bootstrap.Change `json:"changes"`
	Deactivate []string           `json:"deactivate"` // commands that deactivate the keys that were used; none if they expire

	advice string // the same for people
}

// registry is where the account is kept: the state of this machine, or a deployment.
type registry interface {
	// prepare gives what the role at a place has to ask for, and whom to trust. It
	// refuses what keep would.
	prepare(ctx context.Context, place bootstrap.Place) (externalID secret.String, principal string, err error)
	// keep keeps the account with that role, which is not there yet.
	keep(ctx context.Context) error
	// forget undoes prepare, also when ctx is over.
	forget(ctx context.Context) error
	// verify tries the role until it is right, or ctx ends.
	verify(ctx context.Context) (report.Connection, error)
}

// deploy makes the role and keeps the account. An External ID is kept before the
// role asks for it: whoever dies between any two lines can run this again.
func (c *cli) deploy(ctx context.Context, r registry, f bootstrapFlags) (done bootstrapped, err error) {
	role, _, err := f.needed()
	if err != nil {
		return done, err
	}
	admin, err := f.administrator(ctx)
	if err != nil {
		return done, err
	}
	place := admin.Place(f.stack, f.role)
	id, principal, err := r.prepare(ctx, place)
	if err != nil {
		return done, err
	}
	plan, err := c.agreedPlan(ctx, admin, place, bootstrap.Stack{
		Name: place.Stack, Template: role.CloudFormation(), ExternalID: id, Principal: principal, Role: place.Role,
	}, f.yes)
	if err != nil {
		return done, leaving(err, r.forget(ctx), "the connection that was made for it is left")
	}
	if err := r.keep(ctx); err != nil {
		return done, withdrawn(ctx, admin, plan, err)
	}
	made, err := admin.Execute(ctx, plan, c.sayEvent)
	var failed *bootstrap.StackError
	switch {
	case errors.As(err, &failed) && failed.Denied():
		return done, &exitError{exitAccess, failed}
	case ctx.Err() != nil:
		return done, &exitError{exitCancelled, fmt.Errorf("nobody waited for the stack %s, with which CloudFormation may go on; run this again to go on, too: %w", place.Stack, ctx.Err())}
	case err != nil:
		return done, err
	case made != place.RoleARN():
		return done, fmt.Errorf("the stack %s made the role %q instead of %s", place.Stack, made, place.RoleARN())
	}
	if done.Connection, err = r.verify(ctx); err != nil {
		return done, err
	}
	keys := admin.Keys()
	done.StackID, done.advice = plan.StackID, keys.Advice()
	done.Changes, done.Deactivate = append([]bootstrap.Change{}, plan.Changes...), append([]string{}, keys.Deactivation()...) // lists in JSON, never null
	if !keys.Temporary && principal == admin.CallerARN() {
		done.advice += "\nAudits of this account use the same user: give them a profile of their own first.\n"
	}
	return done, nil
}

// agreedPlan lays down what would change, shows it, and asks. Without a yes it leaves
// nothing.
func (c *cli) agreedPlan(ctx context.Context, admin *bootstrap.Administrator, place bootstrap.Place, stack bootstrap.Stack, yes bool) (*bootstrap.Plan, error) {
	c.note("as %s: stack %s of account %s in %s", admin.CallerARN(), place.Stack, place.Account, place.Region)
	plan, err := admin.Plan(ctx, stack, c.sayEvent)
	if err != nil {
		return nil, err
	}
	if err := c.consented(ctx, place, plan, yes); err != nil {
		return nil, withdrawn(ctx, admin, plan, err)
	}
	return plan, nil
}

// withdrawn is why a plan is not carried out, which it then withdraws.
func withdrawn(ctx context.Context, admin *bootstrap.Administrator, plan *bootstrap.Plan, why error) error {
	return leaving(why, admin.Withdraw(ctx, plan), "what was prepared is left in CloudFormation")
}

// leaving adds to why nothing was done that something is left all the same, unless
// that went, too.
func leaving(why, left error, what string) error {
	if left == nil {
		return why
	}
	code, said := classify(left)
	return &exitError{code, fmt.Errorf("%w, but %s: %s", why, what, said)}
}

func (c *cli) sayEvent(e bootstrap.Event) {
	c.note("%s", report.Plain(strings.TrimSpace(strings.Join([]string{e.Status, e.LogicalID, e.Reason}, " "))))
}

// consented shows what would change and asks, unless nothing would.
func (c *cli) consented(ctx context.Context, place bootstrap.Place, plan *bootstrap.Plan, yes bool) error {
	if plan.Unchanged() {
		c.note("the stack %s is as it should be", place.Stack)
		return nil
	}
	if yes && c.quiet {
		return nil
	}
	fmt.Fprintf(c.stderr, "cloudarq: what would change in the stack %s of account %s in %s:\n", place.Stack, place.Account, place.Region)
	if len(plan.Changes) == 0 {
		fmt.Fprintln(c.stderr, "no resource, but what the stack says of them")
	}
	if err := report.Write(c.stderr, report.Table, c.style(c.stderr), plan.Changes, changeColumns()); err != nil {
		return err
	}
	if yes {
		return nil
	}
	return c.agreed(ctx, "Make these changes?", "nothing was changed")
}

func changeColumns() []report.Column[bootstrap.Change] {
	return []report.Column[bootstrap.Change]{
		{Name: "action", Value: func(c bootstrap.Change) string { return c.Action }},
		{Name: "logical_id", Value: func(c bootstrap.Change) string { return c.LogicalID }},
		{Name: "type", Value: func(c bootstrap.Change) string { return c.Type }},
		{Name: "physical_id", Value: func(c bootstrap.Change) string { return c.PhysicalID }},
		{Name: "replacement", Value: func(c bootstrap.Change) string { return c.Replacement }},
	}
}

func (c *cli) showBootstrapped(format report.Format, done bootstrapped) error {
	if format == report.Table {
		show := func() error { return report.ConnectionText(c.stdout, done.Connection) }
		if c.server != "" { // which says less of it than the state of this machine
			show = func() error { return writeOne(c, done.Connection, report.ConnectionColumns()) }
		}
		if err := show(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.stdout, "\n%s", done.advice)
		return err
	}
	var columns []report.Column[bootstrapped]
	for _, column := range report.ConnectionColumns() {
		columns = append(columns, report.Column[bootstrapped]{Name: column.Name, Value: func(b bootstrapped) string { return column.Value(b.Connection) }})
	}
	columns = append(columns,
		report.Column[bootstrapped]{Name: "stack_id", Value: func(b bootstrapped) string { return b.StackID }},
		report.Column[bootstrapped]{Name: "deactivate", Value: func(b bootstrapped) string { return strings.Join(b.Deactivate, "; ") }},
	)
	return writeOne(c, done, columns)
}
