package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/test/stack"
)

// httpContext is what the front knows of a request besides the request.
type httpContext struct {
	id     string
	route  stack.Route
	params map[string]string
	caller *caller // nil on open routes
}

// httpEvent is a request in payload format 2.0:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (h *Host) httpEvent(r *http.Request, body []byte, c httpContext) map[string]any {
	key := c.route.Path
	if key != defaultRoute {
		key = c.route.Method + " " + key
	}
	now := time.Now().UTC()
	host := hostname(r.Host)
	requestContext := map[string]any{
		"accountId":    h.stack.Account,
		"apiId":        c.route.API,
		"domainName":   host,
		"domainPrefix": strings.Split(host, ".")[0],
		"http": map[string]any{
			"method": r.Method, "path": r.URL.Path, "protocol": r.Proto, "sourceIp": hostname(r.RemoteAddr), "userAgent": r.UserAgent(),
		},
		"requestId": c.id,
		"routeKey":  key,
		"stage":     "$default",
		"time":      now.Format("02/Jan/2006:15:04:05 -0700"),
		"timeEpoch": now.UnixMilli(),
	}
	if c.caller != nil {
		requestContext["authorizer"] = map[string]any{"iam": c.caller.authorizer()}
	}
	event := map[string]any{
		"version":         "2.0",
		"routeKey":        key,
		"rawPath":         r.URL.Path, // decoded, unlike that of a function URL
		"rawQueryString":  r.URL.RawQuery,
		"headers":         h.headers(r, len(body)),
		"requestContext":  requestContext,
		"isBase64Encoded": false,
	}
	if cookies := cookies(r); len(cookies) > 0 {
		event["cookies"] = cookies
	}
	if query := joined(r.URL.Query()); len(query) > 0 {
		event["queryStringParameters"] = query
	}
	if len(c.params) > 0 {
		event["pathParameters"] = c.params
	}
	switch {
	case len(body) == 0:
	case isText(r.Header.Get("Content-Type")):
		event["body"] = string(body)
	default:
		event["body"], event["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
	}
	return event
}

// headers have small names here, one value each, and what the service adds.
func (h *Host) headers(r *http.Request, length int) map[string]string {
	small := url.Values{}
	for name, values := range r.Header {
		if name != "Cookie" {
			small[strings.ToLower(name)] = values
		}
	}
	headers := joined(small)
	maps.Copy(headers, map[string]string{
		"host":              r.Host,
		"content-length":    strconv.Itoa(length),
		"x-amzn-trace-id":   fmt.Sprintf("Root=1-%x-%s", time.Now().Unix(), randomHex(12)),
		"x-forwarded-for":   hostname(r.RemoteAddr),
		"x-forwarded-port":  "443",
		"x-forwarded-proto": "https",
	})
	return headers
}

func joined(values url.Values) map[string]string {
	one := make(map[string]string, len(values))
	for name, all := range values {
		one[name] = strings.Join(all, ",")
	}
	return one
}

func cookies(r *http.Request) []string {
	var all []string
	for _, line := range r.Header["Cookie"] {
		for _, cookie := range strings.Split(line, ";") {
			all = append(all, strings.TrimSpace(cookie))
		}
	}
	return all
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// isText reports whether a body travels as it is. Forms do not.
func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || strings.HasSuffix(kind, "+json") ||
		kind == "application/javascript" || kind == "application/xml" || strings.HasSuffix(kind, "+xml")
}

// httpAnswer is what a function may answer; one without a status is a body.
type httpAnswer struct {
	StatusCode      json.RawMessage // a number, or a string that is one
	Headers         map[string]any
	Cookies         []string
	Body            *string
	IsBase64Encoded bool
}

// writeAnswer turns a function's answer into HTTP. One that makes no sense is the
// function's fault and a 500.
func writeAnswer(w http.ResponseWriter, answer []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(answer, &fields) != nil || fields["statusCode"] == nil {
		if !json.Valid(answer) {
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return
	}
	var a httpAnswer
	status, body, err := a.read(answer)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/plain;charset=UTF-8")
	for name, value := range a.Headers {
		header.Set(name, fmt.Sprint(value))
	}
	for _, cookie := range a.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	header.Del("Content-Length") // the service counts for itself
	w.WriteHeader(status)
	_, _ = w.Write(body) // if the client hung up, nobody is left to tell
}

func (a *httpAnswer) read(answer []byte) (status int, body []byte, err error) {
	if err := json.Unmarshal(answer, a); err != nil {
		return 0, nil, err
	}
	status, err = strconv.Atoi(strings.Trim(string(a.StatusCode), `"`))
	if err != nil {
		return 0, nil, err
	}
	if status < 200 || status > 599 {
		return 0, nil, fmt.Errorf("status %d", status)
	}
	if a.Body == nil {
		return status, nil, nil
	}
	if a.IsBase64Encoded {
		body, err = base64.StdEncoding.DecodeString(*a.Body)
		return status, body, err
	}
	return status, []byte(*a.Body), nil
}
