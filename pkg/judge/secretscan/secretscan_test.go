package secretscan_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/secretscan"
)

func scan() *secretscan.Scan { return &secretscan.Scan{Unpack: 64 << 10} }

func pack(t testing.TB, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// inLines is base64 as MIME has it.
func inLines(text, indent string) string {
	var out strings.Builder
	for encoded := encode(text); encoded != ""; {
		n := min(76, len(encoded))
		out.WriteString(indent + encoded[:n] + "\n")
		encoded = encoded[n:]
	}
	return out.String()
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// forms are the ways in which a text may stand in user data.
var forms = map[string]func(t testing.TB, text string) string{
	"text":        func(_ testing.TB, text string) string { return text },
	"base64":      func(_ testing.TB, text string) string { return "echo " + encode(text) + " | base64 -d | sh" },
	"base64lines": func(_ testing.TB, text string) string { return inLines(text, "") },
	"gzip64":      func(t testing.TB, text string) string { return inLines(pack(t, text), "") },
	"gzip":        func(t testing.TB, text string) string { return "content: !!binary " + encode(pack(t, text)) },
	"twice":       func(_ testing.TB, text string) string { return encode("run " + encode(text)) },
	"utf16": func(_ testing.TB, text string) string {
		return "powershell -EncodedCommand " + encode(strings.Join(strings.Split(text, ""), "\x00")+"\x00")
	},
	"writefiles": func(_ testing.TB, text string) string {
		return "#cloud-config\nwrite_files:\n- path: /etc/app.ini\n  encoding: b64\n  content: " + encode(text) + "\n"
	},
	"mime": func(_ testing.TB, text string) string {
		return "Content-Type: multipart/mixed; boundary=\"//\"\nMIME-Version: 1.0\n\n--//\nContent-Type: text/x-shellscript; charset=\"us-ascii\"\n" +
			"Content-Transfer-Encoding: base64\n\n" + inLines(text, "") + "\n--//--\n"
	},
}

// TestCases counts what is taken for a credential and is none, and the other way
// round, in real names and forms.
func TestCases(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/cases.tsv")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", "¦", "")
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		row := strings.Split(line, "\t")
		if len(row) != 5 || row[3] != "secret" && row[3] != "none" {
			t.Fatalf("a row has five columns, form, name, value, want and source: %q", line)
		}
		value, want, got := unescape.Replace(row[2]), row[3] == "secret", false
		if row[0] == "setting" {
			got = scan().Setting(row[1], value)
		} else {
			got = scan().Text(forms[row[0]](t, value))
		}
		count["rows"]++
		count[row[3]]++
		if got != want {
			count["wrong "+row[3]]++
			t.Errorf("%s %s=%q: %v, want %s (%s)", row[0], row[1], value, got, row[3], row[4])
		}
	}
	t.Logf("%d forms: of %d credentials %d are missed, of %d others %d are taken for one",
		count["rows"], count["secret"], count["wrong secret"], count["none"], count["wrong none"])
	if count["rows"] < 150 {
		t.Errorf("%d rows, want 150", count["rows"])
	}
}

// costly is what keeps a scan busiest: beginnings of everything that it looks for.
var costly = []string{
	"a", "AKIA", "eyJ-", ".eyJaaaa", ".eyJ.", "a://b:", "://", "a=b ", "passwords\n", "PRIVATE KEY-----", "password=$abcdef ", "password =\t\t$",
	"password", "password=", "password:", "password,", "\"password\",", "password(", "<password>", "--password ", "secret_", "-", ".", "arn:", "{{resolve:",
	"name=password ", "name:", "value=", "mysql -p", "chpasswd\n", "a:b\n", "identified by ", "\\\"", "'", "\"", "`", "github_pat_", "glpat-", "Basic ", "Bearer ",
	"Q~", ":AA", "QUFB", "QUFB\n", "H4sI", "password=/a", "key=aaaaaaaaaaaaaaaaaaaaaaaa", "a_", "aA", "a1", "é", "\xff", "\x00",
}

// TestLinear: 400 KB of whatever a hostile account could write take well under a
// second. What grew with the square of the length would take hundreds; a machine that
// is busy with something else is given five tries.
func TestLinear(t *testing.T) {
	for _, piece := range costly {
		text := strings.Repeat(piece, 400<<10/len(piece))
		took := time.Hour
		for try := 0; try < 5 && took > time.Second; try++ {
			begin := time.Now()
			scan().Text(text)
			scan().Setting("DB_PASSWORD", text)
			took = min(took, time.Since(begin))
		}
		if took > time.Second {
			t.Errorf("400 KB of %q take %v", piece, took)
		}
	}
}

func BenchmarkText(b *testing.B) {
	for _, piece := range costly {
		text := strings.Repeat(piece, 64<<10/len(piece))
		b.Run(strings.TrimSpace(piece), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				scan().Text(text)
			}
		})
	}
}

// TestUnpackingIsBounded: what was not unpacked is said to be left, and only if there
// was anything.
func TestUnpackingIsBounded(t *testing.T) {
	t.Parallel()
	bomb := "content: " + encode(pack(t, strings.Repeat("nothing in here\n", 1<<16)))
	for name, c := range map[string]struct {
		text string
		cut  bool
		torn bool
	}{
		"a bomb":            {bomb, true, false},
		"long text":         {encode(strings.Repeat("nothing in here\n", 8<<10)), true, false},
		"long noise":        {strings.Repeat("deadbeef", 20<<10), false, false},
		"a torn archive":    {"content: " + encode(pack(t, strings.Repeat("nothing\n", 99))[:30]), false, true},
		"a word of base64":  {"H4sIAAAAAAAAAnotanarchive", false, true},
		"nothing is packed": {"#!/bin/sh\nyum -y update\n", false, false},
	} {
		s := scan()
		if s.Text(c.text) || s.Cut != c.cut || s.Torn != c.torn || s.Unpack < 0 {
			t.Errorf("%s: cut %v, torn %v, %d bytes left", name, s.Cut, s.Torn, s.Unpack)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, piece := range costly {
		f.Add(piece+"hunter2222", piece)
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		s := scan()
		s.Text(text)
		s.Setting(name, text)
		if s.Unpack < 0 {
			t.Errorf("unpacked %d bytes more than allowed", -s.Unpack)
		}
	})
}
