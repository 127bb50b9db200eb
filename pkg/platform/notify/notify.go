// Package notify tells people and programs outside what happened. A message may
// come twice and out of order; its ID says which one it is. Drivers live in
// sub-packages, and notifytest holds the suite that each one passes.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits that every driver enforces. They are SNS's own where a source is named.
const (
	MaxBody    = 64 << 10 // bytes of a body; what is larger travels by reference
	MaxText    = 16 << 10 // bytes of a text
	MaxID      = 256      // bytes of an ID
	MaxName    = 64       // bytes of an attribute's name
	MaxValue   = 1024     // bytes of an attribute's value
	MaxSubject = 99       // characters: "less than 100", https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

	// MaxAttributes counts the ID in. With more, SNS drops a message on its way to
	// a queue: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
	MaxAttributes = 10
)

// IDAttribute is the name of the attribute that carries a message's ID.
const IDAttribute = "id"

// Sentinels; compare with errors.Is.
var (
	// ErrTooLarge says that a part of a message is larger than its limit.
	ErrTooLarge = errors.New("message too large")
	// ErrInvalid says that a message can never be accepted for another reason.
	ErrInvalid = errors.New("invalid message")
)

// Message is one notification.
type Message struct {
	// ID follows from what happened, so that the same event published twice has
	// the same ID and subscribers can drop repetitions. It is also sent as the
	// attribute "id". Printable text.
	ID string
	// Subject is a headline, for e-mail; it may be empty. ASCII without control
	// characters, at most MaxSubject, not beginning with a space. See Headline.
	Subject string
	// Attributes are what subscribers may filter by. Names are of letters, digits,
	// "_" and "-"; values are printable text and not empty. "id" is taken.
	Attributes map[string]string
	// Body is JSON, for programs. Space between its tokens may get lost.
	Body []byte
	// Text says the same to people, who get it instead of the body where the driver can
	// tell them from programs: SNS by the protocol, "email". Plain text of any lines; empty
	// leaves people with the body.
	Text string
}

// Notifier publishes messages. All methods are safe for concurrent use.
type Notifier interface {
	// Publish hands over all messages, in batches as the driver needs, or returns
	// an error. Messages are checked before any is sent (Check); after another
	// error some may be sent, and publishing all again does no harm, since
	// subscribers know repetitions by their ID. Nothing of them is retained.
	// Publishing none is no error.
	Publish(ctx context.Context, messages ...Message) error
}

// Payload is what SNS is given of the body and the text: the body as it is, or both by
// the protocol of who gets which, as a JSON object of strings; byProtocol says that.
// Programs get the body's own bytes either way.
// https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
func (m Message) Payload() (payload string, byProtocol bool) {
	if m.Text == "" {
		return string(m.Body), false
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // which makes a "<" six bytes
	if err := e.Encode(map[string]string{"default": string(m.Body), "email": m.Text}); err != nil {
		panic(err) // strings always marshal
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}

// Size counts the bytes that SNS counts: payload, subject, and names, types and values
// of attributes.
func (m Message) Size() int {
	const kind = len("String")
	payload, _ := m.Payload()
	n := len(payload) + len(m.Subject) + len(IDAttribute) + kind + len(m.ID)
	for name, value := range m.Attributes {
		n += len(name) + kind + len(value)
	}
	return n
}

// Check is the check that Publish makes first: it returns ErrTooLarge or
// ErrInvalid with the number of the first bad message.
func Check(messages ...Message) error {
	for i, m := range messages {
		if err := m.check(); err != nil {
			return fmt.Errorf("message %d of %d: %w", i+1, len(messages), err)
		}
	}
	return nil
}

func (m Message) check() error {
	if err := checkText("id", m.ID, MaxID); err != nil {
		return err
	}
	if err := checkSubject(m.Subject); err != nil {
		return err
	}
	if n := len(m.Attributes) + 1; n > MaxAttributes {
		return fmt.Errorf("%w: %d attributes with the id, at most %d", ErrInvalid, n, MaxAttributes)
	}
	for name, value := range m.Attributes {
		if err := checkName(name); err != nil {
			return err
		}
		if err := checkText("attribute "+name, value, MaxValue); err != nil {
			return err
		}
	}
	switch {
	case len(m.Body) > MaxBody:
		return fmt.Errorf("%w: body of %d bytes, at most %d", ErrTooLarge, len(m.Body), MaxBody)
	case !utf8.Valid(m.Body) || !json.Valid(m.Body):
		return fmt.Errorf("%w: body is not JSON", ErrInvalid)
	case !printable(string(m.Body), true):
		return fmt.Errorf("%w: body has a character that no message may have", ErrInvalid)
	case len(m.Text) > MaxText:
		return fmt.Errorf("%w: text of %d bytes, at most %d", ErrTooLarge, len(m.Text), MaxText)
	case !utf8.ValidString(m.Text) || !printable(m.Text, true):
		return fmt.Errorf("%w: text has a character that no message may have", ErrInvalid)
	}
	return nil
}

func checkText(what, s string, limit int) error {
	switch {
	case s == "":
		return fmt.Errorf("%w: %s is empty", ErrInvalid, what)
	case len(s) > limit:
		return fmt.Errorf("%w: %s of %d bytes, at most %d", ErrTooLarge, what, len(s), limit)
	case !utf8.ValidString(s) || !printable(s, false):
		return fmt.Errorf("%w: %s %q is not printable", ErrInvalid, what, s)
	}
	return nil
}

// printable says whether XML, which SNS speaks, has all the characters; those of
// white space other than the space count where they may stand.
func printable(s string, white bool) bool {
	for _, r := range s {
		isWhite := r == '\t' || r == '\n' || r == '\r'
		if r < ' ' && (!white || !isWhite) || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	if name == "" || name == IDAttribute {
		return fmt.Errorf("%w: attribute name %q", ErrInvalid, name)
	}
	if len(name) > MaxName {
		return fmt.Errorf("%w: attribute name of %d bytes, at most %d", ErrTooLarge, len(name), MaxName)
	}
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '_' && r != '-' {
			return fmt.Errorf("%w: attribute name %q contains %q", ErrInvalid, name, r)
		}
	}
	return nil
}

func checkSubject(s string) error {
	if len(s) > MaxSubject {
		return fmt.Errorf("%w: subject of %d characters, at most %d", ErrTooLarge, len(s), MaxSubject)
	}
	for i, r := range s {
		if !inSubject(r) || i == 0 && r == ' ' {
			return fmt.Errorf("%w: subject %q contains %q at %d", ErrInvalid, s, r, i)
		}
	}
	return nil
}

func inSubject(r rune) bool { return r >= ' ' && r <= '~' }

// Headline makes a subject of any text: what a subject may not have becomes a
// "?" or a space, and what is too long ends in "...".
func Headline(text string) string {
	const dots = "..."
	var out []byte
	for _, r := range text {
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if len(out) == 0 || out[len(out)-1] == ' ' {
				continue // also at the beginning
			}
			out = append(out, ' ')
		case inSubject(r):
			out = append(out, byte(r))
		default:
			out = append(out, '?')
		}
	}
	if len(out) > MaxSubject {
		out = append(out[:MaxSubject-len(dots)], dots...)
	}
	return strings.TrimRight(string(out), " ")
}
