#!/bin/sh
# Builds bin/functions/<name>/bootstrap as template.yaml deploys them: for arm64,
# without Lambda's old RPC mode. VERSION=1.2.3 stamps a release, COMMIT what it is made
# of; OUT is another folder.
set -eu
cd "$(dirname "$0")/.."
export GOOS=linux GOARCH=arm64 CGO_ENABLED=0
tools/compile.sh ./functions/...
stamp="-X github.com/cloudarq/cloudarq/internal/version.stamped=${VERSION:-dev} -X github.com/cloudarq/cloudarq/internal/version.commit=${COMMIT:-}"
for name in api scheduler checker aggregator worker; do
	bootstrap=${OUT:-bin/functions}/$name/bootstrap
	echo "  $bootstrap" >&2
	mkdir -p "$(dirname "$bootstrap")"
	go build -tags lambda.norpc -ldflags "-s -w $stamp" -o "$bootstrap" "./functions/$name"
done
