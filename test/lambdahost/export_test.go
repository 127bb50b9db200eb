package lambdahost

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Signing is the transport of SignedClient over another.
func Signing(accessKey, secret, region string, next http.RoundTripper) http.RoundTripper {
	return &signing{credentials: aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret}, region: region, next: next}
}
