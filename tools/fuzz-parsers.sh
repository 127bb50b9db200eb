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

out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0
while IFS=: read -r file name; do
	[[ $name =~ $only ]] || continue
	package=./$(dirname "$file")
	if go test -run '^$' -fuzz "^$name\$" -fuzztime "$each" "$package" >"$out" 2>&1; then
		echo "$name of $package: $(grep -E '^fuzz: elapsed' "$out" | tail -n 1 | sed 's/^fuzz: //')"
	else
		failed=1
		echo "$name of $package:"
		tail -n 40 "$out"
	fi
done < <(grep -rE --include='*_test.go' -o '^func Fuzz[A-Za-z]+' pkg | sed 's/:func /:/' | sort)
exit $failed
