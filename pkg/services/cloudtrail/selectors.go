package cloudtrail

import (
	"slices"
	"strings"
)

// Selectors are the event selectors of a trail: basic or advanced ones. An event
// is recorded if any of them selects it.
type Selectors struct {
	Basic    []BasicSelector    `json:"basic,omitempty"`
	Advanced []AdvancedSelector `json:"advanced,omitempty"`
}

// BasicSelector selects management events, and events of some objects.
type BasicSelector struct {
	ReadWrite  string   `json:"read_write"` // All, ReadOnly or WriteOnly
	Management bool     `json:"management"`
	Without    []string `json:"without,omitempty"` // sources whose management events are left out
	Objects    []string `json:"objects,omitempty"` // ARN prefixes of S3 objects
}

// AdvancedSelector selects the events that meet all of its conditions.
type AdvancedSelector []Condition

// Condition is what an advanced selector asks of one field.
type Condition struct {
	Field    string   `json:"field"`    // eventCategory, readOnly, resources.ARN…
	Operator string   `json:"operator"` // Equals, NotEquals, StartsWith…
	Values   []string `json:"values"`
}

// is reports whether the condition is that the field has this one value.
func (c Condition) is(field, value string) bool {
	return c.Field == field && c.Operator == "Equals" && slices.Equal(c.Values, []string{value})
}

// Management is the management events that are recorded.
type Management struct {
	Reads, Writes bool
	Without       []string // sources left out of either
}

// Management tells which management events the selectors select. What a
// selector narrows in another way than by its sources is not counted.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
func (s Selectors) Management() Management {
	var reads, writes share
	for _, b := range s.Basic {
		if b.Management {
			reads.add(b.ReadWrite != "WriteOnly", b.Without)
			writes.add(b.ReadWrite != "ReadOnly", b.Without)
		}
	}
	for _, a := range s.Advanced {
		if m, ok := a.management(); ok {
			reads.add(m.Reads, m.Without)
			writes.add(m.Writes, m.Without)
		}
	}
	without := append(reads.without, writes.without...)
	slices.Sort(without)
	return Management{reads.any, writes.any, slices.Compact(without)}
}

// share is what several selectors select together of one sort of event.
type share struct {
	any     bool
	without []string
}

func (s *share) add(selected bool, without []string) {
	switch {
	case !selected:
	case !s.any:
		s.any, s.without = true, slices.Clone(without)
	default: // what one selector leaves out, the other may select
		s.without = slices.DeleteFunc(s.without, func(source string) bool { return !slices.Contains(without, source) })
	}
}

func (a AdvancedSelector) management() (m Management, ok bool) {
	m.Reads, m.Writes = true, true
	for _, c := range a {
		switch {
		case c.is("eventCategory", "Management"):
			ok = true
		case c.is("readOnly", "true"):
			m.Writes = false
		case c.is("readOnly", "false"):
			m.Reads = false
		case c.Field == "eventSource" && c.Operator == "NotEquals":
			m.Without = append(m.Without, c.Values...)
		default:
			return Management{}, false
		}
	}
	return m, ok
}

// Objects is a set of S3 objects by their ARNs.
type Objects struct {
	Under  []string // prefixes; none for all objects
	Except []string // prefixes
}

// All reports whether the set is of all objects.
func (o Objects) All() bool { return len(o.Under) == 0 && len(o.Except) == 0 }

// HoldsBucket reports whether all objects of the bucket are in the set.
func (o Objects) HoldsBucket(arn string) bool {
	all := arn + "/"
	under := len(o.Under) == 0 || slices.ContainsFunc(o.Under, func(prefix string) bool { return strings.HasPrefix(all, prefix) })
	return under && !slices.ContainsFunc(o.Except, func(prefix string) bool {
		return strings.HasPrefix(all, prefix) || strings.HasPrefix(prefix, all)
	})
}

// Objects tells of which objects the reads, or the writes, are recorded.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
func (s Selectors) Objects(writes bool) []Objects {
	var sets []Objects
	for _, b := range s.Basic {
		if writes && b.ReadWrite != "ReadOnly" || !writes && b.ReadWrite != "WriteOnly" {
			for _, prefix := range b.Objects {
				sets = append(sets, under(prefix))
			}
		}
	}
	for _, a := range s.Advanced {
		if set, ok := a.objects(writes); ok {
			sets = append(sets, set)
		}
	}
	return sets
}

// under is the objects below an ARN; "arn:aws:s3" and "arn:aws:s3:::" stand for
// all.
func under(prefix string) Objects {
	if strings.HasSuffix(strings.TrimRight(prefix, ":"), ":s3") {
		return Objects{}
	}
	return Objects{Under: []string{prefix}}
}

func (a AdvancedSelector) objects(writes bool) (set Objects, ok bool) {
	ofData, ofObjects := false, false
	for _, c := range a {
		switch {
		case c.is("eventCategory", "Data"):
			ofData = true
		case c.is("resources.type", "AWS::S3::Object"):
			ofObjects = true
		case c.is("readOnly", "true") && !writes, c.is("readOnly", "false") && writes:
		case c.Field == "resources.ARN" && c.Operator == "StartsWith":
			for _, prefix := range c.Values {
				set.Under = append(set.Under, under(prefix).Under...)
			}
		case c.Field == "resources.ARN" && c.Operator == "NotStartsWith":
			set.Except = append(set.Except, c.Values...)
		default:
			return Objects{}, false
		}
	}
	return set, ofData && ofObjects
}
