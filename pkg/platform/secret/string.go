// Package secret keeps credentials from being printed, and seals them for storage.
//
// A value is sealed by a data key (AES-256-GCM), and a data key is wrapped by a
// master key that this package never sees: of KMS, or of a keyring on this machine.
package secret

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// String is a value that must not be seen: it prints, logs and marshals as
// "[redacted]". Reveal is the one way to its content. The zero value is empty.
// Two are compared by what they reveal; == does not compile.
type String struct {
	// A function and not the text: fmt calls no methods on what stands in an
	// unexported field, but prints what it finds there. Of a function it finds
	// an address.
	content func() string
}

// New wraps a secret.
func New(content string) String {
	if content == "" {
		return String{}
	}
	return String{func() string { return content }}
}

// Reveal is the secret itself; call it where the value is used, not where it is
// passed on.
func (s String) Reveal() string {
	if s.content == nil {
		return ""
	}
	return s.content()
}

// Empty reports whether there is nothing to hide.
func (s String) Empty() bool { return s.content == nil }

// String implements fmt.Stringer.
func (String) String() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the content.
func (String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and YAML.
func (String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (String) LogValue() slog.Value { return slog.StringValue(redacted) }
