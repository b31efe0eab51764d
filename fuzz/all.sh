#!/usr/bin/env bash
# Runs every fuzz target of the module for a time each; the first failure ends it.
# Usage: fuzz/all.sh [TIME] [TIME TO MAKE AN INPUT SMALLER]
#
# Go's fuzzer makes each new input smaller before it goes on, for up to a minute. With short times
# that is all it would do, so the time for it is bounded.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
minimize=${2:-100x}
# A package whose test files declare no target needs no build to be asked.
grep -rlE --include='*_test.go' '^func Fuzz' . | grep -vE '^\./(benchmarks|docs)/' |
	xargs -n1 dirname | sort -u | while read -r pkg; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$pkg"/*_test.go | cut -c6- | sort -u |
		while read -r target; do
			echo "== $pkg $target $time"
			go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" \
				-fuzzminimizetime "$minimize" "$pkg" </dev/null
		done
done
