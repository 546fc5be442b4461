#!/usr/bin/env bash
# Runs the processor's tests as Arm64 programs. On an Arm64 machine tests/run-all.sh does that already; on another one they run under QEMU's user-mode emulation, which says nothing
# about speed: the default classes take 50 minutes on two cores of an x64 server.
# Wants qemu-aarch64-static on PATH, and a folder with Arm64's C, C++ and OpenSSL libraries (lib/libc.so.6, ...), named by ARM64_ROOT.
# Usage: tests/run-arm64.sh [options of FramePainter.Core.Tests instead of the default classes]
set -euo pipefail
cd "$(dirname "$0")/.."
out=artifacts/arm64
root=${ARM64_ROOT:-/usr/aarch64-linux-gnu}
command -v qemu-aarch64-static > /dev/null || { echo "qemu-aarch64-static is not on PATH (Debian: qemu-user-static)." >&2; exit 1; }
for library in libc.so.6 libstdc++.so.6 libssl.so.3; do
  [ -e "$root/lib/$library" ] || { echo "$root/lib has no $library of Arm64; ARM64_ROOT names the folder (Debian: libc6-arm64-cross, libstdc++6-arm64-cross, libssl3:arm64)." >&2; exit 1; }
done

# A heap that reserves little, and code that is written where it runs: what emulation of address spaces wants.
run() {
  QEMU_LD_PREFIX=$root DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableWriteXorExecute=0 DOTNET_GCHeapHardLimit=0x80000000 \
    qemu-aarch64-static -E LD_LIBRARY_PATH="$root/lib" "$out/$1/FramePainter.$1" "${@:2}"
}

check() {
  dotnet publish "tests/FramePainter.$1" -r linux-arm64 --self-contained -c Release -o "$out/$1" --artifacts-path "$out/artifacts" -v q
  run "$@"
}

if [ $# -gt 0 ]; then
  check Core.Tests "$@"
else
  check Core.Tests --filter-class '*KernelTests' --filter-class '*ElementTileTests' --filter-class '*VectorMathTests' --filter-class '*GegluTests'
  check Conformance --filter-class '*CpuConformance'
  check Goldens.Tests --filter-class '*GoldenTests'
fi
