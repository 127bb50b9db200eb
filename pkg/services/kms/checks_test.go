package kms_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/check/checktest"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
)

// key is an enabled customer key that rotates, changed as a case needs.
func key(change func(*kms.Key, *kms.Detail)) kms.Key {
	d := kms.Detail{Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS"}
	k := kms.Key{Resource: checktest.Ref("kms", "key/1"), Rotation: fact.Known(true), Policy: fact.Known(`{}`)}
	if change != nil {
		change(&k, &d)
	}
	k.Detail = fact.Known(d)
	return k
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
	})
}
