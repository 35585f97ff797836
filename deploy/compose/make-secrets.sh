#!/bin/sh
# Once, before the first start: the password of Redis, and the keys that digests and tags are made under. Both are for
# development: files that every user of this machine may read, because the containers' users are not yours.
set -eu
cd "$(dirname "$0")"
mkdir secrets
random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
printf '%s\n' "$(random)" > secrets/redis-password
printf 'digest:%s\ntag:%s\n' "$(random)" "$(random)" > secrets/introspectd.keys
chmod 644 secrets/*
