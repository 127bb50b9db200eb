#!/bin/sh
# Builds bin/functions/<name>/bootstrap as template.yaml deploys them: for arm64,
# without Lambda's old RPC mode. The AWS SDK is compiled for arm64 once more, which
# takes minutes the first time; so it says where it is. VERSION=1.2.3 stamps a release.
set -eu
cd "$(dirname "$0")/.."
export GOOS=linux GOARCH=arm64 CGO_ENABLED=0
sdk='^github.com/aws/aws-sdk-go-v2/service/[a-z0-9]*$'
stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' ./functions/... | grep "$sdk" || true)
total=$(printf '%s' "$stale" | grep -c . || true)
if [ "$total" -gt 3 ]; then
	echo "First build for arm64: compiling $total AWS service clients, about ten minutes of processor time. Later builds take seconds." >&2
	n=0
	for package in $stale; do
		n=$((n + 1))
		echo "  [$n/$total] ${package##*/}" >&2
		go build "$package"
	done
fi
for name in api scheduler checker aggregator worker; do
	echo "  bin/functions/$name/bootstrap" >&2
	mkdir -p "bin/functions/$name"
	go build -tags lambda.norpc -ldflags "-s -w -X github.com/cloudarq/cloudarq/internal/version.stamped=${VERSION:-dev}" -o "bin/functions/$name/bootstrap" "./functions/$name"
done
