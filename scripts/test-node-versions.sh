#!/usr/bin/env bash
# npm run test:node [-- PART_OF_A_PATH...]: npm test on the oldest Node that package.json allows, and on those in use.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
summary=''
for version in 20.19.0 22.23.3 24.21.0; do
  echo "== Node $version"
  if scripts/with-node.sh "$version" npm test -- "$@"; then result=ok; else result=FAIL; status=1; fi
  summary+="$result Node $version"$'\n'
done
printf '%s' "$summary"
exit "$status"
