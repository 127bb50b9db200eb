package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// lack ends the reading of an answer that does not say what AWS's answers always say.
type lack struct{ err error }

// Garbled ends the reading of an answer that cannot be understood, which makes a gap of
// what is read of it.
func Garbled(format string, args ...any) {
	panic(lack{fmt.Errorf("%w: %s", ErrGarbled, fmt.Sprintf(format, args...))})
}

// Required is the value of a member that AWS always gives. An answer without it says
// nothing: what is read of it is a gap, where the zero value could pass for fine. What
// AWS documents to be left out is read as it is, and has a line in
// testdata/absent.tsv, beside the collector's scenarios, where a verdict depends on it.
func Required[T any](member string, value *T) T {
	if value == nil {
		Garbled("no %s", member)
	}
	return *value
}

// RequiredText is Required for a text that is never empty, such as a name.
func RequiredText(member string, value *string) string {
	return RequiredWord(member, Required(member, value))
}

// RequiredWord is Required for the SDK's enumerations, which are not pointers.
func RequiredWord[T ~string](member string, value T) T {
	if value == "" {
		Garbled("no %s", member)
	}
	return value
}

// Optional is a text that AWS leaves out where there is none, and never sends empty.
func Optional(member string, value *string) string {
	if value == nil {
		return ""
	}
	return RequiredText(member, value)
}

// RequiredARN is Required for an ARN.
func RequiredARN(member string, value *string) string {
	text := RequiredText(member, value)
	if !strings.HasPrefix(text, "arn:") {
		Garbled("%s is no ARN: %q", member, text)
	}
	return text
}

// Count is a number that is not below 0; none is 0.
func Count(member string, value *int32) int {
	if value == nil {
		return 0
	}
	if *value < 0 {
		Garbled("%s is below 0: %d", member, *value)
	}
	return int(*value)
}

// RequiredList is Required for a list, which may well be empty.
func RequiredList[T any](member string, values []T) []T {
	if values == nil {
		Garbled("no %s", member)
	}
	return values
}

// Known is a word that must be one of those given, because what it means decides what is
// kept of an answer.
func Known[T ~string](member string, value T, words ...T) T {
	if !slices.Contains(words, value) {
		Garbled("%s has an unknown value: %q", member, value)
	}
	return value
}

// Prefix is a CIDR block.
func Prefix(member string, cidr *string) string {
	text := RequiredText(member, cidr)
	if _, err := netip.ParsePrefix(text); err != nil {
		Garbled("%s: %v", member, err)
	}
	return text
}

// Prefixes are CIDR blocks, each of which is one.
func Prefixes(member string, cidrs []string) []string {
	for _, cidr := range cidrs {
		Prefix(member, &cidr)
	}
	return cidrs
}

// From reads a fact from an item that a listing gave.
func From[Item, T any](r *Reading, item Item, pick func(Item) T) fact.Of[T] {
	return Ask(r, func(context.Context) (T, error) {
		value, err := recovering(func() (T, error) { return pick(item), nil })
		if err != nil {
			err = fmt.Errorf("%s: %w", reflect.TypeFor[Item](), err)
		}
		return value, err
	})
}

type bodyKey struct{}

// KeepBody is an API option of clients whose answers are asked by RequiredMember.
func KeepBody(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("cloudarq.KeepBody",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			response, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok || response.Body == nil {
				return out, metadata, err
			}
			body, err := io.ReadAll(response.Body)
			err = errors.Join(err, response.Body.Close())
			response.Body = io.NopCloser(bytes.NewReader(body))
			metadata.Set(bodyKey{}, body)
			return out, metadata, err
		}), middleware.After)
}

// RequiredMember is Required for a member of an answer that the SDK makes a plain value,
// false or 0 where AWS did not give it. Such an answer is of a client with KeepBody. In
// XML the path is the last part of the way to the member.
func RequiredMember[T any](answer middleware.Metadata, value T, path ...string) T {
	return Required(strings.Join(path, "."), Member(answer, value, path...))
}

// Member is RequiredMember, and nil for a member that AWS did not give.
func Member[T any](answer middleware.Metadata, value T, path ...string) *T {
	body, kept := answer.Get(bodyKey{}).([]byte)
	switch {
	case !kept: // nothing was sent: a fake's
		return &value
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		if !hasElement(body, path) {
			return nil
		}
		return &value
	}
	member := json.RawMessage(body)
	for _, name := range path {
		if member = inside(member, name); member == nil || string(member) == "null" {
			return nil
		}
	}
	return &value
}

// hasElement reports whether an XML document has an element at a path that ends so.
func hasElement(body []byte, path []string) bool {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var at []string
	for {
		token, err := decoder.Token()
		if err != nil {
			return false // the end; the SDK has read it all
		}
		switch token := token.(type) {
		case xml.StartElement:
			if at = append(at, token.Name.Local); len(at) >= len(path) && slices.Equal(at[len(at)-len(path):], path) {
				return true
			}
		case xml.EndElement:
			at = at[:len(at)-1]
		}
	}
}

// inside is a member of an object, or an element of a list by its number; nil if there
// is none.
func inside(whole json.RawMessage, name string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(whole, &members) == nil {
		return members[name]
	}
	var elements []json.RawMessage
	i, err := strconv.Atoi(name)
	if err != nil || json.Unmarshal(whole, &elements) != nil || i < 0 || i >= len(elements) {
		return nil
	}
	return elements[i]
}

// RequiredEntries wants each entry of a map in an XML answer to have a key and a value:
// the SDK reads one without a value as if it were 0, or empty. The answer is of a client
// with KeepBody.
func RequiredEntries(answer middleware.Metadata, member string) {
	body, kept := answer.Get(bodyKey{}).([]byte)
	if !kept {
		return
	}
	type entry struct {
		Key   string  `xml:"key"`
		Value *string `xml:"value"`
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return // the end; the SDK has read it all
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "entry" {
			var e entry
			if err := decoder.DecodeElement(&e, &start); err != nil || e.Key == "" || e.Value == nil {
				Garbled("%s has an entry without key or value", member)
			}
		}
	}
}
