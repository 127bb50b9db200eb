package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// Query asks for the items of one partition whose sort key begins with a prefix, or
// lies before a bound.
type Query struct {
	// Index takes PK, Prefix and Before as those of Item.Index instead of Item.Key.
	Index bool
	// PK is the partition; required.
	PK string
	// Prefix is what sort keys begin with, as bytes: "a#1" also finds "a#10".
	// End it with the separator (see Under) to ask for "a#1#…" only. Empty
	// finds the whole partition.
	Prefix string
	// Before is what sort keys are less than, as bytes; empty is no bound. It does
	// not go with a prefix.
	Before string
	// Desc returns the highest sort key first.
	Desc bool
	// Limit is the most items of a page, at most MaxLimit; 0 means 100.
	Limit int
	// Cursor continues after an earlier page of the same query; only Limit may
	// differ. It is neither secret nor signed: seal it before it leaves the house.
	Cursor string
}

// Page is a part of a query's answer.
type Page struct {
	Items []Item
	// Cursor continues the query; empty means that this was the last page.
	Cursor string
}

// Position is the item after which a page begins. Index is zero on the primary path.
type Position struct {
	Key, Index Key
}

// Check returns ErrInvalid with the reason if no driver would accept the query.
// It does not look at the cursor; Position does.
func (q Query) Check() error {
	if err := checkPart("partition key", q.PK, MaxPK); err != nil {
		return err
	}
	if err := checkText("prefix", q.Prefix, MaxSK); err != nil {
		return err
	}
	if err := checkText("bound", q.Before, MaxSK); err != nil {
		return err
	}
	if q.Before != "" && q.Prefix != "" {
		return fmt.Errorf("%w: a prefix and a bound", ErrInvalid)
	}
	if q.Limit < 0 || q.Limit > MaxLimit {
		return fmt.Errorf("%w: limit %d is not in 0-%d", ErrInvalid, q.Limit, MaxLimit)
	}
	return nil
}

// PageSize is the limit that applies.
func (q Query) PageSize() int {
	if q.Limit == 0 {
		return defLimit
	}
	return q.Limit
}

// String shows the query for messages.
func (q Query) String() string {
	path := "primary"
	if q.Index {
		path = "index"
	}
	if q.Before != "" {
		return fmt.Sprintf("%s %q/<%q", path, q.PK, q.Before)
	}
	return fmt.Sprintf("%s %q/%q*", path, q.PK, q.Prefix)
}

// CursorAfter is how drivers make the cursor of a page that ends with last.
func (q Query) CursorAfter(last Item) string {
	parts := []string{last.SK}
	if q.Index {
		parts = []string{last.SK, last.PK, last.Index.SK}
	}
	var pos []byte
	for _, s := range parts {
		pos = appendPart(pos, s)
	}
	return base64.RawURLEncoding.EncodeToString(append(q.bind(pos), pos...))
}

// Position is how drivers read the cursor: where to continue, or false if the
// query has none. It returns ErrCursor for a cursor of another query.
func (q Query) Position() (Position, bool, error) {
	if q.Cursor == "" {
		return Position{}, false, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || strings.ContainsAny(q.Cursor, "\r\n") || // which the decoder passes over
		len(raw) < sumLen || !bytes.Equal(raw[:sumLen], q.bind(raw[sumLen:])) {
		return Position{}, false, fmt.Errorf("query %s: %w", q, ErrCursor)
	}
	rest := raw[sumLen:]
	var parts []string
	for len(rest) > 0 {
		var s string
		var ok bool
		if s, rest, ok = cutPart(rest); !ok {
			return Position{}, false, fmt.Errorf("query %s: %w", q, ErrCursor)
		}
		parts = append(parts, s)
	}
	p := Position{}
	switch {
	case !q.Index && len(parts) == 1:
		p.Key = Key{PK: q.PK, SK: parts[0]}
	case q.Index && len(parts) == 3:
		p.Key, p.Index = Key{PK: parts[1], SK: parts[0]}, Key{PK: q.PK, SK: parts[2]}
	default:
		return Position{}, false, fmt.Errorf("query %s: %w", q, ErrCursor)
	}
	return p, true, nil
}

const sumLen = 16

// bind is a digest of the query and the position: it ties a cursor to both.
func (q Query) bind(pos []byte) []byte {
	b := []byte{1, 0} // format version, flags
	if q.Index {
		b[1] |= 1
	}
	if q.Desc {
		b[1] |= 2
	}
	b = appendPart(b, q.PK)
	b = appendPart(b, q.Prefix)
	if q.Before != "" {
		b = appendPart(b, q.Before)
	}
	sum := sha256.Sum256(append(b, pos...))
	return sum[:sumLen]
}

func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutPart(b []byte) (string, []byte, bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return "", nil, false
	}
	end := w + int(n)
	return string(b[w:end]), b[end:], true
}

var escape = strings.NewReplacer("%", "%25", "#", "%23")

// Path joins parts to a key by "#". A "#" within a part (names of log groups
// have it) becomes "%23" and a "%" becomes "%25", so that parts cannot run into
// each other. Every part should be non-empty.
func Path(parts ...string) string {
	for i, p := range parts {
		if strings.ContainsAny(p, "%#") {
			parts = append([]string(nil), parts...)
			parts[i] = escape.Replace(p)
		}
	}
	return strings.Join(parts, "#")
}

var unescape = strings.NewReplacer("%23", "#", "%25", "%")

// Split is the inverse of Path.
func Split(path string) []string {
	parts := strings.Split(path, "#")
	for i, p := range parts {
		parts[i] = unescape.Replace(p)
	}
	return parts
}
