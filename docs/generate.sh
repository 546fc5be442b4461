#!/usr/bin/env bash
# Makes anew what of the documentation is made by the code itself: the reference (docs/api), the pictures of the signals, and the Studio's screenshots.
# The same tests compare, where the switch is not set.
set -eu
cd "$(dirname "$0")/.."
export FRAMEPAINTER_UPDATE_DOCS=1
dotnet test --project tests/FramePainter.Docs.Tests -c Release
dotnet test --project tests/FramePainter.Studio.Tests -c Release -- --filter-class '*PageTests'
