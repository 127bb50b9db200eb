//go:build tools

// Package tools pins the tools of development, apart from what the product
// links.
package tools

import (
	_ "github.com/a-h/templ/cmd/templ"
	_ "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"
)
