package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// newcomer is an account of the emulator that has nothing but an administrator,
// whose keys are the profile "admin". The auditor may assume its roles.
type newcomer struct {
	account string
	keys    aws.Credentials
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func newNewcomer(t *testing.T, account, policy string) (newcomer, *emulator.Server) {
	t.Helper()
	e, server := sample(t)
	mayAssume(t, server, e.Auditor, account)
	owner, name := iam.NewFromConfig(estate.Owner(server.URL, account)), aws.String("alice")
	if _, err := owner.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name, Path: aws.String("/staff/")}); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("admin"), PolicyDocument: &policy}); err != nil {
		t.Fatal(err)
	}
	made, err := owner.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	n := newcomer{account, aws.Credentials{AccessKeyID: *made.AccessKey.AccessKeyId, SecretAccessKey: *made.AccessKey.SecretAccessKey}}
	profiles(t, n.keys)
	return n, server
}

// profiles makes keys the profile "admin".
func profiles(t *testing.T, keys aws.Credentials) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[admin]\naws_access_key_id = %s\naws_secret_access_key = %s\n", keys.AccessKeyID, keys.SecretAccessKey)
	if keys.SessionToken != "" {
		text += "aws_session_token = " + keys.SessionToken + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
}

func TestBootstrapExplore(t *testing.T) {
	n, _ := newNewcomer(t, "555500000001", everything)
	data := t.TempDir()
	for range 3 {
		r := cloudarq(t, data, "connections", "bootstrap", "--admin-profile", "admin", "--yes", "--timeout", "20s")
		t.Logf("%d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	r := cloudarq(t, data, "audit", "run", "--connection", n.account, "--services", "kms", "-q")
	t.Logf("%d\n%s\n%s", r.code, r.stdout, r.stderr)
}
