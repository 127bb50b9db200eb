package lambdahost

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/test/stack"
)

const defaultRoute = "$default"

// How well a route fits, from worst to best; compared segment by segment.
const (
	fitsDefault = iota
	fitsGreedy
	fitsVariable
	fitsExactly
)

// match finds the most specific route, and the values of its variables.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func match(routes []stack.Route, method string, u *url.URL) (stack.Route, map[string]string, bool) {
	var best stack.Route
	var bestParams map[string]string
	var bestFit []int
	for _, r := range routes {
		if r.Method != "ANY" && r.Method != method {
			continue
		}
		params, fit, ok := matchPath(r.Path, u.EscapedPath())
		if !ok {
			continue
		}
		if r.Method == "ANY" {
			fit = append(fit, 0)
		} else {
			fit = append(fit, 1)
		}
		if bestFit == nil || slices.Compare(fit, bestFit) > 0 {
			best, bestParams, bestFit = r, params, fit
		}
	}
	return best, bestParams, bestFit != nil
}

func matchPath(pattern, path string) (params map[string]string, fit []int, ok bool) {
	if pattern == defaultRoute {
		return nil, []int{fitsDefault}, true
	}
	params = map[string]string{}
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, segment := range want {
		name, variable := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		name, greedy := strings.CutSuffix(name, "+")
		switch {
		case i >= len(have):
			return nil, nil, false
		case variable && greedy:
			params[name] = unescape(strings.Join(have[i:], "/"))
			return params, append(fit, fitsGreedy), params[name] != ""
		case variable && have[i] != "":
			params[name] = unescape(have[i])
			fit = append(fit, fitsVariable)
		case !variable && segment == unescape(have[i]):
			fit = append(fit, fitsExactly)
		default:
			return nil, nil, false
		}
	}
	return params, fit, len(want) == len(have)
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
