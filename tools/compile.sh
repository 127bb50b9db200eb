#!/bin/sh
# Compiles the AWS service clients that the packages given need, for what GOOS and GOARCH
# say, and tells where it is: the first time that takes minutes, and nothing on the screen
# would look like a hang.
set -eu
cd "$(dirname "$0")/.."
sdk='^github.com/aws/aws-sdk-go-v2/service/[a-z0-9]*$'
stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' "$@" | grep "$sdk" || true)
total=$(printf '%s' "$stale" | grep -c . || true)
[ "$total" -gt 3 ] || exit 0
echo "First build for $(go env GOOS)/$(go env GOARCH): compiling $total AWS service clients, about ten minutes of processor time. Later builds take seconds." >&2
n=0
for package in $stale; do
	n=$((n + 1))
	echo "  [$n/$total] ${package##*/}" >&2
	go build "$package"
done
