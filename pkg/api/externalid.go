package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ExternalIDs keeps the External ID of an organization, and makes it the first time.
type ExternalIDs interface {
	ExternalID(ctx context.Context, org model.OrganizationID) (secret.String, error)
	// Rotation is the newest External ID, and how far it has replaced the one before.
	Rotation(ctx context.Context, org model.OrganizationID) (secret.String, model.Rotation, error)
	// Rotate makes a new one if nothing has changed since a version was read, or for the
	// same request before: store.ErrConflict, store.ErrStaged.
	Rotate(ctx context.Context, by model.Change, org model.OrganizationID, version int64, request string) (secret.String, model.Rotation, error)
	// Connected is called when a connection was written, so that nobody retires what its
	// role may ask for without looking.
	Connected(ctx context.Context, org model.OrganizationID) error
	// Retire forgets all but the newest, or is a *model.WaitingError.
	Retire(ctx context.Context, by model.Change, org model.OrganizationID) error
}

// ExternalIDOutput is an organization's External ID, and how far it has replaced the one
// before.
type ExternalIDOutput struct {
	ExternalID string    `json:"external_id" doc:"What the trust policies of roles have to ask for"`
	Generation int       `json:"generation" doc:"Counts the organization's External IDs from 1 on"`
	Since      time.Time `json:"since,omitzero" required:"false" doc:"When it was made"`
	Replacing  bool      `json:"replacing" doc:"The one before is still good, too: it is retired when no connection waits"`
	Waiting    int       `json:"waiting" doc:"How many connections that one may read were not opened with this one yet"`
	// Connections are some of those that wait.
	Connections []model.Waiting `json:"connections" doc:"Those that were not opened with this one yet, the first 1,000"`
}

// Bounds of how many of those who wait an answer has.
const (
	waitingShown = 1000
	waitingNamed = 20 // in a problem
)

type externalIDAnswer struct {
	ETag string `header:"ETag"`
	Body ExternalIDOutput
}

func showExternalID(ctx context.Context, id secret.String, r model.Rotation) *externalIDAnswer {
	r.Waiting = visible(ctx, r.Waiting)
	some := r.Waiting[:min(len(r.Waiting), waitingShown)]
	return &externalIDAnswer{ETag: etag(r.Version), Body: ExternalIDOutput{
		ExternalID: id.Reveal(), Generation: r.Generation, Since: r.Since, Replacing: r.Staged, Waiting: len(r.Waiting), Connections: append([]model.Waiting{}, some...),
	}}
}

// visible are those that wait and that the caller may see.
func visible(ctx context.Context, all []model.Waiting) []model.Waiting {
	return slices.DeleteFunc(slices.Clone(all), func(w model.Waiting) bool { return !callerOf(ctx).Sees(w.Project) })
}

func (a *API) externalIDs(api huma.API) {
	register(api, mayConnect, huma.Operation{
		OperationID: "get-external-id", Method: http.MethodGet, Path: "/v1/external-id",
		Summary: "Show the organization's External ID, and which connections still ask for the one before", Tags: []string{"connections"},
	}, a.getExternalID)
	register(api, mayAdminister, huma.Operation{
		OperationID: "rotate-external-id", Method: http.MethodPost, Path: "/v1/external-id/rotate",
		Summary: "Make a new External ID; the one before stays good until it is retired", Tags: []string{"connections"},
	}, a.rotateExternalID)
	register(api, mayAdminister, huma.Operation{
		OperationID: "retire-external-id", Method: http.MethodPost, Path: "/v1/external-id/retire", DefaultStatus: http.StatusNoContent,
		Summary: "Forget the External ID before the newest, when every connection was opened with that", Tags: []string{"connections"},
	}, a.retireExternalID)
}

func (a *API) getExternalID(ctx context.Context, _ *struct{}) (*externalIDAnswer, error) {
	id, rotation, err := a.ExternalIDs.Rotation(ctx, callerOf(ctx).Organization)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return showExternalID(ctx, id, rotation), nil
}

func (a *API) rotateExternalID(ctx context.Context, in *struct {
	Repeatable
	IfMatch string `header:"If-Match" doc:"The ETag of the External ID as it was read"`
},
) (*externalIDAnswer, error) {
	return once(ctx, a, "rotation", in.Repeatable, in.IfMatch, func(string) (*externalIDAnswer, error) {
		return a.rotate(ctx, in.Key, in.IfMatch)
	})
}

func (a *API) rotate(ctx context.Context, key, ifMatch string) (*externalIDAnswer, error) {
	id, rotation, err := a.ExternalIDs.Rotation(ctx, callerOf(ctx).Organization)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	request := ""
	if key != "" {
		sum := sha256.Sum256([]byte(key))
		request = hex.EncodeToString(sum[:])
	}
	if request != "" && rotation.By == request { // the answer was lost, and maybe the event
		a.tell(ctx, event.OfExternalID(callerOf(ctx).Organization, event.ExternalIDRotated, rotation.Generation, rotation.Since))
		return showExternalID(ctx, id, rotation), nil
	}
	if err := matches(ctx, ifMatch, rotation.Version, "the External ID"); err != nil {
		return nil, err
	}
	next, rotated, err := a.ExternalIDs.Rotate(ctx, a.by(ctx), callerOf(ctx).Organization, rotation.Version, request)
	if errors.Is(err, store.ErrStaged) {
		since := ""
		if !rotation.Since.IsZero() {
			since = " since " + rotation.Since.Format(time.RFC3339)
		}
		return nil, waiting(ctx, "external_id_replacing", fmt.Sprintf("External ID %d has been replacing the one before%s: retire that first", rotation.Generation, since), rotation)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "the External ID was rotated", slog.Int("generation", rotated.Generation))
	a.tell(ctx, event.OfExternalID(callerOf(ctx).Organization, event.ExternalIDRotated, rotated.Generation, rotated.Since))
	return showExternalID(ctx, next, rotated), nil
}

func (a *API) retireExternalID(ctx context.Context, _ *struct{}) (*struct{}, error) {
	before, err := a.org(ctx).ExternalIDs(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	err = a.ExternalIDs.Retire(ctx, a.by(ctx), callerOf(ctx).Organization)
	var w *model.WaitingError
	if errors.As(err, &w) {
		return nil, waiting(ctx, "external_id_in_use", "the External ID before the newest is still in use", w.Rotation)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "External IDs before the newest were retired")
	if before.Staged() { // or there was nothing to retire
		a.tell(ctx, event.OfExternalID(callerOf(ctx).Organization, event.ExternalIDRetired, before.Newest(), a.Now()))
	}
	return nil, nil
}

// waiting is the problem that some connections were not opened with the newest External
// ID yet; it names some of them.
func waiting(ctx context.Context, code, detail string, r model.Rotation) *Problem {
	r.Waiting = visible(ctx, r.Waiting)
	if n := len(r.Waiting); n > 0 {
		detail += fmt.Sprintf("; %d connections were not opened with External ID %d yet (GET /v1/external-id lists them)", n, r.Generation)
	}
	p := problem(ctx, http.StatusConflict, code, detail)
	for _, c := range r.Waiting[:min(len(r.Waiting), waitingNamed)] {
		p.Errors = append(p.Errors, Detail{Pointer: "/v1/connections/" + string(c.Connection), Detail: why(c)})
	}
	return p
}

// why says of a connection what it waits for.
func why(c model.Waiting) string {
	switch {
	case c.RoleARN == "":
		return "it has no role yet"
	case c.Generation == 0:
		return c.RoleARN + " was not opened yet"
	default:
		return fmt.Sprintf("%s was last opened with External ID %d", c.RoleARN, c.Generation)
	}
}
