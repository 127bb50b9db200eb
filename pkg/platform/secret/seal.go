package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"unicode/utf8"
)

// Sentinels; compare with errors.Is.
var (
	// ErrSealed says that something sealed does not open.
	ErrSealed = errors.New("does not open: moved, altered, or sealed by another key")
	// ErrInvalid says that an owner, a binding or a key can never be accepted: an
	// error of the program.
	ErrInvalid = errors.New("invalid")
)

// Owner is whose a data key is. A wrapped key opens only for the owner that it
// was made for. Its parts are names, not secrets: KMS writes them to CloudTrail.
type Owner struct {
	Organization string
	Record       string // a connection's id, for example
}

// Binding is where a sealed value belongs. It opens nowhere else, so that nobody
// who can write to the table can move a secret to a place where he can read it.
type Binding struct {
	Organization string
	Record       string
	Field        string
}

// maxPart is the most bytes of one part of an owner or binding. KMS takes 8 KiB
// for a whole encryption context.
const maxPart = 1024

// Check returns ErrInvalid unless both parts are text that is not empty.
func (o Owner) Check() error {
	if err := checkParts(o.Organization, o.Record); err != nil {
		return fmt.Errorf("owner %q: %w", o, err)
	}
	return nil
}

// Bytes encodes the owner so that no two owners look alike.
func (o Owner) Bytes() []byte { return join(o.Organization, o.Record) }

func checkParts(parts ...string) error {
	for _, p := range parts {
		if p == "" || len(p) > maxPart || !utf8.ValidString(p) {
			return fmt.Errorf("%w: each part is 1-%d bytes of text", ErrInvalid, maxPart)
		}
	}
	return nil
}

// join writes each part after its length.
func join(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

// KeySize is the bytes of a data key: AES-256.
const KeySize = 32

// DataKey seals values. Get one from a Wrapper. It prints, logs and marshals as
// "[redacted]". It is safe for concurrent use.
type DataKey struct {
	// Wrapped is the key as its Wrapper sealed it: what is stored, beside what
	// the key seals.
	Wrapped []byte

	// The cipher and not the key's bytes; and behind a pointer, because fmt follows
	// none when it prints an unexported field, where it calls no method either.
	aead cipher.AEAD
}

// NewDataKey is how a Wrapper makes a data key of KeySize bytes. It overwrites
// key with zeros. It returns ErrInvalid for another size.
func NewDataKey(wrapped, key []byte) (DataKey, error) {
	defer clear(key)
	if len(key) != KeySize {
		return DataKey{}, fmt.Errorf("%w: data key of %d bytes, not %d", ErrInvalid, len(key), KeySize)
	}
	aead, err := NewCipher(key)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{Wrapped: slices.Clone(wrapped), aead: aead}, nil
}

// NewCipher is AES-GCM that puts a fresh random nonce of 96 bits before what it
// seals. One key must seal at most 2^32 things.
// https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf
func NewCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealedFormat is the first byte of what Seal makes.
const sealedFormat = 1

// Seal encrypts a value for its place. The result is a format byte, the nonce,
// the ciphertext and its tag: 29 bytes more than the value, whose length shows.
func (k DataKey) Seal(b Binding, plain String) ([]byte, error) {
	aad, err := k.aad(b)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", b.Field, err)
	}
	return k.aead.Seal([]byte{sealedFormat}, nil, []byte(plain.Reveal()), aad), nil
}

// Open decrypts what Seal made for the same place, or returns ErrSealed.
func (k DataKey) Open(b Binding, sealed []byte) (String, error) {
	aad, err := k.aad(b)
	if err != nil {
		return String{}, fmt.Errorf("open %s: %w", b.Field, err)
	}
	if len(sealed) == 0 || sealed[0] != sealedFormat {
		return String{}, fmt.Errorf("open %s: %w", b.Field, ErrSealed)
	}
	plain, err := k.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return String{}, fmt.Errorf("open %s: %w", b.Field, ErrSealed) // the cipher's own error says no more
	}
	return New(string(plain)), nil
}

func (k DataKey) aad(b Binding) ([]byte, error) {
	if k.aead == nil {
		return nil, fmt.Errorf("%w: no data key", ErrInvalid)
	}
	if err := checkParts(b.Organization, b.Record, b.Field); err != nil {
		return nil, fmt.Errorf("binding %q: %w", b, err)
	}
	return append([]byte{sealedFormat}, join(b.Organization, b.Record, b.Field)...), nil
}

// String implements fmt.Stringer.
func (DataKey) String() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the key.
func (DataKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and YAML.
func (DataKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (DataKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// Wrapper makes data keys and opens them again. Drivers live in sub-packages, and
// secrettest holds the suite that each one passes. All methods are safe for
// concurrent use; each may cost a call that is paid for, see Cached.
type Wrapper interface {
	// Generate makes a new data key for the owner.
	Generate(ctx context.Context, owner Owner) (DataKey, error)
	// Unwrap opens a wrapped data key of the owner, or returns ErrSealed.
	Unwrap(ctx context.Context, owner Owner, wrapped []byte) (DataKey, error)
	// Rewrap wraps the same data key by the newest master key, without showing it,
	// or returns ErrSealed: what the data key sealed stays as it is.
	Rewrap(ctx context.Context, owner Owner, wrapped []byte) ([]byte, error)
}
