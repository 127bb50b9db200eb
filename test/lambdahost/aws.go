package lambdahost

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// credentials are the keys of a function's role.
type credentials struct{ id, secret, token string }

// assumeRole does what Lambda does for a function. That the role trusts Lambda was
// checked by the emulator when it made the function.
func (f *function) assumeRole() (credentials, error) {
	out, err := sts.NewFromConfig(f.host.aws(nil)).AssumeRole(f.host.life, &sts.AssumeRoleInput{
		RoleArn:         aws.String(f.spec.RoleARN),
		RoleSessionName: aws.String(f.spec.Name),
	})
	if err != nil {
		return credentials{}, fmt.Errorf("assume the role of function %s: %w", f.spec.LogicalID, err)
	}
	return credentials{
		id:     aws.ToString(out.Credentials.AccessKeyId),
		secret: aws.ToString(out.Credentials.SecretAccessKey),
		token:  aws.ToString(out.Credentials.SessionToken),
	}, nil
}

// aws configures clients of the emulator, with a function's keys or, without any,
// as the account itself, above all access control.
func (h *Host) aws(as *credentials) aws.Config {
	transport := &toEmulator{next: h.upstream, account: h.stack.Account}
	keys := credentials{id: "host", secret: "host"}
	if as != nil {
		keys, transport.account = *as, ""
	}
	return aws.Config{
		Region:       h.stack.Region,
		BaseEndpoint: aws.String(h.stack.Endpoint),
		Credentials:  awscredentials.NewStaticCredentialsProvider(keys.id, keys.secret, keys.token),
		HTTPClient:   &http.Client{Transport: transport},
	}
}

// toEmulator sends a copy of each request's body: the SDK closes its own as soon as
// an answer comes, which on loopback can be before net/http is done with it, and
// then the call fails although it was made.
type toEmulator struct {
	next    http.RoundTripper
	account string // whose call it is, whatever the keys say; "" believes the keys
}

func (t *toEmulator) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if t.account != "" {
		r.Header.Set("X-Moto-Account-Id", t.account)
	}
	return t.next.RoundTrip(r)
}

// afterwards is a context for what must be done although the host may be closing.
func (h *Host) afterwards() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(h.life), callLimit)
}

// As is how a function reaches AWS: by the keys of its role, for tests of what these
// must not do.
func (h *Host) As(logicalID string) (aws.Config, error) {
	f := h.functions[logicalID]
	if f == nil {
		return aws.Config{}, fmt.Errorf("there is no function %s", logicalID)
	}
	keys, err := f.assumeRole()
	return h.aws(&keys), err
}
