package api

import (
	"github.com/danielgtaylor/huma/v2"
	strict "github.com/go-json-experiment/json"
)

// strictJSON reads a body as whoever wrote it meant it: each name once, spelled as it is
// documented, and none that nobody reads. Validation and the handler would see two
// different bodies otherwise.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		return strict.Unmarshal(data, v, strict.RejectUnknownMembers(true))
	},
}
