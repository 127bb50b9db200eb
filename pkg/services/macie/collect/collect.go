// Package collect reads from AWS whether Macie is enabled.
package collect

import (
	"context"
	"errors"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/macie2"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
)

// Spec is how Macie is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "macie",
		Walks: []collect.Walk{{
			Kinds:      []string{macie.RegionSettings{}.Kind()},
			Operations: []string{"Macie2.GetMacieSession", "Macie2.GetAutomatedDiscoveryConfiguration"},
			Run:        settings,
		}},
	}
}

func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	r := collect.NewReading(ctx, s)
	x := macie.RegionSettings{Resource: s.Resource(s.ARN("macie2", "region-settings"), s.Region)}
	x.Status = collect.Ask(r, func(ctx context.Context) (string, error) {
		session, err := client.GetMacieSession(ctx, &sdk.GetMacieSessionInput{})
		if notEnabled(err) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return string(session.Status), nil
	}, "ResourceNotFoundException")
	if status, gap := x.Status.Get(); gap != nil || status == macie.Enabled {
		x.Discovery = collect.Get(r, client.GetAutomatedDiscoveryConfiguration, &sdk.GetAutomatedDiscoveryConfigurationInput{},
			func(o *sdk.GetAutomatedDiscoveryConfigurationOutput) string { return string(o.Status) })
	}
	s.Emit(x)
	return nil
}

// notEnabled reports whether Macie answered that it is not enabled, for which it
// has no error code but AccessDeniedException.
// https://repost.aws/questions/QU8ZC1xd9BQV2vnGkod7gQww/macie-not-enabled-means-false-positive-accessdeniedexceptions-in-cloudtrail
func notEnabled(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.Contains(strings.ToLower(api.ErrorMessage()), "macie is not enabled")
}
