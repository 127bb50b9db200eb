package synthetic

import (
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// operations is what is known of each operation that collectors call, by the type of
// its input. What is not said of an answer follows from its type. A listing of which an
// account may have any number says which type it lists, how many AWS gives in a page (0:
// all at once), and what names an item: "#" is its number, "@" the region, "~" the
// account. Of other listings an account has a few.
var operations = sync.OnceValue(func() map[reflect.Type]*operation {
	t := table{}
	called(t)
	list[acm.ListCertificatesInput, acm.ListCertificatesOutput](t, "AWS::CertificateManager::Certificate", 1000, "", "CertificateArn=arn:aws:acm:@:~:certificate/#,DomainName=www-#.example.com")
	list[apigateway.GetDomainNamesInput, apigateway.GetDomainNamesOutput](t, "AWS::ApiGateway::DomainName", 500, "", "DomainName=api-#.example.com,DomainNameArn=arn:aws:apigateway:@::/domainnames/api-#.example.com")
	list[apigateway.GetRestApisInput, apigateway.GetRestApisOutput](t, "AWS::ApiGateway::RestApi", 500, "", "Id=api-#,Name=api-#")
	list[autoscaling.DescribeAutoScalingGroupsInput, autoscaling.DescribeAutoScalingGroupsOutput](t, "AWS::AutoScaling::AutoScalingGroup", 100, "", "AutoScalingGroupARN=arn:aws:autoscaling:@:~:autoScalingGroup:#:autoScalingGroupName/group-#,AutoScalingGroupName=group-#")
	list[autoscaling.DescribeLaunchConfigurationsInput, autoscaling.DescribeLaunchConfigurationsOutput](t, "AWS::AutoScaling::LaunchConfiguration", 100, "", "LaunchConfigurationARN=arn:aws:autoscaling:@:~:launchConfiguration:#:launchConfigurationName/launch-#,LaunchConfigurationName=launch-#")
	exact(t, listOriginAccessIdentities)
	list[cloudfront.ListDistributionsInput, cloudfront.ListDistributionsOutput](t, "AWS::CloudFront::Distribution", 100, "DistributionList", "ARN=arn:aws:cloudfront::~:distribution/E#,Id=E#")
	exact(t, describeTrails)
	list[cloudwatchlogs.DescribeLogGroupsInput, cloudwatchlogs.DescribeLogGroupsOutput](t, "AWS::Logs::LogGroup", 50, "", "LogGroupName=/aws/lambda/group-#")
	list[cloudwatchlogs.DescribeMetricFiltersInput, cloudwatchlogs.DescribeMetricFiltersOutput](t, "AWS::Logs::MetricFilter", 50, "", "LogGroupName=/aws/lambda/group-#,FilterName=filter-#")
	list[cloudwatchlogs.DescribeResourcePoliciesInput, cloudwatchlogs.DescribeResourcePoliciesOutput](t, "AWS::Logs::ResourcePolicy", 50, "", "PolicyName=policy-#")
	list[cloudwatch.DescribeAlarmsInput, cloudwatch.DescribeAlarmsOutput](t, "AWS::CloudWatch::Alarm", 100, "MetricAlarms", "AlarmArn=arn:aws:cloudwatch:@:~:alarm:alarm-#,AlarmName=alarm-#")
	exact(t, describeTable)
	list[dynamodb.ListTablesInput, dynamodb.ListTablesOutput](t, "AWS::DynamoDB::Table", 100, "", "=table-#")
	list[ec2.DescribeAddressesInput, ec2.DescribeAddressesOutput](t, "AWS::EC2::EIP", 0, "", "AllocationId=eipalloc-#")
	list[ec2.DescribeClientVpnEndpointsInput, ec2.DescribeClientVpnEndpointsOutput](t, "AWS::EC2::ClientVpnEndpoint", 1000, "", "ClientVpnEndpointId=cvpn-endpoint-#")
	list[ec2.DescribeFlowLogsInput, ec2.DescribeFlowLogsOutput](t, "AWS::EC2::FlowLog", 1000, "", "FlowLogId=fl-#")
	list[ec2.DescribeImagesInput, ec2.DescribeImagesOutput](t, "AWS::EC2::Image", 1000, "", "ImageId=ami-#")
	exact(t, describeInstances)
	exact(t, getDetector)
	list[ec2.DescribeLaunchTemplateVersionsInput, ec2.DescribeLaunchTemplateVersionsOutput](t, "AWS::EC2::LaunchTemplate", 200, "", "LaunchTemplateId=lt-#,LaunchTemplateName=template-#")
	list[ec2.DescribeNetworkAclsInput, ec2.DescribeNetworkAclsOutput](t, "AWS::EC2::NetworkAcl", 1000, "", "NetworkAclId=acl-#")
	list[ec2.DescribeNetworkInterfacesInput, ec2.DescribeNetworkInterfacesOutput](t, "AWS::EC2::NetworkInterface", 1000, "", "NetworkInterfaceId=eni-#")
	exact(t, describeRegions)
	list[ec2.DescribeRouteTablesInput, ec2.DescribeRouteTablesOutput](t, "AWS::EC2::RouteTable", 100, "", "RouteTableId=rtb-#")
	list[ec2.DescribeSecurityGroupsInput, ec2.DescribeSecurityGroupsOutput](t, "AWS::EC2::SecurityGroup", 1000, "", "GroupId=sg-#")
	list[ec2.DescribeSnapshotsInput, ec2.DescribeSnapshotsOutput](t, "AWS::EC2::Snapshot", 1000, "", "SnapshotId=snap-#")
	exact(t, describeSnapshots)
	list[ec2.DescribeSubnetsInput, ec2.DescribeSubnetsOutput](t, "AWS::EC2::Subnet", 1000, "", "SubnetId=subnet-#")
	list[ec2.DescribeTransitGatewaysInput, ec2.DescribeTransitGatewaysOutput](t, "AWS::EC2::TransitGateway", 1000, "", "TransitGatewayId=tgw-#,TransitGatewayArn=arn:aws:ec2:@:~:transit-gateway/tgw-#")
	list[ec2.DescribeVolumesInput, ec2.DescribeVolumesOutput](t, "AWS::EC2::Volume", 500, "", "VolumeId=vol-#")
	list[ec2.DescribeVpcEndpointServiceConfigurationsInput, ec2.DescribeVpcEndpointServiceConfigurationsOutput](t, "AWS::EC2::VPCEndpointService", 1000, "", "ServiceId=vpce-svc-#")
	exact(t, describeVPCEndpointServices)
	list[ec2.DescribeVpcEndpointsInput, ec2.DescribeVpcEndpointsOutput](t, "AWS::EC2::VPCEndpoint", 1000, "", "VpcEndpointId=vpce-#")
	list[ec2.DescribeVpcPeeringConnectionsInput, ec2.DescribeVpcPeeringConnectionsOutput](t, "AWS::EC2::VPCPeeringConnection", 1000, "", "VpcPeeringConnectionId=pcx-#")
	list[ec2.DescribeVpcsInput, ec2.DescribeVpcsOutput](t, "AWS::EC2::VPC", 1000, "", "VpcId=vpc-#")
	list[ec2.DescribeVpnConnectionsInput, ec2.DescribeVpnConnectionsOutput](t, "AWS::EC2::VPNConnection", 0, "", "VpnConnectionId=vpn-#")
	list[ecr.DescribeRepositoriesInput, ecr.DescribeRepositoriesOutput](t, "AWS::ECR::Repository", 1000, "", "RepositoryArn=arn:aws:ecr:@:~:repository/repository-#,RepositoryName=repository-#")
	exact(t, describeClusters)
	exact(t, describeServices)
	exact(t, describeTaskDefinition)
	list[ecs.ListClustersInput, ecs.ListClustersOutput](t, "AWS::ECS::Cluster", 100, "", "=arn:aws:ecs:@:~:cluster/cluster-#")
	exact(t, listServices)
	list[ecs.ListTaskDefinitionFamiliesInput, ecs.ListTaskDefinitionFamiliesOutput](t, "AWS::ECS::TaskDefinition", 100, "", "=family-#")
	list[efs.DescribeAccessPointsInput, efs.DescribeAccessPointsOutput](t, "AWS::EFS::AccessPoint", 100, "", "AccessPointArn=arn:aws:elasticfilesystem:@:~:access-point/fsap-#,AccessPointId=fsap-#")
	list[efs.DescribeFileSystemsInput, efs.DescribeFileSystemsOutput](t, "AWS::EFS::FileSystem", 100, "", "FileSystemArn=arn:aws:elasticfilesystem:@:~:file-system/fs-#,FileSystemId=fs-#")
	list[eks.ListClustersInput, eks.ListClustersOutput](t, "AWS::EKS::Cluster", 100, "", "=cluster-#")
	exact(t, balancerAttributes)
	list[elasticloadbalancingv2.DescribeLoadBalancersInput, elasticloadbalancingv2.DescribeLoadBalancersOutput](t, "AWS::ElasticLoadBalancingV2::LoadBalancer", 400, "", "LoadBalancerArn=arn:aws:elasticloadbalancing:@:~:loadbalancer/app/balancer-#/#,LoadBalancerName=balancer-#")
	exact(t, classicAttributes)
	list[elasticloadbalancing.DescribeLoadBalancersInput, elasticloadbalancing.DescribeLoadBalancersOutput](t, "AWS::ElasticLoadBalancing::LoadBalancer", 400, "", "LoadBalancerName=classic-#")
	exact(t, generateCredentialReport)
	exact(t, getAccountAuthorizationDetails)
	exact(t, getAccountSummary)
	exact(t, getCredentialReport)
	list[iam.ListOpenIDConnectProvidersInput, iam.ListOpenIDConnectProvidersOutput](t, "AWS::IAM::OIDCProvider", 0, "", "Arn=arn:aws:iam::~:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/#")
	list[iam.ListSAMLProvidersInput, iam.ListSAMLProvidersOutput](t, "AWS::IAM::SAMLProvider", 0, "", "Arn=arn:aws:iam::~:saml-provider/provider-#")
	list[iam.ListServerCertificatesInput, iam.ListServerCertificatesOutput](t, "AWS::IAM::ServerCertificate", 1000, "", "Arn=arn:aws:iam::~:server-certificate/certificate-#,ServerCertificateName=certificate-#")
	list[kms.ListKeysInput, kms.ListKeysOutput](t, "AWS::KMS::Key", 1000, "", "KeyArn=arn:aws:kms:@:~:key/key-#,KeyId=key-#")
	exact(t, listLayerVersions)
	list[lambda.ListFunctionsInput, lambda.ListFunctionsOutput](t, "AWS::Lambda::Function", 50, "", "FunctionArn=arn:aws:lambda:@:~:function:function-#,FunctionName=function-#,Version=$LATEST")
	list[lambda.ListLayersInput, lambda.ListLayersOutput](t, "AWS::Lambda::LayerVersion", 50, "", "LayerName=layer-#")
	list[rds.DescribeDBClusterSnapshotsInput, rds.DescribeDBClusterSnapshotsOutput](t, "AWS::RDS::DBClusterSnapshot", 100, "", "DBClusterSnapshotArn=arn:aws:rds:@:~:cluster-snapshot:snapshot-#,DBClusterSnapshotIdentifier=snapshot-#")
	list[rds.DescribeDBClustersInput, rds.DescribeDBClustersOutput](t, "AWS::RDS::DBCluster", 100, "", "DBClusterArn=arn:aws:rds:@:~:cluster:cluster-#,DBClusterIdentifier=cluster-#")
	list[rds.DescribeDBInstancesInput, rds.DescribeDBInstancesOutput](t, "AWS::RDS::DBInstance", 100, "", "DBInstanceArn=arn:aws:rds:@:~:db:database-#,DBInstanceIdentifier=database-#")
	list[rds.DescribeDBProxiesInput, rds.DescribeDBProxiesOutput](t, "AWS::RDS::DBProxy", 100, "", "DBProxyArn=arn:aws:rds:@:~:db-proxy:proxy-#,DBProxyName=proxy-#")
	list[rds.DescribeDBSnapshotsInput, rds.DescribeDBSnapshotsOutput](t, "AWS::RDS::DBSnapshot", 100, "", "DBSnapshotArn=arn:aws:rds:@:~:snapshot:snapshot-#,DBSnapshotIdentifier=snapshot-#")
	list[resourcegroupstaggingapi.GetResourcesInput, resourcegroupstaggingapi.GetResourcesOutput](t, "AWS::ResourceGroupsTagging::TaggedResource", 100, "", "ResourceARN=arn:aws:lambda:@:~:function:function-#")
	list[route53.ListHostedZonesInput, route53.ListHostedZonesOutput](t, "AWS::Route53::HostedZone", 100, "", "Id=/hostedzone/Z#,Name=zone-#.example.com.")
	list[s3control.ListAccessPointsInput, s3control.ListAccessPointsOutput](t, "AWS::S3::AccessPoint", 1000, "", "Name=point-#")
	list[s3control.ListMultiRegionAccessPointsInput, s3control.ListMultiRegionAccessPointsOutput](t, "AWS::S3::MultiRegionAccessPoint", 100, "", "Name=point-#,Alias=point-#.mrap")
	list[s3.ListBucketsInput, s3.ListBucketsOutput](t, "AWS::S3::Bucket", 10000, "", "Name=bucket-#")
	exact(t, getTopicAttributes)
	list[sns.ListSubscriptionsInput, sns.ListSubscriptionsOutput](t, "AWS::SNS::Subscription", 100, "", "SubscriptionArn=arn:aws:sns:@:~:topic-#:subscription-#,TopicArn=arn:aws:sns:@:~:topic-#")
	list[sns.ListTopicsInput, sns.ListTopicsOutput](t, "AWS::SNS::Topic", 100, "", "TopicArn=arn:aws:sns:@:~:topic-#")
	exact(t, getQueueAttributes)
	list[sqs.ListQueuesInput, sqs.ListQueuesOutput](t, "AWS::SQS::Queue", 1000, "", "=https://sqs.@.amazonaws.com/~/queue-#")
	exact(t, assumeRole)
	exact(t, getCallerIdentity)
	list[secretsmanager.ListSecretsInput, secretsmanager.ListSecretsOutput](t, "AWS::SecretsManager::Secret", 100, "", "ARN=arn:aws:secretsmanager:@:~:secret:secret-#,Name=secret-#")
	return t
})
