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
		written := &answer{header: http.Header{}}
		handler.ServeHTTP(written, request)
		response := written.response()
		log.InfoContext(ctx, "request answered", slog.String("method", request.Method),
			slog.String("path", request.URL.Path), slog.Int("status", response.StatusCode), slog.Duration("duration", time.Since(start)))
		if err := meters.Flush(); err != nil {
			log.ErrorContext(ctx, "metrics", slog.Any("error", err))
		}
		return response, nil
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

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) response() events.APIGatewayV2HTTPResponse {
	a.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: map[string]string{}, Cookies: a.header.Values("Set-Cookie")}
	for name, values := range a.header {
		if name != "Set-Cookie" {
			out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if utf8.Valid(a.body.Bytes()) {
		out.Body = a.body.String()
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
	}
	return out
}
