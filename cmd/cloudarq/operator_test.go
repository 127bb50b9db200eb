package main

import (
	"testing"
	"time"
)

// TestOperatorSaysWhatIsWrong, and touches nothing: test/serverless restores and moves.
func TestOperatorSaysWhatIsWrong(t *testing.T) {
	sample(t)
	data := t.TempDir()
	const here, there = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for name, c := range map[string]struct {
		args  []string
		code  int
		words []string
	}{
		"no table":             {[]string{"inventory"}, exitUsage, []string{"--table is needed"}},
		"a table of nobody":    {[]string{"inventory", "--table", "cloudarq", "--region", "eu-west-1"}, exitAccess, []string{"Scan", "operator-role.yaml"}},
		"no moment":            {[]string{"restore-objects", "--bucket", "b", "--table", "t", "--at", "yesterday"}, exitUsage, []string{"yesterday", "2026-11-29T12:00:00Z"}},
		"half a second":        {[]string{"restore-objects", "--bucket", "b", "--table", "t", "--at", "2026-11-29T12:00:00.5Z"}, exitUsage, []string{"second"}},
		"a moment to come":     {[]string{"restore-objects", "--bucket", "b", "--table", "t", "--at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, exitUsage, []string{"past"}},
		"a bucket of nobody":   {[]string{"restore-objects", "--bucket", "cloudarq-evidence", "--table", "cloudarq", "--at", "2026-11-29T12:00:00Z", "--region", "eu-west-1"}, exitAccess, []string{"Scan"}},
		"an alias":             {[]string{"reseal", "--table", "t", "--from-key", "alias/cloudarq", "--to-key", there}, exitUsage, []string{"alias/cloudarq", "ARN"}},
		"no key to seal by":    {[]string{"reseal", "--table", "t", "--from-key", here, "--to-key", ""}, exitUsage, []string{"--to-key is needed"}},
		"the same key":         {[]string{"reseal", "--table", "t", "--from-key", here, "--to-key", here}, exitUsage, []string{"rekey the organizations"}},
		"a table elsewhere":    {[]string{"reseal", "--table", "t", "--from-key", here, "--to-key", there}, exitAccess, []string{"Scan"}},
		"an unknown profile":   {[]string{"inventory", "--table", "t", "--profile", "nobody"}, exitAccess, []string{"nobody"}},
		"an unknown operation": {[]string{"restore"}, exitUsage, []string{"restore"}},
	} {
		t.Run(name, func(t *testing.T) {
			cloudarq(t, data, append([]string{"operator"}, c.args...)...).sentence(t, c.code, c.words...)
		})
	}
}
