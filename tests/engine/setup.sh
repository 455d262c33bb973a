#!/usr/bin/env bash
# setup.sh: what the tests with a real Docker Engine need, downloaded once into PLIMSOLL_ENGINE (~/.cache/plimsoll/engine).
# No root, no Debian, a tool that is missing: that is a failure. Nothing is skipped in silence.
set -euo pipefail
cd "$(dirname "$0")"
./engine.sh prepare
./engine.sh with docker version --format 'Docker Engine {{.Server.Version}}'
