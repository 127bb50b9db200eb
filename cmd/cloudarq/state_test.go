package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDamagedState(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	for name, c := range map[string]struct {
		damage func(t *testing.T, data string)
		says   string
	}{
		"another program's file": {func(t *testing.T, data string) {
			overwrite(t, filepath.Join(data, "state.db"), []byte(strings.Repeat("this is not a database\n", 100)))
		}, "not CloudArq's"},
		"torn file": {func(t *testing.T, data string) {
			kms(t, data, neglected)
			whole, err := os.ReadFile(filepath.Join(data, "state.db"))
			if err != nil {
				t.Fatal(err)
			}
			for i := 4096; i < len(whole); i++ {
				whole[i] = 0xA5
			}
			overwrite(t, filepath.Join(data, "state.db"), whole)
			for _, journal := range []string{"state.db-wal", "state.db-shm"} {
				_ = os.Remove(filepath.Join(data, journal))
			}
		}, "is damaged and was left as it is"},
		"a folder in its place": {func(t *testing.T, data string) {
			if err := os.MkdirAll(filepath.Join(data, "state.db"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not CloudArq's"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			c.damage(t, data)
			before, _ := os.ReadFile(filepath.Join(data, "state.db"))
			kms(t, data, neglected).sentence(t, exitFailed, "the state in "+data, c.says)
			if after, _ := os.ReadFile(filepath.Join(data, "state.db")); string(after) != string(before) {
				t.Error("the damaged file was changed")
			}
		})
	}
}

func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
