#!/usr/bin/env bash
# scripts/try-image.sh ROOT: runs an unpacked image as its Dockerfile says it is run. Called by build-image.sh, in mount,
# network and pid namespaces of its own.
set -euo pipefail
root=$1
work=$(mktemp -d)
main=/app/dist/src/main.js

mount --make-rprivate /
ip link set lo up
mkdir -p "$work/data" "$work/config" "$work/certs"
chown 65532:65532 "$work/data" "$work/certs"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/etc/introspectd" "$root/certs"
# A container runtime writes this one.
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
mount --bind "$work/data" "$root/data"
mount --bind "$work/config" "$root/etc/introspectd"
mount --bind "$work/certs" "$root/certs"
mount -o remount,bind,ro "$root"

run=(env -i "PATH=$PATH" NODE_ENV=production chroot --userspec=65532:65532 "$root" /usr/local/bin/node "$main")
introspectd() { "${run[@]}" "$@"; }
expect() {
  local name=$1 wanted=$2 found=$3
  [[ "$found" == $wanted ]] || { echo "FAIL $name: $found"; exit 1; }
  echo "ok   $name"
}

expect 'uid 65532, and a root that cannot be written' '65532 EROFS' "$(chroot --userspec=65532:65532 "$root" \
  /usr/local/bin/node -p 'let e; try { fs.writeFileSync("/app/x", "") } catch ({ code }) { e = code }; `${process.getuid()} ${e}`')"
expect 'no shell' 'no' "$([ -e "$root/bin/sh" ] && echo yes || echo no)"
introspectd demo > "$work/demo" 2>&1 && code=0 || code=$?
[ "$code" = 0 ] || cat "$work/demo"
expect 'the demo' 0 "$code"

introspectd certs dev --out /certs/dev 2> /dev/null > "$work/config/introspectd.yaml"
cat >> "$work/config/introspectd.yaml" << 'YAML'
store: { kind: lmdb, path: /data/store }
keys_file: /data/introspectd.keys
listen: 127.0.0.1:50051
ops_listen: 127.0.0.1:9464
YAML
cp "$(dirname "$0")/../examples/policy.yaml" "$work/config/policy.yaml"
"${run[@]}" serve --config /etc/introspectd/introspectd.yaml > "$work/log" 2>&1 &
daemon=$!
if ! introspectd health --ops-target 127.0.0.1:9464 --wait 15s > /dev/null; then cat "$work/log"; exit 1; fi
expect 'the health check' SERVING "$(introspectd health --ops-target 127.0.0.1:9464 --timeout 3s)"
now=$(date +%s)
claims='{"iss":"https://login.example","aud":["https://orders.example"],"sub":"alice","token_use":"access_token"'
line="{\"token\":\"image-token\",\"claims\":$claims,\"iat\":$now,\"exp\":$((now + 600))}}"
expect register '*"status":"OK"*' "$(introspectd register --as /certs/dev/issuer <<< "$line" 2> /dev/null)"
expect introspect '{"active":true*' "$(introspectd introspect --output ndjson --as /certs/dev/orders <<< image-token)"
expect revoke '*"revoked":true*' "$(introspectd revoke --output ndjson --as /certs/dev/issuer <<< image-token)"
expect 'introspect again' '{"active":false}' "$(introspectd introspect --output ndjson --as /certs/dev/orders <<< image-token)"
kill -TERM "$daemon"
wait "$daemon" && code=0 || code=$?
expect 'exit code after SIGTERM' 0 "$code"
rm -rf "$work"
