//go:build !noconsole

// Package console has the pages that people look at. The build tag noconsole leaves them
// out: what is built so is an API alone.
package console

import (
	"log/slog"
	"net/http"

	"github.com/cloudarq/cloudarq/pkg/console/pages"
)

// Over puts the pages over the handler of an API (see api.API's Pages).
func Over(api http.Handler, log *slog.Logger) http.Handler { return pages.Over(api, log) }

// IsPage reports whether a path is for people, and not for programs.
func IsPage(path string) bool { return !pages.Programs(path) }
