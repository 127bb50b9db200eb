package people

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrCursor says that a text is no cursor of what it is for.
var ErrCursor = errors.New("the cursor is none of this list and caller")

// cursorFormat is the first byte of a sealed cursor.
const cursorFormat = 1

// cursorKeys are of a key of access tokens: those of the cipher and of its nonces. Whoever
// has them can read where lists go on, and can sign nothing.
func (k tokenKey) cursorKeys() (aead cipher.AEAD, nonces []byte, err error) {
	seed := k.private().Seed()
	defer clear(seed)
	key, e1 := hkdf.Key(sha256.New, seed, nil, "cloudarq cursors", 32)
	nonces, e2 := hkdf.Key(sha256.New, seed, nil, "cloudarq cursors: nonces", 32)
	if err := errors.Join(e1, e2); err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err = cipher.NewGCM(block)
	return aead, nonces, err
}

// SealCursor seals where a list goes on, since that may name what its reader must not see,
// for one list and reader. The same cursor is the same text each time, so that an answer with
// it is: the nonce is a MAC of all that is sealed (as in AES-SIV, RFC 5297, which the standard
// library has not). The keys are those of access tokens, and cursors end with them.
func (t *AccessTokens) SealCursor(ctx context.Context, about, cursor string) (string, error) {
	k, err := t.signer(ctx)
	if err != nil {
		return "", fmt.Errorf("seal a cursor: %w", err)
	}
	aead, nonces, err := k.cursorKeys()
	if err != nil {
		return "", fmt.Errorf("seal a cursor: %w", err)
	}
	mac := hmac.New(sha256.New, nonces)
	_ = binary.Write(mac, binary.BigEndian, uint64(len(about)))
	mac.Write([]byte(about))
	mac.Write([]byte(cursor))
	out := binary.AppendUvarint([]byte{cursorFormat}, uint64(k.Number)) //nolint:gosec // it counts from 1 on
	nonce := mac.Sum(nil)[:aead.NonceSize()]
	out = append(out, nonce...)
	return base64.RawURLEncoding.EncodeToString(aead.Seal(out, nonce, []byte(cursor), []byte(about))), nil
}

// OpenCursor is the inverse of SealCursor, or ErrCursor.
func (t *AccessTokens) OpenCursor(ctx context.Context, about, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") || len(raw) < 2 || raw[0] != cursorFormat { // the decoder passes over line ends
		return "", ErrCursor
	}
	number, n := binary.Uvarint(raw[1:])
	if n <= 0 {
		return "", ErrCursor
	}
	raw = raw[1+n:]
	k, err := t.numbered(ctx, number)
	if err != nil {
		return "", err
	}
	aead, _, err := k.cursorKeys()
	if err != nil {
		return "", fmt.Errorf("open a cursor: %w", err)
	}
	if len(raw) < aead.NonceSize() {
		return "", ErrCursor
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(about))
	if err != nil {
		return "", ErrCursor // the cipher's own error says no more
	}
	return string(plain), nil
}

// numbered is one of the keys that are good, or ErrCursor.
func (t *AccessTokens) numbered(ctx context.Context, number uint64) (tokenKey, error) {
	keys, _, err := t.read(ctx, keysRead)
	if err != nil {
		return tokenKey{}, fmt.Errorf("open a cursor: %w", err)
	}
	for _, k := range keys {
		if uint64(k.Number) == number { //nolint:gosec // it counts from 1 on
			return k, nil
		}
	}
	return tokenKey{}, ErrCursor
}
