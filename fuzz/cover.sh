#!/usr/bin/env bash
# Runs the own tests of packages with coverage and prints what share of their statements they
# reach; fails where that is below the floor.
# Usage: fuzz/cover.sh [PACKAGE...]
#
# A line of fuzz/cover/floors.txt is a package and its floor in percent.
set -euo pipefail
cd "$(dirname "$0")/.."
only=" $* "
failed=0
printf '| package | statements reached | floor |\n| --- | --- | --- |\n'
while read -r pkg floor; do
	case $pkg in '' | '#'*) continue ;; esac
	if [ "$only" != "  " ] && [ "${only/ $pkg /}" = "$only" ]; then continue; fi
	if ! out=$(go test -count=1 -cover "./$pkg" </dev/null 2>&1); then
		printf '%s\n' "$out" >&2
		exit 1
	fi
	got=$(sed -n 's/.*coverage: \([0-9.]*\)% of statements.*/\1/p' <<<"$out")
	printf '| `%s` | %s %% | %s %% |\n' "$pkg" "$got" "$floor"
	if awk -v got="${got:-0}" -v floor="$floor" 'BEGIN { exit !(got + 0 < floor + 0) }'; then
		echo "$pkg: the tests reach $got % of the statements, less than $floor %" >&2
		failed=1
	fi
done <fuzz/cover/floors.txt
exit $failed
