package local

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Reindexed is of how many connections of an organization the index was made anew.
type Reindexed struct {
	Organization model.OrganizationID `json:"organization"`
	Connections  int                  `json:"connections"`
}

// Reindex makes the indexes anew that lists of findings are answered from: those of the
// command, and of the organizations that are served from the state. Other processes may work
// with the state meanwhile.
func (s *State) Reindex(ctx context.Context) (all []Reindexed, err error) {
	owners := []model.OrganizationID{Organization}
	for id, err := range s.Store.Organizations(ctx) {
		if err != nil {
			return nil, err
		}
		if id != Organization {
			owners = append(owners, id)
		}
	}
	for _, id := range owners {
		n, err := s.index.For(id).Rebuild(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, Reindexed{id, n})
	}
	return all, nil
}
