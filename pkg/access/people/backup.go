package people

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Backup codes stand in for an app that was lost: ten, each good once, and all made anew at
// once. They have 80 bits, which nobody goes through, so that a salted SHA-256 keeps them:
// NIST asks for a salt where there are fewer than 112, and for little work (SP 800-63B-4,
// section 3.1.2.2, https://pages.nist.gov/800-63-4/sp800-63b.html).
const (
	backupCodes = 10
	backupBytes = 10 // 16 characters of base32
	backupGroup = 4  // characters between hyphens
	backupSalt  = 16 // bytes before each hash
)

// crockford is base32 with the digits and letters that people do not take for each other
// (https://www.crockford.com/base32.html, read on 30 November 2026), in lower case.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewBackupCodes makes codes, as they are shown once: "7k3m-9q2x-…"; and the hashes that
// are kept, in an order that tells nothing of theirs.
func NewBackupCodes() (codes []secret.String, hashes []model.Hidden) {
	for range backupCodes {
		plain := crockford.EncodeToString(random(backupBytes))
		var groups []string
		for group := range slices.Chunk([]byte(plain), backupGroup) {
			groups = append(groups, string(group))
		}
		codes = append(codes, secret.New(strings.Join(groups, "-")))
		hashes = append(hashes, hashBackupCode(random(backupSalt), plain))
	}
	slices.SortFunc(hashes, func(a, b model.Hidden) int { return bytes.Compare(a, b) })
	return codes, hashes
}

// UseBackupCode gives the hashes that are left when a code that somebody typed is used, or
// ErrCode. They are to be stored before anything is granted, by a write that fails if
// somebody else has used one meanwhile. The code is read as people write: in any case, with
// or without hyphens and blanks, with o for 0, and i or l for 1.
func UseBackupCode(hashes []model.Hidden, code secret.String) (left []model.Hidden, err error) {
	plain, ok := readBackupCode(code.Reveal())
	used := -1
	for i, hash := range hashes {
		salt := hash[:min(backupSalt, len(hash))]
		if subtle.ConstantTimeCompare(hash, hashBackupCode(salt, plain)) == 1 {
			used = i
		}
	}
	if !ok || used < 0 {
		return nil, ErrCode
	}
	return slices.Delete(slices.Clone(hashes), used, used+1), nil
}

// readBackupCode is a code as it is hashed. It is false for what can be none.
func readBackupCode(typed string) (plain string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	plain = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(typed))
	raw, err := crockford.DecodeString(plain)
	return plain, err == nil && len(raw) == backupBytes && crockford.EncodeToString(raw) == plain
}

// hashBackupCode is the salt and the hash.
func hashBackupCode(salt []byte, plain string) model.Hidden {
	sum := sha256.Sum256(append(slices.Clone(salt), plain...))
	return append(slices.Clone(salt), sum[:]...)
}
