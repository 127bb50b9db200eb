package across

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// recommended is the patterns of the CIS AWS Foundations Benchmark 5.0.
var recommended = map[model.CheckID]string{
	"monitoring-unauthorized-api-calls": `{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }`,
	"monitoring-sign-in-without-mfa":    `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`,
	"monitoring-root-usage":             `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`,
	"monitoring-iam-policy-changes": `{($.eventSource = iam.amazonaws.com) && (($.eventName=DeleteGroupPolicy)||($.eventName=DeleteRolePolicy)||($.eventName=DeleteUserPolicy)||
		($.eventName=PutGroupPolicy)||($.eventName=PutRolePolicy)||($.eventName=PutUserPolicy)||($.eventName=CreatePolicy)||($.eventName=DeletePolicy)||
		($.eventName=CreatePolicyVersion)||($.eventName=DeletePolicyVersion)||($.eventName=AttachRolePolicy)||($.eventName=DetachRolePolicy)||
		($.eventName=AttachUserPolicy)||($.eventName=DetachUserPolicy)||($.eventName=AttachGroupPolicy)||($.eventName=DetachGroupPolicy))}`,
	"monitoring-cloudtrail-changes": `{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }`,
	"monitoring-sign-in-failures":   `{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }`,
	"monitoring-kms-key-deletion":   `{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }`,
	"monitoring-s3-bucket-policy-changes": `{ ($.eventSource = s3.amazonaws.com) && (($.eventName = PutBucketAcl) || ($.eventName = PutBucketPolicy) || ($.eventName = PutBucketCors) ||
		($.eventName = PutBucketLifecycle) || ($.eventName = PutBucketReplication) || ($.eventName = DeleteBucketPolicy) || ($.eventName = DeleteBucketCors) ||
		($.eventName = DeleteBucketLifecycle) || ($.eventName = DeleteBucketReplication)) }`,
	"monitoring-config-changes": `{ ($.eventSource = config.amazonaws.com) && (($.eventName=StopConfigurationRecorder)||($.eventName=DeleteDeliveryChannel)||($.eventName=PutDeliveryChannel)||($.eventName=PutConfigurationRecorder)) }`,
	"monitoring-security-group-changes": `{ ($.eventName = AuthorizeSecurityGroupIngress) || ($.eventName = AuthorizeSecurityGroupEgress) || ($.eventName = RevokeSecurityGroupIngress) ||
		($.eventName = RevokeSecurityGroupEgress) || ($.eventName = CreateSecurityGroup) || ($.eventName = DeleteSecurityGroup) }`,
	"monitoring-network-acl-changes": `{ ($.eventName = CreateNetworkAcl) || ($.eventName = CreateNetworkAclEntry) || ($.eventName = DeleteNetworkAcl) || ($.eventName = DeleteNetworkAclEntry) ||
		($.eventName = ReplaceNetworkAclEntry) || ($.eventName = ReplaceNetworkAclAssociation) }`,
	"monitoring-network-gateway-changes": `{ ($.eventName = CreateCustomerGateway) || ($.eventName = DeleteCustomerGateway) || ($.eventName = AttachInternetGateway) ||
		($.eventName = CreateInternetGateway) || ($.eventName = DeleteInternetGateway) || ($.eventName = DetachInternetGateway) }`,
	"monitoring-route-table-changes": `{($.eventSource = ec2.amazonaws.com) && ($.eventName = CreateRoute) || ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRoute) ||
		($.eventName = ReplaceRouteTableAssociation) || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = DisassociateRouteTable) }`,
	"monitoring-vpc-changes": `{ ($.eventName = CreateVpc) || ($.eventName = DeleteVpc) || ($.eventName = ModifyVpcAttribute) || ($.eventName = AcceptVpcPeeringConnection) ||
		($.eventName = CreateVpcPeeringConnection) || ($.eventName = DeleteVpcPeeringConnection) || ($.eventName = RejectVpcPeeringConnection) ||
		($.eventName = AttachClassicLinkVpc) || ($.eventName = DetachClassicLinkVpc) || ($.eventName = DisableVpcClassicLink) || ($.eventName = EnableVpcClassicLink) }`,
	"monitoring-organizations-changes": `{ ($.eventSource = organizations.amazonaws.com) && (($.eventName = "AcceptHandshake") || ($.eventName = "AttachPolicy") || ($.eventName = "CreateAccount") ||
		($.eventName = "CreateOrganizationalUnit") || ($.eventName = "CreatePolicy") || ($.eventName = "DeclineHandshake") || ($.eventName = "DeleteOrganization") ||
		($.eventName = "DeleteOrganizationalUnit") || ($.eventName = "DeletePolicy") || ($.eventName = "DetachPolicy") || ($.eventName = "DisablePolicyType") ||
		($.eventName = "EnablePolicyType") || ($.eventName = "InviteAccountToOrganization") || ($.eventName = "LeaveOrganization") || ($.eventName = "MoveAccount") ||
		($.eventName = "RemoveAccountFromOrganization") || ($.eventName = "UpdatePolicy") || ($.eventName = "UpdateOrganizationalUnit")) }`,
}

func counts(t *testing.T, m monitoring, filter string) bool {
	t.Helper()
	ok, err := m.countedBy(filter)
	if err != nil {
		t.Errorf("%s: %s: %v", m.id, filter, err)
	}
	return ok
}

// required is the parts of a pattern that ask for a value.
var required = regexp.MustCompile(`\$\.[\w.]+ *= *("[^"]*"|[\w.*]+)`)

// TestPatterns holds each row of the table to CIS's own pattern: as it is, turned
// around, with a part missing, and with a part negated.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, m := range monitored {
		t.Run(string(m.id), func(t *testing.T) {
			t.Parallel()
			filter := recommended[m.id]
			if !counts(t, m, filter) {
				t.Fatalf("CIS's own pattern is refused: %s", filter)
			}
			if turned := reversed(filter); turned != "" && !counts(t, m, turned) {
				t.Errorf("refused in another order: %s", turned)
			}
			parts := required.FindAllString(filter, -1)
			if len(parts) == 0 {
				t.Fatal("the pattern has no part to leave out")
			}
			for _, part := range parts {
				if counts(t, m, strings.Replace(filter, part, "$.eventName = NoSuchCall", 1)) {
					t.Errorf("accepted without %s", part)
				}
				if counts(t, m, strings.Replace(filter, part, strings.Replace(part, "=", "!=", 1), 1)) {
					t.Errorf("accepted with %s negated", part)
				}
			}
		})
	}
}

// reversed is a pattern of the form { a || b || … } with its parts turned around.
func reversed(filter string) string {
	inner := strings.Trim(strings.TrimSpace(filter), "{} ")
	if strings.Contains(inner, "&&") {
		return ""
	}
	parts := strings.Split(inner, "||")
	for i := range len(parts) / 2 {
		parts[i], parts[len(parts)-1-i] = parts[len(parts)-1-i], parts[i]
	}
	return "{" + strings.Join(parts, "||") + "}"
}

func TestWaysToWriteAPattern(t *testing.T) {
	t.Parallel()
	find := func(id model.CheckID) monitoring {
		for _, m := range monitored {
			if m.id == id {
				return m
			}
		}
		t.Fatalf("no %s", id)
		return monitoring{}
	}
	for _, c := range []struct {
		id     model.CheckID
		filter string
		want   bool
	}{
		{"monitoring-kms-key-deletion", `{((($.eventName="ScheduleKeyDeletion")||($.eventName="DisableKey")))&&$.eventSource="kms.amazonaws.com"}`, true},
		{"monitoring-kms-key-deletion", `{ ($.eventSource = kms*) && (($.eventName = Disable*) || ($.eventName = Schedule*) || ($.eventName = EnableKey)) }`, true},
		{"monitoring-kms-key-deletion", `{ $.eventName = %^(DisableKey|ScheduleKeyDeletion)$% }`, true},
		{"monitoring-kms-key-deletion", `{ ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) && $.userIdentity.arn != "*terraform*" }`, true},
		{"monitoring-kms-key-deletion", `{ ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) && $.errorCode NOT EXISTS }`, true},
		{"monitoring-kms-key-deletion", `{ ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) && $.userIdentity.type = "IAMUser" }`, false},
		{"monitoring-kms-key-deletion", `{ ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) && $.awsRegion = us-east-1 }`, false},
		{"monitoring-kms-key-deletion", `{ ($.eventName = DisableKey) && ($.eventName = ScheduleKeyDeletion) }`, false},
		{"monitoring-kms-key-deletion", `{ ($.eventName = disablekey) || ($.eventName = ScheduleKeyDeletion) }`, false},
		{"monitoring-kms-key-deletion", `{ $.eventName = * }`, false},
		{"monitoring-kms-key-deletion", `{ $.eventName EXISTS }`, false},
		{"monitoring-kms-key-deletion", `{ $.eventName != "DescribeInstances" }`, false},
		{"monitoring-kms-key-deletion", `ScheduleKeyDeletion`, false},
		{"monitoring-kms-key-deletion", `[ip, user, name = DisableKey]`, false},
		{"monitoring-kms-key-deletion", ``, false},
		{"monitoring-unauthorized-api-calls", `{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}`, true},
		{"monitoring-unauthorized-api-calls", `{($.errorCode="UnauthorizedOperation") || ($.errorCode="AccessDenied")}`, false},
		{"monitoring-sign-in-without-mfa", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }`, true},
		{"monitoring-sign-in-without-mfa", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "Yes") }`, false},
		{"monitoring-unauthorized-api-calls", `{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && ($.userIdentity.invokedBy != "cloudfront.amazonaws.com") }`, false},
		{"monitoring-iam-policy-changes", `{ ($.eventSource = iam.amazonaws.com) && ($.userIdentity.sessionContext.sessionIssuer.userName != "deployer") }`, false},
		{"monitoring-root-usage", `{ $.userIdentity.type = Root }`, true},
		{"monitoring-root-usage", `{ $.userIdentity.type = Root && $.userIdentity.invokedBy EXISTS }`, false},
		{"monitoring-root-usage", `{ $.userIdentity.type = Root && $.eventType = AwsConsoleSignIn }`, false},
	} {
		if got := counts(t, find(c.id), c.filter); got != c.want {
			t.Errorf("%s: %s: %v, want %v", c.id, c.filter, got, c.want)
		}
	}
}

// TestRemediation holds the commands that the texts give to the rules.
func TestRemediation(t *testing.T) {
	t.Parallel()
	texts, err := check.ParseTexts(texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range monitored {
		_, filter, _ := strings.Cut(texts[m.id].Remediation.CLI, "--filter-pattern '")
		if !counts(t, m, strings.TrimSuffix(filter, "'")) {
			t.Errorf("%s: the pattern of the remediation is not accepted: %s", m.id, filter)
		}
	}
}

func TestParsePattern(t *testing.T) {
	t.Parallel()
	e := event{"a": "x", "n": "5", "t": "true", "b.c": "y z", "list[0].id": "7"}
	for filter, want := range map[string]bool{
		`{ $.a = x }`:                              true,
		`{$.a="x"}`:                                true,
		`{ $.b.c = "y z" }`:                        true,
		`{ $.b.c = "y*" }`:                         true,
		`{ $.b.c = y }`:                            false,
		`{ $.n > 4 }`:                              true,
		`{ $.n >= 5 && $.n <= 5 }`:                 true,
		`{ $.n < 5 }`:                              false,
		`{ $.a < 5 }`:                              false,
		`{ $.t IS TRUE }`:                          true,
		`{ $.t IS FALSE }`:                         false,
		`{ $.t is not false }`:                     true,
		`{ $.list[0].id = 7 }`:                     true,
		`{ $.gone NOT EXISTS }`:                    true,
		`{ $.gone = x }`:                           false,
		`{ $.gone != x }`:                          false,
		`{ $.a = no && $.a = no || $.a = x }`:      true,
		`{ $.a = x || $.a = no && $.a = no }`:      true,
		`{ ($.a = x || $.a = no) && ($.a = no) }`:  false,
		`{ ((($.a = x))) }`:                        true,
		`{ $.a = %x% }`:                            true,
		`{ $.a = "(" || $.a = x }`:                 true,
		` { $.a = x } `:                            true,
		`"a" "x"`:                                  false,
		`{ $.a != "no" && $.b.c != "no" && $.n=5}`: true,
	} {
		p, err := parsePattern(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		} else if got := p(e); got != want {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	for _, broken := range []string{
		`{`, `{}`, `{ $.a }`, `{ $.a = }`, `{ $.a = x`, `{ ($.a = x }`, `{ $.a = x) }`, `{ $.a = x && }`, `{ x = $.a }`, `{ $.a ~ x }`,
		`{ $.a NOT x }`, `{ $.a < x }`, `{ $.a = %[% }`, `{ $.a = ( }`, `{ $.a = x $.b = y }`, `{ $.a = "x }`,
	} {
		if _, err := parsePattern(broken); err == nil {
			t.Errorf("%s is understood", broken)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	for _, filter := range recommended {
		f.Add(filter)
	}
	f.Fuzz(func(_ *testing.T, filter string) {
		if p, err := parsePattern(filter); err == nil {
			p(ordinary[0])
		}
	})
}
