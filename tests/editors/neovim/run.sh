#!/usr/bin/env bash
# Neovim end to end, headless: what an author sees and does in the fixture, then the bytes on disk.
# NVIM: the editor. LSP_BIN: the server under test. E2E_TIMEOUT: milliseconds for one wait (20000).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
nvim=${NVIM:?the Neovim to test with}
[ -x "$nvim" ] || { echo "FAIL: no Neovim at $nvim"; exit 1; }
[ -x "${LSP_BIN:?the server to test}" ] || { echo "FAIL: no server at $LSP_BIN"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/ws/.git"
ln -s "$(realpath "$LSP_BIN")" "$work/bin/plimsoll"
cp "$here"/../fixture/{Dockerfile,package.json,package-lock.json,server.js} "$work/ws/"
export PATH=$work/bin:$PATH HOME=$work/h
export XDG_STATE_HOME=$work/s XDG_CACHE_HOME=$work/c XDG_CONFIG_HOME=$work/x XDG_DATA_HOME=$work/d
mkdir -p "$HOME"
cd "$work/ws"
timeout -k 5 180 "$nvim" --clean --headless --cmd "set rtp^=$here/../../../editors/neovim" -c "luafile $here/e2e.lua" Dockerfile
diff "$here/../fixture/Dockerfile.expected" Dockerfile || { echo 'FAIL: the file on disk is not the expected one'; exit 1; }
echo OK
