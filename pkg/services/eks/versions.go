package eks

import (
	"strconv"
	"strings"
	"time"
)

// support is the last days of AWS's standard and extended support of a version.
type support struct{ standard, extended string }

// versions holds Kubernetes 1.x by x. Older ones are out of support, and newer
// ones in it as far as we know.
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
var versions = map[int]support{
	23: {"2023-10-11", "2024-10-11"},
	24: {"2024-01-31", "2025-01-31"},
	25: {"2024-05-01", "2025-05-01"},
	26: {"2024-06-11", "2025-06-11"},
	27: {"2024-07-24", "2025-07-24"},
	28: {"2024-11-26", "2025-11-26"},
	29: {"2025-03-23", "2026-03-23"},
	30: {"2025-07-23", "2026-07-23"},
	31: {"2025-11-26", "2026-11-26"},
	32: {"2026-03-23", "2027-03-23"},
	33: {"2026-07-29", "2027-07-29"},
	34: {"2026-12-02", "2027-12-02"},
	35: {"2027-03-27", "2028-03-27"},
}

// oldest is the oldest version of which the table knows.
const oldest = 23

// supportOf finds the last days of a version; they are empty where they are not
// known yet.
func supportOf(version string) (s support, ok bool) {
	minor, err := strconv.Atoi(strings.TrimPrefix(version, "1."))
	switch {
	case err != nil || !strings.HasPrefix(version, "1."):
		return support{}, false
	case minor < oldest:
		return versions[oldest], true
	default:
		return versions[minor], true
	}
}

// over tells whether a last day has passed. Days compare as their text.
func over(day string, now time.Time) bool {
	return day != "" && now.UTC().Format(time.DateOnly) > day
}
