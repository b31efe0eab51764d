#!/usr/bin/env bash
# Records every suite into results/<date>-<cpu>/, one .tsv and one .log each. Arguments go to compare: ./record.sh -rounds 11
# It wants a quiet machine and refuses a busy one; BUSY=1 records all the same, and the logs show the load.
set -euo pipefail
cd "$(dirname "$0")"

if [ -r /proc/loadavg ] && [ -z "${BUSY:-}" ] && awk '{ exit !($1 > 0.7) }' /proc/loadavg; then
	echo "record.sh: the load is $(cut -d' ' -f1 /proc/loadavg); others would be measured too (BUSY=1 to go on)" >&2
	exit 1
fi
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 | tr -cs '[:alnum:]\n' '-' | sed 's/-*$//')
to=results/$(date +%Y-%m-%d)-${cpu:-$(uname -m)}
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -tags "${TAGS:-}" -o "$bin/compare" ./cmd/compare
mkdir -p "$to"
for suite in ring lanes task wake load epoch hash store open index query floor lsp; do
	echo "$suite" >&2
	"$bin/compare" -suite "$suite" "$@" >"$to/$suite.tsv" 2>"$to/$suite.log"
done
echo "$to"
