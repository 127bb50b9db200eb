package stack

import (
	"encoding/json"
	"time"
)

// Stack is what a template became in the emulator.
type Stack struct {
	Name      string
	Account   string
	Region    string
	Endpoint  string              // the emulator's
	Resources map[string]Resource // by logical id; the functions of SAM under their own
	Outputs   map[string]string   // resolved
	Functions []Function          // ordered by logical id, as all lists here
	Mappings  []Mapping           // event source mappings; taken out of the emulator
	Queues    []Queue
	Schedules []Schedule
	Routes    []Route
	Topics    []Topic
	Alarms    []Alarm
}

// Resource is one resource of the translated template.
type Resource struct {
	Type string
	ID   string // what Ref gives: a queue's URL, a table's name, a topic's ARN
	ARN  string // "" where the type has none that the deployer knows
}

// Function is one Lambda function.
type Function struct {
	LogicalID     string
	Name          string
	ARN           string
	RoleARN       string
	Handler       string
	Runtime       string
	Architectures []string
	Code          string // CodeUri as the template has it
	Timeout       int    // seconds
	Memory        int    // MiB
	Concurrency   int    // reserved; 0 if none is
	Retries       int    // of an asynchronous invocation that failed
	DeadLetterARN string // where such an event ends; "" if nowhere
	Environment   map[string]string
}

// Mapping makes a queue invoke a function.
type Mapping struct {
	LogicalID       string
	Function        string // logical id
	QueueARN        string
	QueueURL        string
	BatchSize       int
	BatchingWindow  int  // seconds
	PartialFailures bool // ReportBatchItemFailures
	MaxConcurrency  int  // 0 if not set
}

// Queue is one SQS queue.
type Queue struct {
	LogicalID         string
	Name              string
	URL               string
	ARN               string
	VisibilityTimeout int // seconds
	MaxReceiveCount   int // 0 without a dead-letter queue
	DeadLetterARN     string
	DeadLetterURL     string
	FIFO              bool
}

// Kinds of schedules, which differ in the event that a function gets.
const (
	Rule      = "rule"     // AWS::Events::Rule
	Scheduler = "schedule" // AWS::Scheduler::Schedule
)

// Schedule invokes a function by the clock.
type Schedule struct {
	LogicalID  string
	Name       string
	ARN        string
	Kind       string // Rule or Scheduler
	Expression string
	Input      string // "" for the service's own event
	Function   string // logical id
	Enabled    bool
}

// Ways a route knows its caller.
const (
	NoAuth  = "NONE"
	IAMAuth = "AWS_IAM"
)

// Route leads from an HTTP API to a function.
type Route struct {
	API      string // logical id
	Method   string // ANY for all
	Path     string // with {parameters}; "$default" for what no other route takes
	Function string // logical id
	Auth     string // NoAuth, IAMAuth, or the name of another authorizer
	Timeout  int    // milliseconds; 0 for the service's 30 seconds
}

// Topic is one SNS topic.
type Topic struct {
	LogicalID string
	Name      string
	ARN       string
}

// Alarm is one CloudWatch alarm. Package alarm evaluates it.
type Alarm struct {
	LogicalID  string
	Properties json.RawMessage // as CloudFormation has them, resolved
}

// Function finds a function by its logical id.
func (s *Stack) Function(logicalID string) (Function, bool) {
	return find(s.Functions, func(f Function) bool { return f.LogicalID == logicalID })
}

// Queue finds a queue by its logical id.
func (s *Stack) Queue(logicalID string) (Queue, bool) {
	return find(s.Queues, func(q Queue) bool { return q.LogicalID == logicalID })
}

// QueueByARN finds a queue by its ARN.
func (s *Stack) QueueByARN(arn string) (Queue, bool) {
	return find(s.Queues, func(q Queue) bool { return q.ARN == arn })
}

// Schedule finds a schedule by its logical id or its name.
func (s *Stack) Schedule(name string) (Schedule, bool) {
	return find(s.Schedules, func(c Schedule) bool { return c.LogicalID == name || c.Name == name })
}

// Alarm finds an alarm by its logical id.
func (s *Stack) Alarm(logicalID string) (Alarm, bool) {
	return find(s.Alarms, func(a Alarm) bool { return a.LogicalID == logicalID })
}

// Limit is how long the function may run.
func (f Function) Limit() time.Duration { return time.Duration(f.Timeout) * time.Second }

func find[T any](all []T, is func(T) bool) (T, bool) {
	for _, each := range all {
		if is(each) {
			return each, true
		}
	}
	var none T
	return none, false
}
