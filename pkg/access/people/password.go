package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Params is how much work a password's hash is (RFC 9106, section 3.1).
type Params struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// Standard is what passwords are hashed with. It is more than the least that OWASP asks
// for, 19 MiB and two passes
// (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html, read
// on 30 November 2026), and as much as a function of 512 MB carries, which has 0.29 of a
// processor (a whole one comes with 1,769 MB,
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
//
// BenchmarkHasher with -tags purego (there is no assembly for arm64, which the function
// runs on), two at once, on an AMD EPYC, 30 November 2026: 38 ms of a processor each, which
// would be 0.13 s of the function's, or 0.26 s for two; the process never had more than 137
// MiB, garbage included. TestPeakMemory holds it to 256.
var Standard = Params{Memory: 32 * 1024, Passes: 2, Lanes: 1}

const (
	atOnce  = 2 // hashes, in a process
	saltLen = 16
	keyLen  = 32
)

// What a stored hash may ask for: a record that was altered must not take the memory of
// the process.
var most = Params{Memory: 128 * 1024, Passes: 16, Lanes: 16}

// ErrHash says that what is stored for a password is no hash that this package made.
var ErrHash = errors.New("no argon2id hash")

// Hasher hashes passwords with argon2id, at most two at a time: whoever comes then waits.
// A process has one. Make it with NewHasher.
type Hasher struct {
	params Params
	slots  chan struct{}
	nobody model.Hidden
}

// NewHasher makes a hasher that makes new hashes with p, and knows those that were made
// with others.
func NewHasher(p Params) *Hasher {
	// Of no password: nobody can find one that has this hash.
	nobody := model.Hidden(phc{p, random(saltLen), random(keyLen)}.String())
	return &Hasher{params: p, slots: make(chan struct{}, atOnce), nobody: nobody}
}

// Hash gives what is stored for a password, in the PHC string format
// (https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md). It does not ask
// whether the password is a good one; CheckPassword does. The error is that of ctx, or a
// *WeakPasswordError for what is no text.
func (h *Hasher) Hash(ctx context.Context, password secret.String) (model.Hidden, error) {
	text, ok := normalize(password.Reveal())
	if !ok {
		return nil, weak(PasswordCharacters, "the password is no text of at most %d characters", MaxPassword)
	}
	made := phc{Params: h.params, salt: random(saltLen)}
	key, err := h.derive(ctx, made, text)
	if err != nil {
		return nil, err
	}
	made.key = key
	return model.Hidden(made.String()), nil
}

// Verify reports whether stored is the hash of the password, and whether it should be
// replaced, because new ones are more work. A stored hash that is empty is that of nobody:
// the answer is no, and takes as long as for somebody whose hash is as new ones are. The
// error is that of ctx, or ErrHash.
//
// Once new hashes are more work than before, a refusal that comes sooner tells that
// somebody has a password, and has not signed in since; limits bound how often that is
// asked.
func (h *Hasher) Verify(ctx context.Context, stored model.Hidden, password secret.String) (match, stale bool, err error) {
	known := len(stored) > 0
	if !known {
		stored = h.nobody
	}
	kept, err := parsePHC(string(stored))
	if err != nil {
		return false, false, err
	}
	text, ok := normalize(password.Reveal())
	key, err := h.derive(ctx, kept, text)
	if err != nil {
		return false, false, err
	}
	match = subtle.ConstantTimeCompare(key, kept.key) == 1 && ok && known
	return match, match && kept.Params != h.params, nil
}

func (h *Hasher) derive(ctx context.Context, p phc, text string) ([]byte, error) {
	if err := ctx.Err(); err != nil { // select takes any that is ready
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("hash a password: %w", ctx.Err())
	}
	n := uint32(keyLen)
	if len(p.key) > 0 {
		n = uint32(len(p.key))
	}
	return argon2.IDKey([]byte(text), p.salt, p.Passes, p.Memory, p.Lanes, n), nil
}

// maxPasswordBytes is more than any password has that is accepted, however its characters
// are composed.
const maxPasswordBytes = 16 * MaxPassword

// normalize gives the text that is hashed: the same on whatever keyboard it is typed. It is
// the profile of RFC 8265, section 4.2, for passwords, which NIST asks for, too (SP
// 800-63B-4, section 3.1.1.2, https://pages.nist.gov/800-63-4/sp800-63b.html): all blanks
// are one, and letters are composed (NFC). It is false for what is no text, or too much;
// what else that profile refuses, CheckPassword does.
func normalize(password string) (string, bool) {
	if len(password) > maxPasswordBytes || !utf8.ValidString(password) {
		return "", false
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, password)), true
}

// phc is a hash with all that it takes to make it again.
type phc struct {
	Params
	salt, key []byte
}

var b64 = base64.RawStdEncoding.Strict()

// String is the PHC string.
func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Passes, p.Lanes,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

func parsePHC(text string) (p phc, err error) {
	parts := strings.Split(text, "$")
	if len(text) > 512 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, ErrHash
	}
	var lanes uint32
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return phc{}, ErrHash
	}
	for i, c := range []struct {
		name  string
		most  uint32
		value *uint32
	}{{"m=", most.Memory, &p.Memory}, {"t=", most.Passes, &p.Passes}, {"p=", uint32(most.Lanes), &lanes}} {
		digits, ok := strings.CutPrefix(cost[i], c.name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n < 1 || n > uint64(c.most) {
			return phc{}, ErrHash
		}
		*c.value = uint32(n)
	}
	p.Lanes = uint8(lanes)
	if p.salt, err = b64.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return phc{}, ErrHash
	}
	if p.key, err = b64.DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return phc{}, ErrHash
	}
	if p.String() != text { // there is one way to write each
		return phc{}, ErrHash
	}
	return p, nil
}

// random gives n bytes that nobody can guess. It cannot fail: the runtime ends the process
// first (https://pkg.go.dev/crypto/rand#Read).
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
