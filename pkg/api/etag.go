package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// etag is the state of a stored record: what If-Match says that a change was made of.
func etag(version int64) string { return strconv.Quote("v" + strconv.FormatInt(version, 10)) }

// stored is the part of an ETag that says which state of a record it is of. The rest says
// how the record was shown, which also hangs on others.
func stored(tag string) string {
	version, _, more := strings.Cut(strings.TrimSpace(tag), ".")
	if more {
		version += `"`
	}
	return version
}

// maxTagged is the most bytes of an answer that has an ETag. API Gateway takes 6 MiB from a
// function, and lists have pages.
const maxTagged = 1 << 20

// tagged is an answer that is kept until it is whole, or too long for that.
type tagged struct {
	http.ResponseWriter
	r      *http.Request
	status int
	body   bytes.Buffer
	sent   bool // with what follows, without a tag
}

func (w *tagged) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *tagged) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.sent && w.body.Len()+len(p) > maxTagged {
		w.send()
	}
	if w.sent {
		return w.ResponseWriter.Write(p)
	}
	return w.body.Write(p)
}

// Flush is what streams of more than one part do.
func (w *tagged) Flush() {
	w.send()
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *tagged) send() {
	if w.sent {
		return
	}
	w.sent = true
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	_, _ = w.ResponseWriter.Write(w.body.Bytes()) //nolint:gosec // what the handler wrote; an error is that the client is gone
	w.body = bytes.Buffer{}
}

// end sends an answer with its tag, or says that the client has it.
func (w *tagged) end() {
	version := w.Header().Get("ETag")
	reads := safe(w.r.Method)
	if w.sent || w.status != http.StatusOK && w.status != http.StatusCreated || version == "" && !reads {
		w.send()
		return
	}
	sum := sha256.Sum256(w.body.Bytes())
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	if version != "" {
		tag = strings.TrimSuffix(version, `"`) + "." + tag[1:]
	}
	h.Set("ETag", tag)
	if reads && !noneMatches(w.r.Header.Get("If-None-Match"), tag) {
		for _, name := range []string{"Content-Type", "Content-Length", "Location"} {
			h.Del(name)
		}
		w.status, w.body = http.StatusNotModified, bytes.Buffer{}
	}
	w.send()
}

// noneMatches reports whether none of the tags of a field is an answer's, by the weak
// comparison (RFC 9110, section 13.1.2).
func noneMatches(field, tag string) bool {
	for one := range strings.SplitSeq(field, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return false
		}
	}
	return true
}

// tags gives answers their ETag: all to GET, and those of what was changed.
func tags(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"If-Match", "If-None-Match"} {
			if fields := r.Header.Values(name); len(fields) > 1 { // a list in several (RFC 9110, section 5.3)
				r.Header.Set(name, strings.Join(fields, ", "))
			}
		}
		t := &tagged{ResponseWriter: w, r: r}
		next.ServeHTTP(t, r)
		t.end()
	})
}

// conditions has the OpenAPI document say that what is read may have been read before.
func conditions(op *huma.Operation) {
	if op.Method != http.MethodGet || op.Responses["303"] != nil {
		return
	}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The ETag of the answer as it was read: 304 if it is the same",
	})
	tag := map[string]*huma.Param{"ETag": {Schema: &huma.Schema{Type: huma.TypeString}, Description: "Of the answer, unless it is longer than 1 MiB; for If-Match, of what it shows"}}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["200"] = &huma.Response{Headers: tag}
	op.Responses["304"] = &huma.Response{Description: "The client has the answer", Headers: maps.Clone(tag)}
}
