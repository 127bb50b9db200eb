package main

import (
	_ "embed"
	"strings"
)

// policy is what whoever runs it has to be allowed: its own calls, which the test of this
// package is held to, and those that CloudFormation makes for it.
//
//go:embed policy.json
var policy string

// policyFor is the policy for an installation.
func policyFor(prefix string) string { return strings.ReplaceAll(policy, "PREFIX", prefix) }
