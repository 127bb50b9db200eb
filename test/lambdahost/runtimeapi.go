package lambdahost

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is Lambda's limit of a synchronous answer.
const maxAnswer = 6*1024*1024 + 100

// errorTypeTrailer is how a runtime says that it failed in the midst of an answer.
const errorTypeTrailer = "Lambda-Runtime-Function-Error-Type"

// runtimeAPI is what a bootstrap talks to:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (e *environment) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.invocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initFailed)
	return mux
}

// next ends the invocation before, and waits for another as long as the process
// lives.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.setCurrent(nil)
	e.asked.Do(func() { close(e.ready) })
	var inv *invocation
	select {
	case inv = <-e.work:
	case <-e.exited:
		return
	case <-r.Context().Done():
		return
	}
	inv.deadline = time.Now().Add(e.fn.spec.Limit())
	e.setCurrent(inv)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", e.fn.spec.ARN)
	header.Set("Lambda-Runtime-Trace-Id", inv.trace)
	_, _ = w.Write(inv.payload) // a process that died meanwhile is seen by its end
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	inv, ok := e.invocationOf(w, r)
	if !ok {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	switch {
	case err != nil:
		return // it died while it answered
	case len(body) > maxAnswer:
		inv.finish(outcome{err: e.fn.failure(TooLarge, "Response payload size exceeded maximum allowed payload size (6291556 bytes).")})
		reply(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		return
	case r.Trailer.Get(errorTypeTrailer) != "":
		inv.finish(outcome{err: e.fn.failure(r.Trailer.Get(errorTypeTrailer), "the answer broke off")})
	default:
		inv.finish(outcome{payload: body})
	}
	reply(w, http.StatusAccepted, "")
}

func (e *environment) invocationError(w http.ResponseWriter, r *http.Request) {
	inv, ok := e.invocationOf(w, r)
	if !ok {
		return
	}
	failed, err := e.readError(r)
	if err != nil {
		return
	}
	inv.finish(outcome{err: failed})
	reply(w, http.StatusAccepted, "")
}

func (e *environment) initFailed(w http.ResponseWriter, r *http.Request) {
	failed, err := e.readError(r)
	if err != nil {
		return
	}
	e.mu.Lock()
	e.initErr = failed
	e.mu.Unlock()
	reply(w, http.StatusAccepted, "")
}

// readError reads what a runtime reports. One that does not report in JSON has
// failed all the same.
func (e *environment) readError(r *http.Request) (*FunctionError, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	var report struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(body, &report) != nil {
		return e.fn.failure("Unhandled", "%s", body), nil
	}
	return &FunctionError{Function: e.fn.spec.LogicalID, Type: report.ErrorType, Message: report.ErrorMessage, Payload: body}, nil
}

// invocationOf refuses answers to anything but the invocation under way.
func (e *environment) invocationOf(w http.ResponseWriter, r *http.Request) (*invocation, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != r.PathValue("id") {
		reply(w, http.StatusBadRequest, "InvalidRequestID")
		return nil, false
	}
	return e.current, true
}

func (e *environment) setCurrent(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = inv
}

// requestID is that of the invocation under way, "" between invocations.
func (e *environment) requestID() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return ""
	}
	return e.current.id
}

func reply(w http.ResponseWriter, status int, errorType string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := `{"status":"OK"}`
	if errorType != "" {
		body = fmt.Sprintf(`{"errorType":%q,"errorMessage":%q}`, errorType, errorType)
	}
	_, _ = io.WriteString(w, body) // a process that died meanwhile is seen by its end
}
