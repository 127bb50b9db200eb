// Package wire answers AWS calls in tests with the text that AWS sends. It stands in
// the place of the network, so that the SDK's own client decodes each answer, of
// whatever protocol, and takes error codes from where AWS puts them.
//
// A scenario is a txtar archive. What stands above its first section says where the
// answers are from. A section is an answer, named by the operation; by parameters of
// the call, as the SDK spells them, where the answer depends on them; and by the SDK's
// service id where an operation is one of several services:
//
//	-- ListClusters --
//	{"clusters": ["shop"]}
//	-- ListClusters NextToken=2 --
//	-- S3 Control.GetPublicAccessBlock AccountId=111122223333 --
//	-- DescribeCluster Name=gone --
//	HTTP/1.1 404 Not Found
//	X-Amzn-Errortype: ResourceNotFoundException
//
//	{"message": "No cluster found for name: gone."}
//
// The answer with the most parameters counts, of several the first; a further page has to
// name its token. The parameter call is the number of the operation's call, from 1. An
// answer that does not begin with an HTTP status is a success.
package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/tools/txtar"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
)

// Answer is what AWS sends to one operation.
type Answer struct {
	Service   string // SDK service id; empty means any
	Operation string
	When      map[string]string // parameters of the call, as in "Filters.0.Name"
	Status    int
	Header    http.Header
	Body      []byte
}

// String is the answer's name in its scenario, without parameters.
func (a Answer) String() string { return strings.TrimPrefix(a.Service+"."+a.Operation, ".") }

var section = regexp.MustCompile(`^(?:([^.=]+)\.)?(\w+)((?: [\w.]+=\S*)*)$`)

// Parse reads a scenario.
func Parse(archive []byte) ([]Answer, error) {
	var answers []Answer
	for _, file := range txtar.Parse(archive).Files {
		parts := section.FindStringSubmatch(file.Name)
		if parts == nil {
			return nil, fmt.Errorf("section %q is not named by an operation", file.Name)
		}
		a := Answer{Service: parts[1], Operation: parts[2], When: map[string]string{}, Status: http.StatusOK, Header: http.Header{}, Body: bytes.TrimSpace(file.Data)}
		for _, parameter := range strings.Fields(parts[3]) {
			name, value, _ := strings.Cut(parameter, "=")
			a.When[name] = value
		}
		if bytes.HasPrefix(file.Data, []byte("HTTP/")) {
			response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(file.Data)), nil)
			if err != nil {
				return nil, fmt.Errorf("section %q: %w", file.Name, err)
			}
			body, err := io.ReadAll(response.Body)
			if err = errors.Join(err, response.Body.Close()); err != nil {
				return nil, fmt.Errorf("section %q: %w", file.Name, err)
			}
			a.Status, a.Header, a.Body = response.StatusCode, response.Header, bytes.TrimSpace(body)
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// Cloud is an AWS that gives the answers of a scenario. A call without an answer fails
// the test.
type Cloud struct {
	answers []Answer

	// Meddle, when set, sees every call before it is answered: with an error of
	// fake.Error AWS refuses the call in the words of its protocol.
	Meddle func(operation string, call int) error
	// Incomplete says that calls without an answer are no fault of the test: they fail.
	Incomplete bool

	mu   sync.Mutex
	seen map[string]int // "<SDK service id>.<operation>" -> calls
}

// New makes a cloud that gives the answers.
func New(answers []Answer) *Cloud { return &Cloud{answers: answers, seen: map[string]int{}} }

// Config is a configuration whose clients the cloud answers.
func (c *Cloud) Config(t testing.TB) aws.Config {
	t.Helper()
	cfg := fake.Unanswered()
	cfg.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) { return c.answer(t, r) })
	return cfg
}

// Operations lists the operations called so far, sorted.
func (c *Cloud) Operations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.seen))
}

// Calls is how often an operation was called.
func (c *Cloud) Calls(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[operation]
}

func (c *Cloud) answer(t testing.TB, r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	name := service + "." + operation
	c.mu.Lock()
	c.seen[name]++
	call := c.seen[name]
	c.mu.Unlock()
	if c.Meddle != nil {
		if err := c.Meddle(name, call); err != nil {
			return refusal(r, service, err)
		}
	}
	parameters := map[string]string{}
	flatten(parameters, "", reflect.ValueOf(fake.Input(ctx)))
	parameters["call"] = strconv.Itoa(call)
	var best *Answer
	for i, a := range c.answers {
		if a.Operation == operation && (a.Service == "" || a.Service == service) && holds(a.When, parameters) && (best == nil || len(a.When) > len(best.When)) {
			best = &c.answers[i]
		}
	}
	if best == nil {
		if !c.Incomplete {
			t.Errorf("%s was called without an answer: %v", name, parameters)
		}
		return nil, fmt.Errorf("wire: no answer to %s", name)
	}
	return respond(r, *best)
}

// pageOf are the parameters that ask for a further page.
var pageOf = regexp.MustCompile(`(Token|Marker|^Position)$`)

// holds reports whether an answer is one to the parameters. A further page has to be
// named: a listing that gave its first page for any token would have no end. What a
// mutation calls by a name that nobody knows does not exist.
func holds(when, parameters map[string]string) bool {
	for name, value := range parameters {
		if _, named := when[name]; !named && (pageOf.MatchString(name) || strings.Contains(value, unknownWord)) {
			return false
		}
	}
	for name, value := range when {
		if got, given := parameters[name]; !given || got != value {
			return false
		}
	}
	return true
}

// flatten names the values of an input by their path.
func flatten(all map[string]string, path string, v reflect.Value) {
	under := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			flatten(all, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				flatten(all, under(f.Name), v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			flatten(all, under(strconv.Itoa(i)), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			flatten(all, under(fmt.Sprint(key)), v.MapIndex(key))
		}
	default:
		all[path] = fmt.Sprint(v)
	}
}

func respond(r *http.Request, a Answer) (*http.Response, error) {
	header := a.Header.Clone()
	body := a.Body
	if isCBOR(r) {
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		var err error
		if body, err = toCBOR(body); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// refusal is an error where the protocol of the request has it.
// https://smithy.io/2.0/aws/protocols/, 29 November 2026.
func refusal(r *http.Request, service string, err error) (*http.Response, error) {
	code, message := errorText(err)
	a := Answer{Status: http.StatusBadRequest, Header: http.Header{}}
	switch {
	case service == "S3":
		a.Body = fmt.Appendf(nil, `<Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
	case service == "EC2":
		a.Body = fmt.Appendf(nil, `<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors></Response>`, code, message)
	case slices.Contains([]string{"S3 Control", "Route 53", "CloudFront"}, service), r.Header.Get("Content-Type") == "application/x-www-form-urlencoded":
		a.Body = fmt.Appendf(nil, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
	default:
		a.Header.Set("X-Amzn-Errortype", code)
		a.Body, err = json.Marshal(map[string]string{"__type": code, "message": message})
		if err != nil {
			return nil, err
		}
	}
	return respond(r, a)
}
