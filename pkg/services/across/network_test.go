package across_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
)

func regional(service, resource, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: "arn:aws:" + service + ":eu-west-1:111122223333:" + resource, Account: "111122223333", Region: "eu-west-1", Name: name}}
}

// securityGroup is a group that no interface uses.
func securityGroup(id string, change func(*ec2.GroupDetail)) ec2.SecurityGroup {
	d := ec2.GroupDetail{Name: "web"}
	if change != nil {
		change(&d)
	}
	return ec2.SecurityGroup{
		Resource: regional("ec2", "security-group/"+id, id), Detail: fact.Known(d), Interfaces: fact.Known(0), Idle: fact.Known(false), Lists: fact.Known[map[string][]string](nil),
	}
}

func function(subnets []string, groups ...string) lambda.Function {
	return lambda.Function{
		Resource: regional("lambda", "function:report", "report"),
		Detail:   fact.Known(lambda.Detail{Package: "Zip", VPC: "vpc-1", Subnets: subnets, Groups: groups}),
	}
}

func subnet(id, zone string) ec2.Subnet {
	return ec2.Subnet{Resource: regional("ec2", "subnet/"+id, id), Detail: fact.Known(ec2.SubnetDetail{State: "available", VPC: "vpc-1", Zone: zone})}
}

// fileSystem is one that can be mounted in subnet-1 and subnet-2.
func fileSystem(change func(*efs.FileSystem)) efs.FileSystem {
	f := efs.FileSystem{
		Resource:     regional("elasticfilesystem", "file-system/fs-1", "fs-1"),
		Detail:       fact.Known(efs.Detail{State: "available"}),
		MountTargets: fact.Known([]efs.MountTarget{{Subnet: "subnet-1", State: "available"}, {Subnet: "subnet-2", State: "updating"}}),
	}
	if change != nil {
		change(&f)
	}
	return f
}

func networkCases() checktest.Table {
	group := securityGroup("sg-1", nil)
	used := group
	used.Interfaces = fact.Known(2)
	unknown := group
	unknown.Interfaces = fact.Missing[int](fact.Denied, "ec2:DescribeNetworkInterfaces")
	referring := func(id string, groups ...string) ec2.SecurityGroup {
		return securityGroup(id, func(d *ec2.GroupDetail) { d.Ingress = []ec2.Permission{{Protocol: "tcp", Groups: groups}} })
	}
	template := func(versions fact.Of[[]ec2.TemplateVersion]) ec2.LaunchTemplate {
		return ec2.LaunchTemplate{Resource: regional("ec2", "launch-template/lt-1", "lt-1"), Versions: versions}
	}
	configuration := autoscaling.LaunchConfiguration{
		Resource: regional("autoscaling", "launchConfiguration:1:launchConfigurationName/old", "old"),
		Detail:   fact.Known(autoscaling.LaunchDetail{Groups: []string{"sg-1"}}),
	}
	elsewhere := subnet("subnet-2", "eu-west-1b")
	elsewhere.Detail = fact.Missing[ec2.SubnetDetail](fact.Denied, "ec2:DescribeSubnets")
	public := subnet("subnet-2", "eu-west-1b")
	public.Detail = fact.Known(ec2.SubnetDetail{State: "available", VPC: "vpc-1", Zone: "eu-west-1b", AutoPublic: true})
	abroad := public
	abroad.Region = "us-east-1"
	inState := func(state string) efs.FileSystem {
		return fileSystem(func(f *efs.FileSystem) {
			f.MountTargets = fact.Known([]efs.MountTarget{{Subnet: "subnet-1", State: "available"}, {Subnet: "subnet-2", State: state}})
		})
	}
	both := function([]string{"subnet-1", "subnet-2"})
	return checktest.Table{
		"ec2-security-group-used": {
			{Name: "by interfaces", Resource: used, Want: check.Pass},
			{Name: "by nobody", Resource: group, Others: []check.Resource{referring("sg-2", "sg-3"), function(nil, "sg-4"), template(fact.Known([]ec2.TemplateVersion{{Groups: []string{"sg-5"}}}))}, Want: check.Fail},
			{Name: "by itself", Resource: referring("sg-1", "sg-1"), Want: check.Fail},
			{Name: "by another group's rule", Resource: group, Others: []check.Resource{referring("sg-2", "sg-1")}, Want: check.Pass, Reports: []string{"prowler-cloud/prowler#2943", "prowler-cloud/prowler#3264"}},
			{Name: "by a launch template", Resource: group, Others: []check.Resource{template(fact.Known([]ec2.TemplateVersion{{}, {Groups: []string{"sg-1"}}}))}, Want: check.Pass, Reports: []string{"prowler-cloud/prowler#516"}},
			{Name: "by a launch configuration", Resource: group, Others: []check.Resource{configuration}, Want: check.Pass},
			{Name: "by a function that nobody calls", Resource: group, Others: []check.Resource{function(nil, "sg-1")}, Want: check.Pass, Reports: []string{"prowler-cloud/prowler#1038"}},
			{Name: "templates denied", Resource: group, Others: []check.Resource{template(fact.Missing[[]ec2.TemplateVersion](fact.Denied, "ec2:DescribeLaunchTemplateVersions"))}, Want: check.NotAssessed},
			{Name: "default", Resource: securityGroup("sg-1", func(d *ec2.GroupDetail) { d.Name = "default" }), Want: check.NotApplicable},
			{Name: "interfaces denied", Resource: unknown, Want: check.NotAssessed},
		},
		"lambda-function-several-subnets": {
			{Name: "two zones", Resource: both, Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), subnet("subnet-2", "eu-west-1b")}, Want: check.Pass},
			{Name: "two subnets of one zone", Resource: both, Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), subnet("subnet-2", "eu-west-1a")}, Want: check.Fail},
			{Name: "one subnet", Resource: function([]string{"subnet-1"}), Others: []check.Resource{subnet("subnet-1", "eu-west-1a")}, Want: check.Fail},
			{Name: "a subnet that nobody lists", Resource: both, Others: []check.Resource{subnet("subnet-1", "eu-west-1a")}, Want: check.NotAssessed},
			{Name: "a subnet that could not be read", Resource: both, Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), elsewhere}, Want: check.NotAssessed},
			{Name: "no VPC", Resource: lambda.Function{Resource: regional("lambda", "function:report", "report"), Detail: fact.Known(lambda.Detail{Package: "Zip"})}, Want: check.NotApplicable},
		},
		"efs-mount-target-private-subnet": {
			{Name: "private", Resource: fileSystem(nil), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), subnet("subnet-2", "eu-west-1b")}, Want: check.Pass},
			{Name: "one public", Resource: fileSystem(nil), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), public}, Want: check.Fail},
			{Name: "one public, the other not read", Resource: fileSystem(nil), Others: []check.Resource{public}, Want: check.Fail},
			{Name: "a subnet that nobody lists", Resource: fileSystem(nil), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), abroad}, Want: check.NotAssessed},
			{Name: "a subnet that could not be read", Resource: fileSystem(nil), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), elsewhere}, Want: check.NotAssessed},
			{Name: "the public one is going", Resource: inState("deleting"), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), public}, Want: check.Pass},
			{Name: "a state that nobody knows", Resource: inState("migrating"), Others: []check.Resource{subnet("subnet-1", "eu-west-1a"), public}, Want: check.NotAssessed},
			{Name: "no mount target", Resource: fileSystem(func(f *efs.FileSystem) { f.MountTargets = fact.Known([]efs.MountTarget(nil)) }), Others: []check.Resource{public}, Want: check.NotApplicable},
			{Name: "deleting", Resource: fileSystem(func(f *efs.FileSystem) { f.Detail = fact.Known(efs.Detail{State: "deleting"}) }), Others: []check.Resource{public}, Want: check.NotApplicable},
		},
	}
}
