// Package remedy fills the command lines that mend a failure with the resource that fails.
package remedy

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed words.tsv
var wordsTSV string

// source is where the value of a word comes from.
type source func(model.Ref) string

// words are those of a resource type; nil is what is not filled.
var words = sync.OnceValue(func() map[string]map[string]source {
	all := map[string]map[string]source{}
	for line := range strings.Lines(wordsTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if all[fields[0]] == nil {
			all[fields[0]] = map[string]source{}
		}
		all[fields[0]][fields[1]] = sourceOf(fields[2])
	}
	return all
})

func sourceOf(text string) source {
	switch text {
	case "-":
		return nil
	case "arn":
		return func(r model.Ref) string { return r.ARN }
	case "account":
		return func(r model.Ref) string { return r.Account }
	case "region":
		return func(r model.Ref) string { return r.Region }
	case "name":
		return func(r model.Ref) string { return r.Name }
	case "queue-url":
		return queueURL
	}
	pattern := regexp.MustCompile(text)
	return func(r model.Ref) string {
		if found := pattern.FindStringSubmatch(r.String()); found != nil {
			return found[1]
		}
		return ""
	}
}

// queueURL is what SQS calls a queue by; of partitions whose names end as the first of their
// domains says.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func queueURL(r model.Ref) string {
	partition, known := model.PartitionNamed(r.Partition())
	parts := strings.SplitN(r.ARN, ":", 6)
	if !known || len(parts) < 6 {
		return ""
	}
	return fmt.Sprintf("https://sqs.%s%s/%s/%s", r.Region, partition.Domains[0], r.Account, parts[5])
}

var (
	word = regexp.MustCompile(`\b[A-Z][A-Z0-9_]+\b`)
	// harmless is what no shell, and no JSON that a command line holds, reads otherwise, and
	// no command takes for an option.
	harmless = regexp.MustCompile(`^[A-Za-z0-9_./:@+=][A-Za-z0-9_./:@+=-]*$`)
	command  = regexp.MustCompile(`\baws [a-z0-9-]+ [a-z0-9-]+`)
)

// Fill puts the resource of a type into a command line: its name for BUCKET, its region. A
// word stays where the resource does not tell what it is, or where what it tells could mean
// something to a shell.
func Fill(line, kind string, r model.Ref) string {
	if r.Region != "" && r.Region != model.Global && harmless.MatchString(r.Region) && !strings.Contains(line, "--region ") {
		line = command.ReplaceAllString(line, "$0 --region "+r.Region)
	}
	known := words()[kind]
	return word.ReplaceAllStringFunc(line, func(w string) string {
		if value := known[w]; value != nil {
			if filled := value(r); harmless.MatchString(filled) {
				return filled
			}
		}
		return w
	})
}
