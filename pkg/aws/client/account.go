package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Target is the account to open and the way in: an access key, a profile or the
// default credential chain, and from there a role if one is named.
type Target struct {
	AccessKey   secret.AccessKey // empty means the profile
	Profile     string
	RoleARN     string
	ExternalID  secret.String
	SessionName string // "cloudarq-<audit>", so that CloudTrail tells the audit; a role's only
	// SourceIdentity goes with the session wherever it leads; the role's trust
	// has to allow sts:SetSourceIdentity. Empty sets none.
	SourceIdentity string
	// Policy is the session's own, in JSON: it can do no more than both this and
	// the role allow. Empty sets none. At most 2,048 characters. An access key opens no
	// session that it could narrow.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
	Policy string
}

// Account is an opened AWS account: credentials that work, and whose they are.
type Account struct {
	identity model.Identity
	cfg      aws.Config

	target Target     // by which it was opened
	base   aws.Config // from where its role is assumed
}

// Identity is whose account it is.
func (a *Account) Identity() model.Identity { return a.identity }

// AccessError says that AWS refused the credentials or the role: the audit
// cannot begin. Its text is one sentence for the user.
type AccessError struct {
	Message string
	Cause   error
}

func (e *AccessError) Error() string { return e.Message }
func (e *AccessError) Unwrap() error { return e.Cause }

// Denied reports whether AWS denied what was asked, as it does for a role that is
// gone or does not trust us. Otherwise the credentials themselves are the trouble.
func (e *AccessError) Denied() bool {
	var api smithy.APIError
	return errors.As(e.Cause, &api) && api.ErrorCode() == "AccessDenied"
}

// Unknown reports whether AWS does not know the credentials, as it says of an access
// key that was deleted or switched off, or whose secret is another.
func (e *AccessError) Unknown() bool {
	var api smithy.APIError
	return errors.As(e.Cause, &api) && slices.Contains(unknownCredentials, api.ErrorCode())
}

// unknownCredentials are the codes of AWS for credentials that are nobody's.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
var unknownCredentials = []string{"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId"}

// sessionLength is how long an assumed role's credentials are asked to live: the
// shortest that AWS has. They are renewed while they are used.
const sessionLength = 15 * time.Minute

// Open obtains credentials for the target and asks AWS whose they are; every
// call is recorded in the ledger. A refusal is an *AccessError.
func (c *Client) Open(ctx context.Context, target Target, calls ledger.Ledger) (*Account, error) {
	cfg, err := c.load(ctx, target.Profile)
	if err != nil {
		return nil, &AccessError{fmt.Sprintf("cannot load AWS credentials: %v", rootCause(err)), err}
	}
	limiter := c.limiter
	if limiter == nil {
		limiter = c.paced
	}
	if emulator(cfg) != "" {
		if c.limiter == nil {
			limiter = Unlimited()
		}
		if c.options.CustomEndpoint != nil {
			cfg.ServiceOptions = append(cfg.ServiceOptions, c.options.CustomEndpoint)
		}
	}
	if k := target.AccessKey; !k.Empty() {
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: k.ID.Reveal(), SecretAccessKey: k.Secret.Reveal(), Source: "connection"}, nil
		})
	}
	base := cfg
	if target.RoleARN != "" {
		role, err := arn.Parse(target.RoleARN)
		if err != nil || role.Service != "iam" {
			return nil, &AccessError{fmt.Sprintf("%q is not the ARN of an IAM role", target.RoleARN), err}
		}
		cfg.Credentials = assume(recording(cfg, calls), target)
	}
	identity, err := identify(ctx, recording(cfg, calls), target)
	if err != nil {
		return nil, err
	}
	cfg.APIOptions = append(cfg.APIOptions, limiter.install(identity.Account))
	return &Account{identity: identity, cfg: cfg, target: target, base: base}, nil
}

// Narrow is the account by a session of its own name, which can do no more than both
// its role and a policy allow. An account that was not opened by a role stays as it is:
// nothing narrows the credentials of users. A refusal is an *AccessError.
func (a *Account) Narrow(ctx context.Context, session, policy string, calls ledger.Ledger) (*Account, error) {
	if a.target.RoleARN == "" {
		return a, nil
	}
	narrow := *a
	narrow.target.SessionName, narrow.target.Policy = session, policy
	narrow.cfg = a.cfg.Copy()
	narrow.cfg.Credentials = assume(recording(a.base, calls), narrow.target)
	if _, err := narrow.cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, refused(narrow.target, err)
	}
	return &narrow, nil
}

// Identify asks AWS whose the credentials of a configuration are. A refusal is an
// *AccessError.
func Identify(ctx context.Context, cfg aws.Config) (model.Identity, error) {
	return identify(ctx, cfg, Target{})
}

func identify(ctx context.Context, cfg aws.Config, target Target) (model.Identity, error) {
	// Asked for by themselves, so that a machine without credentials is told from
	// one whose credentials AWS refuses.
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return model.Identity{}, refused(target, err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return model.Identity{}, refused(target, err)
	}
	caller, err := arn.Parse(aws.ToString(identity.Arn))
	if err != nil || !model.IsAccountID(aws.ToString(identity.Account)) {
		return model.Identity{}, &AccessError{"AWS gave no identity for these credentials; is the endpoint AWS's own?", err}
	}
	return model.Identity{
		Account: aws.ToString(identity.Account), Partition: caller.Partition, CallerARN: caller.String(),
		Entrusted: target.RoleARN != "" || !target.AccessKey.Empty(),
	}, nil
}

// CanAssume reports whether AWS lets the target's role be assumed, without using
// it. Any answer but yes and no is an error.
func (c *Client) CanAssume(ctx context.Context, target Target, calls ledger.Ledger) (bool, error) {
	cfg, err := c.load(ctx, target.Profile)
	if err != nil {
		return false, err
	}
	_, err = assume(recording(cfg, calls), target).Retrieve(ctx)
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "AccessDenied" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("try to assume %s: %w", target.RoleARN, err)
	}
	return true, nil
}

func assume(cfg aws.Config, target Target) aws.CredentialsProvider {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), target.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = target.SessionName
		o.Duration = sessionLength
		if !target.ExternalID.Empty() {
			o.ExternalID = aws.String(target.ExternalID.Reveal())
		}
		if target.SourceIdentity != "" {
			o.SourceIdentity = aws.String(target.SourceIdentity)
		}
		if target.Policy != "" {
			o.Policy = aws.String(target.Policy)
		}
	})
	return aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = 5 * time.Minute // a call begun with them must end before they do
	})
}

// refused turns the error of the first calls into one sentence.
func refused(target Target, err error) error {
	gap := collect.GapOf(err)
	var api smithy.APIError
	hasCode := errors.As(err, &api)
	var garbled *smithy.DeserializationError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, ledger.ErrSpent):
		return err
	case gap.Reason == fact.Timeout:
		return fmt.Errorf("AWS did not answer in time: %w", err)
	case hasCode && target.RoleARN != "" && api.ErrorCode() == "AccessDenied":
		return &AccessError{fmt.Sprintf("cannot assume %s: AWS denies it; the role does not exist, does not trust these credentials, or the External ID is wrong", target.RoleARN), err}
	case hasCode && slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}, api.ErrorCode()):
		return &AccessError{"the AWS credentials have expired; sign in again", err}
	case hasCode && !target.AccessKey.Empty() && slices.Contains(unknownCredentials, api.ErrorCode()):
		return &AccessError{fmt.Sprintf("AWS does not accept the access key that ends in %s (%s): it was deleted or deactivated, or its secret is another", target.AccessKey.Suffix(), api.ErrorCode()), err}
	case hasCode && (api.ErrorCode() == "AccessDenied" || slices.Contains(unknownCredentials, api.ErrorCode())):
		return &AccessError{fmt.Sprintf("AWS does not accept the credentials (%s)", api.ErrorCode()), err}
	case hasCode:
		return fmt.Errorf("ask AWS whose credentials these are: %s", collect.Brief(err))
	case errors.As(err, &garbled):
		return fmt.Errorf("what answers in AWS's place is not AWS: %w", rootCause(err))
	case !sent(err):
		return &AccessError{"no AWS credentials found: name a profile with --profile or AWS_PROFILE, or sign in", err}
	default:
		return fmt.Errorf("cannot reach AWS: %w", rootCause(err))
	}
}

// sent reports whether the failure came after a request was made to AWS, and not
// while looking for credentials on this machine. Those of the caller are looked
// for within the call that assumes a role.
func sent(err error) bool {
	sent := false
	for call := (*smithy.OperationError)(nil); errors.As(err, &call); err = call.Unwrap() {
		if call.Service() == imds.ServiceID {
			return false
		}
		sent = true
	}
	return sent
}

func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// Config is the account's configuration in one region; every call that is made
// with it is recorded.
func (a *Account) Config(region string, calls ledger.Ledger) aws.Config {
	cfg := a.cfg.Copy()
	cfg.Region = region
	return recording(cfg, calls)
}

func recording(cfg aws.Config, calls ledger.Ledger) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), record(calls))
	return cfg
}

// HomeRegion is where global services of the account's partition are called.
func (a *Account) HomeRegion() string {
	if p, known := model.PartitionNamed(a.identity.Partition); known {
		return p.Home
	}
	return a.cfg.Region
}

// Regions lists the account's enabled regions, and those that it has not
// enabled.
func (a *Account) Regions(ctx context.Context, calls ledger.Ledger) (enabled, disabled []string, err error) {
	out, err := ec2.NewFromConfig(recording(a.cfg, calls)).DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		if gap := collect.GapOf(err); gap.Reason == fact.Denied || gap.Reason == fact.SCPDenied {
			return nil, nil, &AccessError{"AWS does not allow ec2:DescribeRegions, the least that an audit needs; allow it or name the regions with --regions", err}
		}
		return nil, nil, fmt.Errorf("list regions: %w", err)
	}
	for _, r := range out.Regions {
		if aws.ToString(r.OptInStatus) == "not-opted-in" {
			disabled = append(disabled, aws.ToString(r.RegionName))
		} else {
			enabled = append(enabled, aws.ToString(r.RegionName))
		}
	}
	slices.Sort(enabled)
	slices.Sort(disabled)
	return enabled, disabled, nil
}
