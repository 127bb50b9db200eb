package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// recorded is the examples of the OpenAPI document, as JSON: what a walk through all
// operations asked, and what it was answered. They are the same each time: what is made at
// random, and what depends on how fast the machine is, is something that looks like it.
func recorded(ctx context.Context) ([]byte, error) {
	at, err := os.MkdirTemp("", "cloudarq-walk-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(at) }()
	ctx, stop := context.WithCancel(ctx)
	w := &walk{ctx: ctx}
	d, err := newDeployment(ctx, at, w.clock)
	if err != nil {
		stop()
		return nil, err
	}
	worked := make(chan struct{})
	go func() { defer close(worked); d.work(ctx) }()
	defer func() { stop(); <-worked }()
	w.d, w.handler = d, d.api.Handler()
	t, err := newTally(w.handler)
	if err != nil {
		return nil, err
	}
	w.routes = t.routes
	if err := w.whole(); err != nil {
		return nil, fmt.Errorf("walk through all operations: %w", err)
	}
	return w.examples.write()
}

// write writes the examples in the order of their names, the fields of each in the order in
// which they came.
func (e examples) write() ([]byte, error) {
	var b bytes.Buffer
	same := &steady{ids: map[string]string{}}
	b.WriteString(`{"operations":{`)
	for i, id := range slices.Sorted(maps.Keys(e.Operations)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "%q:{", id)
		o := e.Operations[id]
		if len(o.Request) > 0 {
			b.WriteString(`"request":` + same.of(o.Request))
		}
		if len(o.Answer) > 0 {
			if len(o.Request) > 0 {
				b.WriteString(",")
			}
			b.WriteString(`"answer":` + same.of(o.Answer))
		}
		b.WriteString("}")
	}
	b.WriteString(`},"problems":{`)
	for i, name := range slices.Sorted(maps.Keys(e.Problems)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "%q:%s", name, same.of(e.Problems[name]))
	}
	b.WriteString("}}")
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", " "); err != nil {
		return nil, err
	}
	return append(out.Bytes(), '\n'), nil
}

// steady puts something that looks like it for what differs between two walks.
type steady struct{ ids map[string]string }

var ulids = regexp.MustCompile(`[0-7][0-9A-HJKMNP-TV-Z]{25}`)

// changing are texts that differ, and what stands for them. Secrets are cut, so that no
// scanner takes them for some.
var changing = []struct {
	text *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\b(caq[a-z]?_[0-9A-Z]{26})_[0-9A-Za-z]{49}`), "${1}_…"},
	{regexp.MustCompile(`\bcaqc_[A-Za-z0-9_-]{20,}`), "caqc_…"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_.-]{20,}`), "eyJ…"},
	{regexp.MustCompile(`("|param_ExternalId=)cloudarq-[A-Za-z0-9_-]{32}("|&)`), "${1}cloudarq-EXAMPLE${2}"},
	{regexp.MustCompile(`"secret":"[A-Z2-7]{32}"`), `"secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"`},
	{regexp.MustCompile(`secret=[A-Z2-7]{32}`), "secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
	{regexp.MustCompile(`"qr":"<svg[^"\\]*(?:\\.[^"\\]*)*"`), `"qr":"<svg>…</svg>"`},
	{regexp.MustCompile(`\b[0-9a-hjkmnp-tv-z]{4}(?:-[0-9a-hjkmnp-tv-z]{4}){3}\b`), "7k3m-9q2x-4t8w-6z1c"},
	{regexp.MustCompile(`"code":"[0-9]{6}"`), `"code":"123456"`},
	{regexp.MustCompile(`"(hash|prev|sha256|statement_sha256)":"[0-9a-f]{64}"`), `"${1}":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`},
	{regexp.MustCompile(`"(public_key|signature|sig|key)":"[A-Za-z0-9+/]{40,}={0,2}"`), `"${1}":"…"`},
	{regexp.MustCompile(`"SHA256:[A-Za-z0-9+/]{43}"`), `"SHA256:…"`},
	{regexp.MustCompile(`"challenge":"[A-Za-z0-9_-]{43}"`), `"challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"`}, // of RFC 7636
	{regexp.MustCompile(`"(id|rawId|clientDataJSON|attestationObject|authenticatorData|signature|userHandle|publicKey|transports)":"[A-Za-z0-9_-]{27,}={0,2}"`), `"${1}":"…"`},
	{regexp.MustCompile(`"duration_ms":[0-9.e-]+`), `"duration_ms":12.5`},
	{regexp.MustCompile(`"(size|bytes)":[0-9]+`), `"${1}":583`},
	{regexp.MustCompile(`"cursor":"[A-Za-z0-9_-]+"`), `"cursor":"AZedugbyHIwMLd2N"`},
	{regexp.MustCompile(`"csrf_token":"[^"]+"`), `"csrf_token":"…"`},
}

func (s *steady) of(text []byte) string {
	out := string(bytes.TrimSpace(text))
	for _, c := range changing {
		out = c.text.ReplaceAllString(out, c.by)
	}
	return ulids.ReplaceAllStringFunc(out, func(id string) string {
		if strings.Trim(id, "0") == "" {
			return id
		}
		if _, ok := s.ids[id]; !ok {
			s.ids[id] = fmt.Sprintf("01KBA0Q7Z3%016d", len(s.ids)+1)
		}
		return s.ids[id]
	})
}
