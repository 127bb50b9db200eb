// Package hostile makes up what an owner of an audited account, or an endpoint in AWS's
// place, could put into every text of every resource. Its tests hold the pipeline, the
// collectors and the reports to it.
package hostile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Class is one sort of hostility. A property draws which are in force, so that a
// failure shrinks to the ones that matter.
type Class int

// The classes.
const (
	Control  Class = iota // NUL, ESC sequences, C1
	Bidi                  // what turns text round, and what has no width
	NoXML                 // U+FFFE and U+FFFF
	Broken                // no UTF-8, lone surrogates
	Markup                // HTML, quotes, formulas, templates
	Paths                 // what keys and paths are made of
	Empty                 // nothing
	Policies              // documents that are well-formed with hostile parts
	Rubbish               // documents that are not: deep, doubled, cut off
	Long                  // some texts of 400 KB and more
	Wide                  // some lists of thousands
	Gaps                  // some facts could not be read, for hostile reasons
	classes
)

// Classes lists all of them.
func Classes() []Class {
	all := make([]Class, classes)
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// String is the class's name in a failure.
func (c Class) String() string {
	return []string{"control", "bidi", "noxml", "broken", "markup", "paths", "empty", "policies", "rubbish", "long", "wide", "gaps"}[c]
}

var samples = map[Class][]string{
	Control: {"a\x00b", "\x1b[31mred\x1b[0m", "\x1b]0;title\a", "c1\u009b31m", "\u0085next", "line\r\nline", "tab\tbell\a\b\v\f", "\x7f"},
	Bidi:    {"\u202egpj.exe", "\u2066iso\u2069", "\u200bzero", "\ufeffbom", "\u061c", "\u2028line\u2029", "\U000e0041tag"},
	NoXML:   {"\uffff_PASSWORD", "\ufffe", "ok\uffff"},
	Broken:  {"\xff\xfe", "\xed\xa0\x80", "half\xe2\x82", "\xc0\xaf", "a\x80"},
	Markup:  {"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "'; DROP TABLE findings;--", "=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "x;=1+1", "\n=1", "＝1+1", "{{.}}%s%!d${x}", "javascript:alert(1)", "-->", "]]>"},
	Paths:   {"#", "/", "..", "../../../etc/passwd", "a#b#c", "%23%2F%00", "arn:aws:x", ":::::", "C:\\con", "service=x/../y", ".", "~"},
	Empty:   {"", " ", "\u00a0"},
	Rubbish: {"{", `{"Statement":`, "[]", "null", "1e999", `{"Version":"2012-10-17","Version":"2008-10-17","Statement":[],"Statement":{}}`, nested(400), strings.Repeat("[", 2000), `{"Statement":[{"Effect":7,"Action":{"a":1},"Resource":[[["*"]]]}]}`, `{"Statement":"` + "\\ud800" + `"}`},
}

// nested is JSON of a depth at which parsers give up, or worse.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}

// plain are what facts say when nobody is hostile, so that rules come to every verdict.
var plain = []string{
	"enabled", "Enabled", "ENABLED", "ACTIVE", "available", "true", "false", "*", "0.0.0.0/0", "::/0", "TCP", "tcp", "HTTPS", "HTTP", "mysql", "postgres", "active", "AWS", "CUSTOMER", "optional",
	"arn:aws:kms:eu-west-1:111122223333:key/1", "arn:aws:iam::444455556666:root", "8.0.35", "Zip", "python3.8", "nodejs22.x", "internet-facing", "application", "TLSv1", "none", "default",
}

// Maker makes hostile values. The same seed and classes make the same.
type Maker struct {
	r       *rand.Rand
	classes []Class
	long    int // texts of that kind that may still be made: a run is bounded, and few makers make any
	wide    int
}

// NewMaker makes a maker.
func NewMaker(seed uint64, classes ...Class) *Maker {
	m := &Maker{r: rand.New(rand.NewPCG(seed, 7)), classes: classes}
	if m.r.IntN(12) == 0 {
		m.long, m.wide = 1, 1
	}
	return m
}

func (m *Maker) has(c Class) bool {
	for _, one := range m.classes {
		if one == c {
			return true
		}
	}
	return false
}

// Text is one text.
func (m *Maker) Text() string {
	if len(m.classes) == 0 || m.r.IntN(3) == 0 {
		return plain[m.r.IntN(len(plain))]
	}
	class := m.classes[m.r.IntN(len(m.classes))]
	switch {
	case class == Policies:
		return m.policy()
	case class == Long && m.long > 0 && m.r.IntN(4) == 0:
		m.long--
		if m.r.IntN(4) == 0 {
			return nested(12_000)
		}
		return strings.Repeat([]string{"a", "é", "\u202e", "<b>", "PASSWORD_"}[m.r.IntN(5)], 450_000/4)
	case len(samples[class]) == 0:
		return plain[m.r.IntN(len(plain))]
	}
	text := samples[class][m.r.IntN(len(samples[class]))]
	if m.r.IntN(4) == 0 {
		text = plain[m.r.IntN(len(plain))] + text
	}
	return text
}

// part is a text that fits into a JSON string of a policy, whatever it is.
func (m *Maker) part() string {
	for range 10 {
		if text := m.Text(); len(text) < 2000 && !strings.HasPrefix(text, "{") {
			if data, err := json.Marshal(text); err == nil {
				return string(data)
			}
		}
	}
	return `"*"`
}

// policy is a well-formed document.
func (m *Maker) policy() string {
	principal := []string{`"*"`, `{"AWS":"*"}`, `{"AWS":[` + m.quick() + `,"arn:aws:iam::444455556666:root"]}`, `{"Service":` + m.quick() + `}`, `{"Federated":` + m.quick() + `}`}[m.r.IntN(5)]
	condition := ""
	if m.r.IntN(2) == 0 {
		condition = `,"Condition":{"StringLike":{` + m.quick() + `:[` + m.quick() + `,"*"]}}`
	}
	return `{"Version":"2012-10-17","Statement":[{"Sid":` + m.quick() + `,"Effect":"` + []string{"Allow", "Deny"}[m.r.IntN(2)] + `","Principal":` + principal +
		`,"Action":["s3:*",` + m.quick() + `],"Resource":` + m.quick() + condition + `}]}`
}

// quick is part, but of no further policies.
func (m *Maker) quick() string {
	few := &Maker{r: m.r}
	for _, c := range m.classes {
		if c != Policies && c != Rubbish && c != Long {
			few.classes = append(few.classes, c)
		}
	}
	return few.part()
}

// Resource makes a resource of a type, hostile in its name and in every text of every
// fact. Its account and region are the audit's, as collectors see to.
func (m *Maker) Resource(kind check.Kind, account, region string, number int) check.Resource {
	v := reflect.New(reflect.TypeOf(kind.Zero)).Elem()
	ref := model.Ref{
		ARN: fmt.Sprintf("arn:aws:hostile:%s:%s:%s/%d/%s", region, account, kind.Name, number, m.Text()), Account: account, Region: region, Name: m.Text(),
	}
	if m.r.IntN(4) == 0 {
		ref.Sub = m.Text()
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type == reflect.TypeFor[model.Resource]() {
			v.Field(i).Set(reflect.ValueOf(model.Resource{Ref: ref}))
		} else if f.IsExported() {
			m.fill(v.Field(i), 0)
		}
	}
	return v.Interface().(check.Resource)
}

const deepest = 6

func (m *Maker) fill(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2015+m.r.IntN(20), 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	}
	if _, isFact := v.Interface().(fact.Any); isFact && v.Kind() == reflect.Struct {
		m.fact(v, depth)
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(m.r.IntN(2) == 0)
	case reflect.String:
		v.SetString(m.Text())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 22, 443, 90, 365, 1 << 30}[m.r.IntN(8)] % (1 << min(62, v.Type().Bits()-2)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(m.r.IntN(100)))
	case reflect.Pointer:
		if m.r.IntN(4) > 0 && depth < deepest {
			v.Set(reflect.New(v.Type().Elem()))
			m.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		m.slice(v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				m.fill(v.Field(i), depth+1)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range m.r.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			m.fill(key, depth+1)
			m.fill(value, depth+1)
			v.SetMapIndex(key, value)
		}
	default: // nothing else is in a resource
	}
}

func (m *Maker) slice(v reflect.Value, depth int) {
	if depth >= deepest {
		return
	}
	n := m.r.IntN(4)
	if m.has(Wide) && m.wide > 0 && m.r.IntN(3) == 0 {
		m.wide--
		n = 10_000
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		m.fill(v.Index(i), depth+1)
	}
}

// fact makes a fact of any type known, or a gap. There is no other way to its value
// than through JSON, which would mend what is no UTF-8.
func (m *Maker) fact(v reflect.Value, depth int) {
	if m.has(Gaps) && m.r.IntN(6) == 0 {
		gap := fact.Gap{Reason: fact.Failed, Operation: m.Text(), Detail: m.Text()}
		v.Set(reflect.ValueOf(v.Interface().(fact.Any).Replaced(gap)))
		return
	}
	at := inside(v.Field(0))
	answer := reflect.New(at.Type().Elem())
	at.Set(answer)
	m.fill(inside(answer.Elem().Field(0)), depth+1)
}

func inside(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem() //nolint:gosec // see fact
}
