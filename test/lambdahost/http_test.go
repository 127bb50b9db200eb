package lambdahost_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestHTTP(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{
		Keys: map[string]lambdahost.Key{"AKIAEXAMPLE": {Secret: "secret", ARN: "arn:aws:iam::123456789012:user/ann"}},
	})
	open := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

	t.Run("a request becomes an event", func(t *testing.T) {
		r := request(t, "POST", h.URL()+"/open/a%20b/c?x=1&y=2&x=3", `{"n":1}`)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", "a=1; b=2")
		r.Header["X-Two"] = []string{"1", "2"}
		status, _, body := send(t, open, r)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		got := decode(t, body)
		want := map[string]any{
			"version": "2.0", "routeKey": "ANY /open/{proxy+}", "rawPath": "/open/a b/c", "rawQueryString": "x=1&y=2&x=3",
			"cookies": []any{"a=1", "b=2"}, "queryStringParameters": map[string]any{"x": "1,3", "y": "2"},
			"pathParameters": map[string]any{"proxy": "a b/c"}, "body": `{"n":1}`, "isBase64Encoded": false,
		}
		context, headers := got["requestContext"].(map[string]any), got["headers"].(map[string]any)
		delete(got, "requestContext")
		delete(got, "headers")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
		if headers["x-two"] != "1,2" || headers["content-type"] != "application/json" || headers["cookie"] != nil || headers["x-forwarded-for"] != "127.0.0.1" {
			t.Errorf("headers %v", headers)
		}
		call := context["http"].(map[string]any)
		if call["method"] != "POST" || call["path"] != "/open/a b/c" || call["sourceIp"] != "127.0.0.1" || context["stage"] != "$default" ||
			context["accountId"] != w.account || context["authorizer"] != nil {
			t.Errorf("context %v", context)
		}
	})
	t.Run("the most specific route wins", func(t *testing.T) {
		_, _, body := send(t, open, request(t, "GET", h.URL()+"/open/things/7", ""))
		got := decode(t, body)
		if got["routeKey"] != "GET /open/things/{id}" || !cmp.Equal(got["pathParameters"], any(map[string]any{"id": "7"})) {
			t.Errorf("%s", body)
		}
	})
	t.Run("an answer may be binary, with cookies", func(t *testing.T) {
		status, header, body := send(t, open, request(t, "GET", h.URL()+"/picture", ""))
		if status != 201 || body != "\x00\x01\x02" || header.Get("Content-Type") != "image/png" || len(header["Set-Cookie"]) != 2 {
			t.Errorf("%d %v %q", status, header, body)
		}
	})
	for name, c := range map[string]struct {
		method, path, want string
		status             int
	}{
		"an answer without a status is the body": {"GET", "/do/word", `"word"`, 200},
		"a function that fails":                  {"GET", "/do/fail", `{"message":"Internal Server Error"}`, 500},
		"a function that crashes":                {"GET", "/do/exit", `{"message":"Internal Server Error"}`, 500},
		"a function that takes too long":         {"GET", "/do/sleep", `{"message":"Service Unavailable"}`, 503},
		"an answer that makes no sense":          {"GET", "/nonsense", `{"message":"Internal Server Error"}`, 500},
		"no such route":                          {"GET", "/missing", `{"message":"Not Found"}`, 404},
		"no such method":                         {"GET", "/closed", `{"message":"Not Found"}`, 404},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := send(t, open, request(t, c.method, h.URL()+c.path, ""))
			if status != c.status || body != c.want {
				t.Errorf("%d %s, want %d %s", status, body, c.status, c.want)
			}
		})
	}
	t.Run("a signed request says who signed it", func(t *testing.T) {
		r := request(t, "POST", h.URL()+"/closed?b=2&a=%2F", `{"n":1}`)
		r.Header.Set("Content-Type", "application/json")
		status, _, body := send(t, lambdahost.SignedClient("AKIAEXAMPLE", "secret", region), r)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		iam := decode(t, body)["requestContext"].(map[string]any)["authorizer"].(map[string]any)["iam"].(map[string]any)
		if iam["userArn"] != "arn:aws:iam::123456789012:user/ann" || iam["accessKey"] != "AKIAEXAMPLE" || iam["accountId"] != w.account {
			t.Errorf("%v", iam)
		}
	})
	for name, client := range map[string]*http.Client{
		"no signature":     open,
		"a wrong secret":   lambdahost.SignedClient("AKIAEXAMPLE", "guess", region),
		"an unknown key":   lambdahost.SignedClient("AKIAOTHER", "secret", region),
		"another region":   lambdahost.SignedClient("AKIAEXAMPLE", "secret", "us-east-1"),
		"a changed body":   {Transport: afterSigning(func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2 })},
		"a changed query":  {Transport: afterSigning(func(r *http.Request) { r.URL.RawQuery = "a=2" })},
		"a changed header": {Transport: afterSigning(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260101T000000Z") })},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			status, _, body := send(t, client, request(t, "POST", h.URL()+"/closed?a=1", `{"n":1}`))
			if status != http.StatusForbidden || body != `{"message":"Forbidden"}` {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// afterSigning changes a request that is signed already.
func afterSigning(change func(*http.Request)) http.RoundTripper {
	return lambdahost.Signing("AKIAEXAMPLE", "secret", region, tamper(change))
}

type tamper func(*http.Request)

func (change tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	change(r)
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	return r
}

func send(t *testing.T, client *http.Client, r *http.Request) (int, http.Header, string) {
	t.Helper()
	resp, err := client.Do(r)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, resp.Header, string(body)
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	must(t, json.Unmarshal([]byte(body), &v))
	return v
}
