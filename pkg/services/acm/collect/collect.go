// Package collect reads ACM certificates from AWS.
package collect

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
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
			c := &acm.Certificate{Resource: s.Resource(*found.CertificateArn, aws.ToString(found.DomainName)), Detail: collect.From(r, found, detail)}
			if d, gap := c.Detail.Get(); gap == nil && d.Renewable() {
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
		Status: string(collect.RequiredWord("Status", c.Status)),
		Type:   string(collect.RequiredWord("Type", c.Type)),
		Names:  names,
		// The listing writes RSA-2048 where the SDK's enumeration has RSA_2048.
		// https://docs.aws.amazon.com/acm/latest/userguide/gs-acm-list.html, 29 November 2026.
		KeyAlgorithm: strings.ReplaceAll(string(c.KeyAlgorithm), "-", "_"),
		InUse:        collect.Required("InUse", c.InUse),
		Until:        c.NotAfter,
		Renewal:      string(c.RenewalEligibility),
	}
}

func renewalStatus(o *sdk.DescribeCertificateOutput) string {
	collect.Required("CertificateArn", o.Certificate.CertificateArn)
	if o.Certificate.RenewalSummary == nil {
		return ""
	}
	return string(collect.RequiredWord("RenewalStatus", o.Certificate.RenewalSummary.RenewalStatus))
}
