#!/usr/bin/env bash
# setup.sh [DIR]: the shell that tests/merge.rs needs beside dash and bash, from Debian's packages.
#   DIR/bin/busybox   its `ash` is the shell of Alpine images
# Unpacked, not installed: root is not needed. Needs Debian with apt-get and dpkg-deb.
# SHELLS_SUITE: the Debian release (the machine's own).
set -euo pipefail
. "$(dirname "$0")/../debian.sh"
dir=${1:-${PLIMSOLL_SHELLS:-$HOME/.cache/plimsoll/shells}}
suite=${SHELLS_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mkdir -p "$dir/bin"
dir=$(realpath "$dir")

if [ ! -x "$dir/bin/busybox" ]; then
  rm -rf "$dir/root"
  retry fetch_debs "$suite" alone "$dir/root" busybox-static
  # Newer releases have it below /usr.
  busybox=$(find "$dir/root" -path '*bin/busybox' -type f | sed -n 1p)
  cp "$busybox" "$dir/bin/busybox.new"
  mv "$dir/bin/busybox.new" "$dir/bin/busybox"
  rm -rf "$dir/root"
fi
"$dir/bin/busybox" | sed -n 1p
