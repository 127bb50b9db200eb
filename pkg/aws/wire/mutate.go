package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is what is done to a part of an answer.
type Change string

// The changes.
const (
	Dropped Change = "dropped"
	Null    Change = "null"    // JSON's
	Empty   Change = "empty"   // no text, no members
	Unknown Change = "unknown" // a word that nobody knows, or a number out of any range
)

// Mutation is an answer with one part changed.
type Mutation struct {
	Path   string // "cluster.logging.clusterLogging[].enabled"; "" is the whole body
	Change Change
	Flag   bool // the part was true or false
	Body   []byte
}

// What nobody knows.
const (
	unknownWord   = "cloudarq-unknown"
	unknownNumber = -1
)

// Mutate makes each mutation of a body, one after the other, until yield returns false.
//
// A list is not emptied and its elements are not dropped, because that is no damage: it is
// the answer of an account that has less. In XML a list is known by elements of one
// name, of the list's own in the singular, or of those that AWS's protocols have for them.
func Mutate(body []byte, yield func(Mutation) bool) error {
	if bytes.HasPrefix(body, []byte("<")) {
		return mutateXML(body, yield)
	}
	return mutateJSON(body, yield)
}

var errEnough = errors.New("enough mutations")

func mutateJSON(body []byte, yield func(Mutation) bool) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return fmt.Errorf("mutate JSON: %w", err)
	}
	try := func(m Mutation) (err error) {
		if m.Body, err = json.Marshal(root); err != nil {
			return err
		}
		if !yield(m) {
			return errEnough
		}
		return nil
	}
	err := visitJSON("", root, func(v any) { root = v }, nil, try)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// visitJSON changes a value by set and drop, tries each change, and puts it back.
func visitJSON(path string, value any, set func(any), drop func(), try func(Mutation) error) error {
	_, flag := value.(bool)
	changes := []Change{Null}
	if drop != nil {
		changes = append(changes, Dropped)
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) > 0 {
			changes = append(changes, Empty)
		}
	case string:
		if v != "" {
			changes = append(changes, Empty)
		}
		changes = append(changes, Unknown)
	case json.Number:
		changes = append(changes, Unknown)
	}
	for _, change := range changes {
		if change == Dropped {
			drop()
		} else {
			set(changed(value, change))
		}
		err := try(Mutation{Path: path, Change: change, Flag: flag})
		set(value)
		if err != nil {
			return err
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := visitJSON(strings.TrimPrefix(path+"."+key, "."), v[key], func(to any) { v[key] = to }, func() { delete(v, key) }, try); err != nil {
				return err
			}
		}
	case []any:
		for i := range v {
			if err := visitJSON(path+"[]", v[i], func(to any) { v[i] = to }, nil, try); err != nil {
				return err
			}
		}
	}
	return nil
}

// changed is a value in JSON as a change leaves it.
func changed(value any, change Change) any {
	_, isObject := value.(map[string]any)
	_, isText := value.(string)
	switch {
	case change == Null:
		return nil
	case change == Empty && isObject:
		return map[string]any{}
	case change == Empty:
		return ""
	case isText:
		return unknownWord
	default:
		return unknownNumber
	}
}

// element is a part of an XML document.
type element struct {
	name     string // with its prefix
	attrs    []xml.Attr
	text     string
	children []*element
}

func name(n xml.Name) string { return strings.TrimPrefix(n.Space+":"+n.Local, ":") }

func parseXML(body []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	root := &element{}
	open := []*element{root}
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("mutate XML: %w", err)
		}
		inner := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			child := &element{name: name(t.Name), attrs: slices.Clone(t.Attr)}
			inner.children = append(inner.children, child)
			open = append(open, child)
		case xml.EndElement:
			if len(open) == 1 {
				return nil, fmt.Errorf("mutate XML: %s ends without a beginning", name(t.Name))
			}
			open = open[:len(open)-1]
		case xml.CharData:
			inner.text += string(t)
		}
	}
	if len(root.children) != 1 || len(open) != 1 {
		return nil, errors.New("mutate XML: want one whole element")
	}
	return root.children[0], nil
}

func (e *element) write(to *bytes.Buffer) {
	to.WriteString("<" + e.name)
	for _, a := range e.attrs {
		to.WriteString(" " + name(a.Name) + `="`)
		_ = xml.EscapeText(to, []byte(a.Value)) // a buffer takes everything
		to.WriteString(`"`)
	}
	to.WriteString(">")
	if len(e.children) == 0 {
		_ = xml.EscapeText(to, []byte(e.text))
	}
	for _, child := range e.children {
		child.write(to)
	}
	to.WriteString("</" + e.name + ">")
}

func mutateXML(body []byte, yield func(Mutation) bool) error {
	root, err := parseXML(body)
	if err != nil {
		return err
	}
	try := func(m Mutation) error {
		var text bytes.Buffer
		root.write(&text)
		m.Body = text.Bytes()
		if !yield(m) {
			return errEnough
		}
		return nil
	}
	if err := root.visit(root.name, try); !errors.Is(err, errEnough) {
		return err
	}
	return nil
}

func (e *element) visit(path string, try func(Mutation) error) error {
	was := *e
	attempt := func(m Mutation, alter func()) error {
		alter()
		err := try(m)
		*e = was
		return err
	}
	isList := len(e.children) > 0 && e.list(e.children[0])
	if !isList && (len(e.children) > 0 || strings.TrimSpace(e.text) != "") {
		if err := attempt(Mutation{Path: path, Change: Empty, Flag: e.flag()}, func() { e.children, e.text = nil, "" }); err != nil {
			return err
		}
	}
	if text := strings.TrimSpace(e.text); len(e.children) == 0 && text != "" {
		unknown := unknownWord
		if n, err := strconv.ParseFloat(text, 64); err == nil && n != unknownNumber {
			unknown = strconv.Itoa(unknownNumber)
		}
		if err := attempt(Mutation{Path: path, Change: Unknown, Flag: e.flag()}, func() { e.text = unknown }); err != nil {
			return err
		}
	}
	for i, a := range e.attrs {
		if strings.HasPrefix(name(a.Name), "xmlns") {
			continue
		}
		at := path + "@" + name(a.Name)
		if err := attempt(Mutation{Path: at, Change: Dropped}, func() { e.attrs = slices.Delete(slices.Clone(e.attrs), i, i+1) }); err != nil {
			return err
		}
		if err := attempt(Mutation{Path: at, Change: Unknown}, func() { e.attrs = slices.Clone(e.attrs); e.attrs[i].Value = unknownWord }); err != nil {
			return err
		}
	}
	for i, child := range e.children {
		at := path + "." + child.name
		if !e.list(child) {
			if err := attempt(Mutation{Path: at, Change: Dropped, Flag: child.flag()}, func() { e.children = slices.Delete(slices.Clone(e.children), i, i+1) }); err != nil {
				return err
			}
		}
		if err := child.visit(at, try); err != nil {
			return err
		}
	}
	return nil
}

func (e *element) flag() bool {
	text := strings.TrimSpace(e.text)
	return len(e.children) == 0 && (text == "true" || text == "false")
}

// list reports whether a child is one of a list's.
func (e *element) list(child *element) bool {
	if slices.Contains([]string{"item", "member", "entry"}, child.name) || e.name == child.name+"s" {
		return true
	}
	count := 0
	for _, c := range e.children {
		if c.name == child.name {
			count++
		}
	}
	return count > 1
}

// Rewrite is a body with each of its texts as change leaves it.
func Rewrite(body []byte, change func(text string) string) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("<")) {
		root, err := parseXML(body)
		if err != nil {
			return nil, err
		}
		root.rewrite(change)
		var text bytes.Buffer
		root.write(&text)
		return text.Bytes(), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("rewrite JSON: %w", err)
	}
	return json.Marshal(rewritten(root, change))
}

func rewritten(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		return change(v)
	case []any:
		for i := range v {
			v[i] = rewritten(v[i], change)
		}
	case map[string]any:
		for key := range v {
			v[key] = rewritten(v[key], change)
		}
	}
	return value
}

func (e *element) rewrite(change func(string) string) {
	if len(e.children) == 0 {
		e.text = change(e.text)
	}
	for _, child := range e.children {
		child.rewrite(change)
	}
}
