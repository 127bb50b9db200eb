package secretscan

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// shape is a form of credentials that is recognised by itself: a word that begins
// with a literal and goes on with at least so many characters of a kind. Those after
// it must look drawn, so that "ghp_xxxxxxxx…" in a manual is none.
type shape struct {
	literal string
	kind    func(byte) bool
	least   int
	exact   bool // no more than that many
	inside  bool // other characters may stand right before the literal
}

// longestShape bounds what is read of one token; those of Bedrock, Vault and
// 1Password go on for some hundred characters, which need not all be looked at.
const longestShape = 256

// shapes are the forms that issuers gave to their credentials. Most are those of the
// rules of gitleaks 8 (config/gitleaks.toml) and detect-secrets 1.5 (plugins/), as of
// November 2026, which name the issuers' own pages. What an issuer means to be public
// (Stripe's pk_, New Relic's NRJS-, AWS's ids AIDA and AROA) is not there.
var shapes = func() []shape {
	all := []shape{
		// AWS: access keys, bearer tokens of STS and of services, Bedrock's API keys.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
		{literal: "AKIA", kind: upper, least: 16, exact: true},
		{literal: "ASIA", kind: upper, least: 16, exact: true},
		{literal: "ABIA", kind: upper, least: 16, exact: true},
		{literal: "ACCA", kind: upper, least: 16, exact: true},
		{literal: "ABSK", kind: base64d, least: 100},
		{literal: "bedrock-api-key-", kind: base64d, least: 40},
		{literal: "amzn.mws.", kind: dashed, least: 36},
		// GitHub and GitLab.
		{literal: "github_pat_", kind: wordly, least: 60},
		{literal: "glptt-", kind: hexed, least: 40},
		{literal: "GR1348941", kind: dashed, least: 20},
		{literal: "gloas-", kind: hexed, least: 64},
		// Slack, Discord, Telegram, Teams.
		{literal: "xapp-", kind: slack, least: 20},
		{literal: "hooks.slack.com/services/", kind: path, least: 40, inside: true},
		{literal: "hooks.slack.com/workflows/", kind: path, least: 40, inside: true},
		{literal: "hooks.slack.com/triggers/", kind: path, least: 40, inside: true},
		{literal: "discord.com/api/webhooks/", kind: path, least: 70, inside: true},
		{literal: "discordapp.com/api/webhooks/", kind: path, least: 70, inside: true},
		{literal: "webhook.office.com/webhookb2/", kind: func(c byte) bool { return path(c) || c == '@' }, least: 80, inside: true},
		{literal: ":AA", kind: dashed, least: 33, exact: true, inside: true},
		// Payments.
		{literal: "sk_live_", kind: alnum, least: 16},
		{literal: "rk_live_", kind: alnum, least: 16},
		{literal: "sk_test_", kind: alnum, least: 16},
		{literal: "rk_test_", kind: alnum, least: 16},
		{literal: "sk_prod_", kind: alnum, least: 16},
		{literal: "whsec_", kind: base64d, least: 24},
		{literal: "sq0atp-", kind: dashed, least: 22},
		{literal: "sq0csp-", kind: dashed, least: 43},
		{literal: "shippo_live_", kind: hexed, least: 40},
		{literal: "FLWSECK-", kind: dashed, least: 20},
		{literal: "EZAK", kind: alnum, least: 54, exact: true},
		// Clouds and their tools.
		{literal: "AIza", kind: dashed, least: 35, exact: true},
		{literal: "GOCSPX-", kind: dashed, least: 28},
		{literal: "ya29.", kind: dashed, least: 30},
		{literal: "LTAI", kind: alnum, least: 16},
		{literal: "dop_v1_", kind: hexed, least: 64},
		{literal: "doo_v1_", kind: hexed, least: 64},
		{literal: "dor_v1_", kind: hexed, least: 64},
		{literal: "HRKU-", kind: dashed, least: 36},
		{literal: "hvs.", kind: dashed, least: 24},
		{literal: "hvb.", kind: dashed, least: 90},
		{literal: "atlasv1.", kind: dashed, least: 60, inside: true},
		{literal: "dp.pt.", kind: alnum, least: 40},
		{literal: "dp.st.", kind: dotted, least: 40},
		{literal: "pul-", kind: hexed, least: 40, exact: true},
		{literal: "tskey-", kind: dashed, least: 20},
		{literal: "ops_eyJ", kind: base64d, least: 60},
		{literal: "AGE-SECRET-KEY-1", kind: upper, least: 58, exact: true},
		{literal: "pscale_tkn_", kind: dotted, least: 32},
		{literal: "pscale_pw_", kind: dotted, least: 32},
		{literal: "dapi", kind: hexed, least: 32, exact: true},
		{literal: "tfp_", kind: alnum, least: 40},
		{literal: "K10", kind: hexed, least: 64},
		// Registries.
		{literal: "npm_", kind: alnum, least: 36, exact: true},
		{literal: "pypi-", kind: dashed, least: 60},
		{literal: "rubygems_", kind: hexed, least: 48},
		{literal: "dckr_pat_", kind: dashed, least: 24},
		{literal: "dckr_oat_", kind: dashed, least: 24},
		{literal: "AKCp", kind: alnum, least: 60},
		{literal: "oy2", kind: lower, least: 43, exact: true},
		{literal: "CLOJARS_", kind: alnum, least: 60},
		// Models.
		{literal: "sk-ant-", kind: dashed, least: 40},
		{literal: "sk-proj-", kind: dashed, least: 40},
		{literal: "sk-svcacct-", kind: dashed, least: 40},
		{literal: "T3BlbkFJ", kind: dashed, least: 20, inside: true},
		{literal: "hf_", kind: alnum, least: 34, exact: true},
		{literal: "gsk_", kind: alnum, least: 48},
		{literal: "xai-", kind: alnum, least: 60},
		{literal: "pplx-", kind: alnum, least: 40},
		{literal: "r8_", kind: alnum, least: 37},
		// Observability, mail, shops, the rest.
		{literal: "NRAK-", kind: upper, least: 27},
		{literal: "NRII-", kind: dashed, least: 32},
		{literal: "glsa_", kind: wordly, least: 40},
		{literal: "glc_", kind: base64d, least: 32},
		{literal: "sntrys_", kind: base64d, least: 60},
		{literal: "sntryu_", kind: hexed, least: 64},
		{literal: "dt0c01.", kind: dotted, least: 80},
		{literal: "SG.", kind: dotted, least: 60},
		{literal: "xkeysib-", kind: dashed, least: 64},
		{literal: "key-", kind: hexed, least: 32, exact: true},
		{literal: "PMAK-", kind: dashed, least: 50},
		{literal: "lin_api_", kind: alnum, least: 40},
		{literal: "figd_", kind: dashed, least: 40},
		{literal: "CFPAT-", kind: dashed, least: 43},
		{literal: "ATATT3", kind: func(c byte) bool { return dashed(c) || c == '=' }, least: 100},
		{literal: "ATBB", kind: alnum, least: 32},
		{literal: "ATCTT3", kind: func(c byte) bool { return dashed(c) || c == '=' }, least: 100},
		{literal: "sgp_", kind: wordly, least: 40},
	}
	for _, kind := range "pousr" {
		all = append(all, shape{literal: "gh" + string(kind) + "_", kind: alnum, least: 36})
	}
	for _, kind := range strings.Fields("pat dt rt cbt ft imt agent soat feat oas") {
		all = append(all, shape{literal: "gl" + kind + "-", kind: dotted, least: 20})
	}
	for _, kind := range "abpeosr" {
		all = append(all, shape{literal: "xox" + string(kind) + "-", kind: slack, least: 10})
	}
	for _, kind := range strings.Fields("at ca pa ss") {
		all = append(all, shape{literal: "shp" + kind + "_", kind: hexed, least: 32})
	}
	return all
}()

func slack(c byte) bool { return alnum(c) || c == '-' || c == '.' }
func path(c byte) bool  { return dashed(c) || c == '/' || c == '+' }

// shaped reports whether a text holds a credential that is recognised by its form.
func shaped(text string) bool {
	for _, s := range shapes {
		if each(text, s.literal, s.is) {
			return true
		}
	}
	return each(text, "PRIVATE KEY", privateKey) || each(text, ".eyJ", webToken) ||
		each(text, "://", passwordURL) || each(text, "jdbc:oracle:thin:", oracle) ||
		each(text, "Q~", azureSecret) || each(text, "PuTTY-User-Key-File-", func(string, string) bool { return true }) ||
		each(text, "asic ", basic) || each(text, "earer ", bearer)
}

func (s shape) is(before, after string) bool {
	if !s.inside && !begins(before) {
		return false
	}
	if s.literal == ":AA" && runBack(before, digit, 11) < 8 { // Telegram's bots have a number first
		return false
	}
	most := longestShape
	if s.exact {
		most = s.least + 1
	}
	n := run(after, s.kind, most)
	if n < s.least || s.exact && n > s.least {
		return false
	}
	return (n == len(after) || n == most || !wordly(after[n])) && drawn(after[:n])
}

// drawn reports whether a token's characters look drawn by lot: filler repeats a few.
func drawn(token string) bool { return entropy(token) >= 2.2 }

// privateKey is "-----BEGIN … PRIVATE KEY-----", with capitals between (PEM), or the
// same with "BLOCK" (PGP).
func privateKey(before, after string) bool {
	if !strings.HasPrefix(after, "-----") && !strings.HasPrefix(after, " BLOCK-----") {
		return false
	}
	n := runBack(before, func(c byte) bool { return c == ' ' || 'A' <= c && c <= 'Z' }, 64)
	return strings.HasPrefix(before[len(before)-n:], "BEGIN ") && strings.HasSuffix(before[:len(before)-n], "-----")
}

// webToken is a JSON web token: three parts, of which the first two begin with
// "eyJ"; the literal is the border of these.
func webToken(before, after string) bool {
	n := runBack(before, dashed, longestShape)
	first := before[len(before)-n:]
	i := strings.Index(first, "eyJ")
	if i < 0 || len(first)-i < 13 || i > 0 && wordly(first[i-1]) {
		return false
	}
	// The second part has no bound but the text's end, and ends at the third; the
	// next border of parts that is looked at lies behind it.
	n = run(after, dashed, maxPart)
	return n >= 10 && n+1 < len(after) && after[n] == '.' && dashed(after[n+1])
}

// maxPart is how long a part of a web token may be, or the user or password in a URL.
const maxPart = 2048

// passwordURL is scheme://user:password@, where the user may be missing, as in those
// of Redis.
func passwordURL(before, after string) bool {
	scheme := before[len(before)-runBack(before, func(c byte) bool { return alnum(c) || c == '+' || c == '.' || c == '-' }, 32):]
	if strings.IndexFunc(scheme, func(r rune) bool { return r < utf8.RuneSelf && letter(byte(r)) }) < 0 {
		return false
	}
	user := run(after, func(c byte) bool {
		return c != '/' && c != ':' && c != '@' && c != '?' && c != '#' && !space(c) && !quote(c)
	}, maxPart)
	if user == len(after) || after[user] != ':' {
		return false
	}
	after = after[user+1:]
	n := run(after, func(c byte) bool { return c != '/' && c != '@' && !space(c) && !quote(c) }, maxPart)
	if n == len(after) || after[n] != '@' {
		return false
	}
	password := after[:n]
	if port := run(password, digit, -1); port > 0 && port < n && strings.IndexByte("?#", password[port]) >= 0 {
		return false // host:443?mail=user@example.com
	}
	return utf8.RuneCountInString(password) >= 3 && !reference(password, inText) && !filler(password)
}

// oracle is jdbc:oracle:thin:user/password@.
func oracle(_, after string) bool {
	user := run(after, wordly, 64)
	if user == 0 || user == len(after) || after[user] != '/' {
		return false
	}
	after = after[user+1:]
	n := run(after, func(c byte) bool { return c != '@' && c != '/' && !space(c) && !quote(c) }, 128)
	return n >= 3 && n < len(after) && after[n] == '@' && !reference(after[:n], inText) && !filler(after[:n])
}

// azureSecret is a client secret of Microsoft Entra: three characters and a digit
// before the literal, some thirty after it.
func azureSecret(before, after string) bool {
	kind := func(c byte) bool { return dotted(c) || c == '~' }
	n := runBack(before, kind, 5)
	return n == 4 && digit(before[len(before)-1]) && run(after, kind, 40) >= 31
}

// basic is "Basic " and user:password in base64, as the header Authorization has it.
func basic(before, after string) bool {
	if before == "" || before[len(before)-1]|0x20 != 'b' {
		return false
	}
	return pair64(after[:run(after, func(c byte) bool { return base64d(c) || c == '=' }, longestShape)])
}

// pair64 reports whether a text is user:password in base64.
func pair64(text string) bool {
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || !printable(data) {
		return false
	}
	user, password, ok := strings.Cut(string(data), ":")
	return ok && user != "" && password != "" && classPassword.credential(password, setting)
}

// bearer is "Bearer " and a token that looks drawn.
func bearer(before, after string) bool {
	if before == "" || before[len(before)-1]|0x20 != 'b' {
		return false
	}
	return random(after[:run(after, func(c byte) bool { return dotted(c) || base64d(c) || c == '=' || c == '~' }, longestShape)])
}
