#!/usr/bin/env bash
# Runs the random tests by turns, each round with a new seed, until HOURS are over; the first
# failure ends it, and has said how to repeat it.
# Usage: fuzz/soak.sh HOURS
set -euo pipefail
cd "$(dirname "$0")/.."
end=$(($(date +%s) + $(awk -v h="$1" 'BEGIN { printf "%d", h * 3600 }')))
round=0
while [ "$(date +%s)" -lt "$end" ]; do
	round=$((round + 1))
	seed=$((RANDOM * 32768 + RANDOM + 1))
	echo "== round $round, seed $seed, $(((end - $(date +%s)) / 60)) minutes left"
	make soak HOURS= TASKS=5000000
	make crash-sim CYCLES=5000 SEED=$seed
	make oracle STEPS=100000 SEED=$seed
	make gc-sim STEPS=100000 SEED=$seed
	make sim STEPS=300000 RUNS=200
	fuzz/all.sh 8s
done
