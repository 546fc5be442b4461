#!/usr/bin/env bash
# Every test of the repository: build (warnings are errors), then all test projects.
# The last line is "N passed, N failed"; the exit code is 0 only when nothing failed.
set -u
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# OpenCL on the processor, for the tests of the portable kernels; without it they are reported as skipped.
if ! ldconfig -p | grep -q 'libpocl\.so' && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  { apt-get update && apt-get install -y pocl-opencl-icd ocl-icd-libopencl1; } >/dev/null 2>&1 ||
    echo "PoCL cannot be installed; its tests are skipped"
fi

# A browser, for the tests of the Studio's page; without it they are reported as skipped.
if ! command -v chromium >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  { apt-get update && apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1 ||
    echo "Chromium cannot be installed; its tests are skipped"
fi

# The CUDA kernels are tested through an emulator, which clang builds from their own sources.
if ! command -v clang++-19 > /dev/null && ! { apt-get update && apt-get install -y --no-install-recommends clang-19; }; then
  echo "clang-19 is missing and could not be installed"
fi

# NVIDIA's assembler, for the tests of what it makes of the PTX; without it they are reported as skipped.
kernels/fetch-ptxas.sh || echo "ptxas cannot be brought; its tests are skipped"

if ! kernels/build.sh emulator; then
  echo "the emulator's build failed"
  echo "0 passed, 1 failed"
  exit 1
fi

if ! dotnet build FramePainter.Core.sln -c Release; then
  echo "the build failed"
  echo "0 passed, 1 failed"
  exit 1
fi

# One project at a time: the kernels use every core by themselves, and timings stay readable.
# Skipped cases (with their reasons, which follow indented) would hide the few lines that matter; the summary counts them.
dotnet test --solution FramePainter.Core.sln -c Release --no-build --max-parallel-test-modules 1 2>&1 |
  awk '/^skipped /{skip=1; next} skip && /^ /{next} {skip=0; print; fflush()}' | tee "$log"
status=${PIPESTATUS[0]}

count() { sed -n "s/^ *$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1; }
passed=$(count succeeded)
failed=$(count failed)
passed=${passed:-0}
failed=${failed:-0}
# A crash or an empty run is a failure even where no test said so.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
