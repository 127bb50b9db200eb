package pages

import (
	"maps"
	"slices"
	"strings"
)

// What tests look at.
var (
	ReturnPath = returnPath
	OfCode     = ofCode
	Device     = device
	Within     = within
)

// Sentence is what people read of a code whose words for programs are detail.
func Sentence(code, detail string) string {
	r := &refusal{}
	r.Code, r.Detail = code, detail
	return sentence(r)
}

// Routes are all paths, and the methods that each takes.
func Routes() map[string][]string {
	all := map[string][]string{}
	for path, m := range routes() {
		all[path] = strings.Split(m.allowed(), ", ")
	}
	return all
}

// Assets are the contents of all assets by their URLs.
func Assets() map[string][]byte {
	all := map[string][]byte{}
	for a := range maps.Values(served) {
		all[a.url] = a.content
	}
	return all
}

// Told are the words of what was done.
func Told() []string { return slices.Sorted(maps.Keys(told)) }
