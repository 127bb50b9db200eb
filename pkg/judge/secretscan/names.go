package secretscan

import (
	"slices"
	"strings"
	"unicode"
)

// class is what the name of a setting says of its value.
type class struct {
	kind kind
	// weak says that something else in the name speaks against a credential: an ending
	// that makes it a reference (DB_PASSWORD_PATH), a beginning that makes it a switch
	// (REQUIRE_PASSWORD). Then only a value that is plainly drawn by lot counts.
	weak bool
	caps bool // the name is in capitals, as variables of the environment are
	verb bool // the name is a word alone that is a verb in prose: pass
}

type kind int

const (
	nothing  kind = iota
	drawnKey      // some key (LICENSE_KEY): only what is drawn counts
	auth          // REDIS_AUTH: a password, or a mechanism
	stored        // DB_SECRET: a secret, or what it is called where it is kept
	issued        // API_KEY, TOKEN: made by a machine
	material      // JWT_SECRET, SECRET_KEY: chosen by people or drawn
	password      // chosen by people
	exact         // names that a rule of AWS knows
)

var classPassword = class{kind: password}

// exactNames are those that Security Hub's ECS.8 (AWS Config's
// ecs-no-environment-secrets) goes by, whatever their values are, and the half of
// Vault's AppRole that is secret and shaped like an id.
// https://docs.aws.amazon.com/config/latest/developerguide/ecs-no-environment-secrets.html (November 2026)
var exactNames = words("AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY ECS_ENGINE_AUTH_DATA VAULT_SECRET_ID")

var (
	passwordWords = words("password passwd passphrase passcode pwd passwort kennwort contrasena senha mnemonic requirepass masterauth bindpw psk")
	shortWords    = words("pass pw") // as a name's last word alone
	storedWords   = words("secret credential cred")
	tokenWords    = words("token bearer")

	// Before "secret", these make it key material instead of an entry in a store.
	materialBefore = words("jwt session cookie client app application webhook signing sign hmac shared consumer oauth api auth token csrf flask django rails nextauth access encryption refresh hash key channel bot admin")
	// Before "key", these make it a credential: made by a machine, or also by people.
	keyIssued   = words("api private access auth account service admin deploy storage authorization appkey bearer")
	keyMaterial = words("secret encryption encrypt encrypted signing sign master crypto crypt cipher hmac jwt session shared passphrase")
	// Anywhere, these make it something that may be known; before "key", those, too.
	public       = words("public pub publishable cert certificate fingerprint thumbprint checksum digest")
	publicBefore = words("site cache partition sort primary foreign object idempotency dedup kms index routing s3 etag tag label measurement host gpg ssh")
	// Before "token", these make it a place in a listing, or a number of words.
	counted = words("next page paging pagination continuation start max min num number total prompt completion input output count budget")

	// Endings of what points to a secret or speaks about one.
	referring = words(`name names arn arns id ids url urls uri uris host hostname domain endpoint server service services path paths file files
		filename dir directory folder bucket table queue topic ttl length len size min max count num number limit policy policies rotation rotate
		interval period days day hours hour minutes minute seconds second secs sec ms duration lifetime age expiry expires expire expiration exp
		timeout date time timestamp at type kind format encoding algorithm alg algo header headers field fields column attribute attr param params
		parameter parameters prefix suffix pattern regex template label placeholder hint prompt message error reset enabled disabled required
		optional allowed enable disable check validation validator validate verify verification strength complexity history reuse manager store
		backend provider source location region version mode method methods scheme strategy issuer audience scope scopes user username login email
		role group ref reference alias env variable var process handler function lambda module class package plugin middleware controller model
		schema view page form input button link route screen authentication agent daemon bundle review request response exchange vending broker
		proxy gateway less operator driver sync injector metadata config configuration settings options rules usage status state flag feature
		description comment title text help doc docs engine alert owner team cost center rotator fetcher loader cleanup index only address addresses`)
	// Endings of what says which characters there may be, all of them in a row.
	alphabets = words("characters chars charset alphabet")
	// Beginnings of switches.
	switches = words(`use uses enable enabled disable disabled require required requires has is allow allowed show reset forgot need needs no skip
		with without should can force validate check rotate generate get list delete remove ask change`)
	// Endings that say nothing: which one of several it is.
	several = words("v prod production prd dev develop development staging stg stage test tst qa uat live sandbox old new current previous primary secondary main backup default a b")

	// stems are what names run together are taken apart by, longest first.
	stems = strings.Fields("accesskeyid secretaccesskey encryptionkey credentials passphrase secretkey accesskey privatekey signingkey masterkey credential password passwort authkey apikey passwd secret token creds pwd pass")
	apart = map[string][]string{
		"accesskeyid": {"access", "key", "id"}, "secretaccesskey": {"secret", "access", "key"}, "encryptionkey": {"encryption", "key"},
		"secretkey": {"secret", "key"}, "accesskey": {"access", "key"}, "privatekey": {"private", "key"}, "signingkey": {"signing", "key"},
		"masterkey": {"master", "key"}, "authkey": {"auth", "key"}, "apikey": {"api", "key"},
	}
	// Words that have a stem in them and mean something else.
	others = words("bypass compass encompass trespass surpass overpass underpass passthrough passive passport secretary secretariat tokenizer tokenize tokenized tokenization tokenizers detokenize passing passed passes passenger")
)

// longestName is how much of the end of a name is looked at.
const longestName = 128

// classify says what a name says.
func classify(name string) class {
	name = name[max(0, len(name)-longestName):]
	if !hinted(strings.ToLower(name)) {
		return class{}
	}
	if exactNames[strings.ToUpper(name)] {
		return class{kind: exact, caps: true}
	}
	all := split(name)
	last := len(all) // of the words that say something
	for last > 1 && (several[all[last-1]] || digit(all[last-1][len(all[last-1])-1])) {
		last--
	}
	c := class{caps: name == strings.ToUpper(name), verb: last == 1 && shortWords[all[0]]}
	for i := range all {
		c.kind = max(c.kind, word(all, i, last))
	}
	if c.kind == nothing || len(all) == 0 {
		return class{}
	}
	if alphabets[all[last-1]] {
		return class{}
	}
	known := slices.ContainsFunc(all, func(w string) bool { return public[w] })
	switch {
	case known && c.kind < password && all[last-1] != "secret":
		return class{}
	case referring[all[last-1]] || switches[all[0]]:
		// What is called a key or a mechanism is too little to go on with.
		if c.kind < stored || c.kind == issued {
			return class{}
		}
		c.weak = true
	case storedWords[strings.TrimSuffix(all[last-1], "s")] && c.kind == password:
		c.kind = stored // DB_PASSWORD_SECRET
	case all[last-1] == "key" && c.kind > drawnKey && last > 1 && !keyIssued[all[last-2]] && !keyMaterial[all[last-2]]:
		c.kind = drawnKey // PASSWORD_KEY: where in something the password is
	}
	return c
}

// hinted reports whether a name has the letters of a word for a secret: most
// names have not, and need not be taken apart.
func hinted(name string) bool {
	for _, hint := range []string{"key", "pass", "secret", "token", "auth", "pwd", "cred", "pw", "pat", "jwt", "salt", "pepper", "bearer", "mnemonic", "kennwort", "senha", "contrase", "psk"} {
		if strings.Contains(name, hint) {
			return true
		}
	}
	return false
}

// word is what one word of a name says, of which those up to last say something.
func word(all []string, i, last int) kind {
	before := ""
	if i > 0 {
		before = all[i-1]
	}
	switch w := strings.TrimSuffix(all[i], "s"); {
	case passwordWords[w] || passwordWords[all[i]]:
		return password
	case i == last-1 && (shortWords[w] || shortWords[all[i]]):
		return password
	case w == "secret" && materialBefore[before]:
		return material
	case storedWords[w]:
		return stored
	case tokenWords[w]:
		if counted[before] || all[i] == "tokens" && i == last-1 && before == "" {
			return nothing
		}
		return issued
	case w == "key" && keyMaterial[before]:
		return material
	case w == "key" && keyIssued[before]:
		if before == "access" && i > 1 && all[i-2] == "secret" {
			return material
		}
		return issued
	case w == "key" && publicBefore[before]:
		return nothing
	case w == "key" && i == last-1 && before != "":
		return drawnKey
	case (w == "pat" || w == "jwt") && i == last-1 && before != "":
		return drawnKey
	case all[i] == "auth" && i == last-1:
		return auth
	case (w == "salt" || w == "pepper") && i == last-1:
		return drawnKey
	}
	return nothing
}

// split takes a name apart into its words, in lower case: at what is no letter, at
// digits, where capitals begin (dbPassword, DBPassword), and where words known for
// secrets run into others (dbpassword, tokenttl).
func split(name string) []string {
	var all []string
	begin := 0
	flush := func(end int) {
		if begin < end {
			all = append(all, strings.ToLower(name[begin:end]))
		}
		begin = end
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case !alnum(c):
			flush(i)
			begin = i + 1
		case i == begin:
		case digit(c) && i == begin+1: // s3, v2
		case digit(c) != digit(name[i-1]),
			unicode.IsUpper(rune(c)) && unicode.IsLower(rune(name[i-1])),
			unicode.IsUpper(rune(c)) && i+1 < len(name) && unicode.IsLower(rune(name[i+1])):
			flush(i)
		}
	}
	flush(len(name))
	var taken []string
	for _, w := range all {
		taken = append(taken, unglue(w)...)
	}
	return taken
}

func unglue(w string) []string {
	if others[w] || passwordWords[w] {
		return []string{w}
	}
	for _, stem := range stems {
		before, after, ok := strings.Cut(w, stem)
		if !ok || after != "" && after != "s" && after != "key" && !referring[after] {
			continue
		}
		if stem == "pass" && after != "" && before == "" {
			continue
		}
		var parts []string
		if before != "" {
			parts = append(parts, before)
		}
		if known, ok := apart[stem]; ok {
			parts = append(parts, known...)
		} else {
			parts = append(parts, stem)
		}
		if after != "" && after != "s" {
			parts = append(parts, after)
		}
		return parts
	}
	return []string{w}
}
