package lambdahost

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// FunctionError is a failed invocation: the function said so, or its process
// ended, or its time was up.
type FunctionError struct {
	Function string // logical id
	Type     string // as Lambda reports it, for example "Runtime.ExitError"
	Message  string
	Payload  json.RawMessage // what a caller of Lambda gets for an answer
}

func newFunctionError(function, kind, message string) *FunctionError {
	payload, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		panic(err) // strings always marshal
	}
	return &FunctionError{Function: function, Type: kind, Message: message, Payload: payload}
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("function %s: %s: %s", e.Function, e.Type, e.Message)
}

// Types of errors that Lambda itself reports.
const (
	ExitError = "Runtime.ExitError" // the process ended
	TimedOut  = "Sandbox.Timedout"  // its time was up
	TooLarge  = "Function.ResponseSizeTooLarge"
)

// invocation is one event on its way through a function.
type invocation struct {
	id       string
	payload  []byte
	trace    string
	deadline time.Time
	answer   chan outcome // takes one without a reader
}

type outcome struct {
	payload []byte
	err     error
}

func newInvocation(id string, payload []byte) *invocation {
	return &invocation{
		id:      id,
		payload: payload,
		trace:   fmt.Sprintf("Root=1-%x-%s;Sampled=0", time.Now().Unix(), randomHex(12)),
		answer:  make(chan outcome, 1),
	}
}

// finish says how the invocation ended; only the first time counts.
func (i *invocation) finish(o outcome) {
	select {
	case i.answer <- o:
	default:
	}
}

// Invoke calls a function, named by its logical id or its name, and waits for its
// answer. The error of a function that failed is a *FunctionError.
func (h *Host) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	f, err := h.function(function)
	if err != nil {
		return nil, err
	}
	return h.invoke(ctx, f, newUUID(), payload)
}

func (h *Host) function(name string) (*function, error) {
	if f, ok := h.functions[name]; ok {
		return f, nil
	}
	for _, f := range h.functions {
		if f.spec.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("lambdahost: no function %q", name)
}

// invoke runs an invocation to its end even if the caller stops waiting, as Lambda
// does when a client hangs up.
func (h *Host) invoke(ctx context.Context, f *function, id string, payload []byte) ([]byte, error) {
	done := make(chan outcome, 1)
	h.activity.begin()
	running := h.spawn(func() {
		defer h.activity.end()
		done <- f.run(newInvocation(id, payload))
	})
	if !running {
		h.activity.end()
		return nil, ErrClosed
	}
	select {
	case o := <-done:
		return o.payload, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newUUID() string {
	s := randomHex(16)
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-8" + s[17:20] + "-" + s[20:]
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
