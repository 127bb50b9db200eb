package lambdahost

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
)

// Phase is when Options.Intercept is asked about a call.
type Phase int

const (
	// BeforeSend is before the emulator knows of the call.
	BeforeSend Phase = iota
	// AfterAnswer is when the emulator has done it and the function does not know.
	AfterAnswer
)

// Verdict is what becomes of a call. The zero Verdict lets it go on.
type Verdict struct {
	act    act
	status int
	code   string
}

type act int

const (
	goOn act = iota
	killCaller
	throttle
	fail
)

// Continue lets the call go on.
func Continue() Verdict { return Verdict{} }

// Kill ends the process that made the call, with SIGKILL. The call is not sent, or
// its answer not given.
func Kill() Verdict { return Verdict{act: killCaller} }

// Throttle answers with the service's own throttling error. The SDK will retry it.
func Throttle() Verdict { return Verdict{act: throttle} }

// Fail answers with an error in the service's own format.
func Fail(status int, code string) Verdict { return Verdict{act: fail, status: status, code: code} }

// throttled is how a service says that it is asked too much.
func throttled(c Call) (status int, code string) {
	switch {
	case c.Service == "dynamodb":
		return http.StatusBadRequest, "ProvisionedThroughputExceededException"
	case c.Service == "sqs":
		return http.StatusBadRequest, "RequestThrottled"
	case c.protocol == s3Protocol:
		return http.StatusServiceUnavailable, "SlowDown"
	case c.protocol == ec2Protocol:
		return http.StatusServiceUnavailable, "RequestLimitExceeded"
	case c.protocol == queryProtocol:
		return http.StatusBadRequest, "Throttling"
	case c.protocol == restProtocol:
		return http.StatusTooManyRequests, "ThrottlingException"
	default:
		return http.StatusBadRequest, "ThrottlingException"
	}
}

// writeError answers a call with an error in its protocol.
func writeError(w http.ResponseWriter, r *http.Request, c Call, status int, code string) {
	message := fmt.Sprintf("%s of %s was made to fail", c.Operation, c.Service)
	header := w.Header()
	header.Set("X-Amzn-Requestid", newUUID())
	var body []byte
	switch c.protocol {
	case s3Protocol:
		header.Set("Content-Type", "application/xml")
		body = xmlOf(s3Error{Code: code, Message: message})
	case queryProtocol:
		header.Set("Content-Type", "text/xml")
		body = xmlOf(queryError{Type: "Sender", Code: code, Message: message})
	case ec2Protocol:
		header.Set("Content-Type", "text/xml")
		body = xmlOf(ec2Error{Code: code, Message: message})
	default:
		header.Set("Content-Type", "application/x-amz-json-1.0")
		header.Set("X-Amzn-Errortype", code)
		if c.Service == "sqs" {
			header.Set("X-Amzn-Query-Error", code+";Sender")
		}
		body, _ = json.Marshal(map[string]string{"__type": code, "message": message}) // strings always marshal
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

type s3Error struct {
	XMLName       xml.Name `xml:"Error"`
	Code, Message string
}

type queryError struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

type ec2Error struct {
	XMLName xml.Name `xml:"Response"`
	Code    string   `xml:"Errors>Error>Code"`
	Message string   `xml:"Errors>Error>Message"`
}

func xmlOf(v any) []byte {
	data, err := xml.Marshal(v)
	if err != nil {
		panic(err) // strings always marshal
	}
	return data
}
