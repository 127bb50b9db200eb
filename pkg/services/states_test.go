package services_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// stateless are the resource types without a state, and why: all others are
// check.Stateful, so that no rule over them can forget to ask.
var stateless = map[string]string{
	"AWS::Account::Contacts":                     "a setting of the account",
	"AWS::AccessAnalyzer::RegionSettings":        "a setting of the region; analyzers' states are read by the rule",
	"AWS::ApiGateway::RestApi":                   "AWS tells a state of APIs with an access mode alone",
	"AWS::ApiGateway::Stage":                     "stages are there or are not",
	"AWS::AutoScaling::LaunchConfiguration":      "launch configurations are there or are not",
	"AWS::CloudFront::Distribution":              "its state tells how far a change has come; its settings count meanwhile",
	"AWS::CloudTrail::RegionTrails":              "a setting of the region",
	"AWS::CloudTrail::Trail":                     "trails are there or are not; whether one logs is a fact of its own",
	"AWS::CloudWatch::Alarm":                     "its state tells of the metric",
	"AWS::Config::RegionSettings":                "a setting of the region; recorders' states are read by the rules",
	"AWS::EC2::EIP":                              "addresses are there or are not",
	"AWS::EC2::LaunchTemplate":                   "launch templates are there or are not",
	"AWS::EC2::NetworkAcl":                       "network ACLs are there or are not",
	"AWS::EC2::RegionSettings":                   "a setting of the region",
	"AWS::EC2::RouteTable":                       "route tables are there or are not",
	"AWS::EC2::SecurityGroup":                    "security groups are there or are not",
	"AWS::ECR::RegistryScanningConfiguration":    "a setting of the region",
	"AWS::ECR::Repository":                       "repositories are there or are not",
	"AWS::ElasticLoadBalancing::LoadBalancer":    "Classic Load Balancers tell no state",
	"AWS::GuardDuty::RegionSettings":             "a setting of the region; the detector's state is read by the rules",
	"AWS::IAM::AccessKey":                        "whether a key is active is what the rules ask",
	"AWS::IAM::Account":                          "a setting of the account",
	"AWS::IAM::Group":                            "IAM's resources are there or are not",
	"AWS::IAM::InlinePolicy":                     "IAM's resources are there or are not",
	"AWS::IAM::ManagedPolicy":                    "IAM's resources are there or are not",
	"AWS::IAM::OIDCProvider":                     "IAM's resources are there or are not",
	"AWS::IAM::PasswordPolicy":                   "a setting of the account",
	"AWS::IAM::Role":                             "IAM's resources are there or are not",
	"AWS::IAM::RootUser":                         "there is always one",
	"AWS::IAM::SAMLProvider":                     "IAM's resources are there or are not",
	"AWS::IAM::ServerCertificate":                "IAM's resources are there or are not",
	"AWS::IAM::User":                             "IAM's resources are there or are not",
	"AWS::Lambda::Function":                      "ListFunctions does not tell the state, and settings and policy count in each",
	"AWS::Logs::LogGroup":                        "log groups are there or are not",
	"AWS::Logs::MetricFilter":                    "metric filters are there or are not",
	"AWS::Logs::ResourcePolicy":                  "policies are there or are not",
	"AWS::Macie::RegionSettings":                 "a setting of the region",
	"AWS::Organizations::Membership":             "a setting of the account",
	"AWS::RDS::RegionSettings":                   "a setting of the region",
	"AWS::ResourceGroupsTagging::RegionTags":     "a setting of the region",
	"AWS::ResourceGroupsTagging::TaggedResource": "the tagging service tells no state",
	"AWS::Route53::HostedZone":                   "hosted zones are there or are not",
	"AWS::S3::AccessPoint":                       "access points are there or are not",
	"AWS::S3::AccountPublicAccessBlock":          "a setting of the account",
	"AWS::S3::Bucket":                            "buckets are there or are not",
	"AWS::SecretsManager::Secret":                "the listing leaves out secrets that are planned to be deleted",
	"AWS::SecurityHub::RegionSettings":           "a setting of the region; standards' states are read by the rule",
	"AWS::SNS::Subscription":                     "subscriptions are there or are not, or wait for their confirmation",
	"AWS::SNS::Topic":                            "topics are there or are not",
	"AWS::SQS::Queue":                            "queues are there or are not",
	"CloudArq::Account::Zone":                    "a setting of the audit",
	"CloudArq::Access":                           "a setting of the audit",
}

// Each check that is named as the cause of another exists.
func TestCausesExist(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range catalog.Checks() {
		for _, id := range c.Causes {
			if _, exists := catalog.Check(id); !exists {
				t.Errorf("%s names %s as its cause, which does not exist", c.ID, id)
			}
		}
	}
}

func TestEveryTypeWithAStateAsksIt(t *testing.T) {
	t.Parallel()
	for _, s := range services.All() {
		for _, kind := range s.Kinds {
			state, ok := kind.Zero.(check.Stateful)
			why := stateless[kind.Name]
			switch {
			case ok == (why != ""):
				t.Errorf("%s: either it is check.Stateful, or stateless says why not", kind.Name)
			case ok && (state.Lifecycle().Noun == "" || len(state.Lifecycle().Judged) == 0):
				t.Errorf("the lifecycle of %s has no noun, or no state that is judged", kind.Name)
			}
		}
	}
}
