package check_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// lit is a checks.yaml of one check, with a remediation beside the console's.
func lit(remediation string) []byte {
	return []byte(`lamp-lit: {title: Lamps are lit, pillar: security, risk: You stumble., remediation: {console: Press., ` + remediation + `},
  references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}`)
}

func TestDeclaration(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ terraform, cloudformation, want string }{
		"a sentence": {cloudformation: "'Remove the `AWS::EC2::EIP`.'", want: "Remove the `AWS::EC2::EIP`."},
		"a value": {
			cloudformation: `{type: AWS::KMS::Key, property: EnableKeyRotation, value: true}`,
			want:           "Set `EnableKeyRotation` to true on the `AWS::KMS::Key`.",
		},
		"any value": {
			cloudformation: `{type: AWS::KMS::Key, property: Description}`,
			want:           "Set `Description` of the `AWS::KMS::Key`.",
		},
		"a property of a property": {
			cloudformation: `{type: AWS::EC2::Instance, property: MetadataOptions.HttpTokens, value: required}`,
			want:           "Set `HttpTokens` to required in `MetadataOptions` of the `AWS::EC2::Instance`.",
		},
		"a replacement": {
			cloudformation: `{type: AWS::EFS::FileSystem, property: Encrypted, value: true, replaces: true}`,
			want:           "Set `Encrypted` to true on the `AWS::EFS::FileSystem`, which replaces it.",
		},
		"several properties of one object": {
			cloudformation: `[{type: AWS::DynamoDB::Table, property: SSESpecification.SSEEnabled, value: true}, {type: AWS::DynamoDB::Table, property: SSESpecification.KMSMasterKeyId}]`,
			want:           "Set `SSEEnabled` to true and `KMSMasterKeyId` in `SSESpecification` of the `AWS::DynamoDB::Table`.",
		},
		"several objects of one resource": {
			cloudformation: `[{type: AWS::X::Y, property: A.B, value: [c, d]}, {type: AWS::X::Y, property: E, value: 1}]`,
			want:           "Set `B` to c and d in `A` and `E` to 1 on the `AWS::X::Y`.",
		},
		"several resources": {
			cloudformation: `[{type: AWS::X::Y, property: A, value: b}, {type: AWS::X::Z, property: A.C, value: d}]`,
			want:           "Set `A` to b on the `AWS::X::Y` and `C` to d in `A` of the `AWS::X::Z`.",
		},
		"a number and a truth in Terraform": {
			terraform: `[{type: aws_x, property: a, value: 7}, {type: aws_x, property: b, value: false}]`,
			want:      "Set `a = 7` and `b = false` on the `aws_x`.",
		},
		"texts in Terraform": {
			terraform: `[{type: aws_x, property: a.b, value: c}, {type: aws_x, property: a.d, value: [e, "2"]}]`,
			want:      "Set `b = \"c\"` and `d = [\"e\", \"2\"]` in `a` of the `aws_x`.",
		},
		"any value in Terraform": {
			terraform: `{type: aws_x, property: a}`,
			want:      "Set `a` of the `aws_x`.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := "terraform: " + c.terraform
			if c.terraform == "" {
				form = "cloudformation: " + c.cloudformation
			}
			texts, err := check.ParseTexts(lit(form))
			if err != nil {
				t.Fatal(err)
			}
			remediation := texts["lamp-lit"].Remediation
			if got := remediation.Terraform.Sentence + remediation.CloudFormation.Sentence; got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDeclarationInJSON has who reads checks as JSON get the sentence, as it was read.
func TestDeclarationInJSON(t *testing.T) {
	t.Parallel()
	texts, err := check.ParseTexts(lit(`cloudformation: {type: AWS::X::Y, property: A}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(texts["lamp-lit"].Remediation)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\"console\":\"Press.\",\"cloudformation\":\"Set `A` of the `AWS::X::Y`.\"}", string(got)); diff != "" {
		t.Error(diff)
	}
	var back check.Remediation
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts["lamp-lit"].Remediation.CloudFormation.Sentence, back.CloudFormation.Sentence); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedDeclarations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ form, want string }{
		"unknown key":           {`{type: AWS::X::Y, property: A, valeu: true}`, "valeu"},
		"unknown key in a list": {`[{type: AWS::X::Y, property: A, valeu: true}]`, "valeu"},
		"no type":               {`{property: A}`, "no type"},
		"no property":           {`[{type: AWS::X::Y, property: A}, {type: AWS::X::Y}]`, "no property"},
		"no settings at all":    {`[]`, "no settings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := check.ParseTexts(lit("cloudformation: " + c.form)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}
