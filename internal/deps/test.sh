#!/usr/bin/env bash
# Runs every test once and ends with one line that counts them. The exit code is that of the tests.
set -u
cd "$(dirname "$0")/../.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go vet ./... || exit 1
go test -json -timeout 14m ./... >"$out"
code=$?
go run ./internal/deps/tally <"$out" || [ $code -ne 0 ] || code=1
exit $code
