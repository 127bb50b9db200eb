package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/estate"
)

// empty is the account of the emulator's owner, in which nobody did anything.
const empty = "123456789012"

// asOwner lets the command act as an account's owner.
func asOwner(t *testing.T, account string) aws.Config {
	t.Helper()
	_, server := sample(t)
	config := estate.Owner(server.URL, account)
	keys, err := config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	environment(t, map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
	})
	return config
}

// counts are findings by check, for messages.
func counts(findings []shape.Finding) string {
	by := map[model.CheckID]int{}
	for _, f := range findings {
		by[f.Check]++
	}
	var lines []string
	for id, n := range by {
		lines = append(lines, fmt.Sprintf("%3d %s", n, id))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestEmptyAccount: an account in which nobody did anything has few findings over all
// regions, each of which somebody could mend by one decision.
func TestEmptyAccount(t *testing.T) {
	asOwner(t, empty)
	data := t.TempDir()
	if r := cloudarq(t, data, "audit", "run", "--quiet", "--incomplete-ok"); r.code != exitOK {
		t.Fatalf("%d: %s", r.code, r.stderr)
	}
	listed := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "-o", "json"))
	if len(listed) > 40 {
		t.Errorf("an empty account has %d findings:\n%s", len(listed), counts(listed))
	}
	all := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "--all", "-o", "json"))
	if len(all) <= len(listed) {
		t.Errorf("%d findings, of which %d are listed: nothing is folded", len(all), len(listed))
	}
	if testing.Verbose() {
		t.Logf("listed:\n%s\nall: %d", counts(listed), len(all))
	}
}

// TestOneOpenSecurityGroup: what one rule opens is one finding of the group.
func TestOneOpenSecurityGroup(t *testing.T) {
	client := ec2.NewFromConfig(asOwner(t, empty), func(o *ec2.Options) { o.Region = "eu-west-1" })
	data, ctx := t.TempDir(), t.Context()
	vpc, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	group, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("open"), Description: aws.String("open"), VpcId: vpc.Vpc.VpcId})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		_, _ = client.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: group.GroupId})
		_, _ = client.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc.Vpc.VpcId})
	})
	all := []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}
	if _, err := client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: all}); err != nil {
		t.Fatal(err)
	}
	run := func() (listed, folded []shape.Finding) {
		t.Helper()
		if r := cloudarq(t, data, "audit", "run", "--quiet", "--incomplete-ok", "--regions", "eu-west-1", "--checks", "ec2-security-group-no-*,ec2-security-group-only-*"); r.code != exitOK {
			t.Fatalf("%d: %s", r.code, r.stderr)
		}
		of := "resource=arn:aws:ec2:eu-west-1:" + empty + ":security-group/" + *group.GroupId
		listed = decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", of, "-o", "json"))
		return listed, decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", of, "folded=true", "-o", "json"))
	}
	listed, folded := run()
	if len(listed) != 1 || listed[0].Check != "ec2-security-group-no-all-traffic-from-internet" || len(folded) < 25 {
		t.Errorf("listed:\n%s\nfolded:\n%s", counts(listed), counts(folded))
	}
	// One port stays open when the rule goes: what was folded is a finding of its own.
	if _, err := client.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: all}); err != nil {
		t.Fatal(err)
	}
	ssh := []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: all[0].IpRanges}}
	if _, err := client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: ssh}); err != nil {
		t.Fatal(err)
	}
	listed, folded = run()
	if len(folded) != 0 || !slices.ContainsFunc(listed, func(f shape.Finding) bool { return f.Check == "ec2-security-group-no-ssh-from-ipv4-internet" }) {
		t.Errorf("listed:\n%s\nfolded:\n%s", counts(listed), counts(folded))
	}
}
