#!/usr/bin/env bash
# Fuzzes every fuzz test, one after the other: guided by coverage for a while, then in a storm of so many executions. Prints how many
# executions each had of both. A third argument picks tests: an extended regular expression for "folder Name".
set -u
cd "$(dirname "$0")/../.."
time=${1:-10s}
storm=${2:-10000000}
only=${3:-.}
code=0
failed() {
  code=1
  printf 'FAILED\n%s\n' "$1"
}
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
  [ "$dir" != ./internal/storm ] || continue # its fuzz tests are there for its own tests
  for name in $(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    grep -qE "$only" <<<"$dir $name" || continue
    printf '%s %s: ' "$dir" "$name"
    if [ "$time" != 0s ]; then
      if out=$(go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" "$dir" 2>&1); then
        printf 'guided: %s executions; ' "$(grep -oE "execs: [0-9]+" <<<"$out" | tail -n 1 | grep -oE "[0-9]+" || echo 0)"
      else
        failed "$out"
      fi
    fi
    if out=$(ATALAYA_STORM="$storm" go test -count=1 -timeout=0 -v -run="^$name\$" "$dir" 2>&1); then
      grep -oE 'storm: .*' <<<"$out"
    else
      failed "$out"
    fi
  done
done
exit $code
