// Package synthetic makes up AWS accounts of any size at the SDK's edge: it answers
// every operation that collectors call, a page at a time, from what the account is
// planned to have. Nothing of an account is kept, so that a million resources take
// no more memory than ten.
package synthetic

import (
	"context"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
)

// Account is one AWS account. The same fields make the same account.
type Account struct {
	ID      string
	Regions []string
	Plan    Plan
	// Rounds are the changes since the account was made: of a thousand resources, so
	// many are set to something else by each.
	Rounds []uint64
	// Mangle, when set, changes every string of every answer but the tokens of pages.
	// The path names its field, "ListTopicsOutput.Topics.TopicArn".
	Mangle func(path, text string) string

	calls atomic.Int64
}

// Role is the role that an audit comes as.
const Role = "CloudArqAuditRole"

// Caller is the session that an audit opens.
func (a *Account) Caller() string {
	return "arn:aws:sts::" + a.ID + ":assumed-role/" + Role + "/cloudarq-synthetic"
}

// Config is a configuration whose clients this account answers.
func (a *Account) Config(region string) aws.Config {
	cfg := fake.Any(a.Respond)
	cfg.Region = region
	return cfg
}

// Recorded is Config with record hearing of every call.
func (a *Account) Recorded(region string, record func(service, operation, region string, took time.Duration)) aws.Config {
	cfg := fake.Any(func(ctx context.Context, region, name string, in any) (any, error) {
		start := time.Now()
		out, err := a.Respond(ctx, region, name, in)
		service, operation, _ := strings.Cut(name, ".")
		record(service, operation, region, time.Since(start))
		return out, err
	})
	cfg.Region = region
	return cfg
}

// Calls is how many calls were answered so far.
func (a *Account) Calls() int { return int(a.calls.Load()) }

// Respond implements fake.Respond.
func (a *Account) Respond(_ context.Context, region, name string, in any) (any, error) {
	a.calls.Add(1)
	op, ok := operations()[reflect.TypeOf(in)]
	if !ok {
		return nil, fmt.Errorf("synthetic: no answer to %s", name)
	}
	out, err := a.answer(op, region, in)
	if err != nil {
		return nil, fmt.Errorf("synthetic: %s: %w", name, err)
	}
	if a.Mangle != nil {
		value := reflect.ValueOf(out)
		return mangled(value, value.Elem().Type().Name(), a.Mangle).Interface(), nil
	}
	return out, nil
}

func (a *Account) answer(op *operation, region string, in any) (any, error) {
	if op.exact != nil {
		if out := op.exact(a, region, in); out != nil {
			return out, nil
		}
	}
	if op.kind != "" {
		return a.list(op, region, in)
	}
	return a.describe(op, region, in), nil
}

// Count is how many resources of a type a listing in one region has.
func (a *Account) Count(kind, region string) int {
	n := a.Plan[kind]
	if global(kind) || len(a.Regions) == 0 {
		return n
	}
	at := slices.Index(a.Regions, region)
	if at < 0 {
		return 0
	}
	share := n / len(a.Regions)
	if at < n%len(a.Regions) {
		share++
	}
	return share
}

// list is one page of a listing.
func (a *Account) list(op *operation, region string, in any) (any, error) {
	start := 0
	if op.tokenIn != nil {
		if token := textOf(reflect.ValueOf(in).Elem().FieldByIndex(op.tokenIn)); token != "" {
			var err error
			if start, err = strconv.Atoi(token); err != nil {
				return nil, fmt.Errorf("a token of somebody else's: %w", err)
			}
		}
	}
	total := a.Count(op.kind, region)
	end := total
	if op.page > 0 {
		end = min(start+op.page, total)
	}
	out := reflect.New(op.out)
	holder := out.Elem()
	if op.holder != nil {
		field := holder.FieldByIndex(op.holder)
		field.Set(reflect.New(field.Type().Elem()))
		holder = field.Elem()
	}
	field := holder.FieldByIndex(op.items)
	items := reflect.MakeSlice(field.Type(), max(0, end-start), max(0, end-start))
	for i := range items.Len() {
		a.item(op, items.Index(i), region, start+i)
	}
	field.Set(items)
	if end < total {
		if op.tokenOut == nil {
			return nil, fmt.Errorf("%s has no token for a next page", op.out)
		}
		setText(holder.FieldByIndex(op.tokenOut), strconv.Itoa(end))
		if op.truncated != nil {
			setBool(holder.FieldByIndex(op.truncated), true)
		}
	}
	return out.Interface(), nil
}

func (a *Account) item(op *operation, to reflect.Value, region string, i int) {
	if to.Kind() == reflect.String {
		to.SetString(op.ids[0].of(a.ID, region, i))
		return
	}
	to.Set(template(to.Type(), a.variant(op.kind, region, i)))
	for _, id := range op.ids {
		setText(to.FieldByIndex(id.field), id.of(a.ID, region, i))
	}
}

// describe answers for the one thing that the input names.
func (a *Account) describe(op *operation, region string, in any) any {
	value := reflect.ValueOf(in).Elem()
	hash, asked := fnv.New64a(), ""
	for _, e := range op.named {
		asked += textOf(value.Field(e))
	}
	_, _ = hash.Write([]byte(asked))
	out := reflect.New(op.out)
	out.Elem().Set(template(op.out, a.settled(hash.Sum64()^mix(uint64(len(region))))))
	for _, e := range op.echoes {
		text := textOf(value.Field(e.from))
		if text == "" {
			continue
		}
		at := out.Elem()
		if e.holder >= 0 {
			inner := at.Field(e.holder)
			if inner.IsNil() {
				continue
			}
			copied := reflect.New(inner.Type().Elem()) // the template is everybody's
			copied.Elem().Set(inner.Elem())
			inner.Set(copied)
			at = copied.Elem()
		}
		setText(at.Field(e.to), text)
	}
	if asked == "" { // nothing is asked for by its name: what is told is the region's own
		return mangled(out, "", func(_, text string) string { return strings.Replace(text, arnsBegin, "arn:aws:service:"+region+":", 1) }).Interface()
	}
	return out.Interface()
}

// variants is how many settings of one type there are. They are made once.
const variants = 32

// variant is what a listed resource is set to.
func (a *Account) variant(kind, region string, i int) int {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(kind))
	_, _ = hash.Write([]byte(region))
	return a.settled(mix(hash.Sum64() + uint64(i)*0x9e3779b97f4a7c15))
}

// settled is what the rounds make of a resource's first setting.
func (a *Account) settled(origin uint64) int {
	v := origin % variants
	for round, changed := range a.Rounds {
		if mixed := mix(origin ^ (uint64(round)+1)*0xd1342543de82ef95); mixed>>32%1000 < changed {
			v = mixed % variants
		}
	}
	return int(v)
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
