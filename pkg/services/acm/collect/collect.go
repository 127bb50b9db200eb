// Package collect reads ACM certificates from AWS.
package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/acm"
)

// Spec is how ACM is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "acm",
		Walks: []collect.Walk{{
			Kinds:      []string{acm.Certificate{}.Kind()},
			Operations: []string{"ACM.ListCertificates", "ACM.DescribeCertificate"},
			Run:        certificates,
		}},
	}
}

func certificates(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListCertificatesPaginator(client, &sdk.ListCertificatesInput{
		MaxItems: aws.Int32(1000),
		// Without a filter only RSA keys of 1024 and 2048 bits are listed.
		// https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html
		Includes: &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()},
	})
	return collect.Each(ctx, s, pages, func(o *sdk.ListCertificatesOutput) []types.CertificateSummary { return o.CertificateSummaryList },
		func(r *collect.Reading, found types.CertificateSummary) *acm.Certificate {
			d := detail(found)
			c := &acm.Certificate{Resource: s.Resource(*found.CertificateArn, aws.ToString(found.DomainName)), Detail: fact.Known(d)}
			if d.Renewable() {
				collect.Into(r, &c.RenewalStatus, client.DescribeCertificate, &sdk.DescribeCertificateInput{CertificateArn: found.CertificateArn}, renewalStatus)
			}
			return c
		})
}

func detail(c types.CertificateSummary) acm.Detail {
	names := slices.Clone(c.SubjectAlternativeNameSummaries)
	if domain := aws.ToString(c.DomainName); domain != "" && !slices.Contains(names, domain) {
		names = append(names, domain)
	}
	return acm.Detail{
		Status:       string(c.Status),
		Type:         string(c.Type),
		Names:        names,
		KeyAlgorithm: string(c.KeyAlgorithm),
		InUse:        aws.ToBool(c.InUse),
		Until:        c.NotAfter,
		Renewal:      string(c.RenewalEligibility),
	}
}

func renewalStatus(o *sdk.DescribeCertificateOutput) string {
	if o.Certificate.RenewalSummary == nil {
		return ""
	}
	return string(o.Certificate.RenewalSummary.RenewalStatus)
}
