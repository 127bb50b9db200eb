package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
)

// Looked is a set of names, such as of the checks that a scope was looked at by. It
// keeps four bytes of each, since it is written with every audit: of a thousand names,
// the chance that a new one passes for one of them is one in four million.
type Looked []uint32

func short(name string) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return hash.Sum32()
}

// Has reports whether a name is in the set.
func (l Looked) Has(name string) bool {
	_, found := slices.BinarySearch(l, short(name))
	return found
}

// With is the set with a name more.
func (l Looked) With(name string) Looked {
	at, found := slices.BinarySearch(l, short(name))
	if found {
		return l
	}
	return slices.Insert(slices.Clone(l), at, short(name))
}

// MarshalJSON writes the set as text.
func (l Looked) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 4*len(l))
	for _, one := range l {
		data = binary.BigEndian.AppendUint32(data, one)
	}
	return json.Marshal(base64.RawStdEncoding.EncodeToString(data))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *Looked) UnmarshalJSON(text []byte) error {
	var encoded string
	if err := json.Unmarshal(text, &encoded); err != nil {
		return fmt.Errorf("decode a set of names: %w", err)
	}
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil || len(data)%4 != 0 {
		return fmt.Errorf("decode a set of names: %d bytes, %w", len(data), err)
	}
	*l = Looked{}
	for ; len(data) > 0; data = data[4:] {
		*l = append(*l, binary.BigEndian.Uint32(data))
	}
	return nil
}
