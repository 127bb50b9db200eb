package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Kind is how many records of a kind a table holds, and what they say.
type Kind struct {
	Name string `json:"kind"` // "CONNECTION"; "?" of keys that this version does not make
	// Records is how many there are.
	Records int `json:"records"`
	// Digest is the sum, modulo 2^256, of the SHA-256 of each record: its keys, version,
	// body and expiry. It is the same for the same records in any order.
	Digest string `json:"digest"`
}

// Inventory counts the records of all organizations by their kind, in the order of the
// names, so that a table that was restored or moved can be compared with what it was.
func Inventory(items iter.Seq2[table.Item, error]) ([]Kind, error) {
	type sum struct {
		records int
		digest  [sha256.Size]byte
	}
	sums := map[string]*sum{}
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		_, kind := kindOf(item.PK)
		if sums[kind] == nil {
			sums[kind] = &sum{}
		}
		sums[kind].records++
		add(&sums[kind].digest, digestOf(item))
	}
	var kinds []Kind
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		kinds = append(kinds, Kind{name, sums[name].records, hex.EncodeToString(sums[name].digest[:])})
	}
	return kinds, nil
}

// What keys begin with that are of no organization.
const (
	installationPart = "I" // I#<kind>
	personPart       = "P" // P#<person>, and P#<person>#<kind>
	emailPart        = "E" // E#<hash of an e-mail address>
	leadPart         = "K" // K#<public id>
	limitPart        = "L" // L#<limit>#<hash of a subject>
	directoryPart    = "D" // D#ORGANIZATIONS
)

// keyKind is the kind of data keys.
const keyKind = "KEY"

// kindOf is whose records a partition has, and of which kind. Those of people are of no
// organization.
func kindOf(pk string) (model.OrganizationID, string) {
	parts := table.Split(pk)
	if slices.Contains(parts, "") {
		return "", "?"
	}
	switch n := len(parts); {
	case parts[0] == "O" && n >= 3:
		return model.OrganizationID(parts[1]), parts[2]
	case parts[0] == installationPart && n >= 2:
		return InstallationOwner, parts[1]
	case parts[0] == personPart && n == 2:
		return "", "PERSON"
	case parts[0] == personPart && n >= 3:
		return "", parts[2]
	case parts[0] == emailPart && n == 2:
		return "", "EMAIL"
	case parts[0] == leadPart && n == 2:
		return "", "LEAD"
	case parts[0] == limitPart && n == 3:
		return "", "LIMIT"
	case parts[0] == directoryPart && n == 2:
		return "", parts[1]
	}
	return "", "?"
}

// digestOf is the digest of all that an item says, each part after its length.
func digestOf(item table.Item) (digest [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range []string{item.PK, item.SK, item.Index.PK, item.Index.SK, string(item.Body)} {
		_ = binary.Write(h, binary.BigEndian, int64(len(part))) // never fails
		_, _ = h.Write([]byte(part))
	}
	_ = binary.Write(h, binary.BigEndian, []int64{item.Version, item.ExpiresUnix()})
	h.Sum(digest[:0])
	return digest
}

// add adds b to a, modulo 2^256.
func add(a *[sha256.Size]byte, b [sha256.Size]byte) {
	carry := 0
	for i := len(a) - 1; i >= 0; i-- {
		carry += int(a[i]) + int(b[i])
		a[i] = byte(carry) //nolint:gosec // the lowest eight bits are what stays
		carry >>= 8
	}
}
