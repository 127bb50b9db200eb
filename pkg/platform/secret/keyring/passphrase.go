package keyring

import (
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"golang.org/x/crypto/argon2"
)

// derivation is how a key is made of the passphrase, as the file says it.
type derivation struct {
	KDF     string `json:"kdf"`
	Time    uint32 `json:"time"`       // passes
	Memory  uint32 `json:"memory_kib"` // KiB
	Threads uint8  `json:"threads"`
	Salt    []byte `json:"salt"`
}

// The second choice of RFC 9106, section 4, for where 2 GiB of memory are too
// much: about a tenth of a second. Files keep the numbers they were made with.
const (
	kdf        = "argon2id"
	kdfTime    = 3
	kdfMemory  = 64 << 10
	kdfThreads = 4
	saltSize   = 16
)

// What a file may ask for at most, so that a false one cannot take all memory.
const (
	maxTime   = 100
	maxMemory = 4 << 20
)

func newDerivation() *derivation {
	d := &derivation{KDF: kdf, Time: kdfTime, Memory: kdfMemory, Threads: kdfThreads, Salt: make([]byte, saltSize)}
	_, _ = rand.Read(d.Salt) // never fails
	return d
}

// passphraseCipher is what seals the master keys of the file; nil if they lie
// there plain. It returns ErrPassphrase if one is missing or not wanted; whether
// it is the right one, the keys say.
func (c content) passphraseCipher(passphrase secret.String) (cipher.AEAD, error) {
	d := c.Passphrase
	switch {
	case d == nil && passphrase.Empty():
		return nil, nil
	case d == nil:
		return nil, fmt.Errorf("%w: it was made without one", ErrPassphrase)
	case passphrase.Empty():
		return nil, fmt.Errorf("%w: it needs one, and none was given", ErrPassphrase)
	case d.KDF != kdf, d.Time == 0, d.Time > maxTime, d.Memory == 0, d.Memory > maxMemory, d.Threads == 0, len(d.Salt) < saltSize:
		return nil, fmt.Errorf("%w: a key is made of its passphrase in another way", ErrDamaged)
	}
	key := argon2.IDKey([]byte(passphrase.Reveal()), d.Salt, d.Time, d.Memory, d.Threads, secret.KeySize)
	defer clear(key)
	return secret.NewCipher(key)
}
