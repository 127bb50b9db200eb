// Package model holds the words that every part of CloudArq shares: ids,
// severities, resources, connections, audits, tasks and findings. It imports
// the standard library only.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// OrganizationID names a tenant. Like every id it is opaque to everybody but the
// function that makes it.
type OrganizationID string

// ConnectionID names a connection within its organization.
type ConnectionID string

// AuditID names an audit; ids sort by time of start.
type AuditID string

// TaskID names a task within its audit.
type TaskID string

// FindingID names a finding; NewFindingID makes it.
type FindingID string

// CheckID names a check: "kms-key-rotation".
type CheckID string

// NewFindingID is the identity of a finding: the same check on the same
// resource of the same account is the same finding in every audit, whatever
// the resource's name or tags are today. The parts are joined by a byte that
// none of them can hold, so that no two homonyms meet.
func NewFindingID(check CheckID, r Ref) FindingID {
	parts := []string{string(check), r.Partition(), r.Account, r.Region, r.ARN, r.Sub}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return FindingID(hex.EncodeToString(sum[:16]))
}
