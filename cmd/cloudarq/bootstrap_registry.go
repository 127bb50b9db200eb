package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// localRegistry is the state of this machine.
type localRegistry struct {
	*cli
	accounts keep.Connections
	flags    bootstrapFlags

	principal  string
	prepared   keep.NewConnection
	connection model.Connection
}

func (r *localRegistry) prepare(ctx context.Context, place bootstrap.Place) (id secret.String, principal string, err error) {
	if r.principal, err = r.accounts.Principal(ctx, r.flags.profile, sessionName()); err != nil {
		return id, "", err
	}
	r.prepared, err = r.accounts.Prepare(ctx, r.flags.connection(place))
	return r.prepared.ExternalID, r.principal, err
}

func (r *localRegistry) keep(ctx context.Context) (err error) {
	r.connection, err = r.accounts.Put(ctx, r.prepared)
	return err
}

func (r *localRegistry) forget(context.Context) error { return nil } // preparing kept nothing

func (r *localRegistry) verify(ctx context.Context) (report.Connection, error) {
	if _, err := r.cli.verify(ctx, r.accounts, r.connection, verifyFlags{wait: true, timeout: r.flags.timeout}); err != nil {
		code, said := classify(err)
		return report.Connection{}, &exitError{code, fmt.Errorf("the role is made but not verified; see that a policy of whoever audits, %s, allows sts:AssumeRole on it, and run this again: %s", r.principal, said)}
	}
	connection, err := r.accounts.Find(ctx, string(r.connection.ID))
	if err != nil {
		return report.Connection{}, err
	}
	return row(ctx, r.accounts.State, connection)
}

// deployedRegistry is a deployment, which makes External IDs itself and tells them
// of a connection alone: the connection is there before the answer, and goes after a
// no.
type deployedRegistry struct {
	*cli
	client *apiclient.Client
	flags  bootstrapFlags

	connection apiclient.Connection
	wanted     apiclient.ConnectionInput
	isNew      bool
}

func (r *deployedRegistry) prepare(ctx context.Context, place bootstrap.Place) (id secret.String, principal string, err error) {
	all, err := r.client.Connections(ctx)
	if err != nil {
		return id, "", err
	}
	at := slices.IndexFunc(all, func(c model.Connection) bool { return c.AccountID == place.Account })
	if r.isNew = at < 0; r.isNew {
		r.wanted = apiclient.ConnectionInput{Name: r.flags.name, RoleARN: place.RoleARN(), AuditOptions: model.AuditOptions{Services: r.flags.services, Checks: r.flags.checks}}
		r.connection, err = r.client.Connect(ctx, ulid.Make().String(), r.wanted)
	} else {
		r.connection, err = r.client.Connection(ctx, all[at].ID)
	}
	if err != nil {
		return id, "", err
	}
	if was := r.connection; !r.isNew {
		if was.State == model.ConnectionActive && was.RoleARN != place.RoleARN() {
			return id, "", &local.InputError{Message: fmt.Sprintf("account %s is connected already with the role %s; name that with --role-name, or delete the connection %s first", place.Account, was.RoleARN, was.ID)}
		}
		r.wanted = was.Input()
		r.wanted.RoleARN, r.wanted.Services, r.wanted.Checks = place.RoleARN(), r.flags.services, r.flags.checks
		if r.flags.name != "" {
			r.wanted.Name = r.flags.name
		}
	}
	return secret.New(r.connection.ExternalID), r.connection.CheckerRole, nil
}

func (r *deployedRegistry) keep(ctx context.Context) (err error) {
	if !r.isNew {
		r.connection, err = r.client.Update(ctx, r.connection, r.wanted)
	}
	return err
}

// forgetWithin bounds how long a connection is deleted after ctx is over.
const forgetWithin = 30 * time.Second

func (r *deployedRegistry) forget(ctx context.Context) error {
	if !r.isNew {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetWithin)
	defer cancel()
	_, err := r.client.Disconnect(ctx, r.connection)
	return err
}

func (r *deployedRegistry) verify(ctx context.Context) (report.Connection, error) {
	_, now, err := r.verifyOnServer(ctx, r.client, r.connection, verifyFlags{wait: true, timeout: r.flags.timeout})
	if err != nil {
		code, said := classify(err)
		return report.Connection{}, &exitError{code, fmt.Errorf("the role is made but not verified; run this again: %s", said)}
	}
	return report.Connection{Connection: now.Connection}, nil
}
