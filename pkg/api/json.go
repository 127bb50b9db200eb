package api

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	strict "github.com/go-json-experiment/json"
)

var errDeep = fmt.Errorf("objects and lists are in each other more than %d times", maxDepth)

// strictJSON reads a body as whoever wrote it meant it: each name once, spelled as it is
// documented, and none that nobody reads. Validation and the handler would see two
// different bodies otherwise.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if deep(data) {
			return errDeep
		}
		return strict.Unmarshal(data, v, strict.RejectUnknownMembers(true))
	},
}
