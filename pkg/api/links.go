package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Templates keeps the role's template where CloudFormation can read it.
type Templates interface {
	// PutOnce stores a text under key unless something is stored there, and gives the
	// version of what is; that another text is there is an error.
	PutOnce(ctx context.Context, key, text string) (version string, err error)
	// Presign makes a URL that shows a version of what is stored under key to whoever
	// has it, and says until when: at most as long as said.
	Presign(ctx context.Context, key, version string, last time.Duration) (url string, until time.Time, err error)
}

// linksLast is how long links are good. Whoever has one can use it, so it is as
// long as setting a role up takes; reading the connection again makes new ones.
const linksLast = time.Hour

// Links lead to a role for a connection that has none yet.
type Links struct {
	Template    string    `json:"template" doc:"The CloudFormation template that makes the role, in the version that was published"`
	SHA256      string    `json:"sha256" doc:"Digest of the template, in hexadecimal: that of what GET /v1/policy?format=cloudformation gives"`
	QuickCreate string    `json:"quick_create,omitempty" doc:"AWS's console with that template and its parameters filled in; open it signed in to the account that is to be audited"`
	ExpiresAt   time.Time `json:"expires_at" doc:"When both stop working; read the connection again for new ones"`
}

// linksWithin is how long an answer waits for its links. A connection is as good
// without them, and the template is to be had elsewhere.
const linksWithin = 3 * time.Second

// links are those of a connection whose role was not seen to work, nil for others, for
// those that are opened by an access key, and where no template is published. They are left
// out, too, while there is no way to make them.
func (a *API) links(ctx context.Context, c model.Connection, externalID secret.String) *Links {
	if a.Templates == nil || c.Kind() == model.KindAccessKey || c.RoleARN != "" && c.State != model.ConnectionPending {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, linksWithin)
	defer cancel()
	links, err := a.makeLinks(limited, externalID)
	if err != nil {
		a.Log.WarnContext(ctx, "a connection is shown without links", slog.String("connection", string(c.ID)), slog.Any("error", err))
		return nil
	}
	return links
}

func (a *API) makeLinks(ctx context.Context, externalID secret.String) (*Links, error) {
	t, err := a.publish(ctx)
	if err != nil {
		return nil, err
	}
	template, until, err := a.Templates.Presign(ctx, t.key, t.version, linksLast)
	if err != nil {
		return nil, err
	}
	quick := policy.QuickCreate{
		Region: a.Region, TemplateURL: template, ExternalID: externalID.Reveal(), CheckerRoleARN: a.CheckerRole, RoleName: a.AuditRole,
	}
	return &Links{Template: template, SHA256: t.digest, QuickCreate: quick.URL(), ExpiresAt: until}, nil
}

// published is a template as it lies where CloudFormation can read it.
type published struct {
	key, version string
	digest       string // SHA-256, in hexadecimal
}

// publish stores the template, if nobody did, and says where. The key names the content,
// so that a process of another version has another one, and what lies there is compared
// once in the life of a process: administrators of other accounts deploy it.
func (a *API) publish(ctx context.Context) (published, error) {
	a.publishing.Lock()
	defer a.publishing.Unlock()
	if a.published.key != "" {
		return a.published, nil
	}
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		return published{}, err
	}
	text := role.CloudFormation()
	sum := sha256.Sum256([]byte(text))
	p := published{digest: hex.EncodeToString(sum[:])}
	p.key = "templates/audit-role-" + p.digest + ".yaml"
	if p.version, err = a.Templates.PutOnce(ctx, p.key, text); err != nil {
		return published{}, err
	}
	a.published = p
	return p, nil
}
