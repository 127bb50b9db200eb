package collect

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func instances(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeInstancesPaginator(client, &sdk.DescribeInstancesInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, reserved,
		func(r *collect.Reading, i types.Instance) *ec2.Instance {
			instance := &ec2.Instance{Resource: resource(s, "instance", i.InstanceId), Detail: collect.From(r, i, instanceDetail)}
			if d, gap := instance.Detail.Get(); gap == nil && !d.Gone() {
				in := &sdk.DescribeInstanceAttributeInput{InstanceId: i.InstanceId, Attribute: types.InstanceAttributeNameUserData}
				r.Do(func(ctx context.Context) {
					data, gap := collect.Get(r, client.DescribeInstanceAttribute, in,
						userData).Get()
					if gap != nil {
						instance.SecretUserData = fact.Unknown[bool](*gap)
						return
					}
					search := collect.NewSearch(ctx)
					found := search.UserData(data)
					instance.SecretUserData = collect.Searched(s, search, "ec2:DescribeInstanceAttribute", found, found)
				})
			}
			return instance
		})
}

// userData is in base64; without any the answer has an empty element, or none.
func userData(o *sdk.DescribeInstanceAttributeOutput) string {
	collect.RequiredText("InstanceId", o.InstanceId)
	if o.UserData == nil {
		return ""
	}
	return base64Text("UserData", o.UserData.Value)
}

// base64Text is a text in base64, as it is; none is empty.
func base64Text(member string, value *string) string {
	text := collect.Optional(member, value)
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		collect.Garbled("%s is not in base64", member)
	}
	return text
}

func reserved(o *sdk.DescribeInstancesOutput) []types.Instance {
	var all []types.Instance
	for _, r := range collect.RequiredList("Reservations", o.Reservations) {
		all = append(all, collect.RequiredList("Instances", r.Instances)...)
	}
	return all
}

func instanceDetail(i types.Instance) ec2.InstanceDetail {
	d := ec2.InstanceDetail{
		Manager:        operator(i.Operator),
		State:          string(collect.Known("State", i.State.Name, i.State.Name.Values()...)),
		Launched:       collect.Required("LaunchTime", i.LaunchTime),
		Stopped:        stopTime(aws.ToString(i.StateTransitionReason)),
		Key:            collect.Optional("KeyName", i.KeyName),
		Virtualization: string(i.VirtualizationType),
		Interfaces:     len(collect.RequiredList("NetworkInterfaces", i.NetworkInterfaces)),
	}
	if p := i.IamInstanceProfile; p != nil {
		d.Profile = aws.ToString(p.Arn)
	}
	if m := i.Monitoring; m != nil {
		d.Monitoring = string(m.State)
	}
	if !d.Gone() { // what is left of the others may have no options any more
		m := collect.Required("MetadataOptions", i.MetadataOptions)
		collect.Required("HttpPutResponseHopLimit", m.HttpPutResponseHopLimit)
		d.Metadata = ec2.Metadata{
			Endpoint: string(collect.Known("HttpEndpoint", m.HttpEndpoint, m.HttpEndpoint.Values()...)),
			Tokens:   string(collect.Known("HttpTokens", m.HttpTokens, m.HttpTokens.Values()...)),
			HopLimit: int32(collect.Count("HttpPutResponseHopLimit", m.HttpPutResponseHopLimit)), //nolint:gosec // was one
		}
	}
	for _, b := range i.BlockDeviceMappings {
		if b.Ebs != nil {
			d.Volumes = append(d.Volumes, ec2.AttachedVolume{ID: aws.ToString(b.Ebs.VolumeId), DeleteOnTermination: collect.Required("DeleteOnTermination", b.Ebs.DeleteOnTermination)})
		}
	}
	d.Groups = instanceGroups(i)
	d.PublicIPv4, d.PublicIPv6 = publicAddresses(i)
	return d
}

// instanceGroups are the security groups of all interfaces: the instance itself
// lists those of the first one only.
func instanceGroups(i types.Instance) []string {
	var all []string
	add := func(groups []types.GroupIdentifier) {
		for _, g := range groups {
			all = append(all, aws.ToString(g.GroupId))
		}
	}
	add(i.SecurityGroups)
	for _, n := range i.NetworkInterfaces {
		add(n.Groups)
	}
	return unique(all)
}

func publicAddresses(i types.Instance) (v4, v6 []string) {
	v4 = append(v4, aws.ToString(i.PublicIpAddress))
	v6 = append(v6, aws.ToString(i.Ipv6Address))
	for _, n := range i.NetworkInterfaces {
		if a := n.Association; a != nil {
			v4 = append(v4, aws.ToString(a.PublicIp))
		}
		for _, p := range n.PrivateIpAddresses {
			if a := p.Association; a != nil {
				v4 = append(v4, aws.ToString(a.PublicIp))
			}
		}
		for _, a := range n.Ipv6Addresses {
			v6 = append(v6, aws.ToString(a.Ipv6Address))
		}
	}
	return unique(v4), unique(slices.DeleteFunc(v6, func(a string) bool { return !internet.Public(a) }))
}

// unique sorts words and drops empty and repeated ones; no words are nil.
func unique(words []string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) == 0 {
		return nil
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// transition is the time in the reason of an instance's last change of state,
// "User initiated (2017-02-22 13:10:55 GMT)": the only place where AWS tells
// since when an instance is stopped.
var transition = regexp.MustCompile(`\((\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) GMT\)`)

func stopTime(reason string) *time.Time {
	m := transition.FindStringSubmatch(reason)
	if m == nil {
		return nil
	}
	t, err := time.Parse(time.DateTime, m[1])
	if err != nil {
		return nil
	}
	return &t
}
