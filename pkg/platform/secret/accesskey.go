package secret

import (
	"errors"
	"regexp"
)

// AccessKey is the long-lived access key of an IAM user. Both parts are secrets:
// the id is none to AWS, but of no use to anybody who should not have the other.
type AccessKey struct {
	ID     String
	Secret String
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
var (
	longLived = regexp.MustCompile(`^AKIA[A-Z0-9]{12,124}$`)
	temporary = regexp.MustCompile(`^ASIA[A-Z0-9]{12,124}$`)
	keySecret = regexp.MustCompile(`^[A-Za-z0-9/+=]{16,128}$`)
)

// What Check answers; compare with errors.Is.
var (
	ErrTemporaryKey = errors.New("the access key is a temporary one, which ends within hours; give the access key of an IAM user, whose id begins with AKIA")
	ErrKeyID        = errors.New("the access key id is none of AWS's: want AKIA and 12 or more capital letters and digits")
	ErrKeySecret    = errors.New("the secret access key is none of AWS's: want 16 to 128 letters, digits and /+=")
)

// Check returns what is wrong with the form of the key, in a sentence that does not
// quote it.
func (k AccessKey) Check() error {
	switch id := k.ID.Reveal(); {
	case temporary.MatchString(id):
		return ErrTemporaryKey
	case !longLived.MatchString(id):
		return ErrKeyID
	case !keySecret.MatchString(k.Secret.Reveal()):
		return ErrKeySecret
	}
	return nil
}

// Empty reports whether there is no key at all.
func (k AccessKey) Empty() bool { return k.ID.Empty() && k.Secret.Empty() }

// suffixLength is how much of an id is shown: as much as tells the two keys of a
// user apart.
const suffixLength = 4

// Suffix is the end of the id, by which people tell keys apart; it is no secret. It
// is empty unless the id has the form of one: what was given in its place by mistake
// may be the secret.
func (k AccessKey) Suffix() string {
	id := k.ID.Reveal()
	if !longLived.MatchString(id) {
		return ""
	}
	return id[len(id)-suffixLength:]
}
