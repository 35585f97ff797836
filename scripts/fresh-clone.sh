#!/usr/bin/env bash
# What CI does with the last commit: .ci/run in a clean clone, which is removed afterwards.
set -eu
clone=$(mktemp -d)
chmod 755 "$clone" # some tests run as another user
trap 'rm -rf "$clone"' EXIT
git clone --quiet "$(git rev-parse --show-toplevel)" "$clone"
"$clone/.ci/run"
