package secretscan

import (
	"math"
	"strings"
	"unicode/utf8"
)

// place is where a value stands.
type place int

const (
	setting place = iota // the whole value of a setting
	inText               // in a text, without quotes
	inCode               // the same, between blanks as only programs have them
	quoted               // in a text, between double quotes
	literal              // in a text, between single quotes, where a shell replaces nothing
)

// maxValue is how much of a value is looked at, and maxVariable how long the name of
// a variable may be.
const (
	maxValue    = 256
	maxVariable = 64
)

// credential reports whether a value is a credential, as far as its name lets expect.
func (c class) credential(value string, at place) bool {
	if c.kind == nothing {
		return false
	}
	value = strings.TrimSpace(value[:min(len(value), maxValue)])
	if value == "" || reference(value, at) || !utf8.ValidString(value) && len(value) < maxValue {
		return false
	}
	if c.kind == exact && at == setting {
		return true
	}
	if filler(value) || pattern(value) || settings[strings.ToLower(strings.Trim(value, ".!?"))] || structured(value) {
		return false
	}
	if c.weak {
		return len(value) >= 20 && random(value)
	}
	if (at == inCode || at == inText && !c.caps) && expression(value) {
		return false
	}
	least := 6
	if c.kind == password && at == setting {
		least = 4 // "root" is a password where nothing but a value can stand
	}
	if utf8.RuneCountInString(value) < least {
		return false
	}
	switch c.kind {
	case password:
		return !number(value) || len(value) >= 6
	case material, exact:
		return !quantity(value) && (!named(value) || !strings.ContainsAny(value, "/:") && !referring[lastWord(value)])
	case stored:
		return !quantity(value) && !named(value)
	case issued:
		return !quantity(value) && (uuid(value) || !named(value)) && !strings.Contains(value, " ")
	case auth:
		return strong(value) && !named(value)
	default:
		return random(value) && !uuid(value)
	}
}

// settings are values that say how something is done, and types of values.
var settings = words(`true false yes no on off y n t f 0 1 none null nil undefined empty unset n/a na required optional enabled disabled enable
	disable always never sometimes auto automatic default prefer preferred prompt ask manual rotate rotated generated managed external internal
	inherit encrypted hashed hidden masked redacted strong weak strict lax permissive allow allowed deny denied block blocked basic bearer plain
	digest iam oauth oauth2 oidc jwt saml ldap kerberos mtls secretsmanager secretmanager secrets-manager parameterstore parameter-store vault ssm
	kms keychain keyring env environment file cookie header headers body query session memory redis database md5 sha1 sha256 sha512 sha-1 sha-256
	sha-512 bcrypt scrypt argon2 argon2id pbkdf2 aes aes256 aes-256 aes-256-gcm aes-256-cbc rsa rsa-2048 rsa-4096 ed25519 hs256 hs384 hs512 rs256
	rs384 rs512 es256 es384 string str text boolean bool integer int number object array list map bytes varchar char any securestring
	stringlist sensitive private public local remote scram-sha-256 caching_sha2_password mysql_native_password success failed failure pending
	active inactive expired invalid valid missing changed updated random forbidden unlimited infinite lock locked unlock nopasswd prohibit-password
	without-password awscurrent awspending awsprevious lowercase uppercase compat files sss systemd nis
	unused ignored tbd not-set notset`)

// reference reports whether a value points to a secret kept elsewhere, or says how to
// come by one.
func reference(value string, at place) bool {
	switch {
	case strings.HasPrefix(value, "arn:"), strings.Contains(value, "{{"), strings.HasPrefix(value, "${"), strings.HasPrefix(value, "$("),
		strings.HasPrefix(value, "`"), strings.HasPrefix(value, "#{"), strings.HasPrefix(value, "%("), strings.HasPrefix(value, `\(`), strings.HasPrefix(value, "<%"),
		strings.HasPrefix(value, "!Ref"), strings.HasPrefix(value, "!Sub"), strings.HasPrefix(value, "!GetAtt"), strings.HasPrefix(value, "!ImportValue"),
		strings.HasPrefix(value, "ENC["), strings.HasPrefix(value, "AQICAH"), // encrypted by sops; by KMS, whose blobs begin so in base64
		strings.HasPrefix(value, "$ANSIBLE_VAULT;"), strings.HasPrefix(value, "@Microsoft.KeyVault("):
		return true
	case strings.HasPrefix(value, "$"):
		return variable(value, at)
	case strings.HasPrefix(value, "%") && strings.HasSuffix(value, "%") && len(value) > 2,
		strings.HasPrefix(value, "@") && strings.HasSuffix(value, "@") && len(value) > 2:
		return run(value[1:], dotted, -1) == len(value)-2
	case strings.HasPrefix(value, "alias/"), strings.HasPrefix(value, "id="), // --secret id=… of docker build
		strings.Contains(value, "/") && named(value):
		return true
	}
	if service, _, ok := strings.Cut(value, "!"); ok && managing[service] {
		return true
	}
	if scheme, rest, ok := strings.Cut(value, ":"); ok && stores[strings.ToLower(scheme)] && !strings.HasPrefix(rest, " ") {
		return true
	}
	if i := strings.Index(value, "://"); i > 0 && run(value, func(c byte) bool { return alnum(c) || c == '+' || c == '.' || c == '-' }, 32) == i {
		return !strings.Contains(value, "@") // a password in it has its own form
	}
	return pathlike(value)
}

// stores are the beginnings of references to where secrets are kept.
var stores = words(`ssm ssm-secure secretsmanager aws-ssm aws-sm awssm aws-secretsmanager aws-secrets asm resolve vault op gcp gcpsm gcp-secretmanager
	sm azurekv keyvault akv env file secret secretref valuefrom sops ref doppler bws conjur kms`)

// managing are the services that make secrets of their own, whose names begin so.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html (November 2026)
var managing = words("appflow databrew datasync directconnect ecs-sc events marketplace-deployment opsworks-cm rds redshift sqlworkbench")

// variable reports whether what begins with "$" names a variable and nothing else.
// What goes on with other characters is a secret, or the hash of one ($2y$, $6$).
func variable(value string, at place) bool {
	name := value[1:]
	for _, scope := range []string{"env:", "Env:", "global:", "script:", "this->", "this.", "_ENV[", "_SERVER["} {
		name = strings.TrimPrefix(name, scope)
	}
	n := run(name, wordly, -1)
	if n == 0 || digit(name[0]) {
		return name == "1" || name == "2" || name == "3" || name == "@" || name == "" // a script's arguments
	}
	whole := n == len(name)
	if !whole && at != setting && at != literal {
		// $x.password, $x['password'], $x->password, $x-$y, $x:$y, $x}
		return strings.IndexByte(".[-:/}),;|&\\@_$", name[n]) >= 0
	}
	name = name[:n]
	switch {
	case !whole:
		return false
	case name == strings.ToUpper(name):
		return true
	case at == literal:
		return false
	case at == setting:
		return strings.IndexFunc(name, func(r rune) bool { return '0' <= r && r <= '9' }) < 0
	}
	return true
}

// pathlike reports whether a value is a path of words: of a file, or of a parameter.
// A secret may begin with a slash, but its parts are no words.
func pathlike(value string) bool {
	switch {
	case strings.HasPrefix(value, "/"), strings.HasPrefix(value, "./"), strings.HasPrefix(value, "../"), strings.HasPrefix(value, "~/"):
	case len(value) > 3 && letter(value[0]) && value[1] == ':' && (value[2] == '\\' || value[2] == '/'):
		value = strings.ReplaceAll(value[2:], `\`, "/")
	default:
		return false
	}
	for part := range strings.SplitSeq(value, "/") {
		if part = strings.Trim(part, "${}*"); part != "" && !named(part) && !uuid(part) {
			return false
		}
	}
	return true
}

// filler reports whether a value only keeps the place of one: <password>, xxxxxxxx,
// ********, YOUR_API_KEY_HERE, REPLACE_ME.
func filler(value string) bool {
	if strings.HasPrefix(value, "<") && strings.HasSuffix(value, ">") || strings.HasPrefix(value, "[") && strings.HasSuffix(value, "]") {
		return true
	}
	if strings.Trim(value, value[:1]) == "" && len(value) > 2 && strings.Contains("xX*.-_#?", value[:1]) {
		return true
	}
	plain := strings.ToLower(value)
	for _, begin := range []string{"your_", "your-", "your ", "yourpassword", "yoursecret", "replace_", "replace-", "replaceme", "replace me", "insert_", "insert-", "put_your", "put-your", "enter_", "enter your", "todo", "placeholder", "redacted", "my_secret_here", "***", "xxxx"} {
		if strings.HasPrefix(plain, begin) {
			return true
		}
	}
	return strings.HasSuffix(plain, "_here") || strings.HasSuffix(plain, "-here") || strings.HasSuffix(plain, "...")
}

// pattern reports whether a value describes others, or something of a program: a
// regular expression, a colour, a number.
func pattern(value string) bool {
	for _, sign := range []string{"[a-z", "[A-Z", "[0-9", "[^", "(?", `\d`, `\w`, `\S`, `\s`} {
		if strings.Contains(value, sign) {
			return true
		}
	}
	if strings.HasPrefix(value, "0x") && run(value[2:], hexed, -1) == len(value)-2 && len(value) <= len("0x")+16 {
		return true // a number of a program
	}
	return strings.HasPrefix(value, "#") && len(value) <= len("#rrggbbaa") && run(value[1:], hexed, -1) == len(value)-1
}

// structured reports whether a value is an object or a list, whose own fields say
// what they are.
func structured(value string) bool {
	return strings.HasPrefix(value, "{") && (strings.HasSuffix(value, "}") || strings.Contains(value, `":`)) ||
		strings.HasPrefix(value, "[") && strings.HasSuffix(value, "]")
}

// expression reports whether a bare value is code: a call, a field of something, or
// the name of a variable that is itself named after a secret.
func expression(value string) bool {
	n := run(value, func(c byte) bool { return wordly(c) || c == '.' || c == ':' }, -1)
	if n == 0 || digit(value[0]) {
		return value != "" && strings.IndexByte("(&*[", value[0]) >= 0
	}
	if n < len(value) && (value[n] == '(' || value[n] == '[' || strings.HasPrefix(value[n:], "->")) {
		return true
	}
	rest := strings.TrimRight(value[n:], ",;)}]")
	if rest != "" {
		return false
	}
	name := value[:n]
	if strings.IndexFunc(name, func(r rune) bool { return '0' <= r && r <= '9' }) >= 0 {
		return false
	}
	return strings.Contains(name, ".") || len(name) <= maxVariable && classify(name).kind != nothing
}

// named reports whether a value looks like a name: words of letters between
// separators or capitals, with short numbers; an id; a version.
func named(value string) bool {
	if uuid(value) {
		return true
	}
	// What AWS makes of a name: six characters at the end of a secret's, twelve or
	// thirteen of a resource's that CloudFormation names.
	if i := strings.LastIndexByte(value, '-'); i >= 4 {
		if n := len(value) - i - 1; (n == 6 || n == 12 || n == 13) && run(value[i+1:], alnum, -1) == n {
			value = value[:i]
		}
	}
	letters, digits := 0, 0 // in a row
	turns := 0              // from digits back to letters within a word
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case digit(c):
			digits++
			if letters > 0 && digits > 2 {
				return false // hunter2222
			}
		case letter(c):
			if digits > 0 && letters > 0 || digits > 2 {
				turns++ // s3cr3t, 0123abc
			}
			letters, digits = letters+1, 0
			if letters > 30 {
				return false
			}
		case strings.IndexByte("/_-. :#@,", c) >= 0:
			letters, digits = 0, 0
		default:
			return false
		}
	}
	// What the capitals say: MyDbSecretName has runs of small letters after each.
	return turns == 0 && !ragged(value)
}

// ragged reports whether capitals and small letters change as by lot: more capitals
// than words could begin with.
func ragged(value string) bool {
	capitals, letters, changes := 0, 0, 0
	for i := range len(value) {
		if !letter(value[i]) {
			continue
		}
		letters++
		if value[i] < 'a' {
			capitals++
		}
		if i > 0 && letter(value[i-1]) && (value[i] < 'a') != (value[i-1] < 'a') {
			changes++
		}
	}
	return changes > 3 && capitals*20 > letters*7
}

// random reports whether a value looks drawn by lot: long, of letters and digits, of
// many kinds, and no name.
func random(value string) bool {
	if len(value) < 16 || strings.ContainsAny(value, " \t") || strings.Contains(value, "://") || named(value) || quantity(value) {
		return false
	}
	digits, letters := 0, 0
	for i := range len(value) {
		if digit(value[i]) {
			digits++
		} else if letter(value[i]) {
			letters++
		}
	}
	switch {
	case run(value, hexed, -1) == len(value):
		return len(value) >= 20 && digits > 0 && letters > 0 && entropy(value) >= 2.7
	case digits == 0:
		// Letters alone: twenty and more, as capitals change by lot.
		return len(value) >= 20 && letters == len(value) && ragged(value) && entropy(value) >= 3.5
	}
	return letters > 3 && entropy(value) >= 2.7
}

// strong reports whether a value may be a password of some care.
func strong(value string) bool {
	if len(value) < 8 || strings.ContainsAny(value, " \t") || quantity(value) {
		return false
	}
	digits := strings.IndexFunc(value, func(r rune) bool { return '0' <= r && r <= '9' }) >= 0
	marks := strings.ContainsAny(value, "!@#$%^&*+=?~")
	letters := strings.IndexFunc(value, func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }) >= 0
	return letters && (digits || marks)
}

// entropy is Shannon's, in bits a byte.
func entropy(value string) float64 {
	var count [256]int
	for i := range len(value) {
		count[value[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			share := float64(n) / float64(len(value))
			bits -= share * math.Log2(share)
		}
	}
	return bits
}

// number reports whether a value is one.
func number(value string) bool {
	return run(value, func(c byte) bool { return digit(c) || c == '.' || c == ',' }, -1) == len(value)
}

// quantity reports whether a value is a number with a unit, a time or a version: 30d,
// 2026-11-29T10:00:00Z, 10.0.0.1:80, v1.2.3, ^9.0.0.
func quantity(value string) bool {
	value = strings.TrimLeft(value, "v^~>=")
	n := run(value, func(c byte) bool { return digit(c) || strings.IndexByte(".,:-+/TZ", c) >= 0 }, -1)
	return n > 0 && run(value[n:], letter, 8) == len(value)-n && len(value)-n <= 7
}

// uuid reports whether a value is one, or the id of a multi-Region key of KMS, which is
// one without dashes.
func uuid(value string) bool {
	if id, ok := strings.CutPrefix(value, "mrk-"); ok {
		return len(id) == 32 && run(id, hexed, -1) == 32
	}
	if len(value) != 36 {
		return false
	}
	for i := range len(value) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (value[i] == '-') || !dash && !hexed(value[i]) {
			return false
		}
	}
	return true
}

func lastWord(value string) string {
	all := split(value[max(0, len(value)-longestName):])
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
