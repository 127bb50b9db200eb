package model

import (
	"fmt"
	"log/slog"
)

// Hidden is what is kept of a secret: its hash, or itself, sealed. It is there to be
// compared or opened; it prints, logs and marshals as "[hidden]". Records that have one
// leave it out of their JSON, which clients and the admin log get; pkg/store writes it
// beside that.
type Hidden []byte

const hidden = "[hidden]"

// String implements fmt.Stringer.
func (Hidden) String() string { return hidden }

// Format implements fmt.Formatter, so that no verb prints the content.
func (Hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and YAML.
func (Hidden) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (Hidden) LogValue() slog.Value { return slog.StringValue(hidden) }
