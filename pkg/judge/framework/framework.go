// Package framework is the compliance frameworks that checks are mapped to, as data: a file
// for each framework and version, with the ids of its requirements and what checks each of
// them asks for. It has no text of a standard: what a requirement is about is said by the
// titles of its checks.
package framework

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// Framework is one version of a framework.
type Framework struct {
	ID        string `yaml:"id"`        // "cis-aws-7.0"
	Title     string `yaml:"title"`     // without the version
	Version   string `yaml:"version"`   // as its publisher calls it; empty if it has none
	Publisher string `yaml:"publisher"` // who wrote it
	Source    string `yaml:"source"`    // where it can be had
	Mapping   string `yaml:"mapping"`   // who says which checks a requirement asks for
	Date      string `yaml:"date"`      // when the mapping was last looked through

	Requirements []Requirement `yaml:"-"` // in the order of the file
}

// Requirement is one, or a part of one that is mapped by itself.
type Requirement struct {
	ID      string
	Section string // where it stands, if that is certain
	Parts   []Part // what it asks for that a program can look at; none if it is for people alone
}

// Part is a check that a requirement asks for: one of ours, or of another tool, which may
// have a counterpart here or not.
type Part struct {
	Tool string // "prowler", "securityhub"; empty of a check of ours
	ID   string
	// Options are values that the requirement wants instead of the check's own, by name.
	Options map[string]string
}

// String is the part as it is written in a file: "kms-key-rotation", "prowler:kms_cmk_rotation",
// "iam-access-key-rotated?days=90".
func (p Part) String() string {
	text := p.ID
	if p.Tool != "" {
		text = p.Tool + ":" + text
	}
	if len(p.Options) > 0 {
		q := url.Values{}
		for name, value := range p.Options {
			q.Set(name, value)
		}
		text += "?" + q.Encode()
	}
	return text
}

//go:embed data/*.tsv
var data embed.FS

// All lists the frameworks by id. They are read when they are first asked for, and shared: who
// asks does not change them.
var All = sync.OnceValues(func() ([]Framework, error) {
	files, err := fs.Glob(data, "data/*.tsv")
	if err != nil {
		return nil, err
	}
	all := make([]Framework, 0, len(files))
	for _, name := range files {
		document, err := data.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := Parse(document)
		if err != nil {
			return nil, fmt.Errorf("framework %s: %w", path.Base(name), err)
		}
		if f.ID+".tsv" != path.Base(name) {
			return nil, fmt.Errorf("framework %s calls itself %s", path.Base(name), f.ID)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Framework) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
})

var fence = []byte("---\n")

// Parse reads a file: what is said of the framework between two lines of ---, in YAML, and
// below a line for each requirement: its id, a tab, its section, a tab, its parts with blanks
// between them, or "-". Unknown keys, an id that comes twice and lines of another form are
// errors.
func Parse(document []byte) (Framework, error) {
	var f Framework
	rest, ok := bytes.CutPrefix(document, fence)
	head, rows, closed := bytes.Cut(rest, append([]byte("\n"), fence...))
	if !ok || !closed {
		return f, errors.New("no head between two lines of ---")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(head))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return f, fmt.Errorf("parse its head: %w", err)
	}
	if err := f.validate(); err != nil {
		return f, err
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(rows)) {
		r, err := parseRequirement(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return f, fmt.Errorf("%.60q: %w", line, err)
		}
		if seen[r.ID] {
			return f, fmt.Errorf("requirement %s comes twice", r.ID)
		}
		seen[r.ID] = true
		f.Requirements = append(f.Requirements, r)
	}
	if len(f.Requirements) == 0 {
		return f, errors.New("no requirements")
	}
	return f, nil
}

func (f Framework) validate() error {
	for name, value := range map[string]string{"id": f.ID, "title": f.Title, "publisher": f.Publisher, "mapping": f.Mapping} {
		if strings.TrimSpace(value) == "" {
			return fmt.Errorf("%s is empty", name)
		}
	}
	if strings.ToLower(f.ID) != f.ID || strings.ContainsAny(f.ID, ": *?=,") {
		return fmt.Errorf("id %q: want small letters, and no : * ? = , or blank", f.ID)
	}
	if u, err := url.Parse(f.Source); err != nil || u.Scheme != "https" {
		return fmt.Errorf("source %q is not an https URL", f.Source)
	}
	if _, err := time.Parse(time.DateOnly, f.Date); err != nil {
		return fmt.Errorf("date %q is no day", f.Date)
	}
	return nil
}

func parseRequirement(line string) (Requirement, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 3 || fields[0] == "" || fields[2] == "" || strings.ContainsAny(fields[0], " *?=,") {
		return Requirement{}, errors.New("want id, section and parts, with tabs between them")
	}
	r := Requirement{ID: fields[0], Section: fields[1]}
	if fields[2] == "-" {
		return r, nil
	}
	for word := range strings.SplitSeq(fields[2], " ") {
		p, err := parsePart(word)
		if err != nil {
			return r, err
		}
		if slices.ContainsFunc(r.Parts, func(other Part) bool { return other.String() == p.String() }) {
			return r, fmt.Errorf("%s comes twice", word)
		}
		r.Parts = append(r.Parts, p)
	}
	return r, nil
}

func parsePart(word string) (Part, error) {
	var p Part
	name, query, has := strings.Cut(word, "?")
	if has {
		values, err := url.ParseQuery(query)
		if err != nil {
			return p, fmt.Errorf("options of %q: %w", word, err)
		}
		p.Options = map[string]string{}
		for option, all := range values {
			if len(all) != 1 || all[0] == "" {
				return p, fmt.Errorf("options of %q: want one value of %s", word, option)
			}
			p.Options[option] = all[0]
		}
	}
	tool, id, foreign := strings.Cut(name, ":")
	if !foreign {
		tool, id = "", name
	}
	if p.Tool, p.ID = tool, id; id == "" || foreign && tool == "" || foreign && has {
		return p, fmt.Errorf("part %q is neither a check nor tool:id", word)
	}
	return p, nil
}
