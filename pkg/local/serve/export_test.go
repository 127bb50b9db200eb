package serve

import (
	"log/slog"
	"net/http"
)

// Door is one with some options, to next.
func Door(o Options, log *slog.Logger, next http.Handler) http.Handler {
	return newDoor(o, o.PublicURL, log, nil, next)
}

// ClientOf is where a door with some options takes a request to come from.
func ClientOf(o Options, r *http.Request) (address string, encrypted bool) {
	c := newDoor(o, "", slog.New(slog.DiscardHandler), nil, nil).client(r)
	return c.address.String(), c.encrypted
}
