// Package keep is the accounts that the local command keeps a way into, so that
// they can be audited by name: a role and its External ID, or an access key, sealed.
package keep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Connections are the accounts of a state.
type Connections struct {
	State  *local.State
	Keys   secret.Wrapper
	Client *client.Client
}

func inputf(format string, args ...any) error {
	return &local.InputError{Message: fmt.Sprintf(format, args...)}
}

// NewConnection is what somebody says of an account that is to be kept.
type NewConnection struct {
	Name       string
	RoleARN    string
	Profile    string        // whose credentials assume the role; empty means the default ones
	ExternalID secret.String // empty makes one

	model.AuditOptions      // unless an audit is told otherwise
	Once               bool // it is audited one time, and then its role can go
}

// describe writes into a connection what was said of it.
func (n NewConnection) describe(c *model.Connection) {
	c.Name, c.AuditOptions = n.Name, n.AuditOptions
	c.Schedule = model.Schedule{}
	if n.Once {
		c.Schedule.Expression = model.OnceExpression
	}
}

// notVerified is why a connection is pending that nobody tried.
const notVerified = "not verified yet"

// Add keeps an account, whose role is not tried yet. It gives the External ID that
// the role must ask for. A connection that was never verified is replaced.
func (c Connections) Add(ctx context.Context, n NewConnection) (model.Connection, secret.String, error) {
	account, err := c.accountOfRole(ctx, n)
	if err != nil {
		return model.Connection{}, secret.String{}, err
	}
	connection, err := c.begin(ctx, account)
	if err != nil {
		return connection, secret.String{}, err
	}
	if n.ExternalID.Empty() {
		n.ExternalID = connect.NewExternalID()
	}
	connection, err = c.put(ctx, connection, false, n)
	return connection, n.ExternalID, err
}

// Prepare completes what somebody says of an account whose role is about to be
// made or changed, and refuses what Put would. An account that is kept already has
// its External ID and what else is not said anew; another gets a new External ID.
// Nothing is written.
func (c Connections) Prepare(ctx context.Context, n NewConnection) (NewConnection, error) {
	connection, verified, err := c.place(ctx, n)
	switch {
	case err != nil:
		return n, err
	case verified && connection.RoleARN != n.RoleARN:
		return n, inputf("account %s is kept already with %s; remove it first with: cloudarq connections remove %s",
			connection.AccountID, cmp.Or(connection.RoleARN, "an access key"), connection.AccountID)
	case connection.RoleARN == "":
		n.ExternalID = connect.NewExternalID()
	default:
		n.ExternalID, err = c.ExternalID(ctx, connection)
	}
	if n.Name == "" {
		n.Name = connection.Name
	}
	services, checks := n.Services, n.Checks // for which the role is made
	n.AuditOptions = n.Or(connection.AuditOptions)
	n.Services, n.Checks = services, checks
	n.Once = n.Once || connection.Schedule.Once()
	return n, err
}

// Put keeps what Prepare completed. Who puts the same twice changes nothing; a
// connection that was verified stays so.
func (c Connections) Put(ctx context.Context, n NewConnection) (model.Connection, error) {
	connection, verified, err := c.place(ctx, n)
	if err != nil {
		return connection, err
	}
	return c.put(ctx, connection, verified, n)
}

// place is the connection of an account whose role is to be kept, as it is or to be
// made, and whether it was verified.
func (c Connections) place(ctx context.Context, n NewConnection) (connection model.Connection, verified bool, err error) {
	account, err := c.accountOfRole(ctx, n)
	if err != nil {
		return connection, false, err
	}
	return c.lookup(ctx, account)
}

// accountOfRole is the account of what is to be kept, if that can ever work.
func (c Connections) accountOfRole(ctx context.Context, n NewConnection) (string, error) {
	account, ok := model.AccountOfRole(n.RoleARN)
	if !ok {
		return "", inputf("%q is not the ARN of an IAM role, such as arn:aws:iam::111122223333:role/CloudArqAuditRole", n.RoleARN)
	}
	return account, c.check(ctx, n, account)
}

// lookup is the connection of an account, as it is or to be made, and whether it was
// verified.
func (c Connections) lookup(ctx context.Context, account string) (connection model.Connection, verified bool, err error) {
	connection, err = c.State.Records.AnyConnection(ctx, local.ConnectionOf(account))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return model.Connection{ID: local.ConnectionOf(account), AccountID: account, CreatedAt: time.Now().UTC()}, false, nil
	case err != nil:
		return connection, false, err
	case connection.State == model.ConnectionDeleted:
		return connection, false, inputf("account %s is half removed; finish that first with: cloudarq connections remove %s", account, account)
	}
	verified, err = c.Verified(ctx, connection)
	return connection, verified, err
}

// begin is the connection of an account that is to be kept: a new one, or one that
// was never verified.
func (c Connections) begin(ctx context.Context, account string) (model.Connection, error) {
	connection, verified, err := c.lookup(ctx, account)
	if err == nil && verified {
		err = inputf("account %s is kept already; remove it first with: cloudarq connections remove %s", account, account)
	}
	return connection, err
}

func (c Connections) put(ctx context.Context, connection model.Connection, verified bool, n NewConnection) (model.Connection, error) {
	// The way in before the role: a connection with a role can be opened.
	if err := c.putAccess(ctx, connection, n); err != nil {
		return connection, err
	}
	before := connection.AccessKey
	connection.RoleARN, connection.AccessKey = n.RoleARN, nil
	n.describe(&connection)
	if !verified {
		connection.State, connection.Reason, connection.Since = model.ConnectionPending, notVerified, time.Now().UTC()
	}
	if err := c.State.Records.PutConnection(ctx, &connection); err != nil {
		return connection, err
	}
	return connection, c.keys().Prune(ctx, local.Organization, connection, before)
}

// putAccess keeps the External ID that a role is said to ask for, and whose credentials
// assume it. An External ID that the same role was opened with stays good beside a new
// one.
func (c Connections) putAccess(ctx context.Context, connection model.Connection, n NewConnection) error {
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	ids, opened := access.ExternalIDs(), 0
	if len(ids.Sealed) > 0 && connection.RoleARN == n.RoleARN {
		known, err := c.open(ctx, connection, ids)
		if err != nil {
			return err
		}
		verified, err := c.State.Records.Verified(ctx, connection.ID)
		if err != nil {
			return err
		}
		opened = verified.Generation(n.RoleARN)
		if oldest := known[len(known)-1]; opened == 0 && (ids.Staged() || verified.Way == n.RoleARN) {
			opened = oldest.Generation // it was opened before that was noted
		}
		if slices.ContainsFunc(known, func(k connect.ExternalID) bool { return k.ID.Reveal() == n.ExternalID.Reveal() }) {
			access.Profile = n.Profile
			return c.State.Records.PutAccess(ctx, connection.ID, &access)
		}
	}
	sealed, err := c.ids().Seal(ctx, local.Organization, connection.ID, n.ExternalID)
	if err != nil {
		return err
	}
	ids.Replace(opened, sealed, time.Now().UTC().Truncate(time.Second))
	access.Profile = n.Profile
	access.SetExternalIDs(ids)
	return c.State.Records.PutAccess(ctx, connection.ID, &access)
}

// check refuses what can never work, before anything is written.
func (c Connections) check(ctx context.Context, n NewConnection, account string) error {
	others, err := c.State.Records.Connections(ctx)
	if err != nil {
		return err
	}
	for _, other := range others {
		if n.Name != "" && other.AccountID != account && (n.Name == other.Name || n.Name == other.AccountID) {
			return inputf("account %s has the name %q already", other.AccountID, n.Name)
		}
	}
	if _, err := Select(c.State.Catalog, n.Checks, n.Services, n.Regions); err != nil {
		return &local.InputError{Message: err.Error()}
	}
	said := model.Connection{}
	n.describe(&said)
	if err := said.Check(); err != nil {
		return &local.InputError{Message: err.Error()}
	}
	return nil
}

// Update changes what audits of a kept account look at, and nothing of the way into it.
func (c Connections) Update(ctx context.Context, connection model.Connection, change func(*NewConnection)) (model.Connection, error) {
	n := NewConnection{
		Name: connection.Name, AuditOptions: connection.AuditOptions, Once: connection.Schedule.Once(),
	}
	change(&n)
	if err := c.check(ctx, n, connection.AccountID); err != nil {
		return connection, err
	}
	n.describe(&connection)
	return connection, c.State.Records.PutConnection(ctx, &connection)
}

// Select gives the checks that somebody names, all if none. It refuses names of
// checks, services and regions that there are not, and what leaves nothing to
// audit.
func Select(catalog *check.Catalog, checks, services, regions []string) ([]check.Check, error) {
	chosen, err := catalog.Select(checks)
	if err != nil {
		return nil, err
	}
	if len(services) > 0 {
		if _, err := catalog.SelectServices(services); err != nil {
			return nil, err
		}
	}
	if _, err := pipeline.Resolve(catalog, chosen, services); err != nil {
		return nil, err
	}
	return chosen, check.Regions(regions)
}

func (c Connections) ids() connect.OwnIDs {
	return connect.OwnIDs{Records: c.State.Records, Keys: c.Keys}
}

// Find finds a connection by its id, its account or its name.
func (c Connections) Find(ctx context.Context, word string) (model.Connection, error) {
	all, err := c.State.Records.Connections(ctx)
	if err != nil {
		return model.Connection{}, err
	}
	return Named(all, word)
}

// Called are the connections that have a word for their id, their account or their name.
// An id is of one alone; elsewhere than here several may have the same account or name.
func Called(all []model.Connection, word string) []model.Connection {
	var found []model.Connection
	for _, c := range all {
		switch word {
		case "":
		case string(c.ID):
			return []model.Connection{c}
		case c.AccountID, c.Name:
			found = append(found, c)
		}
	}
	return found
}

// Named is the one connection that is Called so.
func Named(all []model.Connection, word string) (model.Connection, error) {
	found := Called(all, word)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var names []string
		for _, c := range all {
			names = append(names, string(c.ID), c.AccountID, c.Name)
		}
		if nearest := check.Nearest(word, names); nearest != "" && word != "" {
			return model.Connection{}, inputf("no connection %q; did you mean %q? cloudarq connections list shows them", word, nearest)
		}
		return model.Connection{}, inputf("no connection %q; cloudarq connections list shows them", word)
	default:
		return model.Connection{}, inputf("%d connections are called %q; say which by its id: %s", len(found), word, check.List(which(found)))
	}
}

// which are connections as they can be told apart.
func which(all []model.Connection) []string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = string(c.ID)
		if c.AccountID != "" && c.AccountID != words[i] {
			words[i] += " (account " + c.AccountID + ")"
		}
	}
	return words
}

// FindAny is Find, but finds by its account also a connection whose removal was
// interrupted.
func (c Connections) FindAny(ctx context.Context, word string) (model.Connection, error) {
	connection, err := c.Find(ctx, word)
	if err == nil {
		return connection, nil
	}
	rest, e := c.State.Records.AnyConnection(ctx, model.ConnectionID(word))
	if errors.Is(e, store.ErrNotFound) {
		return connection, err
	}
	return rest, e
}

// Verified reports whether the connection's role was found to let in who knows the
// External ID, and nobody else; or that AWS accepts its access key. That may be long
// ago.
func (c Connections) Verified(ctx context.Context, connection model.Connection) (bool, error) {
	way := wayIn(connection)
	if way == "" {
		return false, nil
	}
	verified, err := c.State.Records.Verified(ctx, connection.ID)
	return verified.Way == way, err
}

// wayIn is what is noted as verified of a connection: its role, or which access key.
func wayIn(c model.Connection) string {
	if c.AccessKey != nil {
		return "access-key/" + c.AccessKey.ID
	}
	return c.RoleARN
}

// ExternalID is what the connection's role must ask for.
func (c Connections) ExternalID(ctx context.Context, connection model.Connection) (secret.String, error) {
	if connection.AccessKey != nil {
		return secret.String{}, inputf("account %s is kept by an access key, which needs no External ID", connection.AccountID)
	}
	target, err := c.Target(ctx, connection, "")
	return target.ExternalID, err
}

// Target is the way into the connection's account, with the newest External ID.
func (c Connections) Target(ctx context.Context, connection model.Connection, session string) (client.Target, error) {
	if connection.AccessKey != nil {
		return c.keyTarget(ctx, connection)
	}
	if connection.RoleARN == "" {
		return client.Target{}, inputf("account %s was audited with credentials of your own and has no role; keep it with: cloudarq connections add --role-arn ARN", connection.AccountID)
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil {
		return client.Target{}, err
	}
	id, err := c.ids().Open(ctx, local.Organization, connection.ID, access.ExternalID)
	if err != nil {
		return client.Target{}, err
	}
	return client.Target{Profile: access.Profile, RoleARN: connection.RoleARN, ExternalID: id, SessionName: session}, nil
}

// Principal is who assumes roles with a profile, for their trust policies: the user,
// or the account where it is a role, whose own ARN its sessions do not tell for
// sure. Who can never assume a role is an *client.AccessError.
func (c Connections) Principal(ctx context.Context, profile, session string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, principalTimeout)
	defer cancel()
	account, err := c.Client.Open(ctx, client.Target{Profile: profile, SessionName: session}, &ledger.Memory{})
	if err != nil {
		return "", err
	}
	identity := account.Identity()
	root := fmt.Sprintf("arn:%s:iam::%s:root", identity.Partition, identity.Account)
	switch {
	case identity.CallerARN == root:
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
		return "", &client.AccessError{Message: fmt.Sprintf("the root user of account %s cannot assume roles; name a user's or a role's profile with --profile", identity.Account)}
	case strings.Contains(identity.CallerARN, ":user/"):
		return identity.CallerARN, nil
	default:
		return root, nil
	}
}

// UnknownPrincipal stands in a trust policy for who runs CloudArq, when AWS does not
// say who that is.
const UnknownPrincipal = "<the ARN of the user or role that runs cloudarq>"

// principalTimeout bounds how long somebody waits for a policy to copy.
const principalTimeout = 10 * time.Second

// TrustPolicy is what the trust policy of a connection's role has to say, with the
// principal that will assume it, as in the published template. The second statement lets
// sessions name their audit wherever they lead; by itself it opens nothing.
func TrustPolicy(principal string, id secret.String) string {
	return strings.NewReplacer("PRINCIPAL", principal, "EXTERNAL-ID", id.Reveal()).Replace(`{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"AWS": "PRINCIPAL"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "EXTERNAL-ID"}}
  }, {
    "Effect": "Allow",
    "Principal": {"AWS": "PRINCIPAL"},
    "Action": "sts:SetSourceIdentity"
  }]
}
`)
}
