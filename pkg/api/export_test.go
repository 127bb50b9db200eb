package api

import "github.com/cloudarq/cloudarq/pkg/audit/pipeline"

// What fuzzing gives to what is not exported.
var (
	ReadJSON  = strictJSON.Unmarshal
	WriteJSON = strictJSON.Marshal
	Matches   = matches
	ETag      = etag
	Depth     = maxDepth
)

// CallsCursor reads a cursor of a list of calls that an attempt at each of some tasks made.
func CallsCursor(cursor string, all []pipeline.Ledger) (at, skip int, err error) {
	return callsCursor(cursor, all)
}
