#!/usr/bin/env bash
# Runs every test once and ends with one line that counts them. The exit code is that of the tests.
set -u
cd "$(dirname "$0")/../.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go vet ./... || exit 1
# Every parser gets a short storm (docs/reference/fuzzing.md), which ends early where an execution takes long.
export ATALAYA_STORM=${ATALAYA_STORM-20000} ATALAYA_STORM_FOR=${ATALAYA_STORM_FOR-200ms}
# It was vetted above. The longest first, so that none of them is left to run alone at the end; the browser mostly waits, and runs beside the one that computes most.
go test -vet=off -json -timeout 14m ./locate/source ./internal/e2e ./internal/app ./cmd/atalaya ./... >"$out"
code=$?
go run ./internal/deps/tally <"$out" || [ $code -ne 0 ] || code=1
exit $code
