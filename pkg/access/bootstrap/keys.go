package bootstrap

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Keys name the credentials that were used, without what is secret of them.
type Keys struct {
	AccessKeyID string
	User        string    // the IAM user's name; empty for the root user and for sessions
	Temporary   bool      // a session's, which expire by themselves
	Expires     time.Time // of temporary ones; zero if that is not known
}

func keysOf(used aws.Credentials, callerARN string) Keys {
	k := Keys{AccessKeyID: used.AccessKeyID, Temporary: used.SessionToken != ""}
	if used.CanExpire {
		k.Expires = used.Expires
	}
	if _, user, ok := strings.Cut(callerARN, ":user/"); ok && !k.Temporary {
		k.User = user[strings.LastIndex(user, "/")+1:] // behind its path
	}
	return k
}

// Deactivation are the commands that deactivate and delete the keys; none for
// temporary ones.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys-admin-managed.html
func (k Keys) Deactivation() []string {
	if k.Temporary {
		return nil
	}
	whose := "--access-key-id " + quote(k.AccessKeyID)
	if k.User != "" {
		whose = "--user-name " + quote(k.User) + " " + whose
	}
	return []string{
		"aws iam update-access-key " + whose + " --status Inactive",
		"aws iam delete-access-key " + whose,
	}
}

// Advice says what is to become of the keys now, for people.
func (k Keys) Advice() string {
	if !k.Temporary {
		return fmt.Sprintf("CloudArq needs the key %s no more. If nothing else does, deactivate it, and delete it when nobody missed it:\n\n    %s\n",
			k.AccessKeyID, strings.Join(k.Deactivation(), "\n    "))
	}
	when := ""
	if !k.Expires.IsZero() {
		when = " at " + k.Expires.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("CloudArq needs the session %s no more; it expires by itself%s.\n", k.AccessKeyID, when)
}
