package iampolicy

import (
	"fmt"
	"strings"
	"testing"
)

// list writes n values of a JSON list.
func list(n int, value func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = `"` + value(i) + `"`
	}
	return "[" + strings.Join(all, ",") + "]"
}

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

// largest are policies of about the 20 KB that S3 accepts, of the shapes that could cost
// most: n scales them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
func largest(n int) map[string]string {
	short := func(i int) string { return strings.ToUpper(fmt.Sprintf("a%x", i)) }
	allow := func(rest string) string { return `{"Effect":"Allow",` + rest + `}` }
	many := func(n int, one func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = one(i)
		}
		return strings.Join(all, ",")
	}
	six := []string{"aws:SourceVpc", "aws:SourceVpce", "aws:userid", "aws:PrincipalArn", "aws:SourceAccount", "aws:PrincipalOrgID"}
	return map[string]string{
		"two keys of many values": allow(`"Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:userid":` +
			list(15*n, short) + `,"aws:SourceVpc":` + list(13*n, short) + `}}`),
		"six keys of many values": allow(`"Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{` + many(6, func(k int) string {
			return `"` + six[k] + `":` + list(4*n, numbered("%012d"))
		}) + `}}`),
		"one account's roles, twice": allow(`"Principal":{"AWS":` + list(2*n, numbered("arn:aws:iam::999988887777:role/%d")) + `},"Action":"s3:*","Resource":"*",
			"Condition":{"ArnLike":{"aws:PrincipalArn":` + list(2*n, numbered("arn:aws:iam::999988887777:role/%d")) + `}}`),
		"many accounts, each denied": allow(`"Principal":{"AWS":`+list(5*n, numbered("%012d"))+`},"Action":"s3:*","Resource":"*"`) + "," +
			many(n/4, func(i int) string {
				return fmt.Sprintf(`{"Effect":"Deny","Principal":{"AWS":"%012d"},"Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"v%d"}}}`, i, i)
			}),
		"many actions and resources, each denied by itself": allow(`"Principal":"*","Action":`+list(2*n, numbered("s3:A%d"))+`,"Resource":`+list(2*n, numbered("arn:aws:s3:::%d"))) + "," +
			many(n/2, func(i int) string {
				return fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"s3:A%d","Resource":"arn:aws:s3:::%d","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-%d"}}}`, i, i, i)
			}),
		"patterns within patterns": allow(`"Principal":"*","Action":"s3:*","Resource":"*"`) + "," + many(n/4, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"s3:%s*","Resource":"*%s*"}`, strings.Repeat("a", i%20), strings.Repeat("b", i%20))
		}),
		"many services and Denies": allow(`"Principal":{"Service":`+list(2*n, numbered("s%d.amazonaws.com"))+`},"Action":"s3:*","Resource":"*"`) + "," +
			many(n/4, func(i int) string {
				return fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::%d/*","Condition":{"StringNotEquals":{"aws:SourceAccount":["%012d","111122223333"]}}}`, i, i)
			}),
		"many statements": many(2*n, func(i int) string {
			return fmt.Sprintf(`{"Effect":"%s","Principal":"*","Action":"s3:*","Resource":"*"}`, []string{"Allow", "Deny"}[i%2])
		}),
	}
}

func document(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

func evaluated(t testing.TB, doc string) int {
	t.Helper()
	p, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	e := newEvaluator(&p, &Zone{Account: "111122223333", Partition: "aws"})
	e.evaluate()
	return e.work
}

// TestWorkIsBounded: four times the policy is at most some sixteen times the work, and
// the largest that AWS accepts is no more than can be done in a fraction of a second. It
// counts what is looked at, since time depends on the machine.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	for name, statements := range largest(100) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			small, large := evaluated(t, document(largest(25)[name])), evaluated(t, document(statements))
			if large > 20*small {
				t.Errorf("%d steps for a quarter of the policy, %d for all of it", small, large)
			}
			if perByte := large / len(statements); perByte > 500 {
				t.Errorf("%d steps for each of %d bytes", perByte, len(statements))
			}
		})
	}
}

var sunk int

// BenchmarkLargest evaluates the largest policies that AWS accepts.
func BenchmarkLargest(b *testing.B) {
	for name, statements := range largest(100) {
		b.Run(name, func(b *testing.B) {
			doc := document(statements)
			b.ReportMetric(float64(len(doc)), "bytes")
			for b.Loop() {
				sunk = evaluated(b, doc)
			}
		})
	}
}
