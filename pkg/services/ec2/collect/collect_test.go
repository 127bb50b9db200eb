package collect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/ec2/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), ec2.Service())
}

const script = "#!/bin/bash\nexport DB_PASSWORD=Tr0ub4dor3correct\n"

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// User data comes in several wrappings, none of which may hide a secret or stop
// the walk.
func TestUserData(t *testing.T) {
	t.Parallel()
	whole := packed(script)
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"plain":       {[]byte("#!/bin/bash\nyum update -y\n"), false},
		"secret":      {[]byte(script), true},
		"packed":      {whole, true},
		"broken gzip": {whole[:len(whole)-12], true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := instance(t, "<value>"+base64.StdEncoding.EncodeToString(c.data)+"</value>")
			if got, gap := i.SecretUserData.Get(); gap != nil || got != c.want {
				t.Errorf("looks like a secret: %v (%v), want %v", got, gap, c.want)
			}
		})
	}
	t.Run("not base64", func(t *testing.T) {
		t.Parallel()
		if i := instance(t, "<value>#!/bin/bash</value>"); i.SecretUserData.Gap() == nil {
			t.Error("what is not in base64 was understood")
		}
	})
}

// instance is the first one of the neglected account, with other user data.
func instance(t *testing.T, userData string) ec2.Instance {
	t.Helper()
	cloud := collecttest.Scenario(t, "neglected", "-- DescribeInstanceAttribute InstanceId=i-0open Attribute=userData --\n"+
		"<DescribeInstanceAttributeResponse><instanceId>i-0open</instanceId><userData>"+userData+"</userData></DescribeInstanceAttributeResponse>\n")
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if i, ok := r.(ec2.Instance); ok && i.Name == "i-0open" {
			return i
		}
	}
	t.Fatal("no instance")
	return ec2.Instance{}
}

// TestBombsInTemplates counts what 40 templates cost that unpack to a mebibyte each:
// none is looked at beyond the limit, and none passes for it.
func TestBombsInTemplates(t *testing.T) {
	t.Parallel()
	data := base64.StdEncoding.EncodeToString(packed(strings.Repeat("a: b\n", 1<<20/5)))
	var versions strings.Builder
	for i := range 40 {
		fmt.Fprintf(&versions, `<item><launchTemplateId>lt-%d</launchTemplateId><launchTemplateName>%d</launchTemplateName><versionNumber>1</versionNumber>`+
			`<defaultVersion>true</defaultVersion><launchTemplateData><userData>%s</userData></launchTemplateData></item>`, i, i, data)
	}
	cloud := collecttest.Scenario(t, "neglected", "-- DescribeLaunchTemplateVersions --\n<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet>"+
		versions.String()+"</launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>\n")
	n := 0
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		l, ok := r.(ec2.LaunchTemplate)
		if !ok {
			continue
		}
		n++
		versions, gap := l.Versions.Get()
		if gap != nil {
			t.Fatalf("not known: %s", gap)
		}
		for _, v := range versions {
			if v.SecretUserData || v.UnreadUserData == nil {
				t.Errorf("%s: %+v", l.ARN, v)
			}
		}
	}
	if n != 40 {
		t.Errorf("%d templates", n)
	}
}

// A snapshot is private only if the listing of public ones was read.
func TestPublicSnapshotsUnknown(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "neglected", `-- DescribeSnapshots RestorableByUserIds.0=all --
HTTP/1.1 403 Forbidden

<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>
`)
	found := 0
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if s, ok := r.(ec2.Snapshot); ok {
			found++
			if gap := s.Public.Gap(); gap == nil || gap.Reason != fact.Denied || gap.Region != collecttest.Region {
				t.Errorf("public: %v (%v), want denied", s.Public.Content(), gap)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d snapshots, want 1", found)
	}
}

// Which snapshots are public is asked only where there are any.
func TestNoSnapshots(t *testing.T) {
	t.Parallel()
	const none = "\n<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>\n"
	cloud := collecttest.Scenario(t, "neglected", "-- DescribeSnapshots --"+none)
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if gap := found.Gaps[ec2.Snapshot{}.Kind()]; gap != nil {
		t.Errorf("listing without snapshots has a gap: %+v", *gap)
	}
	if calls := cloud.Calls("EC2.DescribeSnapshots"); calls != 1 {
		t.Errorf("snapshots were listed by %d calls, want 1", calls)
	}
}
