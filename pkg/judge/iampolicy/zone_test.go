package iampolicy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// zoneCase is a policy asked about in the light of what is known of the zone of trust.
type zoneCase struct {
	policy  string         // statements, or a whole document
	zone    iampolicy.Zone // what is known; the zero zone stands for all of it
	want    iampolicy.Level
	unknown bool   // nobody can say whose it is
	says    string // in a party or an explanation
}

func runZoneCases(t *testing.T, cases map[string]zoneCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.zone.Account == "" {
				c.zone = zone()
			}
			doc := c.policy
			if !strings.HasPrefix(doc, `{"Version"`) {
				doc = `{"Version": "2012-10-17", "Statement": [` + doc + `]}`
			}
			p, err := iampolicy.Parse(doc)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Evaluate(c.zone)
			if widest(got) != c.want || !strings.Contains(said(got), c.says) {
				t.Errorf("level %s, want %s saying %q\n%s", widest(got), c.want, c.says, said(got))
			}
			unknown := false
			for _, g := range got.Grants {
				unknown = unknown || len(g.Parties.Named(iampolicy.Unknown)) > 0
			}
			if unknown != c.unknown {
				t.Errorf("somebody unknown: %t, want %t\n%s", unknown, c.unknown, said(got))
			}
		})
	}
}

// to allows a principal s3:GetObject under conditions.
func to(principal, conditions string) string {
	return `{"Effect": "Allow", "Principal": ` + principal + `, "Action": "s3:GetObject", "Resource": "*", "Condition": {` + conditions + `}}`
}

// AWS's baseline key policy for IAM Identity Center, and its like.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/baseline-KMS-key-policy.html
func TestOwnOrganizationWhateverItsID(t *testing.T) {
	runZoneCases(t, map[string]zoneCase{
		"Identity Center's key policy": {
			policy: `{"Sid": "AllowOrgPrincipalsViaIdentityCenterAndIdentityStore", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {
				"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}, "StringLike": {"kms:ViaService": ["sso.*.amazonaws.com", "identitystore.*.amazonaws.com"]}}}`,
			zone: ignorant, want: ownOrg,
		},
		"of the principal":                 {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}`), zone: ignorant, want: ownOrg},
		"of the source":                    {policy: to(`{"Service": "pods.eks.amazonaws.com"}`, `"StringEquals": {"aws:SourceOrgID": "${aws:ResourceOrgID}"}`), zone: ignorant, want: ownOrg},
		"a path in it":                     {policy: to(`"*"`, `"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "${aws:ResourceOrgID}/r-ab12/*"}`), zone: ignorant, want: ownOrg},
		"mirrored":                         {policy: to(`"*"`, `"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}`), zone: ignorant, want: ownOrg},
		"mirrored, of the source":          {policy: to(`{"Service": "sns.amazonaws.com"}`, `"StringEquals": {"aws:ResourceOrgID": "${aws:SourceOrgID}"}`), zone: ignorant, want: ownOrg},
		"a variable in another case":       {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "${AWS:resourceorgid}"}`), zone: ignorant, want: ownOrg},
		"its id, and nobody knows it":      {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`), zone: ignorant, want: orgLevel, unknown: true},
		"its id":                           {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`), want: ownOrg},
		"another's id":                     {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`), want: orgLevel, says: "o-zzzzzzzzzz"},
		"its id and the mirror":            {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "${aws:PrincipalOrgID}"}`), want: ownOrg},
		"its id and the mirror, unknown":   {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "${aws:PrincipalOrgID}"}`), zone: ignorant, want: ownOrg},
		"another's id and the mirror":      {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz", "aws:ResourceOrgID": "${aws:PrincipalOrgID}"}`), want: none},
		"an account of it":                 {policy: to(`{"AWS": "999988887777"}`, `"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}`), zone: ignorant, want: ownOrg},
		"an account of one, nobody knows":  {policy: to(`{"AWS": "999988887777"}`, `"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`), zone: ignorant, want: cross, unknown: true},
		"an account of another":            {policy: to(`{"AWS": "999988887777"}`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`), want: cross},
		"a bucket in it":                   {policy: to(`{"Service": "s3.amazonaws.com"}`, `"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}, "StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}`), want: ownOrg},
		"denied to all others":             {policy: openBucket + `{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}}`, zone: ignorant, want: ownOrg},
		"before there were variables":      {policy: `{"Version": "2008-10-17", "Statement": [` + to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}`) + `]}`, want: none},
		"a variable that may be anybody's": {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}`), want: public, says: "does not fix the organization"},
	})
}

func TestAccountsByVariable(t *testing.T) {
	runZoneCases(t, map[string]zoneCase{
		"the resource's":               {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}`), want: none},
		"the resource's, of a service": {policy: to(`{"Service": "sns.amazonaws.com"}`, `"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}`), want: none},
		"mirrored":                     {policy: to(`"*"`, `"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}`), want: none},
		"mirrored, of the source":      {policy: to(`{"Service": "sns.amazonaws.com"}`, `"StringEquals": {"aws:ResourceAccount": "${aws:SourceAccount}"}`), want: none},
		"S3's key mirrored":            {policy: to(`"*"`, `"StringEquals": {"s3:ResourceAccount": "${aws:PrincipalAccount}"}`), want: none},
		"within an ARN":                {policy: to(`"*"`, `"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceAccount}:role/*"}`), want: none},
		"the caller's within an ARN":   {policy: to(`"*"`, `"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/admin"}`), want: public},
		"the caller's own":             {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}`), want: public},
		"of a tag":                     {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/account}"}`), want: public},
	})
}

// Variables in resources are not the text that they are written as.
func TestVariablesInResources(t *testing.T) {
	home := func(allowed, denied string) string {
		return `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "` + allowed + `"},
			{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", ` + denied + `}`
	}
	runZoneCases(t, map[string]zoneCase{
		"a user named as the folder gets in": {policy: home("arn:aws:s3:::b/home/*", `"NotResource": "arn:aws:s3:::b/${aws:username}/*"`), want: public},
		"a Deny of one's own folder":         {policy: home("arn:aws:s3:::b/home/*", `"Resource": "arn:aws:s3:::b/${aws:username}/*"`), want: public},
		"a Deny with the same variable":      {policy: home("arn:aws:s3:::b/${aws:username}/*", `"Resource": "arn:aws:s3:::b/${aws:username}/*"`), want: public},
		"a Deny of all":                      {policy: home("arn:aws:s3:::b/${aws:username}/*", `"Resource": "*"`), want: none},
		"a Deny of the bucket":               {policy: home("arn:aws:s3:::b/${aws:username}/*", `"Resource": "arn:aws:s3:::b/*"`), want: none},
		"a Deny outside another bucket":      {policy: home("arn:aws:s3:::b/${aws:username}/*", `"NotResource": "arn:aws:s3:::c/${aws:username}/*"`), want: none},
		"before there were variables": {
			policy: `{"Version": "2008-10-17", "Statement": [` + home("arn:aws:s3:::b/${aws:username}/*", `"Resource": "arn:aws:s3:::b/${aws:username}/*"`) + `]}`, want: none,
		},
	})
}

// What names tell of whose something is.
func TestNames(t *testing.T) {
	own := func(things ...string) iampolicy.Zone { return zone(things...) }
	source := func(service, operator, arn string) string {
		return to(`{"Service": "`+service+`.amazonaws.com"}`, `"`+operator+`": {"aws:SourceArn": "`+arn+`"}`)
	}
	runZoneCases(t, map[string]zoneCase{
		"an own bucket":                             {policy: source("s3", "ArnLike", "arn:aws:s3:::mine"), zone: own("bucket mine"), want: none},
		"an own bucket in the old form":             {policy: source("s3", "ArnLike", "arn:aws:s3:*:*:mine"), zone: own("bucket mine"), want: none},
		"another's bucket":                          {policy: source("s3", "ArnLike", "arn:aws:s3:::theirs"), zone: own("bucket mine"), want: cross, says: "theirs"},
		"a bucket, nobody knows whose":              {policy: source("s3", "ArnLike", "arn:aws:s3:::theirs"), zone: ignorant, want: cross, unknown: true},
		"a bucket, and the account":                 {policy: to(`{"Service": "s3.amazonaws.com"}`, `"ArnLike": {"aws:SourceArn": "arn:aws:s3:::theirs"}, "StringEquals": {"aws:SourceAccount": "111122223333"}`), zone: ignorant, want: none},
		"an own bucket, and another's name":         {policy: to(`{"Service": "s3.amazonaws.com"}`, `"ArnLike": {"aws:SourceArn": "arn:aws:s3:::theirs", "s3:DataAccessPointArn": "arn:aws:s3:::mine"}`), zone: own("bucket mine"), want: none},
		"another's name, and an own bucket":         {policy: to(`{"Service": "s3.amazonaws.com"}`, `"ArnLike": {"aws:SourceArn": "arn:aws:s3:::mine", "s3:DataAccessPointArn": "arn:aws:s3:::theirs"}`), zone: own("bucket mine"), want: none},
		"an access point of any account":            {policy: to(`"*"`, `"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-west-1:*:accesspoint/reports"}`), want: public, says: "leaves the account open"},
		"an access point of the account":            {policy: to(`"*"`, `"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}`), want: none},
		"a dashboard that every account has":        {policy: source("storage-lens.s3", "ArnLike", "arn:aws:s3:eu-west-1:*:storage-lens/default-account-dashboard"), want: unscoped},
		"a role of another path":                    {policy: to(`"*"`, `"StringLike": {"aws:PrincipalArn": "arn:*:iam::111122223333:role/x"}`), want: public},
		"a log group named as the account":          {policy: source("logs", "StringLike", "arn:aws:logs:*:111122223333:*"), want: unscoped},
		"log groups of the account":                 {policy: source("logs", "StringLike", "arn:aws:logs:*:111122223333:log-group:*"), want: none},
		"the same by the right operator":            {policy: source("logs", "ArnLike", "arn:aws:logs:*:111122223333:*"), want: none},
		"functions of the account":                  {policy: source("lambda", "StringLike", "arn:aws:lambda:*:111122223333:function:*"), want: none},
		"a function named as the account":           {policy: source("lambda", "StringLike", "arn:aws:lambda:*:111122223333:*"), want: unscoped},
		"instances of the account":                  {policy: source("ec2", "StringLike", "arn:aws:ec2:*:111122223333:instance/*"), want: none},
		"of a service that is not known":            {policy: source("states", "StringLike", "arn:aws:states:*:111122223333:*"), want: unscoped},
		"an own origin access identity":             {policy: to(`{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, ``), zone: own("origin access identity E1"), want: none},
		"another's origin access identity":          {policy: to(`{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, ``), want: cross},
		"an own canonical user":                     {policy: to(`{"CanonicalUser": "79a5"}`, ``), zone: own("canonical user 79a5"), want: none},
		"a trusted account":                         {policy: to(`{"AWS": "999988887777"}`, ``), zone: own("account 999988887777"), want: none},
		"a trusted account's role, by condition":    {policy: to(`"*"`, `"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/*"}`), zone: own("account 999988887777"), want: none},
		"a hosted zone, which tells nobody":         {policy: source("dnssec-route53", "ArnEquals", "arn:aws:route53:::hostedzone/Z1"), want: cross, unknown: true},
		"an Alexa skill of the owner's choice":      {policy: to(`{"Service": "alexa-appkit.amazon.com"}`, `"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}`), zone: ignorant, want: none},
		"anybody who knows the token":               {policy: to(`"*"`, `"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}`), want: public},
		"any Alexa skill":                           {policy: to(`{"Service": "alexa-appkit.amazon.com"}`, `"StringLike": {"lambda:EventSourceToken": "amzn1.ask.skill.*"}`), want: unscoped},
		"an endpoint of the account":                {policy: to(`"*"`, `"StringLike": {"SNS:Endpoint": "arn:aws:sqs:*:111122223333:q"}`), want: none},
		"an endpoint of another account":            {policy: to(`"*"`, `"ArnEquals": {"SNS:Endpoint": "arn:aws:sqs:eu-west-1:999988887777:q"}`), want: cross},
		"SES by its old key":                        {policy: to(`{"Service": "ses.amazonaws.com"}`, `"StringEquals": {"aws:Referer": "111122223333"}`), want: none},
		"SES by its old key, for another":           {policy: to(`{"Service": "ses.amazonaws.com"}`, `"StringEquals": {"aws:Referer": "999988887777"}`), want: cross},
		"another service by that key":               {policy: to(`{"Service": "sns.amazonaws.com"}`, `"StringEquals": {"aws:Referer": "111122223333"}`), want: unscoped, says: "is a text that anybody may send"},
		"anybody by that key":                       {policy: to(`"*"`, `"StringEquals": {"aws:Referer": "111122223333"}`), want: public, says: "is a text that anybody may send"},
		"a VPC of the account":                      {policy: to(`"*"`, `"ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:111122223333:vpc/*"}`), want: restricted},
		"a VPC of any account":                      {policy: to(`"*"`, `"ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:*:vpc/*"}`), want: public},
		"instances of a VPC":                        {policy: to(`"*"`, `"StringEquals": {"aws:Ec2InstanceSourceVpc": "vpc-1"}`), want: restricted},
		"a wildcard that is compared as text":       {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-*"}`), want: none},
		"a wildcard as text, and an account":        {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalAccount": ["*", "999988887777"]}`), want: cross},
		"services only, by the name's presence":     {policy: to(`"*"`, `"Null": {"aws:PrincipalServiceName": "false"}`), want: unscoped},
		"services only, of the account":             {policy: to(`"*"`, `"Null": {"aws:PrincipalServiceName": "false"}, "StringEquals": {"aws:SourceAccount": "111122223333"}`), want: none},
		"a service, by a key that it does not have": {policy: to(`{"Service": "sns.amazonaws.com"}`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`), want: none},
	})
}

// AWS's own accounts are no strangers where they do what AWS's documentation asks for,
// and strangers otherwise: they are a well-known disguise.
func TestAccountsOfAWS(t *testing.T) {
	balancers := func(action string) string {
		return `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::127311923021:root"}, "Action": ` + action + `, "Resource": "arn:aws:s3:::logs/*"}`
	}
	service := func(name, action string) string {
		return `{"Effect": "Allow", "Principal": {"Service": "` + name + `"}, "Action": "` + action + `", "Resource": "arn:aws:s3:::logs/*"}`
	}
	runZoneCases(t, map[string]zoneCase{
		"access logs of load balancers":         {policy: balancers(`"s3:PutObject"`), want: none},
		"in lower case":                         {policy: balancers(`["S3:putobject"]`), want: none},
		"as AWS's construct library grants it":  {policy: balancers(`["s3:PutObject", "s3:PutObjectTagging", "s3:Abort*"]`), want: none},
		"more than access logs":                 {policy: balancers(`["s3:PutObject", "s3:GetObject"]`), want: cross},
		"all of S3":                             {policy: balancers(`"s3:*"`), want: cross},
		"audit logs of Redshift":                {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::193672423079:user/logs"}, "Action": ["s3:PutObject", "s3:GetBucketAcl"], "Resource": "*"}`, want: none},
		"Redshift's account as a disguise":      {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::193672423079:root"}, "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}`, want: cross},
		"Redshift's account in a trust policy":  {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::193672423079:root"}, "Action": "sts:AssumeRole"}`, want: cross},
		"CloudTrail before it was a service":    {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::086441151436:root"}, "Action": "s3:PutObject", "Resource": "*"}`, want: none},
		"billing reports":                       {policy: `{"Effect": "Allow", "Principal": {"AWS": "386209384616"}, "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"], "Resource": "*"}`, want: none},
		"a service that takes no condition":     {policy: service("logdelivery.elasticloadbalancing.amazonaws.com", "s3:PutObject"), want: none},
		"such a service, for more than it does": {policy: service("logdelivery.elasticloadbalancing.amazonaws.com", "s3:*"), want: unscoped},
		"a service that takes one":              {policy: service("delivery.logs.amazonaws.com", "s3:PutObject"), want: unscoped},
	})
}

// Denies that together, or for some, leave nobody.
func TestDeniesTogether(t *testing.T) {
	deny := func(principal, what, condition string) string {
		return `{"Sid": "No", "Effect": "Deny", "Principal": ` + principal + `, ` + what + `, "Condition": {` + condition + `}}`
	}
	const outside = `"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}`
	bucket, objects := `"Action": "s3:*", "Resource": "arn:aws:s3:::b"`, `"Action": "s3:*", "Resource": "arn:aws:s3:::b/*"`
	share := `{"Effect": "Allow", "Principal": {"AWS": ["999988887777", "arn:aws:iam::444455556666:role/etl"]}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},`
	trail := `{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111122223333:q"},`
	runZoneCases(t, map[string]zoneCase{
		"bucket and objects":                  {policy: openBucket + deny(`"*"`, bucket, outside) + "," + deny(`"*"`, objects, outside), want: none},
		"bucket, and objects left open":       {policy: openBucket + deny(`"*"`, bucket, outside) + "," + deny(`"*"`, `"Action": "s3:*", "Resource": "arn:aws:s3:::b/x/*"`, outside), want: public, says: "Deny No may leave some of it"},
		"one action each":                     {policy: openBucket + deny(`"*"`, `"Action": "s3:GetObject", "Resource": "*"`, outside) + "," + deny(`"*"`, `"Action": "s3:List*", "Resource": "*"`, outside), want: none},
		"one by different bounds":             {policy: openBucket + deny(`"*"`, bucket, outside) + "," + deny(`"*"`, objects, `"StringNotEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`), want: orgLevel},
		"a pattern and all the rest":          {policy: `{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},` + deny(`"*"`, `"Action": "s3:Get*", "Resource": "*"`, outside) + "," + deny(`"*"`, `"NotAction": "s3:Get*", "Resource": "*"`, outside), want: none},
		"a pattern and not all the rest":      {policy: `{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},` + deny(`"*"`, `"Action": "s3:GetO*", "Resource": "*"`, outside) + "," + deny(`"*"`, `"NotAction": "s3:Get*", "Resource": "*"`, outside), want: public},
		"a resource and all others":           {policy: openBucket + deny(`"*"`, `"Action": "*", "Resource": "arn:aws:s3:::b/x/*"`, outside) + "," + deny(`"*"`, `"Action": "*", "NotResource": "arn:aws:s3:::b/x/*"`, outside), want: none},
		"all but the denied of NotAction":     {policy: `{"Effect": "Allow", "Principal": "*", "NotAction": "s3:Put*", "Resource": "*"},` + deny(`"*"`, `"NotAction": ["s3:Put*"], "Resource": "*"`, outside), want: none},
		"without a resource, and with":        {policy: `{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount"},` + deny(`"*"`, `"Action": "*", "Resource": "*"`, outside), want: none},
		"the account that is allowed":         {policy: share + deny(`{"AWS": ["arn:aws:iam::999988887777:root", "444455556666"]}`, objects, ``), want: none},
		"one of two accounts":                 {policy: share + deny(`{"AWS": "999988887777"}`, objects, ``), want: cross, says: "444455556666"},
		"the role that is allowed":            {policy: share + deny(`{"AWS": ["arn:aws:iam::444455556666:role/etl", "999988887777"]}`, objects, ``), want: none},
		"another role of the account":         {policy: share + deny(`{"AWS": ["arn:aws:iam::444455556666:role/other", "999988887777"]}`, objects, ``), want: cross, says: "role/etl"},
		"accounts by their key":               {policy: share + deny(`"*"`, objects, `"StringEquals": {"aws:PrincipalAccount": ["999988887777", "444455556666"]}`), want: none},
		"an account by its key, of all":       {policy: openBucket + deny(`"*"`, `"Action": "*", "Resource": "*"`, `"StringEquals": {"aws:PrincipalAccount": "999988887777"}`), want: public},
		"an account by its key, of a network": {policy: share + deny(`"*"`, objects, `"StringEquals": {"aws:PrincipalAccount": ["999988887777", "444455556666"]}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}`), want: cross},
		"an organization by its key":          {policy: to(`"*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`) + "," + deny(`"*"`, `"Action": "*", "Resource": "*"`, `"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}`), want: none},
		"the service that is allowed":         {policy: trail + deny(`{"Service": "sns.amazonaws.com"}`, `"Action": "sqs:*", "Resource": "*"`, ``), want: none},
		"another service":                     {policy: trail + deny(`{"Service": "s3.amazonaws.com"}`, `"Action": "sqs:*", "Resource": "*"`, ``), want: unscoped},
		"services of other accounts":          {policy: trail + deny(`{"AWS": "*"}`, `"Action": "sqs:*", "Resource": "*"`, `"StringNotEquals": {"aws:SourceAccount": "111122223333"}`), want: none},
		"everybody else, services too":        {policy: trail + `{"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "*", "Resource": "*"}`, want: none},
		"everybody else but the service":      {policy: trail + `{"Effect": "Deny", "NotPrincipal": {"Service": "sns.amazonaws.com"}, "Action": "*", "Resource": "*"}`, want: unscoped},
		"AWS's pattern against confused deputies": {
			policy: trail + deny(`"*"`, `"Action": "sqs:*", "Resource": "*"`, `"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}, "Null": {"aws:SourceAccount": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}`),
			want:   ownOrg,
		},
		"by the name of a service":       {policy: openBucket + deny(`"*"`, `"Action": "*", "Resource": "*"`, `"Null": {"aws:PrincipalServiceName": "true"}`), want: unscoped},
		"of whom no network is fixed":    {policy: trail + deny(`"*"`, `"Action": "*", "Resource": "*"`, `"StringNotEquals": {"aws:SourceVpce": "vpce-1"}`), want: none},
		"of a deleted user's":            {policy: share + deny(`{"AWS": "AIDACKCEVSQ6C2EXAMPLE"}`, objects, ``), want: cross},
		"unconditionally, of everybody":  {policy: openBucket + deny(`"*"`, `"Action": "*", "Resource": "*"`, ``), want: none},
		"one that no condition can meet": {policy: openBucket + deny(`"*"`, `"Action": "*", "Resource": "*"`, `"StringNotEquals": {"aws:PrincipalTag/team": "red"}`), want: public},
	})
}

// A VPC endpoint's policy is bounded by what can be reached through it, too.
func TestEndpointPolicies(t *testing.T) {
	all := func(condition string) string {
		return `{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {` + condition + `}}`
	}
	for name, c := range map[string]struct {
		policy  string
		actions []string
		want    iampolicy.Level
	}{
		"resources of an account":              {all(`"StringEquals": {"aws:ResourceAccount": "111122223333"}`), nil, restricted},
		"buckets of an account":                {all(`"StringEquals": {"s3:ResourceAccount": ["111122223333", "444455556666"]}`), nil, restricted},
		"resources of an organization":         {all(`"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}`), nil, restricted},
		"resources of a path":                  {all(`"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": "o-a1b2c3d4e5/r-1/*"}`), nil, restricted},
		"resources of any account":             {all(`"StringLike": {"aws:ResourceAccount": "*"}`), nil, public},
		"resources of the caller":              {all(`"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}`), nil, public},
		"callers of the resource's account":    {all(`"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}`), nil, public},
		"what is always so":                    {all(`"StringEquals": {"aws:ResourceOrgID": "${aws:ResourceOrgID}"}`), nil, public},
		"resources of all but an account":      {all(`"StringNotEquals": {"aws:ResourceAccount": "111122223333"}`), nil, public},
		"others' buckets denied, for S3":       {all(``) + `,{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"s3:ResourceAccount": "111122223333"}}}`, []string{"s3:*"}, restricted},
		"others' buckets denied, for anything": {all(``) + `,{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"s3:ResourceAccount": "111122223333"}}}`, nil, public},
		"callers of an organization":           {all(`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`), nil, ownOrg},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, c.policy).EvaluateEndpoint(zone(), c.actions...)
			// A service's requests do not come through an endpoint.
			got.Grants = slices.DeleteFunc(got.Grants, func(g iampolicy.Grant) bool { return g.Level == unscoped })
			if widest(got) != c.want {
				t.Errorf("level %s, want %s\n%s", widest(got), c.want, said(got))
			}
		})
	}
}

// An explanation names the conditions that did not bound, and is short.
func TestExplanations(t *testing.T) {
	for name, c := range map[string]struct{ condition, want string }{
		"none":          {``, ""},
		"a header":      {`"StringLike": {"aws:Referer": "https://example.com/*"}`, "its condition aws:Referer is a text that anybody may send"},
		"not in":        {`"StringNotEquals": {"aws:SourceVpc": "vpc-1"}`, "its condition aws:SourceVpc lets in all but what it names"},
		"if it exists":  {`"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}`, "its condition aws:PrincipalOrgID also holds when the request lacks it"},
		"two":           {`"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalType": "User"}`, "its condition aws:SecureTransport asks for TLS, which anyone can use, and aws:PrincipalType names a type of principal that every account has"},
		"more than two": {`"StringEquals": {"aws:PrincipalType": "User", "aws:UserAgent": "x", "aws:Referer": "y"}`, "and 1 more"},
	} {
		t.Run(name, func(t *testing.T) {
			g := parse(t, to(`"*"`, c.condition)).Evaluate(zone()).At(public)
			if len(g) != 1 || !strings.Contains(g[0].Why, c.want) || c.want == "" && g[0].Why != "" {
				t.Errorf("%+v, want %q", g, c.want)
			}
		})
	}
}

// Plain HTTP is denied also by the opposite operator, and where AWS's services, which
// speak TLS in any case, are excepted.
func TestPlainHTTPIsDenied(t *testing.T) {
	deny := func(condition string) string {
		return `{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {` + condition + `}}`
	}
	for name, c := range map[string]struct {
		policy string
		want   bool
	}{
		"not over TLS":               {deny(`"StringNotEquals": {"aws:SecureTransport": "true"}`), true},
		"not over TLS, any case":     {deny(`"StringNotEqualsIgnoreCase": {"aws:SecureTransport": "True"}`), true},
		"not over plain HTTP":        {deny(`"StringNotEquals": {"aws:SecureTransport": "false"}`), false},
		"services excepted":          {deny(`"Bool": {"aws:SecureTransport": "false"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}`), true},
		"services and nobodies":      {deny(`"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}`), false},
		"only services":              {deny(`"Bool": {"aws:SecureTransport": "false"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "true"}`), false},
		"services, TLS not asked of": {deny(`"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}`), false},
		"a folder of one's own":      {`{"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "${aws:username}", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, c.policy).RequiresTLS([]string{"s3:*"}, []string{"arn:aws:s3:::b", "arn:aws:s3:::b/*"}); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
}

// An administrator is one by whatever patterns.
func TestAdministratorByAnyPattern(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		admin     bool
	}{
		"every ARN":            {`"Action": "*", "Resource": "arn:aws:*"`, true},
		"every ARN there is":   {`"Action": "*:*", "Resource": "arn:*:*:*:*:*"`, true},
		"every bucket":         {`"Action": "*", "Resource": "arn:aws:s3:::*"`, false},
		"every name":           {`"Action": "?*", "Resource": "*"`, true},
		"every name of a kind": {`"Action": "kms:?*", "Resource": "*"`, false},
		"some names":           {`"Action": "kms:???????*", "Resource": "*"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, `{"Effect": "Allow", `+c.statement+`}`)
			if p.IsAdmin() != c.admin {
				t.Errorf("admin %t", p.IsAdmin())
			}
		})
	}
}

// A statement without a resource is about what the policy hangs on.
func TestStatementsWithoutResource(t *testing.T) {
	z := zone()
	z.Resource = "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"
	runZoneCases(t, map[string]zoneCase{
		"and a Deny of it":      {zone: z, policy: `{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount"}, {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "` + z.Resource + `", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}}`, want: none},
		"and a Deny of another": {zone: z, policy: `{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount"}, {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "` + z.Resource + `2", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}}`, want: public},
	})
}
