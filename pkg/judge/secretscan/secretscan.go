// Package secretscan tells whether what people wrote into a configuration holds a
// credential: environment variables, user data, tags, arguments. It knows three
// signs: a form that only credentials have (shapes.go), a name that says so with a
// value that may be one (names.go, values.go, assign.go), and a command that takes
// one (commands.go). What is packed in base64, gzip or UTF-16 is unpacked first.
//
// What counts, where one could decide otherwise:
//   - A word that works as a password is one, "changeme" and "password" too: who reads
//     it can sign in. Notation for a value that is still to come is none: <password>,
//     xxxxxxxx, ********, YOUR_API_KEY, REPLACE_ME.
//   - The example keys of AWS's documentation count: whether a key opens anything
//     cannot be seen from it, and that keys are put there can.
//   - Names of secrets, ARNs, paths of parameters, variables and calls point to a
//     secret that is kept elsewhere, and are none. Where only the words "secret" or
//     "credentials" name a value that is itself made of words (DB_SECRET=my-database),
//     it is taken for such a name.
//   - Hashes of passwords are credentials, as they can be tried at leisure.
//   - What is shorter than six characters is none, or four where a setting is named
//     after a password: MYSQL_ROOT_PASSWORD=root is the password of a database.
//
// Texts come from the audited account and could be made to keep an auditor busy, so
// the work grows with the text's length and no faster: every place is looked at a
// bounded number of times, and no value is read further than maxValue.
package secretscan

// maxDepth is how often something packed may hold something packed: an archive in
// base64 in a part of a message in base64 is three.
const maxDepth = 5

// Scan looks for credentials in what belongs to one thing, and unpacks Unpack bytes
// of it at most.
type Scan struct {
	Unpack int  // bytes that may still be unpacked
	Cut    bool // there was more to unpack than that
	Torn   bool // something could not be unpacked to its end
}

// Text reports whether a text holds what looks like a credential.
func (s *Scan) Text(text string) bool { return s.text(text, 0) }

// Setting reports whether the value of a setting, such as an environment variable,
// looks like a credential, or its name says that it is one.
func (s *Scan) Setting(name, value string) bool {
	return classify(name).credential(value, setting) || s.Text(value)
}

func (s *Scan) text(text string, depth int) bool {
	return shaped(text) || assigned(text) || commanded(text) || s.packed(text, depth)
}
