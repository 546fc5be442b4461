#!/usr/bin/env bash
# Fuzzes one target: tests/fuzz.sh TARGET [SECONDS] [options]. Inputs that reach something new, and finds, are kept under tests/corpus/TARGET.
set -eu
cd "$(dirname "$0")/.."
dotnet build tests/FramePainter.Fuzz -c Release -v quiet > /dev/null
out=artifacts/bin/FramePainter.Fuzz/release
copy=artifacts/fuzz
rm -rf "$copy"
cp -r "$out" "$copy"
dotnet "$out/FramePainter.Fuzz.dll" instrument "$copy"/{FramePainter.Core,FramePainter.Imaging,FramePainter.Studio,framepainter-native}.dll
dotnet "$copy/FramePainter.Fuzz.dll" run --corpus tests/corpus "$@"
