#!/usr/bin/env bash
# A Docker Engine with current BuildKit in a folder of its own, from Debian packages; nothing of the machine is installed or changed.
#   engine.sh prepare           unpacks the engine and makes a busybox image, once
#   engine.sh with COMMAND…     starts an engine, runs the command with DOCKER_HOST set, and stops the engine when it ends
# The cache is PLIMSOLL_ENGINE (~/.cache/plimsoll/engine): `dk` the programs, `busybox.tar` and `bases` what images are made
# of, `runs` a folder for each engine that runs. Needs Debian on x86-64 and root.
# ENGINE_STORE=containerd: images lie in containerd's store, packed as they are pulled, and not in Docker's own of old.
# ENGINE_SUITE: the Debian release the engine is taken from.
set -euo pipefail
. "$(dirname "$0")/../debian.sh"
cache=${PLIMSOLL_ENGINE:-$HOME/.cache/plimsoll/engine}
suite=${ENGINE_SUITE:-forky}
mkdir -p "$cache/runs"
cache=$(realpath "$cache")
export PATH=$cache/dk/usr/bin:$cache/dk/usr/sbin:$PATH DOCKER_CONFIG=$cache/cfg PLIMSOLL_ENGINE=$cache

# fetch DEST PACKAGE…: packages of the machine's own release.
fetch() { fetch_debs "$(. /etc/os-release && echo "$VERSION_CODENAME")" alone "$@"; }

make_busybox() {
  local root=$cache/busybox.new applet
  rm -rf "$root"
  mkdir -p "$root"/root/{bin,tmp,etc}
  retry fetch "$root/deb" busybox-static
  cp "$root/deb/bin/busybox" "$root/root/bin" 2> /dev/null || cp "$root/deb/usr/bin/busybox" "$root/root/bin"
  for applet in $("$root/root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' > "$root/root/etc/passwd"
  echo 'root:x:0:' > "$root/root/etc/group"
  chmod 1777 "$root/root/tmp"
  tar -C "$root/root" --owner=0 --group=0 --numeric-owner -cf "$cache/busybox.tar.new" .
  mv "$cache/busybox.tar.new" "$cache/busybox.tar"
  rm -rf "$root"
}

prepare() {
  [ "$(id -u)" = 0 ] || { echo "engine.sh: a Docker Engine needs root" >&2; exit 1; }
  [ "$(uname -m)" = x86_64 ] || { echo "engine.sh: made for x86-64, this is $(uname -m)" >&2; exit 1; }
  for tool in apt-get dpkg-deb flock setsid tar; do
    command -v "$tool" > /dev/null || { echo "engine.sh: $tool is missing" >&2; exit 1; }
  done
  exec 8> "$cache/prepare.lock"
  flock 8
  if [ ! -x "$cache/dk/usr/sbin/dockerd" ]; then
    rm -rf "$cache/dk.new"
    retry fetch_debs "$suite" alone "$cache/dk.new" docker.io docker-cli docker-buildx containerd
    # The newer release's own runc wants a newer C library than the machine has.
    rm -f "$cache"/dk.new/usr/{bin,sbin}/runc
    command -v runc > /dev/null || retry fetch "$cache/dk.new" runc libseccomp2
    mkdir -p "$cache/cfg/cli-plugins"
    ln -sf "$cache/dk/usr/libexec/docker/cli-plugins/docker-buildx" "$cache/cfg/cli-plugins/"
    rm -rf "$cache/dk"
    mv "$cache/dk.new" "$cache/dk"
  fi
  export LD_LIBRARY_PATH=$cache/dk/usr/lib/x86_64-linux-gnu
  if ldd "$(command -v dockerd)" "$(command -v containerd)" "$(command -v runc)" | grep "not found" >&2; then
    echo "engine.sh: the engine of $suite does not run on this machine" >&2
    exit 1
  fi
  [ -f "$cache/busybox.tar" ] || make_busybox
  # What an engine left behind whose keeper was killed.
  for run in "$cache"/runs/*/; do
    if [ -d "$run" ] && flock -n "$run/lock" true; then clear_away "$run"; fi
  done
  exec 8>&-
}

# Stops an engine that has lost its keeper; nothing may hold on to a mount below a folder that is removed.
clear_away() {
  local engine
  engine=$(cat "$1/pid" 2> /dev/null || true)
  if [ -n "$engine" ] && grep -qs dockerd "/proc/$engine/comm"; then
    kill "$engine" || true
    timeout 30 tail --pid="$engine" -f /dev/null || true
  fi
  awk -v run="$(realpath "$1")/" 'index($5, run) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r mounted; do umount -l "$mounted" || true; done
  rm -rf --one-file-system "$1"
}

stop() {
  local engine=$1 run=$2
  kill "$engine" 2> /dev/null || true
  timeout 30 tail --pid="$engine" -f /dev/null || kill -9 "$engine" 2> /dev/null || true
  wait "$engine" 2> /dev/null || true
  clear_away "$run"
}

with() {
  local try
  # Nobody may take this run for one of the past before it is locked. `run` and `engine` are not local: the trap reads them.
  exec 8> "$cache/prepare.lock"
  flock 8
  run=$(mktemp -d "$cache/runs/XXXXXX")
  exec 9> "$run/lock"
  flock 9
  exec 8>&-
  export DOCKER_HOST=unix://$run/docker.sock LD_LIBRARY_PATH=$cache/dk/usr/lib/x86_64-linux-gnu
  # Which of the two is the default depends on the release.
  local store=(--storage-driver=overlay2) containerd=false
  if [ "${ENGINE_STORE:-}" = containerd ]; then
    store=() containerd=true
  fi
  echo "{\"features\": {\"containerd-snapshotter\": $containerd}}" > "$run/daemon.json"
  # Neither the keeper's lock nor its streams go on to the engine, which would keep them open.
  setsid dockerd --config-file "$run/daemon.json" --iptables=false --ip6tables=false --bridge=none "${store[@]}" \
    --data-root="$run/data" --exec-root="$run/exec" --pidfile="$run/pid" -H "$DOCKER_HOST" \
    > "$run/log" 2>&1 < /dev/null 9>&- &
  engine=$!
  trap 'stop "$engine" "$run"' EXIT
  trap 'exit 1' HUP INT TERM
  for try in $(seq 600); do
    if docker version > /dev/null 2>&1 || ! kill -0 "$engine" 2> /dev/null; then break; fi
    sleep 0.1
  done
  docker version > /dev/null || { tail -20 "$run/log" >&2; exit 1; }
  docker import -c 'CMD ["sh"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$cache/busybox.tar" busybox > /dev/null
  "$@" 9>&-
}

case ${1:-} in
  prepare) prepare ;;
  with)
    shift
    prepare > /dev/null
    with "$@"
    ;;
  *)
    sed -n '2,8s/^# \?//p' "$0" >&2
    exit 2
    ;;
esac
