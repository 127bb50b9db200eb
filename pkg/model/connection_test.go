package model_test

import (
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func TestCheckTrustedAccounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accounts []string
		ok       bool
	}{
		"none":      {nil, true},
		"two":       {[]string{"111122223333", "000000000001"}, true},
		"the most":  {slices.Repeat([]string{"111122223333"}, model.MaxTrustedAccounts), true},
		"too many":  {slices.Repeat([]string{"111122223333"}, model.MaxTrustedAccounts+1), false},
		"too short": {[]string{"11112222333"}, false},
		"too long":  {[]string{"1111222233334"}, false},
		"an ARN":    {[]string{"arn:aws:iam::111122223333:root"}, false},
		"empty":     {[]string{"111122223333", ""}, false},
		"two lines": {[]string{"111122223333\n"}, false},
	} {
		if err := model.CheckTrustedAccounts(c.accounts); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
