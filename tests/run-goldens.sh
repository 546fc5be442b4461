#!/usr/bin/env bash
# Runs all golden cases of a folder: run-goldens.sh [DIR]
# One line per case: name, relative L2 and largest absolute difference, tolerance, verdict; then "N passed, N failed".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${FRAMEPAINTER_GOLDENS:-$here/goldens}}
dotnet build "$here/FramePainter.Goldens" -c Release -v quiet --nologo >&2
exec dotnet run --project "$here/FramePainter.Goldens" -c Release --no-build -- "$folder"
