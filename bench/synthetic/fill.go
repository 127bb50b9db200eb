package synthetic

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// longAgo is when everything was made, so that no age comes to a limit between two
// audits.
func longAgo() time.Time { return time.Date(2022, 3, 4, 5, 6, 7, 0, time.UTC) }

// Documents that resources have as their policies.
var documents = []string{
	`{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/reader"},"Action":["service:Get*","service:List*"],"Resource":"*"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Sid":"Any","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Principal":"*","Action":"service:Get*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-synthetic"}}},{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
}

// numbered are the ids that resources know each other by. They are of the first few of
// their type, which every account has.
var numbered = map[string]string{
	"VpcId": "vpc-", "SubnetId": "subnet-", "GroupId": "sg-", "VolumeId": "vol-", "SnapshotId": "snap-", "InstanceId": "i-",
	"ImageId": "ami-", "NetworkInterfaceId": "eni-", "NetworkAclId": "acl-", "TransitGatewayId": "tgw-", "GatewayId": "igw-",
	"FileSystemId": "fs-", "VpcPeeringConnectionId": "pcx-", "LaunchTemplateId": "lt-", "RestApiId": "api-", "ResourceId": "vpc-",
}

const sharedIDs = 8

// words are texts that are no enumerations in the SDK although AWS has few of them.
var words = map[string][]string{
	"Engine": {"mysql", "postgres", "mariadb"}, "EngineVersion": {"8.0.35", "16.3"}, "Version": {"1.33"}, "Protocol": {"HTTPS", "HTTP"}, "IpProtocol": {"tcp", "-1"},
	"PublicAccessCidr": {"0.0.0.0/0"}, "URI": {"http://acs.amazonaws.com/groups/global/AllUsers"}, "CidrIp": {"0.0.0.0/0", "10.0.0.0/8"}, "CidrBlock": {"0.0.0.0/0", "10.0.0.0/8"}, "CidrIpv6": {"::/0"}, "Ipv6CidrBlock": {"::/0"},
	"OwnerId": {"111122223333"}, "AccountId": {"111122223333"}, "HealthCheckType": {"EC2", "ELB"}, "UserData": {"IyEvYmluL3NoCg=="}, "Value": {"dmFsdWU="}, "Principal": {"arn:aws:iam::111122223333:root"}, "Path": {"/data"}, "AllowOrigin": {"https://example.com"},
	"Cidr": {"10.0.0.0/8"}, "MethodSettingsKey": {"*/*"}, "PolicyName": {"tls"}, "PolicyTypeName": {"SSLNegotiationPolicyType"},
	"AttributeName": {"restore"}, "AttributeValue": {"111122223333"},
	"RelationshipStatus": {"Enabled"}, "Scheme": {"internet-facing", "internal"}, "AvailabilityZone": {"eu-west-1a", "eu-west-1b"},
	"MetricNamespace": {"CloudTrailMetrics"}, "Namespace": {"AWS/EC2", "CloudTrailMetrics"},
}

// wordsOf are the texts of one field; none leaves it out, as AWS does.
var wordsOf = map[string][]string{
	"AutoScalingGroup.Status": nil, "FlowLog.FlowLogStatus": {"ACTIVE"}, "Subscription.Protocol": {"https", "http", "sqs"}, "NetworkAclEntry.Protocol": {"6", "-1"},
	"DBInstance.DBInstanceStatus": {"available"}, "DBCluster.Status": {"available"}, "DBSnapshot.Status": {"available"}, "DBClusterSnapshot.Status": {"available"},
}

type templateKey struct {
	of      reflect.Type
	variant int
}

var templates sync.Map // templateKey -> reflect.Value

// template is a value of an SDK's type with one of its settings. It is shared: what is
// changed of it is copied first.
func template(of reflect.Type, variant int) reflect.Value {
	key := templateKey{of, variant}
	if made, ok := templates.Load(key); ok {
		return made.(reflect.Value)
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(of.String()))
	v := reflect.New(of).Elem()
	fill(v, "", rand.New(rand.NewPCG(hash.Sum64(), uint64(variant))), 0)
	made, _ := templates.LoadOrStore(key, v)
	return made.(reflect.Value)
}

const (
	deepest = 7
	sound   = 85 // of a hundred switches are on: of most of them that is right
)

func fill(v reflect.Value, name string, r *rand.Rand, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(longAgo()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(100) < sound)
	case reflect.String:
		v.SetString(text(v, name, r))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.IntN(100)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(r.IntN(100)))
	case reflect.Pointer:
		if depth < deepest {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), name, r, depth)
		}
	case reflect.Slice:
		if depth < deepest && v.Type().Elem().Kind() != reflect.Uint8 {
			n := 1 + r.IntN(2)
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(v.Index(i), strings.TrimSuffix(name, "s"), r, depth+1)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			page := depth == 0 && (slices.Contains(tokensOut, f.Name) || slices.Contains(flags, f.Name))
			failed := f.Name == "Error" || f.Name == "Failures" // what AWS adds when a part went wrong
			if few, ok := wordsOf[v.Type().Name()+"."+f.Name]; ok {
				if len(few) > 0 {
					setText(v.Field(i), few[r.IntN(len(few))])
				}
				continue
			}
			if f.IsExported() && f.Name != "ResultMetadata" && !page && !failed {
				fill(v.Field(i), f.Name, r, depth+1)
			}
		}
		agree(v)
	case reflect.Map:
		if depth >= deepest {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, name+"Key", r, depth+1)
		fill(value, "Value", r, depth+1)
		v.SetMapIndex(key, value)
	default: // unions and documents: nothing asks for them
	}
}

// agree makes fields of a structure fit each other.
func agree(v reflect.Value) {
	for _, ends := range [][2]string{{"FromPort", "ToPort"}, {"From", "To"}} {
		from, to := v.FieldByName(ends[0]), v.FieldByName(ends[1])
		if number := reflect.TypeFor[*int32](); from.IsValid() && to.IsValid() && from.Type() == number && to.Type() == number && from.Elem().Int() > to.Elem().Int() {
			a, b := from.Interface(), to.Interface()
			from.Set(reflect.ValueOf(b))
			to.Set(reflect.ValueOf(a))
		}
	}
	engine, version := v.FieldByName("Engine"), v.FieldByName("EngineVersion")
	if engine.IsValid() && version.IsValid() {
		if known, ok := versions[textOf(engine)]; ok {
			setText(version, known)
		}
	}
}

// versions of engines, by their names.
var versions = map[string]string{"mysql": "8.0.35", "postgres": "16.3", "mariadb": "10.11.6"}

// arnsBegin is how ARNs begin of which nothing is known but that they are some.
const arnsBegin = "arn:aws:service:eu-west-1:"

// settled are the states of what is neither on its way in nor out.
var settled = []string{"available", "active", "in-use", "running", "completed", "Available", "ACTIVE", "Enabled", "InService", "deployed", "ISSUED", "Deployed"}

func text(v reflect.Value, name string, r *rand.Rand) string {
	if values := v.MethodByName("Values"); values.IsValid() {
		if all := values.Call(nil)[0]; all.Len() > 0 {
			if (name == "State" || name == "Status") && r.IntN(100) < sound {
				for i := range all.Len() {
					if state := all.Index(i).String(); slices.Contains(settled, state) {
						return state
					}
				}
			}
			return all.Index(r.IntN(all.Len())).String()
		}
	}
	if few := words[name]; len(few) > 0 {
		return few[r.IntN(len(few))]
	}
	for at := range name { // the longest end first: a TransitGatewayId is no GatewayId
		if prefix, ok := numbered[name[at:]]; ok {
			return fmt.Sprintf("%s%08d", prefix, r.IntN(sharedIDs))
		}
	}
	switch {
	case strings.HasSuffix(name, "Policy") || strings.HasSuffix(name, "PolicyDocument") || strings.HasSuffix(name, "PolicyText"):
		return documents[r.IntN(len(documents))]
	case strings.HasSuffix(name, "Region"):
		return "eu-west-1"
	case strings.HasSuffix(name, "Arn") || strings.HasSuffix(name, "ARN"):
		return fmt.Sprintf("%s111122223333:thing/value-%d", arnsBegin, r.IntN(100))
	case strings.HasSuffix(name, "State") || strings.HasSuffix(name, "Status"):
		return []string{"available", "enabled"}[r.IntN(2)]
	}
	return fmt.Sprintf("value-%d", r.IntN(100))
}

func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	return v.String()
}

func setText(v reflect.Value, text string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.ValueOf(&text))
		return
	}
	v.SetString(text)
}

func setBool(v reflect.Value, on bool) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.ValueOf(&on))
		return
	}
	v.SetBool(on)
}

// mangled is a deep copy of an answer with all of its strings changed.
func mangled(v reflect.Value, path string, change func(path, text string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(change(path, v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(mangled(v.Elem(), path, change))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 && !v.IsNil() {
			out.SetBytes([]byte(change(path, string(v.Bytes()))))
		} else if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(mangled(v.Index(i), path, change))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(mangled(key, path+".key", change), mangled(value, path, change))
			}
		}
	case reflect.Struct:
		out.Set(v)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Name == "ResultMetadata" || v.Type() == reflect.TypeFor[time.Time]() || isToken(path, f.Name) {
				continue
			}
			out.Field(i).Set(mangled(v.Field(i), path+"."+f.Name, change))
		}
	default:
		out.Set(v)
	}
	return out
}

// isToken says whether a field leads to a next page: pages that never end are no
// content.
func isToken(path, name string) bool {
	return (strings.HasSuffix(path, "Output") || strings.HasSuffix(path, "List")) && slices.Contains(tokensOut, name)
}
