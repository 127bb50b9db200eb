package lambdahost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cloudarq/cloudarq/test/stack"
)

const (
	maxRequest       = 10 * 1024 * 1024 // of an HTTP API
	integrationLimit = 30 * time.Second
)

// newFront serves the stack's HTTP APIs.
func (h *Host) newFront() (*server, error) {
	for _, r := range h.stack.Routes {
		if r.Auth != stack.NoAuth && r.Auth != stack.IAMAuth {
			return nil, fmt.Errorf("lambdahost: route %s %s asks for authorizer %s, which is not modelled", r.Method, r.Path, r.Auth)
		}
		if _, ok := h.functions[r.Function]; !ok {
			return nil, fmt.Errorf("lambdahost: route %s %s has no function %q", r.Method, r.Path, r.Function)
		}
	}
	return serve(h.Handler())
}

// Handler answers requests as the stack's HTTP APIs do.
func (h *Host) Handler() http.Handler {
	return http.HandlerFunc(h.serveAPI)
}

func (h *Host) serveAPI(w http.ResponseWriter, r *http.Request) {
	id := randomHex(8)
	w.Header().Set("Apigw-Requestid", id)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil:
		return // the client hung up
	}
	route, params, ok := match(h.stack.Routes, r.Method, r.URL)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	var caller *caller
	if route.Auth == stack.IAMAuth {
		if caller, err = h.verify(r, body); err != nil {
			refuse(w, http.StatusForbidden, "Forbidden")
			return
		}
	}
	event, err := json.Marshal(h.httpEvent(r, body, httpContext{id: id, route: route, params: params, caller: caller}))
	if err != nil {
		panic(err) // strings always marshal
	}
	limit := integrationLimit
	if route.Timeout > 0 {
		limit = time.Duration(route.Timeout) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(h.life, limit)
	defer cancel()
	answer, err := h.invoke(ctx, h.functions[route.Function], newUUID(), event)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		writeAnswer(w, answer)
	}
}

// refuse answers in the service's own name.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, message) // if the client hung up, nobody is left to tell
}
