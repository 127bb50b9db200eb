package serve

import (
	"log/slog"
	"net/http"
)

// ClientOf is where a door with some options takes a request to come from.
func ClientOf(o Options, r *http.Request) (address string, encrypted bool) {
	c := newDoor(o, "", slog.New(slog.DiscardHandler), nil, nil).client(r)
	return c.address.String(), c.encrypted
}
