package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// theirs is an account of the emulator that the estate has nothing in.
const theirs = "444455556666"

// mayAssume gives the auditor a policy that allows to assume the roles of an
// account, if they trust him.
func mayAssume(t *testing.T, server *emulator.Server, auditor estate.Account, account string) {
	t.Helper()
	ours := iam.NewFromConfig(estate.Owner(server.URL, auditor.ID))
	users, err := ours.ListUsers(t.Context(), &iam.ListUsersInput{})
	if err != nil || len(users.Users) != 1 {
		t.Fatalf("the auditor is one of %d users, %v", len(users.Users), err)
	}
	assume := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::%s:role/*"}]}`, account)
	if _, err := ours.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: users.Users[0].UserName, PolicyName: aws.String("assume-" + account), PolicyDocument: &assume}); err != nil {
		t.Fatal(err)
	}
}

// makeRole makes a role in their account that the auditor may assume, if he shows
// the External ID given; an empty one asks for none.
func makeRole(t *testing.T, server *emulator.Server, auditor estate.Account, name, externalID, action string) (arn string) {
	t.Helper()
	mayAssume(t, server, auditor, theirs)
	owner := iam.NewFromConfig(estate.Owner(server.URL, theirs))
	condition := ""
	if externalID != "" {
		condition = fmt.Sprintf(`,"Condition":{"StringEquals":{"sts:ExternalId":%q}}`, externalID)
	}
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"}%s}]}`, auditor.ID, condition)
	made, err := owner.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	allow := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)
	if _, err := owner.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("audit"), PolicyDocument: &allow}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deleteRole(t, server, name) })
	return *made.Role.Arn
}

// deleteRole deletes a role that makeRole made, if it is still there.
func deleteRole(t *testing.T, server *emulator.Server, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // which is over when the test cleans up
	owner := iam.NewFromConfig(estate.Owner(server.URL, theirs))
	_, _ = owner.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("audit")})
	_, _ = owner.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
}
