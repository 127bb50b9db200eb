// Package collectors lists how the services are collected. It links the AWS SDK,
// which the services themselves do not.
package collectors

import (
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	accessanalyzer "github.com/cloudarq/cloudarq/pkg/services/accessanalyzer/collect"
	account "github.com/cloudarq/cloudarq/pkg/services/account/collect"
	acm "github.com/cloudarq/cloudarq/pkg/services/acm/collect"
	apigateway "github.com/cloudarq/cloudarq/pkg/services/apigateway/collect"
	autoscaling "github.com/cloudarq/cloudarq/pkg/services/autoscaling/collect"
	cloudarq "github.com/cloudarq/cloudarq/pkg/services/cloudarq/collect"
	cloudfront "github.com/cloudarq/cloudarq/pkg/services/cloudfront/collect"
	cloudtrail "github.com/cloudarq/cloudarq/pkg/services/cloudtrail/collect"
	cloudwatch "github.com/cloudarq/cloudarq/pkg/services/cloudwatch/collect"
	config "github.com/cloudarq/cloudarq/pkg/services/config/collect"
	dynamodb "github.com/cloudarq/cloudarq/pkg/services/dynamodb/collect"
	ec2 "github.com/cloudarq/cloudarq/pkg/services/ec2/collect"
	ecr "github.com/cloudarq/cloudarq/pkg/services/ecr/collect"
	ecs "github.com/cloudarq/cloudarq/pkg/services/ecs/collect"
	efs "github.com/cloudarq/cloudarq/pkg/services/efs/collect"
	eks "github.com/cloudarq/cloudarq/pkg/services/eks/collect"
	elb "github.com/cloudarq/cloudarq/pkg/services/elb/collect"
	elbv2 "github.com/cloudarq/cloudarq/pkg/services/elbv2/collect"
	guardduty "github.com/cloudarq/cloudarq/pkg/services/guardduty/collect"
	iam "github.com/cloudarq/cloudarq/pkg/services/iam/collect"
	kms "github.com/cloudarq/cloudarq/pkg/services/kms/collect"
	lambda "github.com/cloudarq/cloudarq/pkg/services/lambda/collect"
	logs "github.com/cloudarq/cloudarq/pkg/services/logs/collect"
	macie "github.com/cloudarq/cloudarq/pkg/services/macie/collect"
	organizations "github.com/cloudarq/cloudarq/pkg/services/organizations/collect"
	rds "github.com/cloudarq/cloudarq/pkg/services/rds/collect"
	route53 "github.com/cloudarq/cloudarq/pkg/services/route53/collect"
	s3 "github.com/cloudarq/cloudarq/pkg/services/s3/collect"
	secretsmanager "github.com/cloudarq/cloudarq/pkg/services/secretsmanager/collect"
	securityhub "github.com/cloudarq/cloudarq/pkg/services/securityhub/collect"
	sns "github.com/cloudarq/cloudarq/pkg/services/sns/collect"
	sqs "github.com/cloudarq/cloudarq/pkg/services/sqs/collect"
	tagging "github.com/cloudarq/cloudarq/pkg/services/tagging/collect"
)

// All is the collector of every service.
func All() []collect.Spec {
	return []collect.Spec{
		ec2.Spec(),
		iam.Spec(),
		s3.Spec(),
		accessanalyzer.Spec(),
		account.Spec(),
		acm.Spec(),
		apigateway.Spec(),
		autoscaling.Spec(),
		cloudarq.Spec(),
		cloudfront.Spec(),
		cloudtrail.Spec(),
		cloudwatch.Spec(),
		config.Spec(),
		dynamodb.Spec(),
		ecr.Spec(),
		ecs.Spec(),
		efs.Spec(),
		eks.Spec(),
		elb.Spec(),
		elbv2.Spec(),
		guardduty.Spec(),
		kms.Spec(),
		lambda.Spec(),
		logs.Spec(),
		macie.Spec(),
		organizations.Spec(),
		rds.Spec(),
		route53.Spec(),
		secretsmanager.Spec(),
		securityhub.Spec(),
		sns.Spec(),
		sqs.Spec(),
		tagging.Spec(),
	}
}

// ByService is All by the service's name.
func ByService() map[string]collect.Spec {
	specs := map[string]collect.Spec{}
	for _, s := range All() {
		specs[s.Service] = s
	}
	return specs
}

// CustomEndpoint adjusts the clients that need it when AWS is emulated.
func CustomEndpoint(sdkID string, options any) {
	for _, s := range All() {
		if s.CustomEndpoint != nil {
			s.CustomEndpoint(sdkID, options)
		}
	}
}
