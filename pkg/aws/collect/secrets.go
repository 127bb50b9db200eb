package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/secretscan"
)

// SearchLimit is how many bytes are looked at for one resource. AWS takes 16 KB of
// user data, 64 KB of a task definition and 4 KB of a function's environment; what
// gzip makes of 16 KB can be a thousand times as much.
const SearchLimit = 64 << 10

// Search looks for credentials in what belongs to one resource. What might hold one
// is reduced to whether it looks like one, while it is decoded; the value itself is
// never kept. A search looks at SearchLimit bytes at most, unpacks as many that are
// packed in them, and ends with its context. Whoever finds nothing must ask Gap whether
// all was looked at.
type Search struct {
	ctx  context.Context
	left int
	cut  bool // there was more than is looked at
	torn bool // something could not be unpacked
	late bool // the context ended
	scan secretscan.Scan
}

// NewSearch begins the search of one resource.
func NewSearch(ctx context.Context) *Search {
	return &Search{ctx: ctx, left: SearchLimit, scan: secretscan.Scan{Unpack: SearchLimit}}
}

// Whole reports whether all was looked at.
func (s *Search) Whole() bool { return !s.late && !s.torn && !s.cut }

// looked takes over what a scan could not look at.
func (s *Search) looked(found bool) bool {
	s.cut, s.torn = s.cut || s.scan.Cut, s.torn || s.scan.Torn
	return found
}

// Gap says why not all was looked at, and is nil if all was. operation is the call
// that gave it, such as "ec2:DescribeInstanceAttribute".
func (s *Search) Gap(session *Session, operation string) *fact.Gap {
	gap := fact.Gap{Reason: fact.NotCollected, Operation: operation, Region: session.Region}
	switch {
	case s.late:
		gap.Reason, gap.Detail = fact.Timeout, "time was up before all of it was looked at"
	case s.torn:
		gap.Detail = "it could not be unpacked to its end"
	case s.cut:
		gap.Detail = "only the first 64 KiB were looked at"
	default:
		return nil
	}
	return &gap
}

// Searched is what a search came to. That there is a credential is known from any
// part; that there is none, from the whole alone.
func Searched[T any](session *Session, s *Search, operation string, value T, found bool) fact.Of[T] {
	if gap := s.Gap(session, operation); gap != nil && !found {
		return fact.Unknown[T](*gap)
	}
	return fact.Known(value)
}

// take is as much of a text as may be looked at.
func (s *Search) take(text string) string {
	if s.ctx.Err() != nil {
		s.late = true
		return ""
	}
	if len(text) > s.left {
		s.cut = true
		text = text[:s.left]
	}
	s.left -= len(text)
	return text
}

// Text reports whether a text holds what looks like a credential.
func (s *Search) Text(text string) bool {
	return s.looked(s.scan.Text(s.take(text)))
}

// UserData reports whether user data, as AWS gives it in base64, holds what looks
// like a credential. cloud-init also takes it packed by gzip.
func (s *Search) UserData(encoded string) bool {
	if s.ctx.Err() != nil {
		s.late = true
		return false
	}
	most := int64(s.left) + 1 // one more shows that there is more
	data, err := io.ReadAll(io.LimitReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(encoded)), most))
	if err != nil {
		return s.Text(encoded) // in the clear
	}
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		// What could be unpacked of a damaged file is still worth a look.
		data, err = io.ReadAll(io.LimitReader(packed, most))
		s.torn = s.torn || err != nil
	}
	return s.Text(string(data))
}

// Names lists, sorted, the settings whose value looks like a credential, or whose
// name says that it is one.
func (s *Search) Names(settings map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		short, value := s.take(name), s.take(settings[name])
		if s.looked(s.scan.Setting(short, value)) {
			names = append(names, name)
		}
	}
	return names
}
