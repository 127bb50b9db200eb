package lambdahost

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"
)

const (
	callLimit = time.Minute // for one call to the emulator
	// settle keeps an answer that is made here from overtaking the request: see
	// toEmulator. The emulator itself is slow enough.
	settle = 2 * time.Millisecond
)

// awsProxy stands between one environment and the emulator.
func (e *environment) awsProxy() http.Handler { return http.HandlerFunc(e.call) }

// call records one call, asks about it, and does what the answer says.
func (e *environment) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process died while it asked
	}
	host := e.fn.host
	c := identify(r, body)
	c.Function, c.RequestID = e.fn.spec.LogicalID, e.requestID()
	c = host.recorder.add(c)
	if !e.goesOn(w, r, c, BeforeSend) {
		return
	}
	c.Sent = true
	host.recorder.update(c)
	answer, err := e.forward(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	c.Status = answer.status
	host.recorder.update(c)
	host.noticed(c)
	if !e.goesOn(w, r, c, AfterAnswer) {
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = answer.body.WriteTo(w) // if nobody is left to read it, that is seen elsewhere
}

// awsAnswer is what the emulator said.
type awsAnswer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// goesOn carries out the verdict on a call. After a kill nothing of the process is
// sent or answered any more.
func (e *environment) goesOn(w http.ResponseWriter, r *http.Request, c Call, phase Phase) bool {
	var v Verdict
	if intercept := e.fn.host.options.Intercept; intercept != nil {
		v = intercept(c, phase)
	}
	switch v.act {
	case killCaller:
		e.kill()
		<-e.exited
	case throttle:
		v.status, v.code = throttled(c)
		time.Sleep(settle)
		writeError(w, r, c, v.status, v.code)
		return false
	case fail:
		time.Sleep(settle)
		writeError(w, r, c, v.status, v.code)
		return false
	case goOn:
	}
	if e.dying.Load() {
		panic(http.ErrAbortHandler)
	}
	return true
}

// forward sends the call even if its caller dies meanwhile: what was sent was sent.
func (e *environment) forward(r *http.Request, body []byte) (*awsAnswer, error) {
	ctx, cancel := e.fn.host.afterwards()
	defer cancel()
	emulator, err := url.Parse(e.fn.host.stack.Endpoint)
	if err != nil {
		return nil, err
	}
	out := r.Clone(ctx)
	out.RequestURI, out.Host = "", ""
	out.URL.Scheme, out.URL.Host = emulator.Scheme, emulator.Host
	out.Header.Del("Expect")
	out.Body, out.ContentLength, out.TransferEncoding = http.NoBody, int64(len(body)), nil
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := e.fn.host.upstream.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer := &awsAnswer{status: resp.StatusCode, header: resp.Header}
	_, err = answer.body.ReadFrom(resp.Body)
	return answer, err
}

// noticed lets the pollers look at once when a call may have brought messages.
func (h *Host) noticed(c Call) {
	if c.Effect && c.Status < http.StatusBadRequest && (c.Service == "sqs" || c.Service == "sns") {
		for _, p := range h.pollers {
			p.look()
		}
	}
}
