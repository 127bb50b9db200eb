#!/bin/sh
# Builds everything once with progress: the AWS SDK takes minutes the first time,
# and nothing on the screen would look like a hang.
set -eu
cd "$(dirname "$0")/.."
go list -deps ./cmd/cloudarq ./test/... 2>/dev/null | grep '^github.com/aws/aws-sdk-go-v2/service/[a-z0-9]*$' >.warm.$$ || true
trap 'rm -f .warm.$$' EXIT
total=$(wc -l <.warm.$$)
stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' ./cmd/cloudarq 2>/dev/null | grep -c '^github.com/aws/aws-sdk-go-v2/service/[a-z0-9]*$' || true)
[ "$stale" -gt 3 ] || exit 0
echo "First build: compiling $stale of $total AWS service clients, about ten minutes of processor time. Later builds take seconds." >&2
n=0
while read -r package; do
	n=$((n + 1))
	echo "  [$n/$total] ${package##*/}" >&2
	go build "$package"
done <.warm.$$
