package shape

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed schemas
var schemas embed.FS

// Schemas are the names of all shapes that have a JSON Schema.
func Schemas() []string {
	files, _ := fs.Glob(schemas, "schemas/*.json") // the pattern is right
	names := make([]string, len(files))
	for i, f := range files {
		names[i], _, _ = strings.Cut(strings.TrimPrefix(f, "schemas/"), ".")
	}
	slices.Sort(names)
	return names
}

// Schema is the JSON Schema of a shape; false if there is none of that name.
func Schema(name string) ([]byte, bool) {
	if !slices.Contains(Schemas(), name) {
		return nil, false
	}
	text, err := schemas.ReadFile(fmt.Sprintf("schemas/%s.v%d.json", name, Version))
	return text, err == nil
}
