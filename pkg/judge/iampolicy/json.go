package iampolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth is deeper than the policy language can nest (6).
const maxDepth = 10

// maxLength is several times the longest policy document of AWS: 32 KiB of a KMS
// key, 30 KiB of an SNS topic, 20 KiB of a bucket, 6,144 characters of a managed
// policy. https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const maxLength = 128 << 10

var errTooDeep = errors.New("nested too deeply")

var errTooLong = fmt.Errorf("longer than %d KiB, which no policy document is", maxLength>>10)

// object is a JSON object in document order. encoding/json keeps the last of
// two equal keys in silence; a policy read so could differ from the one in force.
type object []member

type member struct {
	key   string
	value any // string, json.Number, bool, nil, []any or object
}

func decode(doc string) (any, error) {
	if len(doc) > maxLength {
		return nil, errTooLong
	}
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the document")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return decodeObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	obj, seen := object{}, map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("object key %v is not a string", t)
		}
		if seen[key] {
			return nil, fmt.Errorf("key %q appears twice", key)
		}
		seen[key] = true
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		obj = append(obj, member{key, v})
	}
	_, err := d.Token()
	return obj, err
}

// MarshalJSON writes the policy in one canonical form, which [Parse] reads back
// to an equal policy.
func (p Policy) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if p.Version != "" {
		field(&b, "Version", p.Version)
	}
	if p.ID != "" {
		field(&b, "Id", p.ID)
	}
	list := make([]json.RawMessage, len(p.Statements))
	for i := range p.Statements {
		list[i] = p.Statements[i].json()
	}
	field(&b, "Statement", list)
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (s *Statement) json() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	if s.Sid != "" {
		field(&b, "Sid", s.Sid)
	}
	field(&b, "Effect", s.Effect)
	for _, e := range [...]struct {
		name string
		p    Principals
	}{{"Principal", s.Principal}, {"NotPrincipal", s.NotPrincipal}} {
		if !e.p.IsZero() {
			field(&b, e.name, e.p.json())
		}
	}
	for _, e := range [...]struct {
		name string
		list []string
	}{{"Action", s.Actions}, {"NotAction", s.NotActions}, {"Resource", s.Resources}, {"NotResource", s.NotResources}} {
		if len(e.list) > 0 {
			field(&b, e.name, e.list)
		}
	}
	if len(s.Conditions) > 0 {
		field(&b, "Condition", conditionJSON(s.Conditions))
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (p Principals) json() json.RawMessage {
	if p.Any {
		return json.RawMessage(`"*"`)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, e := range [...]struct {
		name string
		list []string
	}{{"AWS", p.AWS}, {"Service", p.Service}, {"Federated", p.Federated}, {"CanonicalUser", p.CanonicalUser}} {
		if len(e.list) > 0 {
			field(&b, e.name, e.list)
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

// conditionJSON writes conditions grouped by operator, as [Parse] delivers them.
func conditionJSON(list []Condition) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; i < len(list); {
		op := list[i].Operator
		var in bytes.Buffer
		in.WriteByte('{')
		for ; i < len(list) && list[i].Operator == op; i++ {
			values := list[i].Values
			if values == nil {
				values = []string{}
			}
			field(&in, list[i].Key, values)
		}
		in.WriteByte('}')
		field(&b, op.String(), json.RawMessage(in.Bytes()))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// field appends "name":value. The values here are strings and lists of them,
// which cannot fail to encode.
func field(b *bytes.Buffer, name string, value any) {
	if b.Len() > 1 {
		b.WriteByte(',')
	}
	for i, v := range []any{name, value} {
		if i > 0 {
			b.WriteByte(':')
		}
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // unreachable: see above
		}
		b.Write(text)
	}
}
