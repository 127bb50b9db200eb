package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Caps are how much there may be of what costs as long as it is there. They are of the
// deployment: whoever operates it pays, and not an organization's administrators. Zero is
// the default.
type Caps struct {
	Connections   int           // of an organization; 10,000
	Organizations int           // 1,000
	Projects      int           // of an organization; 1,000
	Attestations  int           // of an organization, with those that are good no more; 20,000
	ScheduleEvery time.Duration // between two audits of a schedule, at least; 15 minutes
}

func (c Caps) orDefault() Caps {
	return Caps{cmp.Or(c.Connections, 10_000), cmp.Or(c.Organizations, 1000), cmp.Or(c.Projects, 1000), cmp.Or(c.Attestations, 20_000), cmp.Or(c.ScheduleEvery, 15*time.Minute)}
}

// room refuses a connection that is one too many.
func (a *API) room(ctx context.Context, org *store.Organization) error {
	most := a.Caps.orDefault().Connections
	err := org.RoomForConnection(ctx, most)
	if errors.Is(err, store.ErrFull) {
		return problem(ctx, http.StatusConflict, "too_many_connections", fmt.Sprintf("the organization has %d connections, and may have no more: delete one, or have the deployment's MaxConnections raised", most))
	}
	return a.answer(ctx, err)
}

// oftenEnough refuses a schedule that is due too often. One that was there before stays.
func (a *API) oftenEnough(ctx context.Context, c model.Connection, s model.Schedule, parsed schedule.Schedule) error {
	if s.Expression == c.Schedule.Expression && s.Timezone == c.Schedule.Timezone {
		return nil
	}
	if least := a.Caps.orDefault().ScheduleEvery; parsed.Closer(least, c.CreatedAt) {
		p := problem(ctx, http.StatusUnprocessableEntity, "schedule_too_often", fmt.Sprintf("two audits are less than %s from each other, which is the least that this deployment allows (MinScheduleMinutes)", least))
		p.Errors = []Detail{{Pointer: "body.schedule", Detail: p.Detail}}
		return p
	}
	return nil
}
