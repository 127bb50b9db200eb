package connect

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Trust makes sure that the role of a connection lets in nobody who does not know its
// External ID: not without one, and not with a wrong one. Each try shows as denied in the
// account's CloudTrail. So they are made when the role is new, when its trust policy is
// not the one that was tried, and now and then in any case: a role may not let its trust
// policy be read.
type Trust struct {
	Records    *store.Organization
	Connection model.ConnectionID
	Client     *client.Client
	// Key seals, for its place, what the trust policy was: that has the External ID in it,
	// which may be a short one.
	Key   func(context.Context) (secret.DataKey, error)
	Place secret.Binding
	Now   func() time.Time
	Every time.Duration // how long a role is not tried again; 0 tries it each time
}

// trustPlace is where the digest of a role's trust policy belongs.
func trustPlace(org model.OrganizationID, connection model.ConnectionID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: string(connection), Field: "trust-policy"}
}

// Verify tries whether a role lets in others, unless it is known. That it does is a
// *pipeline.RefusedError beside what was found.
func (t Trust) Verify(ctx context.Context, target client.Target, looked Looked, calls ledger.Ledger) (*model.Trust, error) {
	before, err := t.Records.Verified(ctx, t.Connection)
	if err != nil {
		return nil, err
	}
	same, err := t.same(ctx, before, looked.Trust)
	if err != nil {
		return nil, err
	}
	trust := &model.Trust{TriedAt: before.At}
	if looked.Trust.Empty() {
		trust.Unread = cmp.Or(looked.Permissions.Unread, "AWS gave none")
	}
	if same && !before.Again && before.Fresh(target.RoleARN, t.Now(), t.Every) {
		return trust, nil
	}
	trust.TriedAt = t.Now().UTC().Truncate(time.Second)
	for _, w := range wrongWays(target, looked.Trust) {
		p, err := w.try(ctx, t.Client, target, calls)
		if err != nil {
			return nil, err
		}
		if !p.Right() {
			trust.Open = w.how
			return trust, errors.Join(t.distrust(ctx), refusal(p))
		}
	}
	return trust, t.Note(ctx, target.RoleARN, looked.Trust)
}

// distrust notes that the role lets in others, and so is verified again, and that by which
// External ID it is opened says nothing of it.
func (t Trust) distrust(ctx context.Context) error {
	return t.Records.ChangeVerified(ctx, t.Connection, func(v *store.Verified) {
		v.Way, v.At, v.Opened, v.ExternalID = "", time.Time{}, "", 0
	})
}

// Note notes that a role with a trust policy was tried and lets in nobody else.
func (t Trust) Note(ctx context.Context, role string, policy secret.String) error {
	before, err := t.Records.Verified(ctx, t.Connection)
	if err != nil {
		return err
	}
	same, err := t.same(ctx, before, policy)
	if err != nil {
		return err
	}
	sealed := before.Trust
	if !same {
		key, err := t.Key(ctx)
		if err != nil {
			return err
		}
		if sealed, err = key.Seal(t.Place, digest(policy)); err != nil {
			return fmt.Errorf("the trust policy of connection %s: %w", t.Connection, err)
		}
	}
	return t.Records.ChangeVerified(ctx, t.Connection, func(v *store.Verified) {
		// STS may know a change later than IAM shows it, and have answered by the policy
		// before. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
		v.Again = !same && v.Way == role && len(v.Trust) > 0
		v.Way, v.At, v.Trust = role, t.Now().UTC(), sealed
	})
}

// same reports whether a trust policy is the one that was tried, as far as it is known.
func (t Trust) same(ctx context.Context, before store.Verified, policy secret.String) (bool, error) {
	if policy.Empty() {
		return true, nil
	}
	if len(before.Trust) == 0 {
		return false, nil
	}
	key, err := t.Key(ctx)
	if err != nil {
		return false, err
	}
	was, err := key.Open(t.Place, before.Trust)
	if errors.Is(err, secret.ErrSealed) { // by a key that is gone
		return false, nil
	}
	return was.Reveal() == digest(policy).Reveal(), err
}

func digest(policy secret.String) secret.String {
	sum := sha256.Sum256([]byte(policy.Reveal()))
	return secret.New(hex.EncodeToString(sum[:]))
}

// wrongWay is a way into an account that must be closed.
type wrongWay struct {
	how    string
	id     secret.String
	source string
}

// wrongWays differ from the right way in the External ID alone. None has a source
// identity, which a role may refuse by itself, unless the trust policy asks for one.
func wrongWays(target client.Target, policy secret.String) []wrongWay {
	wrong := secret.New("cloudarq-probe-" + rand.Text())
	ways := []wrongWay{
		{"without an External ID", secret.String{}, ""},
		{"with a wrong External ID", wrong, ""},
	}
	if strings.Contains(strings.ToLower(policy.Reveal()), `"sts:sourceidentity"`) {
		ways = append(ways,
			wrongWay{"without an External ID, but with a source identity", secret.String{}, target.SessionName},
			wrongWay{"with a wrong External ID, and a source identity", wrong, target.SessionName})
	}
	return ways
}

// try tries to come in; only being denied is right.
func (w wrongWay) try(ctx context.Context, entrance *client.Client, target client.Target, calls ledger.Ledger) (model.Probe, error) {
	target.ExternalID, target.SourceIdentity = w.id, w.source
	p := model.Probe{Tried: "assume the role " + w.how, Want: answerDenied, Answer: answerDenied}
	open, err := entrance.CanAssume(ctx, target, calls)
	if open {
		p.Answer, p.Code = answerAllowed, model.CodeMissingExternalID
		p.Fix = fmt.Sprintf("%s: %s can be assumed %s, so others could reach the account through CloudArq; add the condition sts:ExternalId to the role's trust policy, as in the published template",
			model.CodeMissingExternalID, target.RoleARN, w.how)
	}
	return p, err
}
