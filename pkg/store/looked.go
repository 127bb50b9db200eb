package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Names is a set of names. It keeps four bytes of each, since it is written with every
// audit: of a thousand names, the chance that a new one passes for one of them is one
// in four million.
type Names []uint32

// NewNames makes a set.
func NewNames(names ...string) Names {
	set := make(Names, 0, len(names))
	for _, name := range names {
		set = append(set, short(name))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func short(name string) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return hash.Sum32()
}

// Has reports whether a name is in the set.
func (n Names) Has(name string) bool {
	_, found := slices.BinarySearch(n, short(name))
	return found
}

// and is two sets as one.
func (n Names) and(more Names) Names {
	set := slices.Concat(n, more)
	slices.Sort(set)
	return slices.Compact(set)
}

// covers reports whether all of some are in the set.
func (n Names) covers(some Names) bool {
	return !slices.ContainsFunc(some, func(one uint32) bool {
		_, found := slices.BinarySearch(n, one)
		return !found
	})
}

// Today is the set with each check under the id that it has today, and without those
// that are gone. Of each list the first is a check's id, and the others are those that
// it had before.
func (n Names) Today(checks [][]string) Names {
	var set []string
	for _, ids := range checks {
		if slices.ContainsFunc(ids, n.Has) {
			set = append(set, ids[0])
		}
	}
	return NewNames(set...)
}

// Renamed is the set with each check under the id that it has today, and with those that
// are gone under the ids that they had. The lists are those of Today.
func (n Names) Renamed(checks [][]string) Names {
	known := NewNames(slices.Concat(checks...)...)
	gone := slices.DeleteFunc(slices.Clone(n), func(one uint32) bool { return known.covers(Names{one}) })
	return gone.and(n.Today(checks))
}

// MarshalJSON writes the set as text.
func (n Names) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 4*len(n))
	for _, one := range n {
		data = binary.BigEndian.AppendUint32(data, one)
	}
	return json.Marshal(base64.RawStdEncoding.EncodeToString(data))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (n *Names) UnmarshalJSON(text []byte) error {
	var encoded string
	if err := json.Unmarshal(text, &encoded); err != nil {
		return fmt.Errorf("decode a set of names: %w", err)
	}
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("decode a set of names: %w", err)
	}
	if len(data)%4 != 0 {
		return fmt.Errorf("decode a set of names: %d bytes", len(data))
	}
	*n = Names{}
	for ; len(data) > 0; data = data[4:] {
		*n = append(*n, binary.BigEndian.Uint32(data))
	}
	return nil
}

// Look is checks, each of which looked at each of some regions.
type Look struct {
	Checks  Names `json:"checks"`
	Regions Names `json:"regions"`
}

// NewLook is the look of some checks at some regions.
func NewLook(checks, regions []string) Look {
	return Look{NewNames(checks...), NewNames(regions...)}
}

// At reports whether a check looked at a region, or for what is of no region, at all.
func (l Look) At(check, region string) bool {
	return l.Checks.Has(check) && (region == model.Global || l.Regions.Has(region))
}

// and is two looks as one.
func (l Look) and(k Look) Look { return Look{k.Checks.and(l.Checks), k.Regions.and(l.Regions)} }

// mostLooks bounds what a record keeps apart. Beyond it looks are put together, as if
// all of their checks had looked at all of their regions: at worst, what is no news is
// told once.
const mostLooks = 16

// AddLook adds what was looked at to what was before.
func AddLook(looks []Look, l Look) []Look {
	if len(l.Checks) == 0 || len(l.Regions) == 0 {
		return looks
	}
	var kept []Look
	for _, k := range looks {
		more, wider := k.Checks.covers(l.Checks), k.Regions.covers(l.Regions)
		within, narrower := l.Checks.covers(k.Checks), l.Regions.covers(k.Regions)
		switch {
		case more && wider:
			return looks
		case within && narrower: // it says nothing more
		case more && within, wider && narrower:
			l = l.and(k)
		default:
			kept = append(kept, k)
		}
	}
	if kept = append(kept, l); len(kept) > mostLooks {
		kept[1] = kept[1].and(kept[0])
		kept = kept[1:]
	}
	return kept
}
