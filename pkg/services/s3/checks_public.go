package s3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// setting is one of the four of block public access.
type setting struct {
	name string // as AWS writes it
	on   func(PublicAccessBlock) bool
}

var (
	blockPublicACLs       = setting{"BlockPublicAcls", func(b PublicAccessBlock) bool { return b.BlockPublicACLs }}
	ignorePublicACLs      = setting{"IgnorePublicAcls", func(b PublicAccessBlock) bool { return b.IgnorePublicACLs }}
	blockPublicPolicy     = setting{"BlockPublicPolicy", func(b PublicAccessBlock) bool { return b.BlockPublicPolicy }}
	restrictPublicBuckets = setting{"RestrictPublicBuckets", func(b PublicAccessBlock) bool { return b.RestrictPublicBuckets }}

	settings = []setting{blockPublicACLs, ignorePublicACLs, blockPublicPolicy, restrictPublicBuckets}
)

// off names the settings that are not on.
func (b PublicAccessBlock) off() []string {
	var names []string
	for _, s := range settings {
		if !s.on(b) {
			names = append(names, s.name)
		}
	}
	return names
}

func (b PublicAccessBlock) verdict() check.Verdict {
	off := b.off()
	return check.Must(len(off) == 0, "all four settings are on", strings.Join(off, ", ")+" off")
}

func accountBlock(e *check.Evidence, a AccountPublicAccessBlock) check.Verdict {
	return check.Read(e, a.Settings).verdict()
}

func bucketBlock(e *check.Evidence, b Bucket) check.Verdict {
	var off []string
	for _, s := range settings {
		if !blocked(e, b, s) {
			off = append(off, s.name)
		}
	}
	return check.Must(len(off) == 0, "all four settings are on, in the bucket or the account",
		strings.Join(off, ", ")+" off in the bucket and the account")
}

// blocked reports whether a setting of block public access is on for a bucket:
// in its own settings or in the account's. Of either, "on" is enough; "off" is
// certain only when both are known.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func blocked(e *check.Evidence, b Bucket, s setting) bool {
	return blockedBy(e, b.PublicAccessBlock, s)
}

// blockedBy is blocked for whatever has settings of its own.
func blockedBy(e *check.Evidence, of fact.Of[PublicAccessBlock], s setting) bool {
	if own, ok := check.Try(e, of); ok && s.on(own) {
		return true
	}
	accounts, _ := check.Some[AccountPublicAccessBlock](e)
	for _, a := range accounts {
		if of, ok := check.Try(e, a.Settings); ok && s.on(of) {
			return true
		}
	}
	check.Read(e, of)
	for _, a := range check.All[AccountPublicAccessBlock](e) {
		check.Read(e, a.Settings)
	}
	if len(accounts) == 0 {
		// Every account has the settings; a snapshot without them does not tell.
		check.Read(e, fact.Missing[PublicAccessBlock](fact.NotCollected, "s3:GetAccountPublicAccessBlock"))
	}
	return false
}

// ACLNotPublic is the rule that the bucket's ACL grants nothing to everybody, or that
// the grant is ineffective. It uses the account's AccountPublicAccessBlock.
func ACLNotPublic(e *check.Evidence, b Bucket) check.Verdict {
	return aclKeepsOut("", "READ", "WRITE", "READ_ACP", "WRITE_ACP")(e, b)
}

// aclKeepsOut is the rule that the ACL grants none of the permissions to a
// group; to neither group if group is empty.
func aclKeepsOut(group string, permissions ...string) func(*check.Evidence, Bucket) check.Verdict {
	matches := func(g Grant) bool {
		return (group == "" || g.Group == group) && (g.Permission == "FULL_CONTROL" || slices.Contains(permissions, g.Permission))
	}
	return func(e *check.Evidence, b Bucket) check.Verdict {
		// Whatever the ACL holds, two settings make it ineffective.
		grants, known := check.Try(e, b.PublicGrants)
		if known && !slices.ContainsFunc(grants, matches) {
			return check.Passed("the ACL has no such grant")
		}
		if ownership, ok := check.Try(e, b.Ownership); ok && ownership == OwnerEnforced {
			return check.Passed("ACLs are disabled")
		}
		if blocked(e, b, ignorePublicACLs) {
			return check.Passed("public grants of ACLs are ignored")
		}
		check.Read(e, b.Ownership)
		grants = check.Read(e, b.PublicGrants)
		g := grants[slices.IndexFunc(grants, matches)]
		return check.Failed(fmt.Sprintf("the ACL grants %s to %s", g.Permission, g.Group[strings.LastIndexByte(g.Group, '/')+1:]))
	}
}

func aclDisabled(e *check.Evidence, b Bucket) check.Verdict {
	switch ownership := check.Read(e, b.Ownership); ownership {
	case OwnerEnforced:
		return check.Passed("ACLs are disabled")
	case "":
		return check.Failed("ACLs are in force, as object ownership is not set")
	default:
		return check.Failed("ACLs are in force, as object ownership is " + ownership)
	}
}
