package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// key is an access key of the emulator.
type key struct{ id, secret string }

// user is a user in an account of the emulator, whose keys a test can make and take
// away.
type user struct {
	t    *testing.T
	iam  *iam.Client
	name string
}

// makeUser makes a user in an account, who is allowed an action.
func makeUser(t *testing.T, server *emulator.Server, account, name, action string) user {
	t.Helper()
	u := user{t, iam.NewFromConfig(estate.Owner(server.URL, account)), name}
	if _, err := u.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.delete)
	u.allow(action)
	return u
}

func (u user) allow(action string) {
	u.t.Helper()
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)
	if _, err := u.iam.PutUserPolicy(u.t.Context(), &iam.PutUserPolicyInput{UserName: &u.name, PolicyName: aws.String("audit"), PolicyDocument: &document}); err != nil {
		u.t.Fatal(err)
	}
}

// key makes an access key.
func (u user) key() key {
	u.t.Helper()
	made, err := u.iam.CreateAccessKey(u.t.Context(), &iam.CreateAccessKeyInput{UserName: &u.name})
	if err != nil {
		u.t.Fatal(err)
	}
	return key{aws.ToString(made.AccessKey.AccessKeyId), aws.ToString(made.AccessKey.SecretAccessKey)}
}

// deactivate switches a key off.
func (u user) deactivate(k key) {
	u.t.Helper()
	if _, err := u.iam.UpdateAccessKey(u.t.Context(), &iam.UpdateAccessKeyInput{UserName: &u.name, AccessKeyId: &k.id, Status: types.StatusTypeInactive}); err != nil {
		u.t.Fatal(err)
	}
}

func (u user) delete() {
	ctx := context.WithoutCancel(u.t.Context()) // which is over when the test cleans up
	keys, err := u.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &u.name})
	if err != nil {
		u.t.Error(err)
		return
	}
	for _, k := range keys.AccessKeyMetadata {
		_, _ = u.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &u.name, AccessKeyId: k.AccessKeyId})
	}
	_, _ = u.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &u.name, PolicyName: aws.String("audit")})
	if _, err := u.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &u.name}); err != nil {
		u.t.Error(err)
	}
}
