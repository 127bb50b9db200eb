// Package fact holds the answers of AWS: a value that was read, or a gap that
// says why it was not. A value that could not be read is neither secure nor
// insecure, so the two can never be confused: there is no way from a gap to a
// zero value.
package fact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Reason classifies why a value is missing. The words are part of the API.
type Reason string

// The reasons a value can be missing.
const (
	Denied         Reason = "denied"          // the audit role lacks the permission
	SCPDenied      Reason = "scp_denied"      // an organization's policy forbids the call
	ResourceDenied Reason = "resource_denied" // the resource's own policy forbids the call, whatever the role allows
	Expired        Reason = "expired"         // the credentials ended before the audit did
	Throttled      Reason = "throttled"       // AWS kept refusing for rate until retries ran out
	Unsupported    Reason = "unsupported"     // the region or partition does not offer the operation
	RegionDisabled Reason = "region_disabled" // the account has not enabled the region
	NotEnabled     Reason = "not_enabled"     // the service answers only after it was enabled
	Timeout        Reason = "timeout"         // no answer within the time given to the call or the task
	OverBudget     Reason = "call_budget"     // the audit had made as many calls as it may
	Failed         Reason = "error"           // any other answer, the network included
	NotCollected   Reason = "not_collected"   // nobody asked; the zero fact
)

// Gap says why a value is missing and what would close the gap.
type Gap struct {
	Reason    Reason `json:"reason"`
	Operation string `json:"operation,omitempty"` // the call that failed, such as "kms:GetKeyPolicy"
	Action    string `json:"action,omitempty"`    // the IAM action that would allow it; empty when permission is not the cause
	Region    string `json:"region,omitempty"`
	Detail    string `json:"detail,omitempty"` // AWS's error code and message, shortened, free of secrets
}

// String is one line for a person: "denied: kms:GetKeyPolicy".
func (g Gap) String() string {
	what := g.Action
	if what == "" {
		what = g.Operation
	}
	if what == "" {
		return string(g.Reason)
	}
	return string(g.Reason) + ": " + what
}

// Of is one answer of AWS: a value of T, or a Gap. The zero Of is a gap with
// the reason NotCollected. Copies of an Of are the same answer, which is how a
// rule's evidence finds back which field of a resource it read.
type Of[T any] struct{ answer *answer[T] }

type answer[T any] struct {
	value T
	gap   *Gap
}

// Known is a value that AWS gave.
func Known[T any](value T) Of[T] { return Of[T]{&answer[T]{value: value}} }

// Unknown is a value that could not be read.
func Unknown[T any](gap Gap) Of[T] { return Of[T]{&answer[T]{gap: &gap}} }

// Missing is Unknown in short: the reason, and the operation that failed, which
// is also taken for the IAM action that would close the gap.
func Missing[T any](reason Reason, action string) Of[T] {
	return Unknown[T](Gap{Reason: reason, Operation: action, Action: action})
}

// Get is the value, or the gap that stands in its place. Rules do not call it:
// they read through check.Read and check.Try, which note the evidence.
func (o Of[T]) Get() (T, *Gap) {
	if o.answer == nil {
		var zero T
		return zero, &Gap{Reason: NotCollected}
	}
	return o.answer.value, o.answer.gap
}

// Map turns a known value into another one and leaves a gap as it is.
func Map[T, U any](o Of[T], convert func(T) U) Of[U] {
	value, gap := o.Get()
	if gap != nil {
		return Unknown[U](*gap)
	}
	return Known(convert(value))
}

// Any is a fact whose type does not matter: for evidence and for tests over all
// resource types.
type Any interface {
	json.Marshaler
	// Gap is nil for a known value.
	Gap() *Gap
	// Content is the value, or nil in case of a gap.
	Content() any
	// Identity is comparable and equal for copies of one answer only; nil for
	// the zero fact.
	Identity() any
	// Replaced is a fact of the same type with a gap in place of the value.
	Replaced(Gap) Any
	// With is a fact of the same type with another value, which is of the type of
	// Content.
	With(any) Any
}

// Gap implements Any.
func (o Of[T]) Gap() *Gap {
	_, gap := o.Get()
	return gap
}

// Content implements Any.
func (o Of[T]) Content() any {
	value, gap := o.Get()
	if gap != nil {
		return nil
	}
	return value
}

// Identity implements Any.
func (o Of[T]) Identity() any {
	if o.answer == nil {
		return nil
	}
	return o.answer
}

// Replaced implements Any.
func (Of[T]) Replaced(gap Gap) Any { return Unknown[T](gap) }

// With implements Any.
func (Of[T]) With(value any) Any { return Known(value.(T)) }

// MarshalJSON writes {"value": …}, {"gap": …} or, for the zero fact, null.
func (o Of[T]) MarshalJSON() ([]byte, error) {
	switch {
	case o.answer == nil:
		return []byte("null"), nil
	case o.answer.gap != nil:
		return json.Marshal(struct {
			Gap *Gap `json:"gap"`
		}{o.answer.gap})
	default:
		return json.Marshal(struct {
			Value T `json:"value"`
		}{o.answer.value})
	}
}

// UnmarshalJSON reads what MarshalJSON wrote. Neither or both of value and gap
// is an error: a damaged snapshot must not turn into a fact.
func (o *Of[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*o = Of[T]{}
		return nil
	}
	var wire struct {
		Value json.RawMessage `json:"value"`
		Gap   *Gap            `json:"gap"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("decode fact: %w", err)
	}
	if (wire.Value == nil) == (wire.Gap == nil) {
		return errors.New("decode fact: want either a value or a gap")
	}
	if wire.Gap != nil {
		*o = Unknown[T](*wire.Gap)
		return nil
	}
	var value T
	if err := json.Unmarshal(wire.Value, &value); err != nil {
		return fmt.Errorf("decode fact: %w", err)
	}
	*o = Known(value)
	return nil
}
