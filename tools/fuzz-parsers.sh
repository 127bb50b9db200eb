#!/usr/bin/env bash
# Fuzzes each parser of what strangers send, one after the other, for as long as said:
#
#	tools/fuzz-parsers.sh 2m [REGEXP of names]
#
# What breaks one is written into testdata/fuzz of its package; it belongs into the source, as a seed.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-2m}
only=${2:-.}

failed=0
while IFS=: read -r file name; do
	[[ $name =~ $only ]] || continue
	echo "$name of $(dirname "$file")"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$each" "./$(dirname "$file")" | grep -E '^fuzz: elapsed.*total|^(---|FAIL|    )' | tail -n 12 || true
	[[ ${PIPESTATUS[0]} == 0 ]] || failed=1
done < <(grep -rE --include='*_test.go' -o '^func Fuzz[A-Za-z]+' pkg | sed 's/:func /:/' | sort)
exit $failed
