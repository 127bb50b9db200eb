package main

import (
	_ "embed"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// policy is what whoever runs it has to be allowed: its own calls, which the test of this
// package is held to, and those that CloudFormation makes for it. The first API of an account
// and its first backup plan make roles of these services.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html
// https://docs.aws.amazon.com/aws-backup/latest/devguide/using-service-linked-roles.html (2026-11-30)
//
//go:embed policy.json
var policy string

// policyFor is the policy for an installation, in the partition of a region.
func policyFor(prefix, region string) string {
	return strings.NewReplacer("PREFIX", prefix, "arn:aws:", "arn:"+model.PartitionOf(region).Name+":").Replace(policy)
}
