package model

import (
	"reflect"
	"strings"
)

// JSONName is the name that encoding/json gives to a struct field.
func JSONName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}
