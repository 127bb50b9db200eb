package lambdax

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/platform/answer"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
)

// HTTP answers the events of an HTTP API (payload format 2.0) by a handler. Who
// signed the request, as API Gateway verified, is its caller.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func HTTP(handler http.Handler, meters *metrics.EMF, log *slog.Logger) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		start := time.Now()
		request, err := request(ctx, event)
		if err != nil {
			log.WarnContext(ctx, "request not understood", slog.Any("error", err))
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest}, nil
		}
		written := answer.New()
		handler.ServeHTTP(written, request)
		out := response(written)
		log.InfoContext(ctx, "request answered", slog.String("method", request.Method),
			slog.String("path", request.URL.Path), slog.Int("status", out.StatusCode), slog.Duration("duration", time.Since(start)))
		if err := meters.Flush(); err != nil {
			log.ErrorContext(ctx, "metrics", slog.Any("error", err))
		}
		return out, nil
	}
}

func request(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, fmt.Errorf("decode body: %w", err)
		}
	}
	path := event.RawPath
	// A stage with a name is the first part of the path.
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" {
		path = strings.TrimPrefix(path, "/"+stage)
	}
	// The path comes decoded, and a "?" or "%" in it is part of it.
	target := url.URL{Path: path, RawQuery: event.RawQueryString}
	if iam := event.RequestContext.Authorizer; iam != nil && iam.IAM != nil {
		ctx = auth.WithOperator(ctx, iam.IAM.UserARN)
	}
	r, err := http.NewRequestWithContext(ctx, event.RequestContext.HTTP.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", event.RequestContext.HTTP.Method, path, err)
	}
	for name, value := range event.Headers {
		r.Header.Set(name, value)
	}
	for _, cookie := range event.Cookies {
		r.Header.Add("Cookie", cookie)
	}
	r.Header.Set("X-Request-Id", event.RequestContext.RequestID)
	r.Host = event.RequestContext.DomainName
	r.RemoteAddr = net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0") // of IPv6, too
	r.RequestURI = target.RequestURI()
	return r, nil
}

// response is a recorded answer as the gateway takes it.
func response(a *answer.Recorder) events.APIGatewayV2HTTPResponse {
	a.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: a.Status, Headers: map[string]string{}, Cookies: a.Header().Values("Set-Cookie")}
	for name, values := range a.Header() {
		if name != "Set-Cookie" {
			out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if utf8.Valid(a.Body.Bytes()) {
		out.Body = a.Body.String()
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.Body.Bytes()), true
	}
	return out
}
