package connect_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// TestAdministratorCannotWrite opens an account whose role may do everything, and
// then calls AWS without the guard, as a broken program would.
func TestAdministratorCannotWrite(t *testing.T) {
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	sample, err := estate.Seed(t.Context(), server.URL, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range sample.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value)
		}
	}
	t.Setenv("AWS_CA_BUNDLE", "")
	account := sample.Account("neglected")
	ids, _ := externalIDs(t)
	external, err := ids.ExternalID(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	owner := iam.NewFromConfig(estate.Owner(server.URL, account.ID))
	name := aws.String("CloudArqAuditRole")
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"},"Condition":{"StringEquals":{"sts:ExternalId":%q}}}]}`,
		sample.Auditor.ID, external.Reveal())
	if _, err := owner.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	everything := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if _, err := owner.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("everything"), PolicyDocument: &everything}); err != nil {
		t.Fatal(err)
	}
	connection := model.Connection{ID: "c", AccountID: account.ID, RoleARN: account.RoleARN}
	if err := ids.Store.For("acme").PutConnection(t.Context(), &connection); err != nil {
		t.Fatal(err)
	}
	accounts := connect.Accounts{ExternalIDs: ids, Now: time.Now, Client: client.New(client.Options{Version: "test", CustomEndpoint: collectors.CustomEndpoint})}
	opened, err := accounts.Open(t.Context(), "acme", model.Audit{ID: "audit", Connection: "c"}, policy.Session{Actions: []string{"kms:ListKeys"}}, &ledger.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	guarded := opened.Config("eu-west-1", &ledger.Memory{})
	broken := aws.Config{Region: "eu-west-1", Credentials: guarded.Credentials, BaseEndpoint: aws.String(server.URL)}
	keys := kms.NewFromConfig(broken)
	if _, err := keys.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
		t.Errorf("what the task needs is denied: %v", err)
	}
	for what, call := range map[string]func() error{
		"kms:CreateKey": func() error {
			_, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
			return err
		},
		"s3:ListAllMyBuckets, of another task": func() error {
			_, err := s3.NewFromConfig(broken, func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			return err
		},
		"iam:CreateUser": func() error {
			_, err := iam.NewFromConfig(broken).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("intruder")})
			return err
		},
	} {
		var api smithy.APIError
		if err := call(); !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "AccessDenied") {
			t.Errorf("%s with a session that may only list keys: %v", what, err)
		}
	}

	// And a role that is not to be assumed says which.
	connection.RoleARN = "arn:aws:iam::" + account.ID + ":role/Missing"
	if err := ids.Store.For("acme").PutConnection(t.Context(), &connection); err != nil {
		t.Fatal(err)
	}
	var refused *pipeline.RefusedError
	if _, err := accounts.Open(t.Context(), "acme", model.Audit{ID: "audit", Connection: "c"}, policy.Session{}, &ledger.Memory{}); !errors.As(err, &refused) || refused.Code != "role_denied" {
		t.Errorf("a missing role: %v", err)
	}
}

// TestSessionsFit: what a task of any service needs is within what a session's
// policy may have, so that no session is wider than its task.
func TestSessionsFit(t *testing.T) {
	t.Parallel()
	for _, spec := range collectors.All() {
		var actions []string
		seen := map[string]bool{}
		for _, w := range spec.Walks {
			for _, id := range w.Operations {
				sdk, operation, _ := strings.Cut(id, ".")
				if action := policy.Action(sdk, operation); !seen[action] {
					seen[action] = true
					actions = append(actions, action)
				}
			}
		}
		need := policy.Session{Actions: actions}
		if !spec.Global {
			need.Regions = model.KnownRegions()
		}
		if _, err := need.Document(); err != nil {
			t.Errorf("%s: %v", spec.Service, err)
		}
	}
}
