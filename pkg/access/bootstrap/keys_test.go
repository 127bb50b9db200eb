package bootstrap_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
)

func TestKeysAdvice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller string
		used   aws.Credentials
		want   string
	}{
		"a user's": {
			"arn:aws:iam::111122223333:user/staff/emea/alice",
			aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE"},
			`CloudArq needs the key AKIAIOSFODNN7EXAMPLE no more. If nothing else does, deactivate it, and delete it when nobody missed it:

    aws iam update-access-key --user-name alice --access-key-id AKIAIOSFODNN7EXAMPLE --status Inactive
    aws iam delete-access-key --user-name alice --access-key-id AKIAIOSFODNN7EXAMPLE
`,
		},
		"the root user's": {
			"arn:aws:iam::111122223333:root",
			aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE"},
			`CloudArq needs the key AKIAIOSFODNN7EXAMPLE no more. If nothing else does, deactivate it, and delete it when nobody missed it:

    aws iam update-access-key --access-key-id AKIAIOSFODNN7EXAMPLE --status Inactive
    aws iam delete-access-key --access-key-id AKIAIOSFODNN7EXAMPLE
`,
		},
		"a session's": {
			"arn:aws:sts::111122223333:assumed-role/Admin/alice",
			aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SessionToken: "t", CanExpire: true, Expires: time.Date(2026, 11, 26, 8, 30, 0, 0, time.UTC)},
			"CloudArq needs the session ASIAIOSFODNN7EXAMPLE no more; it expires by itself at 2026-11-26T08:30:00Z.\n",
		},
		"a user's session": {
			"arn:aws:iam::111122223333:user/alice",
			aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SessionToken: "t"},
			"CloudArq needs the session ASIAIOSFODNN7EXAMPLE no more; it expires by itself.\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake.New()
			fake.On(f, func(*sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
				return &sts.GetCallerIdentityOutput{Account: aws.String(account), Arn: &c.caller}, nil
			})
			cfg := f.Config(t)
			c.used.SecretAccessKey = "sentinel-secret"
			cfg.Credentials = aws.CredentialsProviderFunc(func(_ context.Context) (aws.Credentials, error) { return c.used, nil })
			admin, err := bootstrap.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			keys := admin.Keys()
			if got := keys.Advice(); got != c.want {
				t.Errorf("advice:\n%s\nwant:\n%s", got, c.want)
			}
			commands := keys.Deactivation()
			if keys.Temporary != (len(commands) == 0) || len(commands) > 0 && !strings.Contains(c.want, strings.Join(commands, "\n    ")) {
				t.Errorf("commands %q", commands)
			}
		})
	}
}
