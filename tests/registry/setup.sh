#!/usr/bin/env bash
# setup.sh [DIR]: what the tests with registries need in DIR, from Debian's packages. A second run adds only what is missing.
#   DIR/bin/docker-registry   a registry
#   DIR/bin/strace            shows the system calls of a program
# Unpacked, not installed: root is not needed. Needs Debian with apt-get and dpkg-deb.
# REGISTRY_SUITE: the Debian release (the machine's own).
set -euo pipefail
. "$(dirname "$0")/../debian.sh"
dir=${1:-${PLIMSOLL_REGISTRY:-$HOME/.cache/plimsoll/registry}}
suite=${REGISTRY_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mkdir -p "$dir/bin"
dir=$(realpath "$dir")

if [ ! -x "$dir/bin/docker-registry" ] || [ ! -x "$dir/bin/strace" ]; then
  rm -rf "$dir/root"
  retry fetch_debs "$suite" alone "$dir/root" docker-registry strace libunwind8 liblzma5
  # The libraries that strace needs beside the C library may not be on this machine.
  lib=$(dirname "$(find "$dir/root" -name 'libunwind.so.8' | sed -n 1p)")
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q -E LD_LIBRARY_PATH "$@"\n' "$lib" "$dir/root/usr/bin/strace" > "$dir/bin/strace.new"
  printf '#!/bin/sh\nexec %q "$@"\n' "$dir/root/usr/bin/docker-registry" > "$dir/bin/docker-registry.new"
  for program in strace docker-registry; do
    chmod +x "$dir/bin/$program.new"
    mv "$dir/bin/$program.new" "$dir/bin/$program"
  done
fi
"$dir/bin/docker-registry" --version
"$dir/bin/strace" --version | sed -n 1p
