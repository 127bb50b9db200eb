package lambdahost

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	executeAPI = "execute-api"
	skew       = 5 * time.Minute
)

// Key is an access key that may call routes with AWS_IAM, and whose it is.
type Key struct {
	Secret string
	Token  string // of a session
	ARN    string // of the user, or of the session of a role
	ID     string // AIDA… of the user, AROA…:session; "" makes one up
}

// caller is who signed a request.
type caller struct {
	accessKey string
	account   string
	Key
}

func (c *caller) authorizer() map[string]any {
	id := c.ID
	if id == "" {
		id = "AIDA" + c.accessKey[min(4, len(c.accessKey)):]
	}
	return map[string]any{
		"accessKey": c.accessKey, "accountId": c.account, "callerId": id, "cognitoIdentity": nil,
		"principalOrgId": nil, "userArn": c.ARN, "userId": id,
	}
}

// signature is what an Authorization header says.
type signature struct {
	key, region, service string
	headers              []string
	value                string
}

// verify checks the signature of a request by signing it again.
func (h *Host) verify(r *http.Request, body []byte) (*caller, error) {
	s, err := parseSignature(r.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	key, known := h.options.Keys[s.key]
	if !known || s.service != executeAPI || s.region != h.stack.Region || r.Header.Get("X-Amz-Security-Token") != key.Token {
		return nil, errors.New("unknown key, service, region or session")
	}
	date, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, err
	}
	if age := time.Since(date); age > skew || age < -skew {
		return nil, fmt.Errorf("signed %s ago", age)
	}
	again, err := onlySigned(r, s.headers, int64(len(body)))
	if err != nil {
		return nil, err
	}
	credentials := aws.Credentials{AccessKeyID: s.key, SecretAccessKey: key.Secret, SessionToken: key.Token}
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, hash(body), executeAPI, s.region, date); err != nil {
		return nil, err
	}
	expected, err := parseSignature(again.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(expected.value), []byte(s.value)) != 1 {
		return nil, errors.New("the signature does not match")
	}
	return &caller{accessKey: s.key, account: h.stack.Account, Key: key}, nil
}

// onlySigned is the request with nothing in it but what was signed.
func onlySigned(r *http.Request, signed []string, length int64) (*http.Request, error) {
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range signed {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = length
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	return again, nil
}

func parseSignature(authorization string) (signature, error) {
	rest, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 ")
	if !ok {
		return signature{}, errors.New("not signed")
	}
	fields := map[string]string{}
	for _, field := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 {
		return signature{}, errors.New("malformed credential")
	}
	return signature{
		key: scope[0], region: scope[2], service: scope[3],
		headers: strings.Split(fields["SignedHeaders"], ";"), value: fields["Signature"],
	}, nil
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// SignedClient signs its requests as a route with AWS_IAM wants them.
func SignedClient(accessKey, secret, region string) *http.Client {
	return &http.Client{Transport: &signing{
		credentials: aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret},
		region:      region,
		next:        &http.Transport{DisableKeepAlives: true},
	}}
}

type signing struct {
	credentials aws.Credentials
	region      string
	next        http.RoundTripper
}

func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	r = r.Clone(r.Context())
	if len(body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if err := v4.NewSigner().SignHTTP(r.Context(), s.credentials, r, hash(body), executeAPI, s.region, time.Now()); err != nil {
		return nil, err
	}
	return s.next.RoundTrip(r)
}
