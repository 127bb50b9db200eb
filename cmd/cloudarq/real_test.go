package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/estate"
)

// TestNarrowedRegionsResolveNothing: buckets of regions that an audit leaves out are not
// gone, nor are they newly there when it looks at all again.
func TestNarrowedRegionsResolveNothing(t *testing.T) {
	e, _ := sample(t)
	neglected, data := e.Account("neglected"), t.TempDir()
	changes := func(args ...string) model.Changes {
		t.Helper()
		audit(t, data, neglected, append([]string{"--services", "s3", "--quiet"}, args...)...)
		return decode[model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json")).Summary.Changes
	}
	changes()
	if c := changes("--regions", "eu-west-1"); c.New+c.Resolved+c.Reopened != 0 {
		t.Errorf("one region: %+v", c)
	}
	if r := cloudarq(t, data, "audit", "diff", "-o", "json"); strings.Contains(r.stdout, `"resolved"`) {
		t.Errorf("the difference: %s", r.stdout)
	}
	if c := changes(); c.New+c.Resolved+c.Reopened != 0 {
		t.Errorf("all regions again: %+v", c)
	}
	open := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "-o", "json"))
	for _, f := range open {
		if f = decode[shape.Finding](t, cloudarq(t, data, "findings", "show", string(f.ID), "-o", "json")); len(f.History) != 1 {
			t.Errorf("%s of %s has a history of %d turns", f.Check, f.Resource, len(f.History))
		}
	}
}

// TestManyRoles: an account with as many roles as a few clusters make is audited, its
// score is known, and so is what its roles lack.
func TestManyRoles(t *testing.T) {
	e, server := sample(t)
	restricted, data := e.Account("restricted"), t.TempDir()
	client := iam.NewFromConfig(estate.Owner(server.URL, restricted.ID))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + restricted.ID +
		`:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub":"system:serviceaccount:team:service"}}}]}`
	const roles = 480
	for i := range roles { // one after the other: moto's roles stand no two writers
		name := aws.String(fmt.Sprintf("eks-cluster-team-%04d", i))
		t.Cleanup(func() { _, _ = client.DeleteRole(context.Background(), &iam.DeleteRoleInput{RoleName: name}) })
		if _, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trust), Path: aws.String("/eks/")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		r := audit(t, data, restricted, "--services", "iam", "--quiet")
		if r.code != exitOK || !strings.Contains(r.stdout, "Score") {
			t.Fatalf("%d %s%s", r.code, r.stdout, r.stderr)
		}
	}
	verdicts := decode[[]shape.Verdict](t, audit(t, data, restricted, "--services", "iam", "--checks", "iam-support-role", "--quiet", "-o", "json"))
	if len(verdicts) != 1 || len(verdicts[0].Evidence) == 0 || len(verdicts[0].Evidence) > 20 {
		t.Errorf("verdicts %+v", verdicts)
	}
}
