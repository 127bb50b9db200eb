package main

import (
	"encoding/json"
	"os"
	"testing"
)

func TestExamples(t *testing.T) {
	got, err := recorded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.MarshalIndent(got, "", " ")
	_ = os.WriteFile("/tmp/examples.json", text, 0o600)
}
