package collect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
)

func TestLooksSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"#!/bin/sh\nyum install -y httpd":                      false,
		"export DB_PASSWORD=correct-horse":                     true,
		"password: 'hunter2hunter2'":                           true,
		"export DB_PASSWORD=$(aws secretsmanager get-secret)":  false,
		"DB_PASSWORD_ARN=arn:aws:secretsmanager:eu-west-1:1:s": false,
		"aws_key = AKIAIOSFODNN7EXAMPLE":                       true,
		"-----BEGIN RSA PRIVATE KEY-----":                      true,
		"url=postgres://app:s3cr3t99@db.internal/x":            true,
		"url=https://example.com/path":                         false,
		"TOKEN=":                                               false,
		"PASSWORD=short":                                       false,
		"":                                                     false,
	} {
		if got := collect.LooksSecret(text); got != want {
			t.Errorf("LooksSecret(%q) = %v", text, got)
		}
	}
}

func TestSecretNames(t *testing.T) {
	t.Parallel()
	got := collect.SecretNames(map[string]string{
		"STAGE": "prod", "API_TOKEN": "abcdef123456", "KEY": "AKIAIOSFODNN7EXAMPLE",
		"DB_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db", "MAX_TOKENS": "4096",
	})
	if want := []string{"API_TOKEN", "KEY"}; !slices.Equal(got, want) {
		t.Errorf("secret names %v, want %v", got, want)
	}
}

func TestLooksSecretUserData(t *testing.T) {
	t.Parallel()
	const script = "#!/bin/sh\nexport DB_PASSWORD=correct-horse\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(script)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		data string
		want bool
	}{
		"encoded":        {encode([]byte(script)), true},
		"packed":         {encode(packed.Bytes()), true},
		"packed, torn":   {encode(packed.Bytes()[:packed.Len()-4]), true},
		"in the clear":   {script, true},
		"nothing secret": {encode([]byte("#!/bin/sh\nyum -y update\n")), false},
		"empty":          {"", false},
	} {
		if got := collect.LooksSecretUserData(c.data); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
