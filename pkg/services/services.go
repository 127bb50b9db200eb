// Package services lists the services that CloudArq audits.
package services

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/account"
	"github.com/cloudarq/cloudarq/pkg/services/acm"
	"github.com/cloudarq/cloudarq/pkg/services/across"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/ecr"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/eks"
	"github.com/cloudarq/cloudarq/pkg/services/elb"
	"github.com/cloudarq/cloudarq/pkg/services/elbv2"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
	"github.com/cloudarq/cloudarq/pkg/services/route53"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

// All is every service, the ones that take longest to collect first.
func All() []check.Service {
	return []check.Service{
		ec2.Service(),
		iam.Service(),
		s3.Service(),
		accessanalyzer.Service(),
		account.Service(),
		acm.Service(),
		across.Service(),
		apigateway.Service(),
		autoscaling.Service(),
		cloudarq.Service(),
		cloudfront.Service(),
		cloudtrail.Service(),
		cloudwatch.Service(),
		config.Service(),
		dynamodb.Service(),
		ecr.Service(),
		ecs.Service(),
		efs.Service(),
		eks.Service(),
		elb.Service(),
		elbv2.Service(),
		guardduty.Service(),
		kms.Service(),
		lambda.Service(),
		logs.Service(),
		macie.Service(),
		organizations.Service(),
		rds.Service(),
		route53.Service(),
		secretsmanager.Service(),
		securityhub.Service(),
		sns.Service(),
		sqs.Service(),
		tagging.Service(),
	}
}

// Catalog is all checks of all services.
func Catalog() (*check.Catalog, error) { return check.NewCatalog(All()...) }
