#!/usr/bin/env bash
# setup.sh [DIR]: what the tests with registries need in DIR, from Debian's packages. A second run adds only what is missing.
#   DIR/bin/docker-registry   a registry
#   DIR/bin/strace            shows the system calls of a program
# Unpacked, not installed: root is not needed. Needs Debian with apt-get and dpkg-deb.
# REGISTRY_SUITE: the Debian release (the machine's own). DEBIAN_MIRROR: its mirror (the machine's own).
set -euo pipefail
dir=${1:-${PLIMSOLL_REGISTRY:-$HOME/.cache/plimsoll/registry}}
suite=${REGISTRY_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mkdir -p "$dir/bin"
dir=$(realpath "$dir")

# fetch_debs DEST PACKAGE…: these packages unpacked below DEST. apt works on lists of its own.
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
    -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1 -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root -o Acquire::Retries=3)
  if apt-get "${opt[@]}" update > /dev/null && (cd "$apt/cache" && apt-get "${opt[@]}" download "$@" > /dev/null); then
    for deb in "$apt"/cache/*.deb; do dpkg-deb -x "$deb" "$dest"; done
    rm -rf "$apt"
  else
    rm -rf "$apt"
    return 1
  fi
}

if [ ! -x "$dir/bin/docker-registry" ] || [ ! -x "$dir/bin/strace" ]; then
  rm -rf "$dir/root"
  for try in 1 2 3 4; do
    fetch_debs "$dir/root" docker-registry strace libunwind8 liblzma5 && break
    [ "$try" != 4 ] || exit 1
    sleep $((try * 3))
  done
  # The libraries that strace needs beside the C library may not be on this machine.
  lib=$(dirname "$(find "$dir/root" -name 'libunwind.so.8' | head -1)")
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q -E LD_LIBRARY_PATH "$@"\n' "$lib" "$dir/root/usr/bin/strace" > "$dir/bin/strace.new"
  printf '#!/bin/sh\nexec %q "$@"\n' "$dir/root/usr/bin/docker-registry" > "$dir/bin/docker-registry.new"
  for program in strace docker-registry; do
    chmod +x "$dir/bin/$program.new"
    mv "$dir/bin/$program.new" "$dir/bin/$program"
  done
fi
"$dir/bin/docker-registry" --version
"$dir/bin/strace" --version | head -1
