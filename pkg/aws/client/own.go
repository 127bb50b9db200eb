package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Own is the configuration for CloudArq's own table, bucket, queues, topic and
// key. It is not for accounts that are audited: nothing guards it.
func Own(ctx context.Context, version string) (aws.Config, error) {
	return Unguarded(ctx, "", version)
}

// Unguarded is the configuration that a profile, or the default chain, gives, with
// nothing to guard it. It is for CloudArq's own resources and for what
// administrators do with credentials of their own, never for an audit.
func Unguarded(ctx context.Context, profile, version string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = idlePerHost
		t.ResponseHeaderTimeout = answerTimeout
		t.Proxy = new(route).choose
	})
	opts := []func(*config.LoadOptions) error{config.WithHTTPClient(client), config.WithLogger(logging.Nop{})}
	if profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	if buildable, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		if host := emulator(cfg); host != "" {
			cfg.HTTPClient = throughEmulator(buildable, host)
		} else {
			cfg.HTTPClient = buildable.Freeze()
		}
	}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = defaultAttempts })
	}
	cfg.APIOptions = append(cfg.APIOptions, awsmiddleware.AddUserAgentKeyValue("cloudarq", version))
	return cfg, nil
}

// Emulated reports whether a configuration leads to an emulator on this machine.
func Emulated(cfg aws.Config) bool { return emulator(cfg) != "" }
