//go:build noconsole

// Package console has no pages.
package console

import (
	"log/slog"
	"net/http"
)

// Over gives the handler of an API as it is.
func Over(api http.Handler, _ *slog.Logger) http.Handler { return api }

// IsPage reports whether a path is for people, and not for programs: none is.
func IsPage(string) bool { return false }
