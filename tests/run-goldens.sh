#!/usr/bin/env bash
# Runs every reference case of a folder (tests/goldens when none is named): one line a case, closing with "N passed, N failed".
# The exit code is 0 only when none failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${FRAMEPAINTER_GOLDENS:-$here/goldens}}
folder=$(cd "$folder" 2>/dev/null && pwd) || { echo "There is no folder '${1:-}'."; echo "0 passed, 1 failed"; exit 1; }
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! dotnet build "$here/FramePainter.Goldens" -c Release >"$log" 2>&1; then
  cat "$log"
  echo "0 passed, 1 failed"
  exit 1
fi
dotnet "$here/../artifacts/bin/FramePainter.Goldens/release/FramePainter.Goldens.dll" run "$folder"
