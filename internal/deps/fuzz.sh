#!/usr/bin/env bash
# Fuzzes every fuzz test for a while, one after the other, and prints how many executions each had.
set -u
cd "$(dirname "$0")/../.."
time=${1:-10s}
code=0
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
  for name in $(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    printf '%s %s: ' "$dir" "$name"
    if out=$(go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" "$dir" 2>&1); then
      grep -oE 'execs: [0-9]+' <<<"$out" | tail -n 1
    else
      code=1
      printf 'FAILED\n%s\n' "$out"
    fi
  done
done
exit $code
