// Package bootstrap makes the audit role in an account: it deploys the published
// template as a CloudFormation stack, with an administrator's own credentials.
//
// This is the only code of CloudArq that changes anything in an account. It runs
// in the command alone, on the administrator's machine: no function links it, and
// internal/arch has a test of that. The credentials stay in the SDK's memory.
package bootstrap

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Credentials say whose credentials deploy the stack, and where to.
type Credentials struct {
	Profile string // of the AWS configuration; empty means the default chain
	Region  string // of the stack; empty means the profile's, or us-east-1
	Version string // of CloudArq, for the user agent
}

// Place is where a stack and its role are.
type Place struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"…
	Account   string // 12 digits
	Region    string // of the stack; the role is in all
	Stack     string // its name
	Role      string // its name
}

// RoleARN is the ARN of the role that the template makes there.
func (p Place) RoleARN() string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", p.Partition, p.Account, p.Role)
}

// Administrator deploys stacks in the account that the credentials are of.
type Administrator struct {
	identity model.Identity
	region   string
	keys     Keys
	client   *cloudformation.Client
}

// Open obtains the credentials and asks AWS whose they are. A refusal is an
// *client.AccessError.
func Open(ctx context.Context, c Credentials) (*Administrator, error) {
	cfg, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	return New(ctx, cfg)
}

// New is Open for a configuration that is made already.
func New(ctx context.Context, cfg aws.Config) (*Administrator, error) {
	identity, err := client.Identify(ctx, cfg)
	if err != nil {
		return nil, err
	}
	used, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("obtain the administrator's credentials: %w", err)
	}
	return &Administrator{
		identity: identity, region: cfg.Region, keys: keysOf(used, identity.CallerARN), client: cloudformation.NewFromConfig(cfg),
	}, nil
}

// InRegion is the region that stacks are deployed to. AWS is not asked.
func (c Credentials) InRegion(ctx context.Context) (string, error) {
	cfg, err := c.load(ctx)
	return cfg.Region, err
}

func (c Credentials) load(ctx context.Context) (aws.Config, error) {
	cfg, err := client.Unguarded(ctx, c.Profile, c.Version)
	if err != nil {
		return cfg, &client.AccessError{Message: fmt.Sprintf("cannot load AWS credentials: %v", err), Cause: err}
	}
	if c.Region != "" {
		cfg.Region = c.Region
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	return cfg, nil
}

// Place is where the administrator makes the stack and the role of these names.
func (a *Administrator) Place(stack, role string) Place {
	return Place{a.identity.Partition, a.identity.Account, a.region, stack, role}
}

// PlaceIn is the same for an account of which nobody has credentials at hand.
func PlaceIn(account, region, stack, role string) Place {
	return Place{model.PartitionOf(region).Name, account, region, stack, role}
}

// CallerARN is who the administrator is.
func (a *Administrator) CallerARN() string { return a.identity.CallerARN }

// Keys are the keys that were used.
func (a *Administrator) Keys() Keys { return a.keys }
