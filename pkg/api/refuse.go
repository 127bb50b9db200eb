package api

import (
	"context"
	"net/http"

	"github.com/oklog/ulid/v2"
)

// Secure sets the header fields that every answer carries.
func Secure(h http.Header) { secure(h) }

// Refuse answers a request with a problem as the API does, for what stands before it.
func Refuse(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	id := ulid.Make().String()
	secure(w.Header())
	w.Header().Set("X-Request-Id", id)
	writeProblem(w, problem(context.WithValue(r.Context(), requestIDKey{}, id), status, code, detail))
}
