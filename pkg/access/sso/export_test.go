package sso

import (
	"encoding/json"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Who is whether somebody is let in whom an ID token is of that was verified.
func Who(config model.SSO, token string) error {
	var said claims
	all := map[string]json.RawMessage{}
	for _, into := range []any{&said, &all} {
		if err := json.Unmarshal([]byte(token), into); err != nil {
			return err
		}
	}
	_, err := (&provider{config: config}).who("s", said, all)
	return err
}
