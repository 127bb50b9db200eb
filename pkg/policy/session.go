package policy

import "encoding/json"

// MaxSession is the most characters that a session's own policy may have.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const MaxSession = 2048

// Session is the policy of a session that may do some actions and nothing else,
// whatever its role may.
func Session(actions []string) string {
	type statement struct {
		Effect, Resource string
		Action           []string
	}
	data, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{"Allow", "*", actions}}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(data)
}
