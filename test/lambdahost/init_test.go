package lambdahost_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestInitTime(t *testing.T) {
	bootstrap := theShared(t).bootstrap
	took, err := lambdahost.InitTime(t.Context(), bootstrap, nil)
	must(t, err)
	if took <= 0 {
		t.Errorf("it started in %s", took)
	}
	if _, err := lambdahost.InitTime(t.Context(), bootstrap, map[string]string{"INIT": "fail"}); err == nil || !strings.Contains(err.Error(), "before it asked") {
		t.Errorf("a function that cannot start: %v", err)
	}
}
