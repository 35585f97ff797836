#!/usr/bin/env bash
# Runs h2spec (HTTP/2 conformance, by go install) against our daemon and against plain grpc-js, and fails when the daemon fails
# a case that grpc-js does not.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v go > /dev/null || { echo 'missing: go (https://go.dev)' >&2; exit 2; }
bin="$PWD/.cache/go-bin"
[ -x "$bin/h2spec" ] || GOBIN="$bin" go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
node_modules/.bin/tsc -b
exec node scripts/h2spec.mjs "$bin/h2spec"
