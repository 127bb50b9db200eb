package synthetic

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	guardtypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// filled is a value of an SDK's type as the account has it, to be completed.
func filled[T any](variant int) T { return template(reflect.TypeFor[T](), variant).Interface().(T) }

func arn(parts ...string) *string { return aws.String("arn:aws:" + strings.Join(parts, ":")) }

func from(token *string) int {
	n, err := strconv.Atoi(aws.ToString(token))
	if err != nil {
		return 0
	}
	return n
}

// inlineEvery is how many roles there are to one that has a policy of its own.
const inlineEvery = 4

// encoded is a document as IAM sends it.
func encoded(document string) *string { return aws.String(url.PathEscape(document)) }

const permissions = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","sqs:SendMessage"],"Resource":"arn:aws:s3:::bucket/*"}]}`

// trust is what a role of a pod on EKS has: the cluster's provider, and one service
// account.
func trust(account string, i int) string {
	provider := fmt.Sprintf("oidc.eks.eu-west-1.amazonaws.com/id/%08d", i%100)
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + account + `:oidc-provider/` + provider +
		`"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + provider + `:aud":"sts.amazonaws.com","` + provider +
		`:sub":"system:serviceaccount:namespace:account-` + strconv.Itoa(i) + `"}}}]}`
}

func getAccountAuthorizationDetails(a *Account, _ string, in *iam.GetAccountAuthorizationDetailsInput) *iam.GetAccountAuthorizationDetailsOutput {
	kinds := in.Filter
	if len(kinds) == 0 {
		kinds = []iamtypes.EntityType{iamtypes.EntityTypeUser, iamtypes.EntityTypeGroup, iamtypes.EntityTypeRole, iamtypes.EntityTypeLocalManagedPolicy}
	}
	start, page := from(in.Marker), 1000
	if most := int(aws.ToInt32(in.MaxItems)); most > 0 {
		page = min(page, most)
	}
	out := &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []iamtypes.UserDetail{}, GroupDetailList: []iamtypes.GroupDetail{}, RoleDetailList: []iamtypes.RoleDetail{}, Policies: []iamtypes.ManagedPolicyDetail{},
	}
	before := 0
	for _, kind := range kinds {
		n, add := a.identities(kind, out)
		for i := max(0, start-before); i < n && before+i < start+page; i++ {
			add(i)
		}
		before += n
	}
	if end := start + page; end < before {
		out.IsTruncated, out.Marker = true, aws.String(strconv.Itoa(end))
	}
	return out
}

// identities is how many there are of one type, and what adds one of them to a page.
func (a *Account) identities(kind iamtypes.EntityType, out *iam.GetAccountAuthorizationDetailsOutput) (n int, add func(i int)) {
	created := aws.Time(longAgo())
	prefix := "arn:aws:iam::" + a.ID + ":"
	switch kind {
	case iamtypes.EntityTypeUser:
		return a.Plan["AWS::IAM::User"], func(i int) {
			name := fmt.Sprintf("user-%08d", i)
			out.UserDetailList = append(out.UserDetailList, iamtypes.UserDetail{
				Arn: aws.String(prefix + "user/" + name), UserName: &name, UserId: &name, Path: aws.String("/"), CreateDate: created,
				GroupList: []string{"group-00000000"}, AttachedManagedPolicies: []iamtypes.AttachedPolicy{},
			})
		}
	case iamtypes.EntityTypeGroup:
		return a.Plan["AWS::IAM::Group"], func(i int) {
			name := fmt.Sprintf("group-%08d", i)
			out.GroupDetailList = append(out.GroupDetailList, iamtypes.GroupDetail{
				Arn: aws.String(prefix + "group/" + name), GroupName: &name, Path: aws.String("/"), CreateDate: created,
				AttachedManagedPolicies: []iamtypes.AttachedPolicy{{PolicyArn: aws.String(prefix + "policy/policy-00000000"), PolicyName: aws.String("policy-00000000")}},
			})
		}
	case iamtypes.EntityTypeRole:
		return max(1, a.Plan["AWS::IAM::Role"]), func(i int) { out.RoleDetailList = append(out.RoleDetailList, a.role(i)) }
	case iamtypes.EntityTypeLocalManagedPolicy:
		return max(2, a.Plan["AWS::IAM::ManagedPolicy"]), func(i int) {
			name := fmt.Sprintf("policy-%08d", i)
			document := permissions
			if a.variant("AWS::IAM::ManagedPolicy", "", i) == 0 {
				document = documents[1]
			}
			out.Policies = append(out.Policies, iamtypes.ManagedPolicyDetail{
				Arn: aws.String(prefix + "policy/" + name), PolicyName: &name, AttachmentCount: aws.Int32(1), PermissionsBoundaryUsageCount: aws.Int32(0),
				PolicyVersionList: []iamtypes.PolicyVersion{{VersionId: aws.String("v1"), IsDefaultVersion: true, CreateDate: created, Document: encoded(document)}},
			})
		}
	case iamtypes.EntityTypeAWSManagedPolicy:
	}
	return 0, nil
}

// role is CloudArq's own, or a pod's.
func (a *Account) role(i int) iamtypes.RoleDetail {
	prefix := "arn:aws:iam::" + a.ID + ":"
	name := fmt.Sprintf("eks-pod-%08d", i)
	document := trust(a.ID, i)
	if i == 0 {
		name = Role
		document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"external-id-of-synthetic"}}}]}`
	}
	if i > 0 && a.variant("AWS::IAM::Role", "", i) == 0 {
		document = strings.Replace(document, "StringEquals", "StringLike", 1)
	}
	r := iamtypes.RoleDetail{
		Arn: aws.String(prefix + "role/" + name), RoleName: &name, RoleId: &name, Path: aws.String("/"), CreateDate: aws.Time(longAgo()),
		AssumeRolePolicyDocument: encoded(document), RoleLastUsed: &iamtypes.RoleLastUsed{LastUsedDate: aws.Time(time.Now().Add(-time.Hour)), Region: aws.String("eu-west-1")},
	}
	for k := range 2 {
		policy := fmt.Sprintf("policy-%08d", k)
		r.AttachedManagedPolicies = append(r.AttachedManagedPolicies, iamtypes.AttachedPolicy{PolicyArn: aws.String(prefix + "policy/" + policy), PolicyName: &policy})
	}
	r.RolePolicyList = []iamtypes.PolicyDetail{}
	if i%inlineEvery == 1 {
		r.RolePolicyList = []iamtypes.PolicyDetail{{PolicyName: aws.String("own"), PolicyDocument: encoded(permissions)}}
	}
	return r
}

const reportHead = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n"

func getCredentialReport(a *Account, _ string, _ *iam.GetCredentialReportInput) *iam.GetCredentialReportOutput {
	at := longAgo().Format(time.RFC3339)
	var b strings.Builder
	b.WriteString(reportHead)
	row := func(user, arn string, mfa bool) {
		fmt.Fprintf(&b, "%s,%s,%s,true,%s,%s,N/A,%t,true,%s,%s,eu-west-1,s3,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n", user, arn, at, at, at, mfa, at, at)
	}
	row("<root_account>", "arn:aws:iam::"+a.ID+":root", true)
	for i := range a.Plan["AWS::IAM::User"] {
		name := fmt.Sprintf("user-%08d", i)
		row(name, "arn:aws:iam::"+a.ID+":user/"+name, a.variant("AWS::IAM::User", "", i) > variants/4)
	}
	return &iam.GetCredentialReportOutput{Content: []byte(b.String()), GeneratedTime: aws.Time(time.Now().UTC()), ReportFormat: iamtypes.ReportFormatTypeTextCsv}
}

func generateCredentialReport(*Account, string, *iam.GenerateCredentialReportInput) *iam.GenerateCredentialReportOutput {
	return &iam.GenerateCredentialReportOutput{State: iamtypes.ReportStateTypeComplete}
}

func getAccountSummary(a *Account, _ string, _ *iam.GetAccountSummaryInput) *iam.GetAccountSummaryOutput {
	return &iam.GetAccountSummaryOutput{SummaryMap: map[string]int32{
		"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1, "AccountSigningCertificatesPresent": 0, "AccountPasswordPresent": 1,
		"Users": int32(a.Plan["AWS::IAM::User"]),
	}}
}

// One instance to a reservation, as most have.
func describeInstances(a *Account, region string, in *ec2.DescribeInstancesInput) *ec2.DescribeInstancesOutput {
	const kind, page = "AWS::EC2::Instance", 1000
	start, total := from(in.NextToken), a.Count("AWS::EC2::Instance", region)
	out := &ec2.DescribeInstancesOutput{}
	for i := start; i < min(start+page, total); i++ {
		instance := filled[ec2types.Instance](a.variant(kind, region, i))
		instance.InstanceId = aws.String(fmt.Sprintf("i-%08d", i))
		out.Reservations = append(out.Reservations, ec2types.Reservation{OwnerId: &a.ID, Instances: []ec2types.Instance{instance}})
	}
	if start+page < total {
		out.NextToken = aws.String(strconv.Itoa(start + page))
	}
	return out
}

// No snapshot is everybody's; otherwise they are listed as everything is.
func describeSnapshots(_ *Account, _ string, in *ec2.DescribeSnapshotsInput) *ec2.DescribeSnapshotsOutput {
	if len(in.RestorableByUserIds) > 0 {
		return &ec2.DescribeSnapshotsOutput{Snapshots: []ec2types.Snapshot{}}
	}
	return nil
}

func describeRegions(a *Account, _ string, _ *ec2.DescribeRegionsInput) *ec2.DescribeRegionsOutput {
	out := &ec2.DescribeRegionsOutput{}
	for _, region := range a.Regions {
		out.Regions = append(out.Regions, ec2types.Region{RegionName: &region, OptInStatus: aws.String("opt-in-not-required")})
	}
	return out
}

// describeVPCEndpointServices lists what the endpoints of the account lead to.
func describeVPCEndpointServices(*Account, string, *ec2.DescribeVpcEndpointServicesInput) *ec2.DescribeVpcEndpointServicesOutput {
	out := &ec2.DescribeVpcEndpointServicesOutput{}
	for v := range variants {
		name := filled[ec2types.VpcEndpoint](v).ServiceName
		out.ServiceDetails = append(out.ServiceDetails, ec2types.ServiceDetail{ServiceName: name, VpcEndpointPolicySupported: aws.Bool(true)})
	}
	return out
}

// listOriginAccessIdentities lists none: no account that is new to CloudFront has any.
func listOriginAccessIdentities(*Account, string, *cloudfront.ListCloudFrontOriginAccessIdentitiesInput) *cloudfront.ListCloudFrontOriginAccessIdentitiesOutput {
	return &cloudfront.ListCloudFrontOriginAccessIdentitiesOutput{CloudFrontOriginAccessIdentityList: &cloudfronttypes.CloudFrontOriginAccessIdentityList{IsTruncated: aws.Bool(false)}}
}

func getCallerIdentity(a *Account, _ string, _ *sts.GetCallerIdentityInput) *sts.GetCallerIdentityOutput {
	return &sts.GetCallerIdentityOutput{Account: &a.ID, Arn: aws.String(a.Caller()), UserId: aws.String("AROA:cloudarq")}
}

func assumeRole(*Account, string, *sts.AssumeRoleInput) *sts.AssumeRoleOutput {
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
		AccessKeyId: aws.String("ASIASYNTHETIC"), SecretAccessKey: aws.String("synthetic"), SessionToken: aws.String("synthetic"), Expiration: aws.Time(time.Now().Add(time.Hour)),
	}}
}

func describeTrails(a *Account, region string, _ *cloudtrail.DescribeTrailsInput) *cloudtrail.DescribeTrailsOutput {
	trail := filled[trailtypes.Trail](a.variant("AWS::CloudTrail::Trail", region, 0))
	trail.Name, trail.TrailARN, trail.HomeRegion = aws.String("trail"), arn("cloudtrail", region, a.ID, "trail/trail"), &region
	return &cloudtrail.DescribeTrailsOutput{TrailList: []trailtypes.Trail{trail}}
}

// servicesEach is how many services each cluster runs.
const servicesEach = 3

func listServices(a *Account, region string, in *ecs.ListServicesInput) *ecs.ListServicesOutput {
	out := &ecs.ListServicesOutput{}
	for i := range servicesEach {
		out.ServiceArns = append(out.ServiceArns, *arn("ecs", region, a.ID, fmt.Sprintf("service/%s/service-%08d", path.Base(*in.Cluster), i)))
	}
	return out
}

func describeServices(a *Account, region string, in *ecs.DescribeServicesInput) *ecs.DescribeServicesOutput {
	out := &ecs.DescribeServicesOutput{}
	for i, one := range in.Services {
		service := filled[ecstypes.Service](a.variant(one, region, i))
		service.ServiceArn, service.TaskSets, service.Status = &one, nil, aws.String("ACTIVE")
		service.TaskDefinition = arn("ecs", region, a.ID, fmt.Sprintf("task-definition/family-%08d:1", i%max(1, a.Count("AWS::ECS::TaskDefinition", region))))
		out.Services = append(out.Services, service)
	}
	return out
}

func describeClusters(a *Account, region string, in *ecs.DescribeClustersInput) *ecs.DescribeClustersOutput {
	out := &ecs.DescribeClustersOutput{}
	for i, one := range in.Clusters {
		cluster := filled[ecstypes.Cluster](a.variant(one, region, i))
		cluster.ClusterArn, cluster.ClusterName, cluster.Status = &one, aws.String(path.Base(one)), aws.String("ACTIVE")
		out.Clusters = append(out.Clusters, cluster)
	}
	return out
}

func describeTaskDefinition(a *Account, region string, in *ecs.DescribeTaskDefinitionInput) *ecs.DescribeTaskDefinitionOutput {
	name := strings.TrimSuffix(path.Base(*in.TaskDefinition), ":1")
	definition := filled[ecstypes.TaskDefinition](a.variant(name, region, 0))
	definition.TaskDefinitionArn, definition.Family, definition.Revision = arn("ecs", region, a.ID, "task-definition/"+name+":1"), &name, 1
	return &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &definition}
}

// describeTable gives a table a stream of its own.
func describeTable(a *Account, region string, in *dynamodb.DescribeTableInput) *dynamodb.DescribeTableOutput {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(*in.TableName))
	out := filled[dynamodb.DescribeTableOutput](a.settled(hash.Sum64() ^ mix(uint64(len(region)))))
	table := *out.Table // the template is everybody's
	table.TableName, table.TableArn = in.TableName, arn("dynamodb", region, a.ID, "table/"+*in.TableName)
	if table.LatestStreamArn != nil {
		table.LatestStreamArn = aws.String(*table.TableArn + "/stream/2026-01-01T00:00:00.000")
	}
	return &dynamodb.DescribeTableOutput{Table: &table}
}

// listLayerVersions gives each layer one version.
func listLayerVersions(a *Account, region string, in *lambda.ListLayerVersionsInput) *lambda.ListLayerVersionsOutput {
	return &lambda.ListLayerVersionsOutput{LayerVersions: []lambdatypes.LayerVersionsListItem{{
		LayerVersionArn: arn("lambda", region, a.ID, "layer", aws.ToString(in.LayerName), "1"), Version: 1,
	}}}
}

func getTopicAttributes(a *Account, region string, in *sns.GetTopicAttributesInput) *sns.GetTopicAttributesOutput {
	v := a.variant(*in.TopicArn, region, 0)
	all := map[string]string{"TopicArn": *in.TopicArn, "SubscriptionsConfirmed": strconv.Itoa(v % 4), "Policy": documents[v%len(documents)]}
	if v%2 == 0 {
		all["KmsMasterKeyId"] = "key-00000001"
	}
	if v%3 == 0 {
		all["LambdaFailureFeedbackRoleArn"] = "arn:aws:iam::" + a.ID + ":role/" + Role
	}
	return &sns.GetTopicAttributesOutput{Attributes: all}
}

func getQueueAttributes(a *Account, region string, in *sqs.GetQueueAttributesInput) *sqs.GetQueueAttributesOutput {
	name := path.Base(*in.QueueUrl)
	v := a.variant(name, region, 0)
	all := map[string]string{
		"QueueArn": *arn("sqs", region, a.ID, name), "SqsManagedSseEnabled": strconv.FormatBool(v%4 != 0), "Policy": documents[v%len(documents)],
	}
	if v%2 == 0 {
		all["RedrivePolicy"] = `{"deadLetterTargetArn":"` + *arn("sqs", region, a.ID, "queue-00000000") + `","maxReceiveCount":3}`
	}
	return &sqs.GetQueueAttributesOutput{Attributes: all}
}

func balancerAttributes(a *Account, region string, in *elb.DescribeLoadBalancerAttributesInput) *elb.DescribeLoadBalancerAttributesOutput {
	v := a.variant(*in.LoadBalancerArn, region, 0)
	out := &elb.DescribeLoadBalancerAttributesOutput{Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("routing.http.desync_mitigation_mode"), Value: aws.String("defensive")}}}
	for i, key := range []string{"deletion_protection.enabled", "access_logs.s3.enabled", "load_balancing.cross_zone.enabled", "routing.http.drop_invalid_header_fields.enabled"} {
		out.Attributes = append(out.Attributes, elbtypes.LoadBalancerAttribute{Key: &key, Value: aws.String(strconv.FormatBool(v>>i&1 == 0))})
	}
	return out
}

func classicAttributes(a *Account, region string, in *elasticloadbalancing.DescribeLoadBalancerAttributesInput) *elasticloadbalancing.DescribeLoadBalancerAttributesOutput {
	all := filled[classictypes.LoadBalancerAttributes](a.variant(*in.LoadBalancerName, region, 0))
	all.AdditionalAttributes = []classictypes.AdditionalAttribute{{Key: aws.String("elb.http.desyncmitigationmode"), Value: aws.String("defensive")}}
	return &elasticloadbalancing.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: &all}
}

// getDetector has every feature, each with every agent: AWS leaves none out that it knows.
func getDetector(*Account, string, *guardduty.GetDetectorInput) *guardduty.GetDetectorOutput {
	out := filled[guardduty.GetDetectorOutput](0)
	out.Features = nil
	for _, name := range guardtypes.DetectorFeatureResult("").Values() {
		feature := guardtypes.DetectorFeatureConfigurationResult{Name: name, Status: guardtypes.FeatureStatusEnabled}
		for _, agent := range guardtypes.FeatureAdditionalConfiguration("").Values() {
			feature.AdditionalConfiguration = append(feature.AdditionalConfiguration, guardtypes.DetectorAdditionalConfigurationResult{Name: agent, Status: guardtypes.FeatureStatusEnabled})
		}
		out.Features = append(out.Features, feature)
	}
	return &out
}
