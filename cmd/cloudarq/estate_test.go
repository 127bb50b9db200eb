package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// TestSampleEstateIsTheSame: what an audit of a whole account found is the same, byte for byte
// once it is sorted, in the command, in the command through a server, in the API's pages and
// lines, and in exports; and all of it is as the schemas say.
func TestSampleEstateIsTheSame(t *testing.T) {
	e, _ := sample(t)
	data := t.TempDir()
	verdicts := audit(t, data, e.Account("neglected"), "--quiet", "-o", "ndjson")
	if verdicts.code != exitOK {
		t.Fatalf("%d %s", verdicts.code, verdicts.stderr)
	}
	conform(t, "verdict", rowsOf(verdicts.stdout))
	s := serveThat(t, data)
	signIn(t, s.url, func(page url.Values) { s.allow(page) })
	token := s.access()

	for _, list := range []struct {
		shape, path, member string
		words               []string
	}{
		{"finding", "/v1/findings?all=true", "findings", []string{"findings", "list", "--all"}},
		{"resource", "/v1/resources?service=ec2,iam,s3,kms,tagging", "resources", []string{"resources", "list", "service=ec2,iam,s3,kms,tagging"}},
		{"audit", "/v1/connections/" + e.Account("neglected").ID + "/audits", "audits", []string{"audit", "list"}},
	} {
		here := rowsOf(cloudarq(t, data, append(list.words, "-o", "ndjson")...).stdout)
		if len(here) == 0 || list.shape == "finding" && len(here) < 100 {
			t.Fatalf("%d of %s", len(here), list.shape)
		}
		conform(t, list.shape, here)
		same(t, list.shape+" through a server", here, rowsOf(cloudarq(t, t.TempDir(), append(list.words, "-o", "ndjson", "--server", s.url)...).stdout))
		same(t, list.shape+" in pages", here, pages(t, token, s.url+list.path, list.member, false))
		same(t, list.shape+" in lines", here, pages(t, token, s.url+list.path, list.member, true))
		var array []json.RawMessage
		if err := json.Unmarshal([]byte(cloudarq(t, data, append(list.words, "-o", "json")...).stdout), &array); err != nil {
			t.Fatal(err)
		}
		inArray := make([]string, len(array))
		for i, one := range array {
			inArray[i] = string(one)
		}
		same(t, list.shape+" as an array", here, inArray)
		tabulated(t, list.shape, here, cloudarq(t, data, append(list.words, "-o", "csv")...).stdout)
	}

	finding := struct{ ID string }{}
	if err := json.Unmarshal([]byte(rowsOf(cloudarq(t, data, "findings", "list", "--limit", "1", "-o", "ndjson").stdout)[0]), &finding); err != nil {
		t.Fatal(err)
	}
	whole := strings.TrimSpace(cloudarq(t, data, "findings", "show", finding.ID, "-o", "ndjson").stdout)
	conform(t, "finding", []string{whole})
	if got := bytes.TrimSpace(get(t, token, s.url+"/v1/findings/"+finding.ID, "application/json").body); !bytes.Contains(got, []byte(`"evidence":[`)) || canonical(t, string(got)) != canonical(t, whole) {
		t.Errorf("a finding in the API\n%s\nand in the command\n%s", got, whole)
	}
	conform(t, "whole-audit", rowsOf(cloudarq(t, data, "audit", "show", "-o", "ndjson").stdout))
	conform(t, "check", rowsOf(cloudarq(t, data, "checks", "list", "-o", "ndjson").stdout))
	conform(t, "trend-point", rowsOf(cloudarq(t, data, "trend", "-o", "ndjson").stdout))
	if r := audit(t, data, e.Account("neglected"), "--quiet", "--services", "s3,iam"); r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	here := rowsOf(cloudarq(t, data, "audit", "diff", "-o", "ndjson").stdout)
	conform(t, "difference", here)
	same(t, "differences through a server", here, rowsOf(cloudarq(t, t.TempDir(), "audit", "diff", "-o", "ndjson", "--server", s.url).stdout))
}

func rowsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if !slices.Equal(want, got) {
		at := 0
		for at < min(len(want), len(got)) && want[at] == got[at] {
			at++
		}
		t.Errorf("%s: %d, want %d; the first that differs:\n%s\nwant\n%s", what, len(got), len(want), slices.Concat(got, []string{""})[min(at, len(got))], slices.Concat(want, []string{""})[min(at, len(want))])
	}
}

// conform holds objects to the schema of their shape, with nothing in them that it does not
// have.
func conform(t *testing.T, name string, objects []string) {
	t.Helper()
	text, ok := shape.Schema(name)
	if !ok {
		t.Fatalf("no schema of %s", name)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	shut(document)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range objects {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(one))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("a %s is not as its schema says: %v\n%.1500s", name, err, one)
			return
		}
	}
}

// shut says in a schema that there is nothing else than it has.
func shut(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, object := s["properties"]; object && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
		for _, one := range s {
			shut(one)
		}
	case []any:
		for _, one := range s {
			shut(one)
		}
	}
}

type reply struct {
	body   []byte
	cursor string
}

func get(t *testing.T, token, address, accept string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", accept)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", address, w.StatusCode, err, body)
	}
	return reply{body, w.Header.Get("CloudArq-Cursor")}
}

// pages are the objects of all pages of a list, as they were sent.
func pages(t *testing.T, token, address, member string, inLines bool) (all []string) {
	t.Helper()
	accept := map[bool]string{false: "application/json", true: "application/x-ndjson"}[inLines]
	for cursor, n := "", 0; ; n++ {
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		r := get(t, token, address+separator+"limit=37&cursor="+url.QueryEscape(cursor), accept)
		if inLines {
			all = append(all, rowsOf(string(r.body))...)
		} else {
			var page map[string]json.RawMessage
			var some []json.RawMessage
			err := json.Unmarshal(r.body, &page)
			if err == nil {
				err = json.Unmarshal(page[member], &some)
			}
			if err != nil || len(some) > 37 {
				t.Fatalf("%v: %.300s", err, r.body)
			}
			for _, one := range some {
				all = append(all, string(one))
			}
		}
		if cursor = r.cursor; cursor == "" {
			return all
		}
		if n > 1000 {
			t.Fatal("a list has no end")
		}
	}
}

// canonical is JSON with its members in order.
func canonical(t *testing.T, text string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tabulated holds CSV to objects: a column for each member, and the same in it.
func tabulated(t *testing.T, what string, objects []string, text string) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) != len(objects)+1 {
		t.Fatalf("%s as CSV: %d records of %d objects, %v", what, len(records), len(objects), err)
	}
	var first map[string]json.RawMessage
	if err := json.Unmarshal([]byte(objects[0]), &first); err != nil {
		t.Fatal(err)
	}
	for _, member := range slices.Sorted(maps.Keys(first)) {
		at := slices.IndexFunc(records[0], func(c string) bool { return c == member || strings.HasPrefix(c, member+".") })
		if at < 0 {
			t.Errorf("%s as CSV has no column for %s", what, member)
			continue
		}
		var word string
		if json.Unmarshal(first[member], &word) == nil && records[0][at] == member && string(first[member]) != "null" && !strings.ContainsAny(word, "\n\r\t=+@-") && !strings.HasPrefix(member, "started_") && !strings.HasSuffix(member, "_at") && !strings.HasSuffix(member, "seen") && records[1][at] != word {
			t.Errorf("%s as CSV: %s is %q, want %q", what, member, records[1][at], word)
		}
	}
}
