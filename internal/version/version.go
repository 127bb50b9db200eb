// Package version says which version of CloudArq this is.
package version

// stamped is set when a release is built:
//
//	go build -ldflags "-X github.com/cloudarq/cloudarq/internal/version.stamped=1.2.3"
var stamped = "dev"

// String is the version, "dev" where no release was built.
func String() string { return stamped }
