package alert_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

func chatSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "chat.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// chatIsSafe holds a message to the form that Amazon Q Developer takes, and looks at it as
// a chat does: nothing of an account's mentions anybody, is a link, or ends the code that
// it stands in.
func chatIsSafe(t interface{ Fatalf(string, ...any) }, schema *jsonschema.Schema, m notify.Message) {
	if err := notify.Check(m); err != nil {
		t.Fatalf("%v", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.Body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, m.Body)
	}
	var c struct {
		Content struct {
			Title, Description string
			NextSteps          []string
		}
	}
	if err := json.Unmarshal(m.Body, &c); err != nil {
		t.Fatalf("%v", err)
	}
	shown := strings.Join(append([]string{c.Content.Title, c.Content.Description}, c.Content.NextSteps...), "\n")
	lettersAreSafe(t, shown)
	for line := range strings.Lines(shown) {
		if strings.Count(line, "`")%2 != 0 {
			t.Fatalf("a line has half of a code: %s", line)
		}
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 && strings.ContainsAny(part, "<>&@*[]|~") || strings.ContainsAny(part, "<>") {
				t.Fatalf("a line has markup of somebody else's: %s", line)
			}
		}
	}
}

// TestChats holds what chats are sent of each kind of alert to what was read and found
// good.
func TestChats(t *testing.T) {
	t.Parallel()
	schema := chatSchema(t)
	for name, a := range letters() {
		m, err := a.Chat()
		if err != nil {
			t.Fatal(err)
		}
		chatIsSafe(t, schema, m)
		other, err := a.Message()
		if err != nil {
			t.Fatal(err)
		}
		if m.ID != other.ID || !cmp.Equal(m.Attributes, other.Attributes) {
			t.Errorf("%s: the chat's message is %s %v, the other %s %v", name, m.ID, m.Attributes, other.ID, other.Attributes)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, m.Body, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", "chats", name+".json")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
