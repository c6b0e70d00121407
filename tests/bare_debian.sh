#!/usr/bin/env bash
# Proves the two commands on a bare Debian 12: a minimal system in a folder, a clean clone in it, and
# `./run up --once` there. Takes a quarter of an hour and 4 GB; wants root and debootstrap.
#   tests/bare_debian.sh [FOLDER]      the folder is kept, and used again if it is there
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-/var/tmp/suan-bare-debian}
((EUID == 0)) || { echo "bare_debian: this needs root" >&2; exit 2; }

if [[ ! -f $folder/etc/debian_version ]]; then
  debootstrap --variant=minbase bookworm "$folder" >/dev/null
fi
# How this machine reaches the mirrors of Debian and npm; nothing of it is part of the repository.
rm -rf "$folder"/etc/apt/sources.list "$folder"/etc/apt/sources.list.d
mkdir -p "$folder/etc/apt/sources.list.d" "$folder/etc/ssl/certs" "$folder/usr/share/keyrings"
for name in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [[ ! -f $name ]] || cp "$name" "$folder$name"
done
for name in $(grep -ls '^Acquire::' /etc/apt/apt.conf.d/*) /etc/resolv.conf /etc/hosts /usr/share/keyrings/debian-archive-*; do
  [[ ! -f $name ]] || cp "$name" "$folder$name"
done
for name in /usr/local/share/ca-certificates/*.crt; do
  [[ ! -f $name ]] || install -D "$name" "$folder$name"
done
# npm trusts only what it is told to; the bundle of this machine, under a name no package owns.
if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
  install -D /etc/ssl/certs/ca-certificates.crt "$folder/etc/host-ca.crt"
fi

rm -rf "$folder/root/suanhe"
git clone --quiet "file://$root" "$folder/root/suanhe"

release() { umount -l "$folder/proc" "$folder/dev" 2>/dev/null || true; }
trap release EXIT
mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"
mountpoint -q "$folder/dev" || mount --rbind /dev "$folder/dev"

chroot "$folder" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
  NODE_EXTRA_CA_CERTS=/etc/host-ca.crt npm_config_cafile=/etc/host-ca.crt \
  bash -c 'cd /root/suanhe && ./run up --once'
