package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// exportLog is an admin log of some changes as lines, as the API exports it but the oldest
// first.
func exportLog(t *testing.T, changes int) (lines []string) {
	t.Helper()
	org := store.New(tables.New(time.Now), nil).For("acme")
	for i := range changes {
		c := model.Connection{ID: model.ConnectionID(fmt.Sprint("c", i)), Name: "<a> & b \u2028"}
		by := model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "anna"}, Address: "192.0.2.1", Action: "create-connection", At: time.Now()}
		if err := org.ChangeConnection(t.Context(), by, &c); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range org.AdminLog(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line.String())
	}
	return lines
}

func TestAuditLogVerify(t *testing.T) {
	t.Parallel()
	lines := exportLog(t, 5)
	backwards := slices.Clone(lines)
	slices.Reverse(backwards)
	verify := func(lines []string) result {
		return cloudarqIn(t.Context(), t.TempDir(), strings.Join(lines, ""), "admin", "auditlog", "verify", "-", "-o", "json")
	}
	for name, c := range map[string]struct {
		lines       []string
		first, last int64
	}{
		"all":              {lines, 1, 5},
		"the newest first": {backwards, 1, 5},
		"some":             {lines[1:4], 2, 4},
		"some, backwards":  {backwards[1:4], 2, 4},
		"one":              {lines[2:3], 3, 3},
	} {
		r := verify(c.lines)
		var g exportedLog
		if r.code != exitOK || json.Unmarshal([]byte(r.stdout), &g) != nil {
			t.Errorf("%s: code %d, %s%s", name, r.code, r.stdout, r.stderr)
			continue
		}
		if g.Entries != len(c.lines) || g.First != c.first || g.Last != c.last || !strings.Contains(lines[c.last-1], g.Hash) {
			t.Errorf("%s: %+v", name, g)
		}
	}
	swap := func(i, j int) []string {
		s := slices.Clone(lines)
		s[i], s[j] = s[j], s[i]
		return s
	}
	edit := func(from, to string) []string {
		s := slices.Clone(lines)
		s[2] = strings.Replace(s[2], from, to, 1)
		if s[2] == lines[2] {
			t.Fatalf("there is no %s in %s", from, s[2])
		}
		return s
	}
	for name, altered := range map[string][]string{
		"an edit":                    edit("anna", "bert"),
		"an address":                 edit("192.0.2.1", "192.0.2.2"),
		"what it was about":          edit("connection/c2", "connection/c3"),
		"an edit, backwards":         append([]string{strings.Replace(lines[4], "anna", "bert", 1)}, backwards[1:]...),
		"a field that is not hashed": edit(`"seq":3`, `"seq":3,"by":"bert"`),
		"a name twice":               edit(`"action":`, `"action":"nothing","action":`),
		"a removal":                  slices.Delete(slices.Clone(lines), 2, 3),
		"a removal, backwards":       slices.Delete(slices.Clone(backwards), 2, 3),
		"an exchange":                swap(1, 2),
		"an entry twice":             append(slices.Clone(lines), lines[4]),
		"half a line":                append(slices.Clone(lines[:4]), lines[4][:40]),
		"something else":             {"hello\n"},
	} {
		if r := verify(altered); r.code != exitAltered {
			t.Errorf("%s: code %d, %s%s", name, r.code, r.stdout, r.stderr)
		}
	}
	if r := verify(nil); r.code != exitUsage {
		t.Errorf("nothing: code %d, %s", r.code, r.stderr)
	}
}
