package collect_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), autoscaling.Service())
}

func TestUserDataThatIsNoBase64IsLookedAt(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "neglected", `-- DescribeLaunchConfigurations --
<DescribeLaunchConfigurationsResponse><DescribeLaunchConfigurationsResult><LaunchConfigurations><member>
  <LaunchConfigurationName>plain</LaunchConfigurationName>
  <LaunchConfigurationARN>arn:aws:autoscaling:eu-west-1:111122223333:launchConfiguration:1:launchConfigurationName/plain</LaunchConfigurationARN>
  <UserData>export DB_PASSWORD=`+collecttest.Secret+`</UserData>
</member></LaunchConfigurations></DescribeLaunchConfigurationsResult></DescribeLaunchConfigurationsResponse>
`)
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if l, ok := r.(autoscaling.LaunchConfiguration); ok {
			if d, _ := l.Detail.Get(); !d.SecretUserData {
				t.Error("the password in the user data was overlooked")
			}
		}
	}
}
