package secretscan

import "strings"

// argument says how a command takes a password: after which flags, and whether it may
// or must be joined to the flag.
type argument struct {
	flags  string // between blanks
	joined bool   // -pVALUE
	apart  bool   // -p VALUE
	pair   string // what stands between user and password, if both come as one
}

// takes are the commands whose flags do not say by a word that they take a password.
// Sources: the manual page of each.
var takes = func() map[string]argument {
	all := map[string]argument{}
	for names, a := range map[string]argument{
		"mysql mysqldump mysqladmin mysqlimport mysqlsh mysqlcheck mysqlshow mariadb mariadb-dump mariadb-admin": {flags: "-p", joined: true},
		"sshpass": {flags: "-p", joined: true, apart: true},
		"mongo mongosh mongodump mongorestore mongoexport mongoimport useradd usermod login svn sqoop": {flags: "-p", apart: true},
		"redis-cli": {flags: "-a", apart: true},
		"ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd kadmin": {flags: "-w", apart: true},
		"sqlcmd bcp osql isql":           {flags: "-P", apart: true, joined: true},
		"curl http https xh aria2c lftp": {flags: "-u -U -a --user --proxy-user --auth", apart: true, pair: ":"},
		"smbclient rpcclient winexe":     {flags: "-U --user", apart: true, pair: "%"},
	} {
		for _, name := range strings.Fields(names) {
			all[name] = a
		}
	}
	return all
}()

// commanded reports whether a line of a script hands a command a password.
func commanded(text string) bool {
	pairs := 0 // lines that may still be a list of user:password
	for line := range strings.Lines(text) {
		l := commandLine{list: strings.Contains(line, "chpasswd")}
		if l.list {
			pairs = 20
		} else if pairs--; pairs >= 0 && pair(strings.Trim(line, " \t\r\n-\"'"), ":", literal) {
			return true
		}
		if l.holds(line) || pgpass(strings.TrimSpace(line)) {
			return true
		}
	}
	return each(text, "ConvertTo-SecureString", secureString)
}

// secureString is what PowerShell makes of a password that stands in the script.
func secureString(_, after string) bool {
	after = after[run(after, blank, 64):]
	if rest, ok := strings.CutPrefix(after, "-String"); ok {
		after = rest[run(rest, blank, 64):]
	}
	value, at, ok := read(after, classPassword)
	return ok && at != inText && classPassword.credential(value, at)
}

// pgpass reports whether a line is one of PostgreSQL's password file:
// host:port:database:user:password.
// https://www.postgresql.org/docs/current/libpq-pgpass.html
func pgpass(line string) bool {
	if len(line) > maxValue || strings.Count(line, ":") != 4 || strings.ContainsAny(line, " \t\"'") {
		return false
	}
	f := strings.Split(line, ":")
	port := f[1] == "*" || f[1] != "" && run(f[1], digit, -1) == len(f[1])
	return port && f[0] != "" && f[2] != "" && f[3] != "" && classPassword.credential(f[4], inText)
}

// pair reports whether a word is user and password in one.
func pair(word, between string, at place) bool {
	user, password, ok := strings.Cut(word, between)
	return ok && run(user, func(c byte) bool { return dotted(c) || c == '@' || c == '\\' }, -1) == len(user) && !reference(word, at) &&
		classPassword.credential(password, at)
}

// commandLine is what is known of a line of a script at one of its words.
type commandLine struct {
	list    bool     // the line hands users and passwords to chpasswd
	name    string   // of the command that the word belongs to
	command argument // of it
	flag    bool     // the last word was a flag that takes a password
	echoed  bool     // what echo was given looks like a password
	sql     int      // words that "BY password" may still follow
	last    [3]string
}

// holds reports whether the line hands over a password; it looks at each word once.
func (l *commandLine) holds(line string) bool {
	for len(line) > 0 {
		n := run(line, func(c byte) bool { return !space(c) && c != ',' && c != ';' && c != '|' && c != '(' }, -1)
		// A comma parts words where they stand in quotes, as in a JSON list of arguments.
		for n < len(line) && line[n] == ',' && (n == 0 || !quote(line[n-1])) {
			n += 1 + run(line[n+1:], func(c byte) bool { return !space(c) && c != ',' && c != ';' && c != '|' && c != '(' }, -1)
		}
		if n > 0 && l.word(line[:n]) {
			return true
		}
		if n < len(line) && (line[n] == ';' || line[n] == '|') {
			l.name, l.command, l.flag, l.last = "", argument{}, false, [3]string{}
		}
		line = line[min(n+1, len(line)):]
	}
	return false
}

func (l *commandLine) word(raw string) bool {
	at := inText
	switch {
	case strings.Contains(raw, "'"):
		at = literal
	case strings.Contains(raw, `"`):
		at = quoted
	}
	word := strings.Trim(unquote.Replace(raw), "[]()")
	if word == "" {
		return false
	}
	defer func() { l.last = [3]string{word, l.last[0], l.last[1]} }()
	is := func(text string) bool { return strings.EqualFold(word, text) }
	l.sql--
	switch {
	case l.flag:
		l.flag = false
		return l.given(word, at)
	case l.command.takes(word):
		l.flag = l.command.apart
		return false
	case l.command.joined && len(word) > 2 && l.command.takes(word[:2]):
		return l.given(word[2:], at)
	case l.list && pair(word, ":", at):
		return true
	case is("--stdin") || is("--password-stdin") || l.last[0] == "sudo" && word == "-S" || word == "kinit" || word == "realm":
		return l.echoed
	case is("identified"):
		l.sql = 6
	case l.sql > 0 && strings.EqualFold(l.last[0], "by") && !is("password"):
		return at != inText && classPassword.credential(word, at)
	case strings.HasPrefix(word, "pass:"): // of openssl
		return classPassword.credential(word[len("pass:"):], at)
	case l.last[2] == "net" && l.last[1] == "user" || takePairs[l.last[1]]:
		return strong(word) && classPassword.credential(word, at) // net user NAME PASSWORD
	case l.name == "htpasswd" && (batch(l.last[1]) || batch(l.last[2])): // htpasswd -b FILE NAME PASSWORD
		return classPassword.credential(word, at)
	case oracleTools[l.name] && strings.Contains(word, "/"):
		user, rest, _ := strings.Cut(word, "/")
		secret, _, ok := strings.Cut(rest, "@")
		return ok && user != "" && classPassword.credential(secret, at)
	case l.last[0] == "echo" || l.last[0] == "printf" || l.last[1] == "echo" && l.last[0] == "-n":
		l.echoed = word[0] != '-' && classPassword.credential(word, at)
	}
	name := strings.TrimSuffix(word[strings.LastIndexAny(word, `/\`)+1:], ".exe")
	if a, ok := takes[name]; ok {
		l.name, l.command = name, a
	} else if name == "htpasswd" || oracleTools[name] {
		l.name = name
	}
	return false
}

// takePairs are commands that are given a name and then its password: rabbitmqctl
// add_user NAME PASSWORD.
var takePairs = words("add_user change_password wpa_passphrase")

// oracleTools are given user/password@database.
var oracleTools = words("sqlplus expdp impdp sqlldr rman")

// batch reports whether a word is a row of flags with b, by which htpasswd takes its
// password from the command line.
func batch(word string) bool {
	return len(word) > 1 && word[0] == '-' && run(word[1:], letter, -1) == len(word)-1 && strings.Contains(word, "b")
}

var unquote = strings.NewReplacer(`"`, "", `'`, "", "`", "")

// given reports whether what a command is given is a password.
func (l *commandLine) given(word string, at place) bool {
	if between := l.command.pair; between != "" {
		return pair(word, between, at)
	}
	return classPassword.credential(word, at)
}

// takes reports whether a word is a flag that takes a password.
func (a argument) takes(word string) bool {
	return a.flags != "" && word[0] == '-' && strings.Contains(" "+a.flags+" ", " "+word+" ")
}
