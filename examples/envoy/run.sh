#!/bin/sh
# introspectd, a service, and Envoy in front of it, in a temporary folder: asks what there is to ask, and shows each answer.
# Needs Node and python3 with pip (for Envoy). "run.sh --keep" leaves it running until Ctrl-C.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
envoy=$("$example/install.sh")
main=$example/../../dist/src/main.js
introspectd() { node "$main" "$@"; }
[ -f "$main" ] || (cd "$example/../.." && npm run --silent demo > /dev/null)

folder=$(mktemp -d)
pids=
end() {
  status=$?
  [ "$status" = 0 ] || cat "$folder"/*.log >&2
  [ -z "$pids" ] || kill $pids 2> /dev/null || true
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' INT TERM
cd "$folder"

introspectd certs dev --out certs > introspectd.yaml 2> certs.log
introspectd certs leaf --ca certs --name envoy --spiffe spiffe://dev.example/envoy --out certs 2>> certs.log
cp "$example/policy.yaml" policy.yaml
node "$main" serve --config introspectd.yaml --listen localhost:50061 --ops-listen 127.0.0.1:19464 > introspectd.log 2>&1 &
pids="$pids $!"
node "$example/upstream.mjs" &
pids="$pids $!"
"$envoy" -c "$example/envoy.yaml" --use-dynamic-base-id --log-level warning > envoy.log 2>&1 &
pids="$pids $!"

issuer="--target localhost:50061 --as certs/issuer"
introspectd health $issuer --wait 20s > /dev/null
now=$(date +%s)
claims="\"iss\":\"https://login.example\",\"aud\":[\"https://orders.example\"],\"sub\":\"alice\",\"client_id\":\"web\",\"token_use\":\"access_token\",\"iat\":$now,\"exp\":$((now + 3600))"
introspectd register $issuer > /dev/null 2>&1 << TOKENS
{"token":"tGzv3JOkF0XG5Qx2TlKWIA","claims":{$claims,"scope":"orders.read"}}
TOKENS

ask() {
  echo "\$ curl $*"
  curl --silent --show-error --max-time 10 --cacert certs/ca.crt --write-out '\n  -> %{http_code}\n' "$@"
}
token="authorization: Bearer tGzv3JOkF0XG5Qx2TlKWIA"
at=https://localhost:10443
tries=0
until curl --silent --max-time 5 --cacert certs/ca.crt --output /dev/null --fail -H "$token" $at/; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 1
  sleep 0.2
done

echo "# a good token, and a header that the client made up"
ask -H "$token" -H 'x-introspectd-sub: root' $at/orders
echo "# the same token, where it lacks the scope"
ask -H "$token" -X POST $at/orders
echo "# no token; no token where none is needed; a bad one there"
ask $at/orders
ask $at/public
ask -H 'authorization: Bearer unknown' $at/public
echo "# revoked, and asked again"
echo tGzv3JOkF0XG5Qx2TlKWIA | introspectd revoke $issuer
ask -H "$token" $at/orders

[ "${1:-}" != --keep ] || { echo "running in $folder until Ctrl-C"; wait; }
