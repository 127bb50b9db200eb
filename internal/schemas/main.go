// Command schemas renews what the remediation texts are held to: which properties
// resources have, in CloudFormation and in Terraform.
//
//	go run ./internal/schemas -source "CloudFormation resource schemas" -date 2026-10-20 . CloudformationSchema.zip
//	go run ./internal/schemas -source "terraform-provider-aws 6.45.0" -date 2026-05-14 . schema.json
//
// The zip is CloudFormation's published archive of resource schemas
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html),
// or any that has the same files; cfn-lint's releases do. The JSON is what `terraform
// providers schema -json` prints where the AWS provider is installed, or the same made of
// a library that is generated from it.
//
// It writes pkg/services/testdata/cloudformation.tsv.gz or terraform.tsv.gz: all types
// with all properties, so that a new service needs no schema. Of what nests deeper than
// texts have a use for, the first levels are kept.
package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	source := flag.String("source", "", "what the schemas are from, with its version")
	date := flag.String("date", "", "of when they are, as 2026-10-20")
	flag.Parse()
	if *source == "" || *date == "" || flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemas -source TEXT -date DATE REPOSITORY (ARCHIVE.zip | SCHEMA.json)")
		os.Exit(2)
	}
	header := fmt.Sprintf("# %s, %s; made by internal/schemas.\n", *source, *date)
	if err := run(flag.Arg(0), header, flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(root, header, file string) error {
	language, read := "terraform", terraform
	if path.Ext(file) == ".zip" {
		language, read = "cloudformation", cloudFormation
	}
	all, err := read(file)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(header + table(all))); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	to := filepath.Join(root, "pkg/services/testdata", language+".tsv.gz")
	return os.WriteFile(to, packed.Bytes(), 0o644) //nolint:gosec // sources are public
}

// property is what a schema says of a property.
type property struct {
	types    map[string]bool // "boolean", "integer", "number", "string", "object", "array"
	replaces bool            // setting another value makes the resource anew
	values   map[string]bool // the only ones allowed, if there are any
}

// properties are those of a resource by their paths, which pass through lists.
type properties map[string]property

// levels is how deep properties are kept.
const levels = 6

// add joins what alternatives of a schema say of the same property.
func (p properties) add(path string, types []string, values []string) {
	of, ok := p[path]
	if !ok {
		of = property{types: map[string]bool{}, values: map[string]bool{}}
	}
	for _, t := range types {
		of.types[t] = true
	}
	for _, v := range values {
		of.values[v] = true
	}
	p[path] = of
}

// table has a line for each resource type, and under it an indented one for each of its
// properties: path, types, "replaces" or "-", allowed values.
func table(all map[string]properties) string {
	var b strings.Builder
	b.WriteString("# A type, and below it its properties: path, types, whether another value replaces the resource, allowed values.\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(name + "\n")
		for _, at := range slices.Sorted(maps.Keys(all[name])) {
			p := all[name][at]
			replaces := "-"
			if p.replaces {
				replaces = "replaces"
			}
			line := []string{"", at, strings.Join(slices.Sorted(maps.Keys(p.types)), ","), replaces, strings.Join(slices.Sorted(maps.Keys(p.values)), "|")}
			b.WriteString(strings.TrimRight(strings.Join(line, "\t"), "\t") + "\n")
		}
	}
	return b.String()
}

// schema is the part of CloudFormation's dialect of JSON Schema that says what may be
// set.
type schema struct {
	TypeName    string            `json:"typeName"`
	Ref         string            `json:"$ref"`
	Type        words             `json:"type"`
	Enum        []any             `json:"enum"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	OneOf       []schema          `json:"oneOf"`
	AnyOf       []schema          `json:"anyOf"`
	AllOf       []schema          `json:"allOf"`
	Definitions map[string]schema `json:"definitions"`
	CreateOnly  []string          `json:"createOnlyProperties"` // "/properties/Listeners/*/Port"
	ReadOnly    []string          `json:"readOnlyProperties"`
}

// words are one or several.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// cloudFormation reads the types of an archive of schemas.
func cloudFormation(file string) (map[string]properties, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	all := map[string]properties{}
	err = fs.WalkDir(archive, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		data, err := fs.ReadFile(archive, name)
		if err != nil {
			return err
		}
		var head struct{ TypeName string }
		if json.Unmarshal(data, &head) != nil || !strings.HasPrefix(head.TypeName, "AWS::") {
			return nil // other files of the archive, and modules
		}
		var s schema
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		found := properties{}
		found.read(s, s.Definitions, "", nil)
		for at, p := range found {
			if below(s.ReadOnly, at) {
				delete(found, at)
				continue
			}
			p.replaces = below(s.CreateOnly, at)
			found[at] = p
		}
		all[s.TypeName] = found
		return nil
	})
	return all, err
}

// below reports whether a property is one of those that a schema points to, or a part of
// one.
func below(pointers []string, at string) bool {
	return slices.ContainsFunc(pointers, func(pointer string) bool {
		steps := strings.Split(strings.TrimPrefix(pointer, "/properties/"), "/")
		steps = slices.DeleteFunc(steps, func(step string) bool { return step == "*" || step == "properties" || step == "items" })
		return strings.HasPrefix(at+".", strings.Join(steps, ".")+".")
	})
}

// read adds what a schema at a path says; within are the definitions that it stands in,
// which may hold themselves.
func (p properties) read(s schema, definitions map[string]schema, at string, within []string) {
	if strings.Count(at, ".") >= levels {
		return
	}
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/definitions/")
		if slices.Contains(within, name) {
			p.add(at, []string{"object"}, nil)
			return
		}
		p.read(definitions[name], definitions, at, append(slices.Clone(within), name))
	}
	if at != "" {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		p.add(at, s.Type, values)
	}
	for name, of := range s.Properties {
		p.read(of, definitions, strings.TrimPrefix(at+"."+name, "."), within)
	}
	if s.Items != nil {
		p.read(*s.Items, definitions, at, within)
	}
	for _, alternative := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		p.read(alternative, definitions, at, within)
	}
}

// block is a resource, or a part of one, as Terraform prints it.
type block struct {
	Attributes map[string]struct {
		Type     any    `json:"type"` // "bool", or ["list", "string"]
		Nested   *block `json:"nested_type"`
		Optional bool   `json:"optional"`
		Required bool   `json:"required"`
	} `json:"attributes"`
	BlockTypes map[string]struct {
		Block block `json:"block"`
	} `json:"block_types"`
}

// terraform reads the types of what terraform providers schema -json prints.
func terraform(file string) (map[string]properties, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var printed struct {
		Providers map[string]struct {
			Resources map[string]struct {
				Block block `json:"block"`
			} `json:"resource_schemas"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal(data, &printed); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all := map[string]properties{}
	for _, provider := range printed.Providers {
		for name, resource := range provider.Resources {
			all[name] = properties{}
			all[name].readBlock(resource.Block, "")
		}
	}
	return all, nil
}

// readBlock adds what can be set in a block.
func (p properties) readBlock(b block, at string) {
	if strings.Count(at, ".") >= levels {
		return
	}
	for name, a := range b.Attributes {
		if a.Nested != nil {
			p.add(at+name, []string{"object"}, nil)
			p.readBlock(*a.Nested, at+name+".")
		} else if a.Optional || a.Required {
			p.add(at+name, []string{jsonType(a.Type)}, nil)
		}
	}
	for name, of := range b.BlockTypes {
		p.add(at+name, []string{"object"}, nil)
		p.readBlock(of.Block, at+name+".")
	}
}

// jsonType is JSON's word for a type of Terraform.
func jsonType(t any) string {
	switch t {
	case "bool":
		return "boolean"
	case "number", "string":
		return fmt.Sprint(t)
	}
	if kind, ok := t.([]any); ok && len(kind) > 0 && (kind[0] == "list" || kind[0] == "set") {
		return "array"
	}
	return "object"
}
