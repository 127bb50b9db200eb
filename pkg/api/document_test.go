package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// promises are what the OpenAPI document says of answers.
type promises struct {
	operations []promised
	schemas    *jsonschema.Compiler

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

// promised is an operation of the document.
type promised struct {
	id, method string
	path       *regexp.Regexp
	literal    int    // how many of its segments are no parameter: the mux prefers more
	at         string // JSON pointer
	Responses  map[string]promisedAnswer
}

// promisedAnswer is one of an operation's answers.
type promisedAnswer struct {
	Ref     string `json:"$ref"`
	Headers map[string]promisedHeader
	Content map[string]json.RawMessage
	at      string
}

type promisedHeader struct {
	Ref      string `json:"$ref"`
	Required bool
}

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

const documentURL = "https://cloudarq.example.com/v1/openapi.json"

// theDocument is what the API says of itself.
var theDocument = sync.OnceValues(func() (*promises, error) {
	catalog, err := house()
	if err != nil {
		return nil, err
	}
	text, err := api.Document("test", catalog)
	if err != nil {
		return nil, err
	}
	var document struct {
		Components struct {
			Responses map[string]promisedAnswer
			Headers   map[string]promisedHeader
		}
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			promised
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	p := &promises{schemas: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	for path, methods := range document.Paths {
		for method, o := range methods {
			one := o.promised
			one.id, one.method = o.OperationID, strings.ToUpper(method)
			one.path = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
			one.literal = strings.Count(path, "/") - strings.Count(path, "{")
			one.at = "/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/" + method
			for status, r := range one.Responses {
				r.at = one.at + "/responses/" + status
				if name, shared := strings.CutPrefix(r.Ref, "#/components/responses/"); shared {
					r = document.Components.Responses[name]
					r.at = "/components/responses/" + name
				}
				headers := map[string]promisedHeader{}
				for name, h := range r.Headers {
					if shared, ok := strings.CutPrefix(h.Ref, "#/components/headers/"); ok {
						h = document.Components.Headers[shared]
					}
					headers[http.CanonicalHeaderKey(name)] = h
				}
				r.Headers = headers
				one.Responses[status] = r
			}
			p.operations = append(p.operations, one)
		}
	}
	slices.SortFunc(p.operations, func(a, b promised) int { return b.literal - a.literal })
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	p.schemas.DefaultDraft(jsonschema.Draft2020)
	p.schemas.AssertFormat()
	return p, p.schemas.AddResource(documentURL, whole)
})

// schema is what stands at a JSON pointer of the document.
func (p *promises) schema(at string) (*jsonschema.Schema, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.compiled[at]; ok {
		return s, nil
	}
	s, err := p.schemas.Compile(documentURL + "#" + (&url.URL{Path: at}).EscapedPath())
	if err == nil {
		p.compiled[at] = s
	}
	return s, err
}

// of is the operation that a request is for, if it is for any.
func (p *promises) of(method, path string) (promised, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, o := range p.operations {
		if o.method == method && o.path.MatchString(path) {
			return o, true
		}
	}
	return promised{}, false
}

// everywhere are the header fields that the document says once, of all answers, or that are
// of HTTP itself.
var everywhere = []string{"Content-Type", "Content-Length", "Content-Language", "Vary"}

// broken is what an answer does that the document does not say of its operation.
func (p *promises) broken(o promised, method string, w *httptest.ResponseRecorder) error {
	response, ok := o.Responses[strconv.Itoa(w.Code)]
	if !ok {
		return fmt.Errorf("status %d is not documented: %s", w.Code, w.Body)
	}
	for name := range w.Header() {
		_, documented := response.Headers[name]
		if !documented && !slices.Contains(everywhere, name) && !slices.Contains(alwaysThere, name) {
			return fmt.Errorf("the header field %s of status %d is not documented", name, w.Code)
		}
	}
	for name, h := range response.Headers {
		if h.Required && w.Header().Get(name) == "" {
			return fmt.Errorf("status %d has no header field %s", w.Code, name)
		}
	}
	if w.Body.Len() == 0 {
		if len(response.Content) > 0 && method != http.MethodHead {
			return fmt.Errorf("status %d has no body", w.Code)
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("the media type of status %d: %w", w.Code, err)
	}
	if _, ok := response.Content[kind]; !ok {
		return fmt.Errorf("the media type %s of status %d is not documented", kind, w.Code)
	}
	if !strings.HasSuffix(kind, "json") || kind == "application/x-ndjson" {
		return nil // a text; TestCalls and TestAdminLogPages look at each line
	}
	schema, err := p.schema(response.at + "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema")
	if err != nil {
		return err
	}
	for decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes())); ; {
		decoder.UseNumber()
		var body any
		if err := decoder.Decode(&body); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("a body of status %d: %w", w.Code, err)
		}
		if err := schema.Validate(body); err != nil {
			return fmt.Errorf("the body of status %d: %w\n%s", w.Code, err, w.Body)
		}
	}
}

// TestDocument: each operation says what it is for, and shows a whole request and a whole
// answer; each problem is shown, too; and all that is shown is as the schemas have it.
func TestDocument(t *testing.T) {
	t.Parallel()
	p, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := house()
	if err != nil {
		t.Fatal(err)
	}
	text, err := api.Document("test", catalog)
	if err != nil {
		t.Fatal(err)
	}
	type content map[string]struct {
		Example  json.RawMessage
		Examples map[string]struct{ Value json.RawMessage }
	}
	var document struct {
		Components struct {
			Responses map[string]struct{ Content content }
		}
		Paths map[string]map[string]struct {
			OperationID, Summary string
			Tags                 []string
			RequestBody          struct{ Content content }
			Responses            map[string]struct{ Content content }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	fits := func(what, at string, example json.RawMessage) {
		t.Helper()
		schema, err := p.schema(at)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(example))
		if err != nil {
			t.Errorf("%s has no example: %v", what, err)
			return
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("the example of %s: %v", what, err)
		}
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1")
	for path, methods := range document.Paths {
		for method, o := range methods {
			at := "/paths/" + escaped.Replace(path) + "/" + method
			if o.Summary == "" || len(o.Tags) != 1 {
				t.Errorf("%s says nothing of itself", o.OperationID)
			}
			for kind, c := range o.RequestBody.Content {
				fits("a request of "+o.OperationID, at+"/requestBody/content/"+escaped.Replace(kind)+"/schema", c.Example)
			}
			for status, r := range o.Responses {
				for kind, c := range r.Content {
					if kind == "application/json" && o.Tags[0] != "published" { // whoever asks sees it at once
						fits(o.OperationID+" "+status, at+"/responses/"+status+"/content/"+escaped.Replace(kind)+"/schema", c.Example)
					}
				}
			}
		}
	}
	for name, r := range document.Components.Responses {
		c := r.Content["application/problem+json"]
		for _, code := range strings.Split(name, ".")[1:] {
			if code != "limited" {
				fits(name+" "+code, "/components/responses/"+name+"/content/application~1problem+json/schema", c.Examples[code].Value)
			}
		}
	}
}

// alwaysThere are the header fields of every answer, which secured checks.
var alwaysThere = []string{
	"Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy",
	"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Cross-Origin-Embedder-Policy", "Cache-Control",
	"Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", // of those that TestPagesOfOtherOrigins checks
}

// documented is a handler whose answers are held to the document, in whatever test they are
// given: statuses, header fields and bodies.
func (s *server) documented(next http.Handler) http.Handler {
	p, err := theDocument()
	if err != nil {
		s.t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, path := r.Method, r.URL.Path
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if o, ok := p.of(method, path); ok {
			if err := p.broken(o, method, answer); err != nil {
				s.wrong("%s: %s %s: %v", o.id, method, path, err)
			}
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}
