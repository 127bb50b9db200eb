package iampolicy_test

import (
	"testing"
)

const openBucket = `{"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},`

func TestDeny(t *testing.T) {
	runCases(t, map[string]evalCase{
		"of everything":                   {policy: openBucket + `{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}`, want: none},
		"of the same actions":             {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::b*"}`, want: none},
		"of one action of two":            {policy: openBucket + `{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}`, want: public, reason: "Deny No may leave some of it"},
		"of the one action asked for":     {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}`, actions: []string{"s3:GetObject"}, want: none},
		"of the objects only":             {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}`, want: public, reason: "may leave some of it"},
		"by NotAction":                    {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "NotAction": "s3:Put*", "Resource": "*"}`, want: none},
		"by NotAction, too much left out": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "NotAction": "s3:G*", "Resource": "*"}`, want: public},
		"by NotResource":                  {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}`, want: none},
		"of a named account":              {policy: openBucket + `{"Effect": "Deny", "Principal": {"AWS": "999988887777"}, "Action": "*", "Resource": "*"}`, want: public, reason: "may leave some of it"},
		"outside the organization":        {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`, want: ownOrg, reason: org},
		"outside, IfExists":               {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`, want: ownOrg},
		"outside, services excepted": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
			"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}`, want: unscoped},
		"outside, anonymous slip by": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
			"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}}`, want: public},
		"outside, except a network": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
			"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}`, want: restricted},
		"outside, one condition open": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
			"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "StringNotLike": {"aws:PrincipalTag/x": "y"}}}`, want: public},
		"outside the account":    {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ["111122223333"]}}}`, want: none},
		"outside, any path":      {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}}`, want: public},
		"outside, all paths":     {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}}`, want: ownOrg},
		"outside a network":      {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}`, want: restricted, reason: "203.0.113.0/24"},
		"outside a wide network": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}`, want: public},
		"outside a VPC endpoint": {policy: openBucket + `{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}`, want: restricted},
		"of one network":         {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}`, want: public},
		"without TLS":            {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`, want: public},
		"all but own role":       {policy: openBucket + `{"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/a"]}, "Action": "s3:*", "Resource": "*"}`, want: none},
		"all but a foreign role": {policy: openBucket + `{"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::999988887777:role/a"}, "Action": "s3:*", "Resource": "*"}`, want: cross, reason: "999988887777"},
		"all but everyone":       {policy: openBucket + `{"Effect": "Deny", "NotPrincipal": "*", "Action": "s3:*", "Resource": "*"}`, want: public},
		"two, organization and network": {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
			{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`, want: ownOrg},
		"of a scoped-out service": {policy: `{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"},
			{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceAccount": "111122223333"}}}`, want: none},
	})
}
