package kms_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// key is an enabled customer key that rotates, changed as a case needs.
func key(change func(*kms.Key, *kms.Detail)) kms.Key {
	d := kms.Detail{Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Origin: "AWS_KMS"}
	k := kms.Key{Resource: checktest.Ref("kms", "key/1"), Rotation: fact.Known(true), Policy: fact.Known(defaultPolicy)}
	if change != nil {
		change(&k, &d)
	}
	k.Detail = fact.Known(d)
	return k
}

// defaultPolicy is the policy that KMS gives a key made without one.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
var defaultPolicy = policy(`"Sid": "Enable IAM User Permissions", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*"`)

// policy is a key policy of one statement that allows.
func policy(statement string) string {
	return `{"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{"Effect": "Allow", "Resource": "*", ` + statement + `}]}`
}

func withPolicy(document string) kms.Key {
	return key(func(k *kms.Key, _ *kms.Detail) { k.Policy = fact.Known(document) })
}

func detail(change func(*kms.Detail)) kms.Key {
	return key(func(_ *kms.Key, d *kms.Detail) { change(d) })
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := key(nil)
	ofAWS := detail(func(d *kms.Detail) { d.Manager = "AWS" })
	disabled := detail(func(d *kms.Detail) { d.State = "Disabled" })
	day := time.Date(2026, 6, 8, 0, 0, 0, 0, time.UTC)
	leaving := detail(func(d *kms.Detail) { d.State, d.Deletion = "PendingDeletion", &day })
	public := policy(`"Principal": {"AWS": "*"}, "Action": "kms:*"`)
	foreign := policy(`"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:Decrypt"`)
	organization := policy(`"Principal": "*", "Action": "kms:Decrypt", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-zyxwv98765"}}`)
	// The shape of the policies of AWS's own keys: anybody who comes by the service.
	viaService := func(more string) string {
		return policy(`"Principal": {"AWS": "*"}, "Action": ["kms:Decrypt", "kms:CreateGrant"],
			"Condition": {"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"` + more + `}}`)
	}
	inPolicy := func(statement string) check.Resource {
		return withPolicy(`{"Version": "2012-10-17", "Statement": [` + statement + `]}`)
	}
	policyDenied := key(func(k *kms.Key, _ *kms.Detail) { k.Policy = fact.Missing[string](fact.Denied, "kms:GetKeyPolicy") })

	checktest.Run(t, kms.Service(), checktest.Table{
		"kms-key-rotation": {
			{Name: "rotates", Resource: good, Want: check.Pass},
			{Name: "does not rotate", Resource: key(func(k *kms.Key, _ *kms.Detail) { k.Rotation = fact.Known(false) }), Want: check.Fail},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
			{Name: "disabled", Resource: disabled, Want: check.NotApplicable},
			{Name: "asymmetric", Resource: detail(func(d *kms.Detail) { d.Spec = "RSA_2048" }), Want: check.NotApplicable},
			{Name: "imported material", Resource: detail(func(d *kms.Detail) { d.Origin = "EXTERNAL" }), Want: check.NotApplicable},
			{Name: "status denied", Resource: key(func(k *kms.Key, _ *kms.Detail) {
				k.Rotation = fact.Missing[bool](fact.Denied, "kms:GetKeyRotationStatus")
			}), Want: check.NotAssessed},
		},
		"kms-key-not-pending-deletion": {
			{Name: "enabled", Resource: good, Want: check.Pass},
			{Name: "pending", Resource: leaving, Want: check.Fail},
			{Name: "primary with replicas pending", Resource: detail(func(d *kms.Detail) { d.State = "PendingReplicaDeletion" }), Want: check.Fail},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
		},
		"kms-key-enabled": {
			{Name: "enabled", Resource: good, Want: check.Pass},
			{Name: "disabled", Resource: disabled, Want: check.Fail},
			{Name: "on its way out", Resource: leaving, Want: check.NotApplicable},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
		},
		"kms-key-single-region": {
			{Name: "one region", Resource: good, Want: check.Pass},
			{Name: "many regions", Resource: detail(func(d *kms.Detail) { d.MultiRegion = true }), Want: check.Fail},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
		},
		"kms-key-not-public": {
			{Name: "default policy", Resource: good, Want: check.Pass},
			{Name: "service on behalf of the account", Resource: withPolicy(viaService(`, "kms:CallerAccount": "111122223333"`)), Want: check.Pass},
			{Name: "another account", Resource: withPolicy(foreign), Want: check.Pass},
			{Name: "an organization", Resource: withPolicy(organization), Want: check.Pass},
			{Name: "everybody", Resource: withPolicy(public), Want: check.Fail},
			{Name: "everybody, by a service", Resource: withPolicy(viaService("")), Want: check.Fail},
			{Name: "everybody, disabled", Resource: key(func(k *kms.Key, d *kms.Detail) {
				k.Policy, d.State = fact.Known(public), "Disabled"
			}), Want: check.Fail},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
			{Name: "policy denied", Resource: policyDenied, Want: check.NotAssessed},
			{Name: "not a policy", Resource: withPolicy(`[]`), Want: check.NotAssessed},
		},
		"kms-key-policy-no-other-accounts": append(policytest.Names("kms:Decrypt", inPolicy), policytest.InZone([]checktest.Case{
			{Name: "default policy", Resource: good, Want: check.Pass},
			{Name: "service on behalf of the account", Resource: withPolicy(viaService(`, "kms:CallerAccount": "111122223333"`)), Want: check.Pass},
			{Name: "everybody, which another check judges", Resource: withPolicy(public), Want: check.Pass},
			{Name: "another account", Resource: withPolicy(foreign), Want: check.Fail},
			{Name: "service on behalf of another account", Resource: withPolicy(viaService(`, "kms:CallerAccount": "444455556666"`)), Want: check.Fail},
			{Name: "an organization", Resource: withPolicy(organization), Want: check.Fail},
			{Name: "owned by AWS", Resource: ofAWS, Want: check.NotApplicable},
			{Name: "policy denied", Resource: policyDenied, Want: check.NotAssessed},
			{Name: "not a policy", Resource: withPolicy(`[]`), Want: check.NotAssessed},
		})...),
	}, policytest.Zones())
}
