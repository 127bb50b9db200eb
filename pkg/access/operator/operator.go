// Package operator mends and moves a deployment's own table and bucket, with
// credentials that whoever operates it gives to the command: those of the role that
// cloudformation/operator-role.yaml makes for the time it takes. No function links it,
// and it is not for accounts that are audited.
package operator

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Operator works with a deployment. Make one with Open or New.
type Operator struct {
	cfg aws.Config
}

// Open makes an operator of a profile's credentials, of those of the default chain if it
// is empty, in a region or in the profile's.
func Open(ctx context.Context, profile, region, version string) (*Operator, error) {
	cfg, err := client.Unguarded(ctx, profile, version)
	if err != nil {
		return nil, &client.AccessError{Message: fmt.Sprintf("cannot load AWS credentials: %v", err), Cause: err}
	}
	if region != "" {
		cfg.Region = region
	}
	return New(cfg), nil
}

// New is Open for a configuration that is made already.
func New(cfg aws.Config) *Operator { return &Operator{cfg} }

// InputError says that what somebody gave cannot be right.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }

func (o *Operator) table(name string) *dynamo.Table {
	return dynamo.New(dynamodb.NewFromConfig(o.cfg), name, dynamo.Options{})
}

// Inventory counts the records of a table by their kind. It reads the whole table.
func (o *Operator) Inventory(ctx context.Context, table string) ([]store.Kind, error) {
	if err := o.inARegion(); err != nil {
		return nil, err
	}
	kinds, err := store.Inventory(o.table(table).Scan(ctx))
	return kinds, failed(err)
}

// templates are what the API publishes for customers' administrators. Nobody else may
// write there, and nothing there is lost: it publishes them again.
const templates = "templates/"

// indexes are what lists are answered from. Whatever they are, who reads them makes them anew.
const indexes = "index/"

// RestoreObjects makes what a bucket held at a moment its content again, of the connections
// that are in the table that goes with it, which it reads whole: what belonged to others
// nobody would ever purge. The published templates and the indexes of lists it leaves.
func (o *Operator) RestoreObjects(ctx context.Context, bucket, table string, r s3.Restoring) (s3.Restored, error) {
	if err := o.inARegion(); err != nil {
		return s3.Restored{}, err
	}
	live, err := store.Connections(o.table(table).Scan(ctx))
	if err != nil {
		return s3.Restored{}, failed(err)
	}
	r.Only = func(key string) bool { return !strings.HasPrefix(key, templates) && !strings.HasPrefix(key, indexes) }
	r.Gone = func(key string) bool {
		org, connection, ok := pipeline.ConnectionOf(key)
		return ok && !live[store.OwnedConnection{Organization: org, Connection: connection}]
	}
	done, err := s3.New(sdks3.NewFromConfig(o.cfg, s3.PathStyle(client.Emulated(o.cfg))), bucket).RestoreTo(ctx, r)
	return done, failed(err)
}

// Reseal wraps all data keys in a table, which lies in the region of the KMS key to, by
// that key; what they are wrapped by is from, in any region. Both are ARNs.
func (o *Operator) Reseal(ctx context.Context, table, from, to string) (connect.Resealed, error) {
	there, err := regionOf(to)
	if err != nil {
		return connect.Resealed{}, err
	}
	here, err := regionOf(from)
	if err != nil {
		return connect.Resealed{}, err
	}
	if from == to {
		return connect.Resealed{}, &InputError{"both are the same key; to wrap everything by its newest material, rekey the organizations"}
	}
	in := func(region string) *Operator {
		cfg := o.cfg.Copy()
		cfg.Region = region
		return &Operator{cfg}
	}
	t := in(there).table(table)
	done, err := connect.Resealing{
		Store: store.New(t, nil), Items: t.Scan(ctx),
		Keys: kms.NewMover(sdkkms.NewFromConfig(in(here).cfg), from, sdkkms.NewFromConfig(in(there).cfg), to),
	}.All(ctx)
	return done, failed(err)
}

func (o *Operator) inARegion() error {
	if o.cfg.Region == "" {
		return &InputError{"the credentials say no region; name the deployment's by --region"}
	}
	return nil
}

// keyARN is that of a key, and of no alias, which may name another tomorrow.
var keyARN = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+$`)

func regionOf(key string) (string, error) {
	parts := keyARN.FindStringSubmatch(key)
	if parts == nil {
		return "", &InputError{fmt.Sprintf("%q is not the ARN of a KMS key, such as arn:aws:kms:eu-west-1:111122223333:key/…", key)}
	}
	return parts[1], nil
}

// failed is a refusal as a *client.AccessError, which names the action; every other
// error as it is.
func failed(err error) error {
	var call *smithy.OperationError
	if err == nil || !errors.As(err, &call) {
		return err
	}
	if gap := collect.GapOf(err); gap.Reason == fact.Denied || gap.Reason == fact.SCPDenied {
		return &client.AccessError{Cause: err, Message: fmt.Sprintf("these credentials may not call %s of %s; the role of cloudformation/operator-role.yaml may: %s",
			call.Operation(), call.Service(), collect.Brief(err))}
	}
	return err
}
