package iampolicy_test

import (
	"errors"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

func TestParseResourceWantsPrincipals(t *testing.T) {
	t.Parallel()
	for document, fine := range map[string]bool{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`:                      true,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}]}`: true,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                                      false,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`:                                       false,
	} {
		if _, err := iampolicy.ParseResource(document); (err == nil) != fine || err != nil && !errors.Is(err, iampolicy.ErrMalformed) {
			t.Errorf("%s: error %v", document, err)
		}
	}
}
