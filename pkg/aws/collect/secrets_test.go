package collect_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

const operation = "ec2:DescribeInstanceAttribute"

var session = &collect.Session{}

func TestSearchText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"#!/bin/sh\nyum install -y httpd":                      false,
		"export DB_PASSWORD=correct-horse":                     true,
		"password: 'hunter2hunter2'":                           true,
		"export DB_PASSWORD=$(aws secretsmanager get-secret)":  false,
		"DB_PASSWORD_ARN=arn:aws:secretsmanager:eu-west-1:1:s": false,
		"aws_key = AKIAIOSFODNN7EXAMPLE":                       true,
		"-----BEGIN RSA PRIVATE KEY-----":                      true,
		"-----BEGIN PRIVATE KEY-----":                          true,
		"-----BEGIN PUBLIC KEY-----":                           false,
		"url=postgres://app:s3cr3t99@db.internal/x":            true,
		"url=https://example.com/path":                         false,
		"TOKEN=":                                               false,
		"PASSWORD=short":                                       false,
		"":                                                     false,
	} {
		search := collect.NewSearch(t.Context())
		if got := search.Text(text); got != want {
			t.Errorf("Text(%q) = %v", text, got)
		}
		if gap := search.Gap(session, operation); gap != nil || search.Looked() != len(text) {
			t.Errorf("Text(%q) looked at %d bytes: %v", text, search.Looked(), gap)
		}
	}
}

func TestSearchNames(t *testing.T) {
	t.Parallel()
	search := collect.NewSearch(t.Context())
	got := search.Names(map[string]string{
		"STAGE": "prod", "API_TOKEN": "abcdef123456", "KEY": "AKIAIOSFODNN7EXAMPLE",
		"DB_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db", "MAX_TOKENS": "4096",
	})
	if want := []string{"API_TOKEN", "KEY"}; !slices.Equal(got, want) || search.Gap(session, operation) != nil {
		t.Errorf("secret names %v, want %v", got, want)
	}
}

func pack(t testing.TB, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestSearchUserData: what was not looked at is neither fine nor faulty, unless the
// part that was looked at is faulty already.
func TestSearchUserData(t *testing.T) {
	t.Parallel()
	const secret, harmless = "#!/bin/sh\nexport DB_PASSWORD=correct-horse\n", "#!/bin/sh\nyum -y update\n"
	long := strings.Repeat(harmless, collect.SearchLimit/len(harmless)+1)
	encode := base64.StdEncoding.EncodeToString
	torn := func(text string) string { packed := pack(t, text); return encode(packed[:len(packed)-4]) }
	const cut, unpacked = "only the first 64 KiB were looked at", "it could not be unpacked to its end"
	for name, c := range map[string]struct {
		data  string
		found bool
		gap   string
	}{
		"encoded":                       {encode([]byte(secret)), true, ""},
		"encoded in lines":              {encode([]byte(secret))[:20] + "\n" + encode([]byte(secret))[20:], true, ""},
		"packed":                        {encode(pack(t, secret)), true, ""},
		"packed, torn":                  {torn(secret), true, unpacked},
		"packed, torn, nothing in it":   {torn(harmless), false, unpacked},
		"in the clear":                  {secret, true, ""},
		"nothing secret":                {encode([]byte(harmless)), false, ""},
		"empty":                         {"", false, ""},
		"long, secret first":            {encode([]byte(secret + long)), true, cut},
		"long, secret last":             {encode([]byte(long + secret)), false, cut},
		"long and packed, secret first": {encode(pack(t, secret+long)), true, cut},
		"long and packed, secret last":  {encode(pack(t, long+secret)), false, cut},
		"long, in the clear":            {long + secret, false, cut},
	} {
		search := collect.NewSearch(t.Context())
		if found := search.UserData(c.data); found != c.found {
			t.Errorf("%s: %v", name, found)
		}
		gap := search.Gap(session, operation)
		if got := detail(gap); got != c.gap || gap != nil && (gap.Reason != fact.NotCollected || gap.Operation != operation) {
			t.Errorf("%s: %+v, want %q", name, gap, c.gap)
		}
	}
}

func detail(gap *fact.Gap) string {
	if gap == nil {
		return ""
	}
	return gap.Detail
}

// TestSearchEndsWithItsContext: what comes after is not looked at, and nobody takes
// that for an answer.
func TestSearchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	search := collect.NewSearch(ctx)
	if !search.Text("password=hunter2hunter2") || search.Gap(session, operation) != nil {
		t.Error("nothing was found in time")
	}
	looked := search.Looked()
	cancel()
	if search.Text("password=hunter2hunter2") || search.UserData("password=hunter2hunter2") || search.Names(map[string]string{"PASSWORD": "hunter2hunter2"}) != nil {
		t.Error("something was found after the end")
	}
	if gap := search.Gap(session, operation); gap == nil || gap.Reason != fact.Timeout || search.Looked() != looked {
		t.Errorf("after the end: %+v, %d bytes", gap, search.Looked())
	}
}

// TestSearchIsOfOneResource: all that belongs to a resource shares one bound.
func TestSearchIsOfOneResource(t *testing.T) {
	t.Parallel()
	search := collect.NewSearch(t.Context())
	settings := map[string]string{}
	for i := range 40 {
		settings[fmt.Sprintf("SETTING_%02d", i)] = strings.Repeat("x", 4096)
	}
	settings["Z_PASSWORD"] = "hunter2hunter2"
	if names := search.Names(settings); names != nil || search.Looked() != collect.SearchLimit || search.Gap(session, operation) == nil {
		t.Errorf("%v after %d bytes, %v", names, search.Looked(), search.Gap(session, operation))
	}
}

// bomb is user data of a few kilobytes that unpacks to a mebibyte, of what costs a
// search the most.
func bomb(t testing.TB, line string) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(pack(t, strings.Repeat(line, 1<<20/len(line))))
}

var costly = []string{"a", "AKIA", "eyJ-", ".eyJaaaa", "a://b:", "a=b ", "passwords\n", "PRIVATE KEY-----", "password=$abcdef ", "password =\t\t$"}

// TestSearchOfBombs counts bytes, not time: 40 of each kind.
func TestSearchOfBombs(t *testing.T) {
	t.Parallel()
	looked, most := 0, 0
	for _, line := range costly {
		data := bomb(t, line)
		for range 40 {
			search := collect.NewSearch(t.Context())
			if search.UserData(data) || search.Gap(session, operation) == nil {
				t.Fatalf("a bomb of %q holds a credential, or nothing more than was looked at", line)
			}
			looked += search.Looked()
			most += collect.SearchLimit
		}
	}
	if looked > most {
		t.Errorf("looked at %d bytes, want %d at most", looked, most)
	}
}

func BenchmarkSearchOfBombs(b *testing.B) {
	for _, line := range costly {
		data := bomb(b, line)
		b.Run(strings.TrimSpace(line), func(b *testing.B) {
			b.SetBytes(collect.SearchLimit)
			for b.Loop() {
				collect.NewSearch(b.Context()).UserData(data)
			}
		})
	}
}
