#!/usr/bin/env bash
# Builds the Dockerfile where there is no Docker and no image registry (buildah, base images made of Debian packages),
# and runs the image: uid 65532, a root that cannot be written, no shell. As root: apt-get install buildah debootstrap.
# Not part of npm test: a minute and a half, and a network. What it makes stays under .cache/image.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_VERSION=24.21.0
work="$PWD/.cache/image"
for tool in buildah debootstrap unshare ip; do
  command -v "$tool" > /dev/null || { echo "missing: $tool (apt-get install buildah debootstrap iproute2)" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo 'needs root, for debootstrap and chroot' >&2; exit 2; }

say() { echo "== $*"; }
b() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

debian="$work/debian"
if [ ! -e "$debian/.complete" ]; then
  say 'Debian, as the base of both images'
  rm -rf "$debian"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$debian" > "$work/debootstrap.log"
  touch "$debian/.complete"
fi
node=$(scripts/with-node.sh "$NODE_VERSION" sh -c 'command -v node')

say "stands in for node:24-bookworm-slim: Node $NODE_VERSION, and the npm of this machine"
npm_folder="$(npm root -g)/npm"
container=$(b from scratch)
b add --quiet "$container" "$debian" / > /dev/null
b add --quiet "$container" "$node" /usr/local/bin/node > /dev/null
b add --quiet "$container" "$npm_folder" /usr/local/lib/node_modules/npm > /dev/null
# The CAs that this machine trusts: its way to the registry may go through a proxy with one of its own.
b add --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt > /dev/null
root=$(b mount "$container")
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
b umount "$container" > /dev/null
b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
b commit --quiet --rm "$container" localhost/introspectd-node > /dev/null

say 'stands in for distroless/cc: the libraries that Node is linked with, and nothing else'
container=$(b from scratch)
root=$(b mount "$container")
mkdir -p "$root"/{etc,proc,dev,tmp,usr/local/bin}
ln -s usr/lib "$root/lib" && ln -s usr/lib64 "$root/lib64" && mkdir -p "$root"/usr/{lib,lib64}/x86_64-linux-gnu
for library in $(chroot "$debian" ls /lib/x86_64-linux-gnu | grep -E '^(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+)\.so\.[0-9]+$'); do
  cp -L "$debian/lib/x86_64-linux-gnu/$library" "$root/usr/lib/x86_64-linux-gnu/"
done
cp -L "$debian/lib64/ld-linux-x86-64.so.2" "$root/usr/lib64/"
printf 'root:x:0:0::/:/none\nnonroot:x:65532:65532::/:/none\n' > "$root/etc/passwd"
b umount "$container" > /dev/null
b commit --quiet --rm "$container" localhost/introspectd-runtime > /dev/null

say 'the Dockerfile'
# --format docker: the OCI format knows no HEALTHCHECK.
b bud --quiet --format docker --isolation chroot --tag localhost/introspectd \
  --build-arg NODE_IMAGE=localhost/introspectd-node --build-arg RUNTIME_IMAGE=localhost/introspectd-runtime \
  --secret "id=npmrc,src=${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}" . > /dev/null
b inspect --type image --format \
  'user {{.Docker.Config.User}}
entrypoint {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}}
volumes {{.Docker.Config.Volumes}}
health {{.Docker.Config.Healthcheck.Test}}
labels {{.Docker.Config.Labels}}
' localhost/introspectd

say 'the image at work'
container=$(b from localhost/introspectd)
trap 'b umount "$container" > /dev/null; b rm "$container" > /dev/null' EXIT
root=$(b mount "$container")
du -sh "$root" | cut -f1
unshare --mount --net --pid --fork --kill-child "$PWD/scripts/try-image.sh" "$root"
