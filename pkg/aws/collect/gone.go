package collect

import (
	"errors"
	"slices"

	"github.com/aws/smithy-go"
)

// absence is a code by which operations say that what they were asked about does not
// exist.
type absence struct {
	service    string // SDK service id
	code       string
	operations []string
}

// absences are for operations that ask about what a listing named just before. Left out
// is a code that may as well mean a part which the resource does not have, or another
// resource: Lambda's GetPolicy answers ResourceNotFoundException for both.
//
// The codes are those of the services' API models of 2026-11-15.
var absences = []absence{
	{"ACM", "ResourceNotFoundException", []string{"DescribeCertificate"}},
	{"API Gateway", "NotFoundException", []string{"GetBasePathMappings", "GetResources", "GetStages"}},
	{"CloudFront", "NoSuchDistribution", []string{"GetDistributionConfig"}},
	{"DynamoDB", "ResourceNotFoundException", []string{"DescribeTable"}},
	{"DynamoDB", "TableNotFoundException", []string{"DescribeContinuousBackups"}},
	{"EC2", "InvalidInstanceID.NotFound", []string{"DescribeInstanceAttribute"}},
	{"EC2", "InvalidVpcEndpointServiceId.NotFound", []string{"DescribeVpcEndpointServicePermissions"}},
	{"ECR", "RepositoryNotFoundException", []string{"GetLifecyclePolicy", "GetRepositoryPolicy"}},
	{"EFS", "FileSystemNotFound", []string{"DescribeBackupPolicy", "DescribeFileSystemPolicy"}},
	{"EKS", "ResourceNotFoundException", []string{"DescribeCluster"}},
	{"Elastic Load Balancing", "LoadBalancerNotFound", []string{"DescribeLoadBalancerAttributes", "DescribeLoadBalancerPolicies"}},
	{"Elastic Load Balancing v2", "LoadBalancerNotFound", []string{"DescribeListeners", "DescribeLoadBalancerAttributes"}},
	{"KMS", "NotFoundException", []string{"DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"}},
	{"Lambda", "ResourceNotFoundException", []string{"GetFunctionConcurrency", "ListAliases", "ListFunctionEventInvokeConfigs", "ListFunctionUrlConfigs", "ListLayerVersions"}},
	{"RDS", "DBClusterSnapshotNotFoundFault", []string{"DescribeDBClusterSnapshotAttributes"}},
	{"RDS", "DBSnapshotNotFound", []string{"DescribeDBSnapshotAttributes"}},
	{"Route 53", "NoSuchHostedZone", []string{"GetDNSSEC"}},
	{"S3 Control", "NoSuchAccessPoint", []string{"GetAccessPoint", "GetAccessPointPolicy"}},
	{"S3 Control", "NoSuchMultiRegionAccessPoint", []string{"GetMultiRegionAccessPointPolicy"}},
	{"S3", "NoSuchBucket", []string{
		"GetBucketAcl", "GetBucketEncryption", "GetBucketLifecycleConfiguration", "GetBucketLogging", "GetBucketNotificationConfiguration",
		"GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketReplication", "GetBucketVersioning", "GetBucketWebsite", "GetObjectLockConfiguration", "GetPublicAccessBlock",
	}},
	{"SNS", "NotFound", []string{"GetTopicAttributes"}},
	{"SQS", "AWS.SimpleQueueService.NonExistentQueue", []string{"GetQueueAttributes"}},
	{"SQS", "QueueDoesNotExist", []string{"GetQueueAttributes"}},
	{"Secrets Manager", "ResourceNotFoundException", []string{"GetResourcePolicy"}},
}

// Absent are the codes by which an operation says that what it was asked about is gone.
func Absent(service, operation string) []string {
	var codes []string
	for _, a := range absences {
		if a.service == service && slices.Contains(a.operations, operation) {
			codes = append(codes, a.code)
		}
	}
	return codes
}

// Gone reports whether a call failed because what it asked about was deleted since it
// was listed.
func Gone(err error) bool {
	var call *smithy.OperationError
	return errors.As(err, &call) && HasCode(err, Absent(call.Service(), call.Operation())...)
}
