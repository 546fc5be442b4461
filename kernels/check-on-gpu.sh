#!/usr/bin/env bash
# Checks the CUDA backend on a machine with an NVIDIA GPU, against its real driver, and writes a report:
#   kernels/check-on-gpu.sh [FOLDER]   assembles the PTX (where ptxas is there), runs the conformance suite, the goldens and the precision tests,
#                                      times kernels, steps and whole edits, and PyTorch's (where it is there); FOLDER: artifacts/gpu-report
#   kernels/check-on-gpu.sh pack       on a machine with the .NET SDK: puts the tests with a .NET runtime into artifacts/check-on-gpu.tar.xz, to be taken
#                                      along with the repository to a machine that has no SDK
# Where the SDK or artifacts/compare.tar.xz (benchmarks/compare.sh pack) is there, the processor's kernels are timed too, beside the tests (kernels/processor.sh);
# that checks nothing of the GPU's backend, so its failure is reported and fails nothing else.
# Every part runs even where one before it failed or hung; behind the build all parts together take 10 minutes at most (CHECK_SECONDS: 570).
# FOLDER receives report.md, report.json with the same and all figures, and NAME.log of each part.
# Exit code: 0 all passed, 1 a part failed, 3 there is no NVIDIA GPU.
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
. kernels/bundle.sh
. kernels/processor.sh

if [ "${1:-}" = pack ]; then
  # The toy is for tests that need the emulator.
  pack_bundle check-on-gpu 'tests/FramePainter.Cuda.Tests tests/FramePainter.Ilgpu.Tests' 32000000 'FramePainter.Toy.*'
  exit
fi

out=${1:-artifacts/gpu-report}
if ! command -v nvidia-smi > /dev/null || ! gpus=$(timeout -k 5 30 nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1); then
  echo "No NVIDIA GPU: nvidia-smi is missing, finds no device or does not answer${gpus:+ ($gpus)}. Nothing was checked." >&2
  exit 3
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
report=$out/report.md
figures="ptxas kernels kernels_bf16 steps edits torch_unet processor processor_bf16"
sections="ptxas processor processor_bf16 tables"
rm -f "$report" "$out/report.json"
for name in $sections; do rm -f "$out/$name.md"; done
for name in $figures; do rm -f "$out/$name.json"; done

# Memory is faster to write random weights to than a disk, where there is enough of it.
room=$(df -Pk /dev/shm 2> /dev/null | awk 'NR == 2 { print $4 }')
scratch=$(TMPDIR=$([ "${room:-0}" -gt 12000000 ] && echo /dev/shm || echo "${TMPDIR:-/tmp}") mktemp -d -t framepainter-XXXXXX)
# The driver keeps what it assembled, for the next process.
mkdir -p "${HOME:-/dev/null}/.nv" 2> /dev/null || export CUDA_CACHE_PATH=$scratch/cuda-cache

declare -A running=() limits=() begun=()
# Parts that check nothing of the GPU's backend: they may fail.
no_checks="build-compare processor processor_bf16"
json_parts=()
failed=0
deadline=$((SECONDS + 3600))

text() { sed 's/[\\"]/\\&/g; s/[[:cntrl:]]//g'; }
lines() { text | sed 's/.*/"&"/; $!s/$/,/'; }

# finish: the report's end, however the script ends.
finish() {
  local code=$?
  kill ${running[@]+"${running[@]}"} 2> /dev/null
  wait
  rm -rf "$scratch"
  [ "$code" -eq 0 ] || failed=1
  local section name
  for section in $sections; do [ -s "$out/$section.md" ] && { echo; cat "$out/$section.md"; } >> "$report"; done
  {
    echo "{\"commit\": \"$commit\", \"date\": \"$(date -u +%F)\", \"passed\": $([ $failed = 0 ] && echo true || echo false), \"gpus\": ["
    lines <<< "$gpus"
    echo '], "parts": ['
    (IFS=,; echo "${json_parts[*]-}")
    echo ']'
    # A part that was stopped may leave half a file.
    for name in $figures; do [ -s "$out/$name.json" ] && [[ $(tail -n 1 "$out/$name.json") =~ ^[]}] ]] && { echo ", \"$name\":"; cat "$out/$name.json"; }; done
    [ -s "$out/tables.md" ] && { echo ', "tables": ['; lines < "$out/tables.md"; echo ']'; }
    echo '}'
  } > "$out/report.json"
  echo
  cat "$report"
  exit "$failed"
}

# row NAME RESULT [CODE SECONDS COUNTS]: a line of the report.
row() {
  echo "| $1 | $2${5:+ ($5)} | ${4:-} |" | tee -a "$report"
  json_parts+=("{\"part\": \"$1\", \"result\": \"$(text <<< "$2")\", \"exit_code\": ${3:-null}, \"seconds\": ${4:-null}, \"tests\": \"${5:-}\"}"$'\n')
}

# begin NAME SECONDS COMMAND...: starts a part; it is stopped when its seconds are over, or those of all parts. Its output goes to NAME.log.
begin() {
  local name=$1 limit=$2 left=$((deadline - SECONDS))
  shift 2
  echo "== $name"
  [ "$limit" -lt "$left" ] || limit=$left
  limits[$name]=$limit begun[$name]=$(date +%s)
  if [ "$limit" -lt 1 ]; then set -- false; limit=1; limits[$name]=0; fi
  timeout -k 5 "$limit" "$@" > "$out/$name.log" 2>&1 &
  running[$name]=$!
}

# end NAME...: waits for parts and notes how they went.
end() {
  local name code counts seconds result
  for name; do
    wait "${running[$name]}"
    code=$?
    unset "running[$name]"
    seconds=$(($(stat -c %Y "$out/$name.log") - begun[$name]))
    counts=$(sed -n 's/^ *\(total\|failed\|succeeded\|skipped\): \([0-9]*\).*/\1 \2,/p' "$out/$name.log" | tr '\n' ' ')
    if [ "$code" -eq 0 ]; then result=passed
    elif [ "${limits[$name]}" -lt 1 ]; then result="FAILED: no time was left for it"
    elif [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then result="FAILED: stopped after ${limits[$name]} s" seconds=${limits[$name]}
    else result="FAILED: exit code $code"; fi
    [ "$code" -eq 0 ] || [[ " $no_checks " == *" $name "* ]] || failed=1
    counts=${counts% }
    row "$name" "$result" "$code" "$seconds" "${counts%,}"
  done
}

part() { begin "$@"; end "$1"; }
skipped() { row "$1" "skipped: $2"; }

commit=$(git rev-parse --short HEAD 2> /dev/null || echo unknown)
{
  echo "# Check of the CUDA backend on a GPU"
  echo
  echo "Commit $commit, $(date -u +%F). Driver's list (name, driver, memory, capability):"
  echo
  while read -r gpu; do echo "* $gpu"; done <<< "$gpus"
  echo
  echo "| part | result | seconds |"
  echo "|---|---|---|"
} > "$report"
trap finish EXIT
trap 'exit 1' INT TERM

# program NAME PROJECT: sets `program` to the project's, built or unpacked; it may still be missing.
program() {
  program=artifacts/$1/$(basename "$2")
  if has_sdk; then
    part "build-$1" 600 dotnet build "$2" -c Release
    program=artifacts/bin/$(basename "$2")/release/$(basename "$2")
  elif [ -f "artifacts/$1.tar.xz" ]; then
    unpack_bundle "$1"
  fi
}

program check-on-gpu tests/FramePainter.Cuda.Tests
tests=$program
# Beside them, in the same archive or built alike.
ilgpu=${tests//Cuda.Tests/Ilgpu.Tests}
if has_sdk; then part build-ilgpu 600 dotnet build tests/FramePainter.Ilgpu.Tests -c Release; fi
program compare benchmarks/FramePainter.Benchmarks
compare=$program

# Tables have the last half minute for themselves, to show what there is.
for_tables=30
deadline=$((SECONDS + ${CHECK_SECONDS:-570} - for_tables))

begin_processor
ptxas=$(command -v ptxas || ls /usr/local/cuda/bin/ptxas 2> /dev/null)
if [ -n "$ptxas" ]; then begin ptxas 120 kernels/ptxas.sh "$ptxas" "$out"; else skipped ptxas "ptxas is not installed; the driver assembles the PTX below"; fi

export FRAMEPAINTER_CUDA=driver FRAMEPAINTER_MODEL=$scratch/model
suite=FramePainter.Cuda.Tests
run() { "$1" "$2" "$3" "$tests" --filter-not-trait Needs=emulator "${@:4}"; }
conformance() { begin "$1" 120 env FRAMEPAINTER_FULL=1 "$tests" --filter-not-trait Needs=emulator --filter-class "$suite.$2"; }

if [ -x "$tests" ]; then
  mkdir "$FRAMEPAINTER_MODEL"
  run begin model 300 --filter-method "$suite.GpuReport.Model"
  # Alone and first: the driver assembles every kernel once, and the other processes find them.
  run part goldens 180 --filter-class "$suite.GoldenTests"
  conformance border BorderConformance
  conformance inner InnerConformance
  conformance large-tiles LargeTileConformance
  conformance naive NaiveConformance
  conformance bfloat16 BFloat16Conformance
  conformance bfloat16-large-tiles BFloat16LargeTileConformance
  run begin rounding 60 --filter-class "$suite.BFloat16Tests"
  run begin hopper 150 --filter-class "$suite.HopperProductTests" "$suite.HopperFinishTests" "$suite.HopperAttentionTests"
  run begin precision 120 --filter-class "$suite.PrecisionTests"
  run begin streaming 60 --filter-class "$suite.StreamingTests" "$suite.PictureTests"
  if [ -x "$ilgpu" ]; then
    begin ilgpu 120 env FRAMEPAINTER_ILGPU=cuda "$ilgpu" --filter-class FramePainter.Ilgpu.Tests.PoclConformance
    begin ilgpu-halves 120 env FRAMEPAINTER_ILGPU=cuda "$ilgpu" --filter-class FramePainter.Ilgpu.Tests.PoclInnerConformance FramePainter.Ilgpu.Tests.HalfValueTests
    begin ilgpu-goldens 120 env FRAMEPAINTER_ILGPU=cuda "$ilgpu" --filter-method 'FramePainter.Ilgpu.Tests.GoldenTests.Networks_and_edits_*'
    end ilgpu ilgpu-halves ilgpu-goldens
  else
    skipped ilgpu "its tests are not in the archive"
  fi
  end border inner large-tiles naive bfloat16 bfloat16-large-tiles rounding hopper precision streaming
  [ -z "$ptxas" ] || end ptxas
  end model
  end_processor
  # Times: one part after the other, with the machine to itself.
  export FRAMEPAINTER_REPORT=$out
  run part steps 90 --filter-method "$suite.GpuReport.Steps"
  run part edits 120 --filter-method "$suite.GpuReport.Edits"
  run part kernels 90 --filter-method "$suite.GpuReport.Kernels"
  run part kernels-bf16 60 --filter-method "$suite.GpuReport.KernelsInBFloat16"
else
  [ -z "$ptxas" ] || end ptxas
  end_processor
  failed=1
  row tests "FAILED: there is no .NET SDK and no artifacts/check-on-gpu.tar.xz; run 'kernels/check-on-gpu.sh pack' on a machine with the SDK and bring it along"
fi

if ! command -v python3 > /dev/null; then
  skipped tables "python3 is not installed; the figures are in report.json"
else
  if python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'; then
    part torch-check 60 python3 kernels/torch_peer.py --check
    part torch-unet 120 python3 kernels/torch_peer.py "$out" --seconds 90
  else
    skipped torch "PyTorch is not installed"
  fi
  deadline=$((deadline + for_tables))
  part tables 90 python3 kernels/gpu_tables.py "$out"
fi
exit "$failed"
