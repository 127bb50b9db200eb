package iampolicy

import (
	"regexp"
	"strings"
	"testing"
)

var row = regexp.MustCompile(`^(\d{12}|[a-z.]+\.amazonaws\.com)\t[A-Z][A-Za-z ]+\t(\*|[a-z]{2}(-[a-z]+)+-\d)\ts3:[A-Za-z]+\*?( s3:[A-Za-z]+\*?)*\thttps://docs\.aws\.amazon\.com/\S+$`)

// Each row names an account or a service, whose it is, where, for what, and the page that
// says so. None gives away more than writing logs and looking at the bucket's ACL.
func TestAccountsOfAWSAreData(t *testing.T) {
	rows := 0
	for line := range strings.Lines(awsAccountsTSV) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		if !row.MatchString(line) {
			t.Errorf("%q", line)
		}
		for action := range strings.FieldsSeq(strings.Split(line, "\t")[3]) {
			if !strings.HasPrefix(action, "s3:PutObject") && !strings.HasPrefix(action, "s3:Abort") && action != "s3:GetBucketAcl" && action != "s3:GetBucketPolicy" {
				t.Errorf("%s in %q", action, line)
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d rows", rows)
	}
}
