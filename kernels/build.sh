#!/usr/bin/env bash
# Compiles every kernel, with clang alone (Debian's clang-19; no CUDA toolkit):
#   kernels/build.sh ptx        PTX for sm_80, and of hopper/ for sm_90a, into kernels/ptx, with the hashes of the sources beside it
#   kernels/build.sh emulator   the same sources as C++ over the emulator, into artifacts/emulator/libcuda-emulator.so
set -euo pipefail
cd "$(dirname "$0")"
CLANG=${CLANG:-clang++-19}
command -v "$CLANG" > /dev/null || { echo "kernels/build.sh wants $CLANG: apt-get install clang-19" >&2; exit 2; }

case "${1:-}" in
  ptx)
    mkdir -p ptx
    for source in *.cu; do
      "$CLANG" -x cuda -std=c++20 -S -O3 --cuda-device-only -nocudainc -nocudalib -Wall -Werror \
        --cuda-gpu-arch=sm_80 --cuda-feature=+ptx78 -mllvm -unroll-threshold=3000 "$source" -o "ptx/${source%.cu}.sm_80.ptx"
    done
    LC_ALL=C sha256sum *.cu *.h | sha256sum | cut -d' ' -f1 > ptx/sources.sha256
    for source in hopper/*.cu; do
      "$CLANG" -x cuda -std=c++20 -S -O3 --cuda-device-only -nocudainc -nocudalib -Wall -Werror \
        --cuda-gpu-arch=sm_90a --cuda-feature=+ptx80 -mllvm -unroll-threshold=3000 "$source" -o "ptx/$(basename "${source%.cu}").sm_90a.ptx"
    done
    LC_ALL=C sha256sum hopper/*.cu hopper/*.h ./*.h | sha256sum | cut -d' ' -f1 > ptx/hopper.sha256
    ;;
  emulator)
    out=../artifacts/emulator
    mkdir -p "$out"
    flags=(-std=c++20 -O3 -march=native -fPIC -fvisibility=hidden -Wall -Werror -DFP_HOST)
    objects=()
    for source in *.cu hopper/*.cu emulator/*.cpp; do
      object="$out/$(basename "$source").o"
      objects+=("$object")
      if [ ! -e "$object" ] || [ -n "$(find "$source" ./*.h hopper/*.h emulator/*.h -newer "$object")" ]; then
        "$CLANG" "${flags[@]}" -x c++ -c "$source" -o "$object"
      fi
    done
    "$CLANG" -shared "${objects[@]}" -o "$out/libcuda-emulator.so"
    ;;
  *)
    echo "usage: kernels/build.sh ptx|emulator" >&2
    exit 2
    ;;
esac
