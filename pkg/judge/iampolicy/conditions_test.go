package iampolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

const (
	none       = iampolicy.None
	cross      = iampolicy.CrossAccount
	ownOrg     = iampolicy.OwnOrganization
	orgLevel   = iampolicy.Organization
	unscoped   = iampolicy.ServiceUnscoped
	restricted = iampolicy.Restricted
	public     = iampolicy.Public
)

func TestConditionsOfEveryone(t *testing.T) {
	runConditions(t, `"*"`, map[string]condition{
		"SourceAccount own":                 {`"StringEquals": {"aws:SourceAccount": "111122223333"}`, none, ""},
		"SourceAccount unquoted":            {`"StringEquals": {"aws:SourceAccount": 111122223333}`, none, ""},
		"SourceAccount foreign":             {`"StringEquals": {"aws:SourceAccount": "999988887777"}`, cross, "999988887777"},
		"SourceAccount own and foreign":     {`"StringEquals": {"aws:SourceAccount": ["111122223333", "999988887777"]}`, cross, "999988887777"},
		"SourceAccount wildcard":            {`"StringLike": {"aws:SourceAccount": "1111*"}`, public, "does not fix the account"},
		"SourceAccount one value open":      {`"StringLike": {"aws:SourceAccount": ["111122223333", "*"]}`, public, "does not fix the account"},
		"SourceAccount the resource's":      {`"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}`, none, ""},
		"SourceAccount another variable":    {`"StringEquals": {"aws:SourceAccount": "${aws:PrincipalTag/account}"}`, public, "does not fix the account"},
		"SourceAccount no value":            {`"StringEquals": {"aws:SourceAccount": []}`, public, "has no value"},
		"SourceAccount by numeric operator": {`"NumericEquals": {"aws:SourceAccount": "111122223333"}`, public, "does not compare"},
		"PrincipalAccount own":              {`"StringEquals": {"aws:PrincipalAccount": "111122223333"}`, none, ""},
		"PrincipalAccount foreign":          {`"StringEquals": {"aws:PrincipalAccount": "999988887777"}`, cross, "999988887777"},
		"PrincipalAccount not own":          {`"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}`, public, "all but"},
		"PrincipalAccount two conditions":   {`"StringEquals": {"aws:PrincipalAccount": "999988887777"}, "StringLike": {"aws:PrincipalAccount": "444455556666"}`, none, ""},
		"ResourceAccount is the caller's":   {`"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}`, none, ""},
		"ResourceAccount fixed":             {`"StringEquals": {"aws:ResourceAccount": "111122223333"}`, public, "owner of the resource"},
		"ResourceOrgID is the caller's":     {`"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}`, ownOrg, "owner's organization"},
		"PrincipalOrgID own":                {`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, ownOrg, org},
		"PrincipalOrgID case of key":        {`"StringEquals": {"AWS:principalorgid": "o-a1b2c3d4e5"}`, ownOrg, org},
		"PrincipalOrgID case of operator":   {`"stringequals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, ownOrg, org},
		"PrincipalOrgID the resource's":     {`"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}`, ownOrg, "the owner's organization"},
		"PrincipalOrgID another":            {`"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`, orgLevel, "o-zzzzzzzzzz"},
		"PrincipalOrgID open":               {`"StringLike": {"aws:PrincipalOrgID": "o-*"}`, public, "does not fix the organization"},
		"PrincipalOrgID IfExists":           {`"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, public, "lacks it"},
		"PrincipalOrgID IfExists, required": {`"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "Null": {"aws:principalorgid": "false"}`, ownOrg, org},
		"PrincipalOrgID present":            {`"Null": {"aws:PrincipalOrgID": "false"}`, public, "only asked to be there"},
		"PrincipalOrgPaths any value":       {`"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}`, ownOrg, "ou-ab12-11111111"},
		"PrincipalOrgPaths all values":      {`"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}`, public, "lacks it"},
		"PrincipalOrgPaths all, required":   {`"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}, "Null": {"aws:PrincipalOrgPaths": false}`, ownOrg, org},
		"PrincipalOrgPaths open":            {`"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-ab12-11111111/*"}`, public, "does not fix"},
		"organization and account":          {`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalAccount": "999988887777"}`, ownOrg, "999988887777"},
		"two organizations at once":         {`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "StringLike": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`, none, ""},
		"SourceOrgID":                       {`"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}`, ownOrg, org},
		"SourceOrgPaths":                    {`"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}`, ownOrg, org},
		"PrincipalArn own":                  {`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}`, none, ""},
		"PrincipalArn foreign":              {`"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/x"}`, cross, "role/x"},
		"PrincipalArn any account":          {`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}`, public, "leaves the account open"},
		"PrincipalArn star":                 {`"StringLike": {"aws:PrincipalArn": "*"}`, public, "leaves the account open"},
		"PrincipalArn star across colons":   {`"StringLike": {"aws:PrincipalArn": "arn:*:iam::111122223333:role/x"}`, public, "leaves the account open"},
		"PrincipalArn same with ArnLike":    {`"ArnLike": {"aws:PrincipalArn": "arn:*:iam::111122223333:role/x"}`, none, ""},
		"SourceArn region open, safe":       {`"StringLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}`, none, ""},
		"SourceArn region open, logs":       {`"StringLike": {"aws:SourceArn": "arn:aws:logs:*:111122223333:*"}`, public, "leaves the account open"},
		"SourceArn bucket pattern":          {`"ArnLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket*"}`, public, "leaves the account open"},
		"SourceArn bucket, old form":        {`"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:my-bucket"}`, cross, "my-bucket"},
		"SourceArn open, account fixed":     {`"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}, "StringEquals": {"aws:SourceAccount": "111122223333"}`, none, ""},
		"SourceArn not an ARN":              {`"ArnLike": {"aws:SourceArn": "my-bucket"}`, public, "leaves the account open"},
		"SourceVpce":                        {`"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}`, restricted, "vpce-1a2b3c4d"},
		"SourceVpce IfExists":               {`"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1a2b3c4d"}`, public, "lacks it"},
		"SourceVpce another":                {`"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}`, public, "all but"},
		"SourceVpc pattern":                 {`"StringLike": {"aws:SourceVpc": "vpc-*"}`, public, "not fixed"},
		"SourceVpc and organization":        {`"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, ownOrg, org},
		"VpceAccount of the resource":       {`"StringEquals": {"aws:VpceAccount": "${aws:ResourceAccount}"}`, restricted, owner},
		"VpcSourceIp alone":                 {`"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}`, public, "any VPC can use"},
		"VpcSourceIp and SourceVpc":         {`"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}`, restricted, "vpc-1"},
		"SourceIp one address":              {`"IpAddress": {"aws:SourceIp": "203.0.113.7"}`, restricted, "203.0.113.7"},
		"SourceIp range":                    {`"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}`, restricted, "2001:db8::/32"},
		"SourceIp /8":                       {`"IpAddress": {"aws:SourceIp": "52.0.0.0/8"}`, restricted, "52.0.0.0/8"},
		"SourceIp /7":                       {`"IpAddress": {"aws:SourceIp": "52.0.0.0/7"}`, public, "too wide"},
		"SourceIp all":                      {`"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}`, public, "too wide"},
		"SourceIp halves":                   {`"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}`, public, "too wide"},
		"SourceIp all of IPv6":              {`"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}`, public, "too wide"},
		"SourceIp IPv6 /31":                 {`"IpAddress": {"aws:SourceIp": "2001:db8::/31"}`, public, "too wide"},
		"SourceIp private":                  {`"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}`, restricted, "private range"},
		"SourceIp private IPv6":             {`"IpAddress": {"aws:SourceIp": "fd00::/8"}`, restricted, "private range"},
		"SourceIp not in":                   {`"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}`, public, "all but"},
		"SourceIp pattern":                  {`"StringLike": {"aws:SourceIp": "203.*"}`, public, "cannot be read"},
		"SourceIp IfExists":                 {`"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}`, public, "lacks it"},
		"userid of the account's root":      {`"StringEquals": {"aws:userid": "111122223333"}`, none, ""},
		"userid of a user":                  {`"StringEquals": {"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}`, cross, "AIDACKCEVSQ6C2EXAMPLE"},
		"userid of a role":                  {`"StringLike": {"aws:userid": "AROADBQP57FF2AEXAMPLE:*"}`, restricted, "AROADBQP57FF2AEXAMPLE"},
		"userid of any role":                {`"StringLike": {"aws:userid": "AROA*"}`, public, "is open"},
		"PrincipalTag":                      {`"StringEquals": {"aws:PrincipalTag/team": "red"}`, public, "own principals"},
		"PrincipalType":                     {`"StringEquals": {"aws:PrincipalType": "AssumedRole"}`, public, "every account has"},
		"Referer":                           {`"StringLike": {"aws:Referer": "https://example.com/*"}`, public, "anybody may send"},
		"SecureTransport":                   {`"Bool": {"aws:SecureTransport": "true"}`, public, "asks for TLS"},
		"CalledVia":                         {`"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}`, public, "any account can use"},
		"unknown key":                       {`"StringEquals": {"custom:Thing": "x"}`, public, "does not tell who calls"},
		"PrincipalIsAWSService":             {`"Bool": {"aws:PrincipalIsAWSService": "true"}`, unscoped, "*"},
		"PrincipalIsAWSService own source":  {`"Bool": {"aws:PrincipalIsAWSService": true}, "StringEquals": {"aws:SourceAccount": "111122223333"}`, none, ""},
		"PrincipalIsAWSService false":       {`"Bool": {"aws:PrincipalIsAWSService": "false"}`, public, "keeps out AWS services"},
		"PrincipalServiceName":              {`"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}`, unscoped, "cloudtrail.amazonaws.com"},
		"DataAccessPointAccount own":        {`"StringEquals": {"s3:DataAccessPointAccount": "111122223333"}`, none, ""},
		"DataAccessPointAccount foreign":    {`"StringEquals": {"s3:DataAccessPointAccount": "999988887777"}`, cross, "999988887777"},
		"DataAccessPointArn, any name":      {`"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:111122223333:accesspoint/*"}`, none, ""},
		"x-amz-acl":                         {`"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}`, public, "anybody may send"},
		"fixed KMS key of an upload":        {`"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:111122223333:key/1"}`, restricted, "key/1"},
		"source of an event":                {`"StringEquals": {"events:source": "com.example.shop"}`, public, "the sender of an event chooses"},
		"creator of a rule":                 {`"StringEquals": {"events:creatorAccount": "${aws:PrincipalAccount}"}`, public, "not who calls"},
		"empty block":                       {``, public, ""},
		"date":                              {`"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}`, public, "does not tell"},
	})
}

func TestHalfTheInternet(t *testing.T) {
	var ranges []string
	for i := range 128 {
		ranges = append(ranges, fmt.Sprintf(`"%d.0.0.0/8"`, 64+i))
	}
	runConditions(t, `"*"`, map[string]condition{
		"128 ranges": {`"IpAddress": {"aws:SourceIp": [` + strings.Join(ranges, ",") + `]}`, public, "half of the internet"},
		"100 ranges": {`"IpAddress": {"aws:SourceIp": [` + strings.Join(ranges[:100], ",") + `]}`, restricted, "64.0.0.0/8"},
	})
}

func TestConditionsOfAService(t *testing.T) {
	runConditions(t, `{"Service": "events.amazonaws.com"}`, map[string]condition{
		"none":                  {``, unscoped, "events.amazonaws.com"},
		"own account":           {`"StringEquals": {"aws:SourceAccount": "111122223333"}`, none, ""},
		"own account IfExists":  {`"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}`, unscoped, "lacks it"},
		"foreign account":       {`"StringEquals": {"aws:SourceAccount": "999988887777"}`, cross, "999988887777"},
		"own rule":              {`"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/r"}`, none, ""},
		"any rule":              {`"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}`, unscoped, "leaves the account open"},
		"organization":          {`"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}`, ownOrg, org},
		"network does not help": {`"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}`, unscoped, "events.amazonaws.com"},
		"key of another kind":   {`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, none, ""},
		"another service":       {`"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}`, none, ""},
		"own organization path": {`"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/r-1/*"}`, ownOrg, org},
	})
}

func TestConditionsOfAForeignAccount(t *testing.T) {
	runConditions(t, `{"AWS": "arn:aws:iam::999988887777:root"}`, map[string]condition{
		"none":                {``, cross, "999988887777"},
		"one role of it":      {`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/etl"}`, cross, "role/etl"},
		"a role of another":   {`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/etl"}`, none, ""},
		"organization":        {`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`, ownOrg, "999988887777"},
		"network":             {`"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}`, cross, "999988887777"},
		"network of everyone": {`"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}`, cross, "too wide"},
		"services only":       {`"Bool": {"aws:PrincipalIsAWSService": "true"}`, none, ""},
	})
}
