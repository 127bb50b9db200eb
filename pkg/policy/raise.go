package policy

import (
	"cmp"
	"fmt"
	"time"
)

// Raised is the version after one: of a day, or of the version's own day if that is
// later, so that versions only rise. A letter tells several of a day apart.
func Raised(version string, day time.Time) (string, error) {
	today := day.Format("20060102")
	if len(version) != len(today)+1 {
		return "", fmt.Errorf("%q is no version: want a day and a letter, like %sa", version, today)
	}
	last, letter := version[:len(today)], version[len(today)]
	switch {
	case cmp.Less(last, today):
		return today + "a", nil
	case letter >= 'z':
		return "", fmt.Errorf("no letter is left after version %s", version)
	default:
		return last + string(letter+1), nil
	}
}
