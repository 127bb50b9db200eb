package client

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"
)

// Only that AWS denies the role says something of the account; that it does not
// accept our own credentials does not.
func TestDenied(t *testing.T) {
	t.Parallel()
	api := func(code string) error { return fmt.Errorf("call: %w", &smithy.GenericAPIError{Code: code}) }
	for name, c := range map[string]struct {
		cause error
		want  bool
	}{
		"the role is denied":       {api("AccessDenied"), true},
		"our session has expired":  {api("ExpiredToken"), false},
		"our key is not known":     {api("InvalidClientTokenId"), false},
		"there are no credentials": {errors.New("no EC2 IMDS role found"), false},
		"the ARN is no role's":     {nil, false},
	} {
		if got := (&AccessError{Message: name, Cause: c.cause}).Denied(); got != c.want {
			t.Errorf("%s: denied is %t", name, got)
		}
	}
}
