#!/usr/bin/env bash
# Compiles every kernel, with clang alone (Debian's clang-19; no CUDA toolkit), once for float16 and once for bfloat16:
#   kernels/build.sh ptx        PTX for sm_80, and of hopper/ for sm_90a, into kernels/ptx, with the hashes of the sources beside it
#   kernels/build.sh emulator   the same sources as C++ over the emulator, into artifacts/emulator/libcuda-emulator.so
set -euo pipefail
cd "$(dirname "$0")"
CLANG=${CLANG:-clang++-19}
command -v "$CLANG" > /dev/null || { echo "kernels/build.sh wants $CLANG: apt-get install clang-19" >&2; exit 2; }

# compile SOURCE ARCH PTX_FEATURE: ptx/NAME.ARCH.ptx and ptx/NAME.bf16.ARCH.ptx.
compile() {
  local name flags=(-x cuda -std=c++20 -S -O3 --cuda-device-only -nocudainc -nocudalib -Wall -Werror --cuda-gpu-arch="$2" --cuda-feature="+$3" -mllvm -unroll-threshold=3000)
  name=ptx/$(basename "${1%.cu}")
  "$CLANG" "${flags[@]}" "$1" -o "$name.$2.ptx"
  "$CLANG" "${flags[@]}" -DFP_BRAIN "$1" -o "$name.bf16.$2.ptx"
}

case "${1:-}" in
  ptx)
    mkdir -p ptx
    for source in *.cu; do compile "$source" sm_80 ptx78; done
    LC_ALL=C sha256sum *.cu *.h | sha256sum | cut -d' ' -f1 > ptx/sources.sha256
    for source in hopper/*.cu; do compile "$source" sm_90a ptx80; done
    LC_ALL=C sha256sum hopper/*.cu hopper/*.h ./*.h | sha256sum | cut -d' ' -f1 > ptx/hopper.sha256
    ;;
  emulator)
    out=../artifacts/emulator
    mkdir -p "$out"
    flags=(-std=c++20 -O3 -march=native -fPIC -fvisibility=hidden -Wall -Werror -DFP_HOST)
    objects=() commands=()
    # object SOURCE NAME FLAG...: to be compiled again where it is older than what it is made of.
    object() {
      local source=$1 object=$out/$2.o
      shift 2
      objects+=("$object")
      if [ ! -e "$object" ] || [ -n "$(find "$source" ./*.h hopper/*.h emulator/*.h -newer "$object")" ]; then
        commands+=("$CLANG ${flags[*]} $* -x c++ -c $source -o $object")
      fi
    }
    for source in *.cu hopper/*.cu; do
      object "$source" "$(basename "$source")"
      object "$source" "$(basename "${source%.cu}").bf16.cu" -DFP_BRAIN
    done
    for source in emulator/*.cpp; do object "$source" "$(basename "$source")"; done
    printf '%s\n' "${commands[@]}" | xargs -r -d '\n' -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c '{}'
    "$CLANG" -shared "${objects[@]}" -o "$out/libcuda-emulator.so"
    ;;
  *)
    echo "usage: kernels/build.sh ptx|emulator" >&2
    exit 2
    ;;
esac
