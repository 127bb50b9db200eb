package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const heading = "# A type, and below it its properties: path, types, whether another value replaces the resource, allowed values.\n"

func TestCloudFormation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "schemas.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	for name, content := range map[string]string{
		"aws-door.json": `{"typeName": "AWS::House::Door",
			"properties": {
				"Arn": {"type": "string"},
				"Colour": {"type": "string", "enum": ["red", "blue"]},
				"Locks": {"type": "array", "items": {"$ref": "#/definitions/Lock"}},
				"Policy": {"type": ["object", "string"]},
				"Frame": {"oneOf": [{"type": "string", "enum": ["oak"]}, {"type": "integer"}]}
			},
			"definitions": {"Lock": {"type": "object", "properties": {"Bolts": {"type": "integer"}, "Spare": {"$ref": "#/definitions/Lock"}}}},
			"readOnlyProperties": ["/properties/Arn"],
			"createOnlyProperties": ["/properties/Locks/*/Bolts", "/properties/Policy"]}`,
		"aws-roof.json": `{"typeName": "AWS::House::Roof", "properties": {"Tiles": {"type": "integer"}}}`,
		"readme.txt":    "no schema",
		"index.json":    `["no schema either"]`,
	} {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := cloudFormation(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(heading+`AWS::House::Door
	Colour	string	-	blue|red
	Frame	integer,string	-	oak
	Locks	array,object	-
	Locks.Bolts	integer	replaces
	Locks.Spare	object	-
	Policy	object,string	replaces
AWS::House::Roof
	Tiles	integer	-
`, table(all)); diff != "" {
		t.Error(diff)
	}
}

func TestTerraform(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(path, []byte(`{"provider_schemas": {"registry/aws": {"resource_schemas": {
		"aws_roof": {"block": {}},
		"aws_door": {"block": {
			"attributes": {
				"arn": {"type": "string", "computed": true},
				"colour": {"type": "string", "optional": true},
				"locked": {"type": "bool", "required": true},
				"keys": {"type": ["set", "string"], "optional": true},
				"tags": {"type": ["map", "string"], "optional": true},
				"frame": {"nested_type": {"attributes": {"width": {"type": "number", "optional": true}}}, "optional": true}
			},
			"block_types": {"lock": {"nesting_mode": "list", "block": {"attributes": {"bolts": {"type": "number", "required": true}}}}}
		}}}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := terraform(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(heading+`aws_door
	colour	string	-
	frame	object	-
	frame.width	number	-
	keys	array	-
	lock	object	-
	lock.bolts	number	-
	locked	boolean	-
	tags	object	-
aws_roof
`, table(all)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(path, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := terraform(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error with the file's name", err)
	}
	if _, err := cloudFormation(path); err == nil {
		t.Error("no error for what is no archive")
	}
}
