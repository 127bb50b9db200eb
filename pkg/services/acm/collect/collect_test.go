package collect_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/acm"
	"github.com/cloudarq/cloudarq/pkg/services/acm/collect"
)

var until = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func arn(id string) string { return "arn:aws:acm:eu-west-1:111122223333:certificate/" + id }

// full answers like ACM: keys that were not asked for are not listed.
func full(f *fake.Fake) {
	fake.On(f, func(in *sdk.ListCertificatesInput) (*sdk.ListCertificatesOutput, error) {
		first := []types.CertificateSummary{{
			CertificateArn: aws.String(arn("web")), DomainName: aws.String("example.com"), SubjectAlternativeNameSummaries: []string{"example.com", "*.example.com"},
			Status: types.CertificateStatusIssued, Type: types.CertificateTypeAmazonIssued, KeyAlgorithm: types.KeyAlgorithmEcPrime256v1,
			InUse: aws.Bool(true), NotAfter: &until, RenewalEligibility: types.RenewalEligibilityEligible,
		}}
		if in.Includes == nil || !slices.Contains(in.Includes.KeyTypes, types.KeyAlgorithmEcPrime256v1) {
			first = nil
		}
		if in.NextToken == nil {
			return &sdk.ListCertificatesOutput{CertificateSummaryList: first, NextToken: aws.String("2")}, nil
		}
		return &sdk.ListCertificatesOutput{CertificateSummaryList: []types.CertificateSummary{
			{
				CertificateArn: aws.String(arn("old")), DomainName: aws.String("old.example.com"), Status: types.CertificateStatusIssued,
				Type: types.CertificateTypeImported, KeyAlgorithm: types.KeyAlgorithmRsa1024, NotAfter: &until, InUse: aws.Bool(false),
			},
			{
				CertificateArn: aws.String(arn("new")), DomainName: aws.String("new.example.com"), Status: types.CertificateStatusPendingValidation,
				Type: types.CertificateTypeAmazonIssued,
			},
		}}, nil
	})
	fake.On(f, func(in *sdk.DescribeCertificateInput) (*sdk.DescribeCertificateOutput, error) {
		return &sdk.DescribeCertificateOutput{Certificate: &types.CertificateDetail{
			CertificateArn: in.CertificateArn,
			RenewalSummary: &types.RenewalSummary{RenewalStatus: types.RenewalStatusPendingValidation},
		}}, nil
	})
}

func certificate(id string, d acm.Detail) acm.Certificate {
	return acm.Certificate{
		Resource: model.Resource{Ref: model.Ref{ARN: arn(id), Account: collecttest.Account, Region: collecttest.Region, Name: d.Names[0]}},
		Detail:   fact.Known(d),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	web := certificate("web", acm.Detail{
		Status: "ISSUED", Type: "AMAZON_ISSUED", Names: []string{"example.com", "*.example.com"}, KeyAlgorithm: "EC_prime256v1",
		InUse: true, Until: &until, Renewal: "ELIGIBLE",
	})
	web.RenewalStatus = fact.Known("PENDING_VALIDATION")
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		web,
		certificate("old", acm.Detail{Status: "ISSUED", Type: "IMPORTED", Names: []string{"old.example.com"}, KeyAlgorithm: "RSA_1024", Until: &until}),
		certificate("new", acm.Detail{Status: "PENDING_VALIDATION", Type: "AMAZON_ISSUED", Names: []string{"new.example.com"}}),
	})
}
