package store

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func (o *Organization) settingsKey() table.Key {
	return table.Key{PK: o.key("ORGANIZATION"), SK: "settings"}
}

// Settings reads the organization's settings; those of one that never wrote any
// are zero.
func (o *Organization) Settings(ctx context.Context) (s model.Settings, err error) {
	item, err := o.get(ctx, o.settingsKey(), &s)
	if err != nil && !isMissing(err) {
		return s, fmt.Errorf("settings of organization %s: %w", o.id, err)
	}
	s.Version = item.Version
	return s, nil
}

// PutSettings writes the settings if they are unchanged since they were read, and
// moves their Version on; ErrConflict otherwise.
func (o *Organization) PutSettings(ctx context.Context, by model.Change, s *model.Settings) error {
	item, err := encode(o.settingsKey(), table.Key{}, s.Version, s)
	if err != nil {
		return err
	}
	if err := o.putLogged(ctx, item, by, "settings", nothingSecret[model.Settings]); err != nil {
		return fmt.Errorf("write the settings of organization %s: %w", o.id, err)
	}
	s.Version++
	return nil
}
