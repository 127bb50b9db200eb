package iam_test

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

const customerPolicy = "arn:aws:iam::" + account + ":policy/mine"

// customer is a narrow policy that one identity has, changed as a case needs.
func customer(change func(*iam.PolicyDetail)) iam.Policy {
	d := iam.PolicyDetail{Attachments: 1, Document: nothing}
	if change != nil {
		change(&d)
	}
	return iam.Policy{Resource: ref("policy", "mine"), Detail: fact.Known(d)}
}

func awsManaged(document string) iam.Policy {
	p := customer(func(d *iam.PolicyDetail) { d.AWS, d.Document = true, document })
	p.ARN, p.Name = administratorAccess, "AdministratorAccess"
	return p
}

func saying(document string) iam.Policy {
	return customer(func(d *iam.PolicyDetail) { d.Document = document })
}

func inlineOf(owner model.Ref, document string) iam.InlinePolicy {
	p := iam.InlinePolicy{
		Resource: model.Resource{Ref: owner},
		Detail:   fact.Known(iam.InlinePolicyDetail{OwnerPath: "/", Document: document}),
	}
	p.Sub, p.Name = "policy/own", "own"
	return p
}

// linked is an inline policy of a service-linked role.
func linked(document string) iam.InlinePolicy {
	p := inlineOf(role(nil).Ref, document)
	p.Detail = fact.Known(iam.InlinePolicyDetail{OwnerPath: "/aws-service-role/eks.amazonaws.com/", Document: document})
	return p
}

func policyCases() checktest.Table {
	spare := func(document string) iam.Policy {
		return customer(func(d *iam.PolicyDetail) { d.Attachments, d.Document = 0, document })
	}
	boundary := customer(func(d *iam.PolicyDetail) { d.Attachments, d.Boundaries, d.Document = 0, 2, everything })
	return checktest.Table{
		"iam-policy-no-administrator-access": {
			{Name: "narrow", Resource: saying(nothing), Want: check.Pass},
			{Name: "everything", Resource: saying(everything), Want: check.Fail},
			{Name: "everything with an ARN", Resource: saying(strings.Replace(everything, `"Resource":"*"`, `"Resource":"arn:aws:*"`, 1)), Want: check.Fail},
			{Name: "garbled", Resource: saying(garbled), Want: check.NotAssessed},
			{Name: "unattached", Resource: spare(everything), Want: check.NotApplicable},
			{Name: "of AWS", Resource: awsManaged(everything), Want: check.NotApplicable},
		},
		"iam-unattached-policy-no-administrator-access": {
			{Name: "narrow", Resource: spare(nothing), Want: check.Pass},
			{Name: "everything", Resource: spare(everything), Want: check.Fail},
			{Name: "boundary", Resource: boundary, Want: check.NotApplicable},
			{Name: "attached", Resource: saying(everything), Want: check.NotApplicable},
			{Name: "of AWS", Resource: awsManaged(everything), Want: check.NotApplicable},
		},
		"iam-inline-policy-no-administrator-access": {
			{Name: "narrow", Resource: inlineOf(role(nil).Ref, nothing), Want: check.Pass},
			{Name: "everything", Resource: inlineOf(user(nil).Ref, everything), Want: check.Fail},
			{Name: "service-linked role", Resource: linked(everything), Want: check.NotApplicable},
		},
		"iam-policy-attached": {
			{Name: "attached", Resource: saying(nothing), Want: check.Pass},
			{Name: "boundary", Resource: boundary, Want: check.Pass},
			{Name: "unused", Resource: spare(nothing), Want: check.Fail},
			{Name: "of AWS", Resource: awsManaged(nothing), Want: check.NotApplicable},
		},
	}
}

// grantCases tests what is asked of managed and inline policies alike.
func grantCases() checktest.Table {
	allow := func(action, resource string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + action + `,"Resource":"` + resource + `"}]}`
	}
	bad := map[string][]string{
		"no-privilege-escalation": {allow(`"iam:CreatePolicyVersion"`, "*"), allow(`["iam:PassRole","ec2:RunInstances"]`, "*")},
		"no-full-cloudtrail-access": {
			allow(`"cloudtrail:*"`, "*"), allow(`"cloudtrail:?*"`, "*"), allow(`"cloudtrail:*"`, "arn:aws:cloudtrail:*:*:trail/*"),
		},
		"no-full-kms-access": {
			allow(`["kms:*","s3:GetObject"]`, "*"), allow(`"kms:?*"`, "*"), allow(`"k?s:*"`, "*"),
			allow(`"kms:*"`, "arn:aws:kms:*:*:key/*"), allow(`"kms:*"`, "arn:aws:kms:*:"+account+":*"), allow(`"kms:*"`, "arn:aws:*"),
		},
		"no-decrypt-with-all-keys": {
			allow(`"kms:Decrypt"`, "*"), allow(`"kms:ReEncrypt*"`, "arn:aws:kms:*:*:key/*"), allow(`"kms:*"`, "arn:aws:kms:*:"+account+":*"),
		},
		"no-assume-any-role": {
			allow(`"sts:AssumeRole"`, "*"), allow(`"sts:*"`, "*"), allow(`"sts:AssumeRole"`, "arn:aws:iam::*:role/*"),
			allow(`"sts:AssumeRole"`, "arn:aws:iam::"+account+":role/*"), allow(`"sts:Assume*"`, "arn:aws:iam::*:*"), allow(`"sts:AssumeRole"`, "arn:*:iam::*:role/*"),
		},
		"no-service-wildcard": {
			allow(`"s3:*"`, "arn:aws:s3:::mine"), allow(`"s3:?*"`, "arn:aws:s3:::mine"), allow(`"s3:**"`, "arn:aws:s3:::mine"),
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`,
		},
	}
	fine := map[string]string{
		"no-full-cloudtrail-access": allow(`"cloudtrail:Get*"`, "*"),
		"no-decrypt-with-all-keys":  allow(`"kms:Decrypt"`, "arn:aws:kms:eu-west-1:"+account+":key/1"),
		"no-assume-any-role":        allow(`"sts:AssumeRole"`, "arn:aws:iam::"+account+":role/deploy"),
		"no-service-wildcard":       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`,
	}
	table := checktest.Table{}
	for what, documents := range bad {
		managed := []checktest.Case{
			{Name: "narrow", Resource: saying(nothing), Want: check.Pass},
			{Name: "an administrator's", Resource: saying(everything), Want: check.NotApplicable},
			{Name: "of AWS", Resource: awsManaged(documents[0]), Want: check.NotApplicable},
			{Name: "unattached", Resource: customer(func(d *iam.PolicyDetail) { d.Attachments, d.Document = 0, documents[0] }), Want: check.NotApplicable},
		}
		inline := []checktest.Case{
			{Name: "narrow", Resource: inlineOf(role(nil).Ref, nothing), Want: check.Pass},
			{Name: "an administrator's", Resource: inlineOf(role(nil).Ref, everything), Want: check.NotApplicable},
			{Name: "service-linked role", Resource: linked(documents[0]), Want: check.NotApplicable},
		}
		for _, document := range documents {
			managed = append(managed, checktest.Case{Name: document, Resource: saying(document), Want: check.Fail})
			inline = append(inline, checktest.Case{Name: document, Resource: inlineOf(group(nil).Ref, document), Want: check.Fail})
		}
		if what == "no-privilege-escalation" {
			self := allow(`["iam:CreateAccessKey","iam:UpdateLoginProfile"]`, "arn:aws:iam::*:user/${aws:username}")
			report := []string{"prowler-cloud/prowler#5731"}
			managed = append(managed, checktest.Case{Name: "one's own keys", Resource: saying(self), Want: check.Pass, Reports: report})
			inline = append(inline, checktest.Case{Name: "one's own keys", Resource: inlineOf(group(nil).Ref, self), Want: check.Pass, Reports: report})
		}
		if document := fine[what]; document != "" {
			managed = append(managed, checktest.Case{Name: document, Resource: saying(document), Want: check.Pass})
		}
		table[model.CheckID("iam-policy-"+what)] = managed
		if what != "no-service-wildcard" {
			table[model.CheckID("iam-inline-policy-"+what)] = inline
		}
	}
	return table
}
