#!/usr/bin/env bash
# Checks the CUDA backend on a machine with an NVIDIA GPU, against its real driver, and writes a report:
#   kernels/check-on-gpu.sh [FOLDER]   assembles the PTX (where ptxas is there), runs the conformance suite, the goldens and the precision tests,
#                                      times kernels (beside PyTorch, where it is there) and whole edits; FOLDER: artifacts/gpu-report
#   kernels/check-on-gpu.sh pack       on a machine with the .NET SDK: puts the tests with a .NET runtime into artifacts/check-on-gpu, to be taken
#                                      along with the repository to a machine that has no SDK
# Every part runs even where one before it failed. Exit code: 0 all passed, 1 a part failed, 3 there is no NVIDIA GPU.
set -uo pipefail
cd "$(dirname "$0")/.."
bundle=artifacts/check-on-gpu
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

if [ "${1:-}" = pack ]; then
  exec dotnet publish tests/FramePainter.Cuda.Tests -c Release -r linux-x64 --self-contained -o "$bundle"
fi

out=${1:-artifacts/gpu-report}
if ! command -v nvidia-smi > /dev/null || ! gpus=$(nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1); then
  echo "No NVIDIA GPU: nvidia-smi is missing or finds no device${gpus:+ ($gpus)}. Nothing was checked." >&2
  exit 3
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
report=$out/report.md
failed=0

{
  echo "# Check of the CUDA backend on a GPU"
  echo
  echo "Commit $(git rev-parse --short HEAD 2> /dev/null || echo unknown), $(date -u +%F). Driver's list (name, driver, memory, capability):"
  echo
  while read -r gpu; do echo "* $gpu"; done <<< "$gpus"
  echo
  echo "| part | result |"
  echo "|---|---|"
} > "$report"

# part NAME SECONDS COMMAND...: runs a part, notes how it went; its output goes to NAME.log.
part() {
  local name=$1 limit=$2 code
  shift 2
  echo "== $name"
  timeout "$limit" "$@" > "$out/$name.log" 2>&1
  code=$?
  local counts
  counts=$(sed -n 's/^ *\(total\|failed\|succeeded\|skipped\): \([0-9]*\).*/\1 \2,/p' "$out/$name.log" | tr '\n' ' ')
  if [ "$code" -eq 0 ]; then echo "| $name | passed ${counts%, } |"; else echo "| $name | FAILED (exit code $code) ${counts%, } |"; fi | tee -a "$report"
  [ "$code" -eq 0 ] || failed=1
}

skipped() { echo "| $1 | skipped: $2 |" | tee -a "$report"; }

assemble() {
  for ptx in kernels/ptx/*.ptx; do
    local arch=${ptx%.ptx}
    echo "-- $ptx"
    "$ptxas" -v -arch="${arch##*.}" "$ptx" -o /dev/null || return 1
  done
}

ptxas=$(command -v ptxas || ls /usr/local/cuda/bin/ptxas 2> /dev/null)
if [ -n "$ptxas" ]; then part ptxas 180 assemble; else skipped ptxas "ptxas is not installed; the driver assembles the PTX below"; fi

if command -v dotnet > /dev/null && [ "$(dotnet --list-sdks 2> /dev/null | wc -l)" -gt 0 ]; then
  part build 300 dotnet build tests/FramePainter.Cuda.Tests -c Release
  tests=artifacts/bin/FramePainter.Cuda.Tests/release/FramePainter.Cuda.Tests
else
  tests=$bundle/FramePainter.Cuda.Tests
fi

if [ ! -x "$tests" ]; then
  echo "There is no .NET SDK and no $tests. Run 'kernels/check-on-gpu.sh pack' on a machine with the SDK and bring artifacts/check-on-gpu along." | tee -a "$report" >&2
  exit 1
fi

export FRAMEPAINTER_CUDA=driver FRAMEPAINTER_FULL=1
run() { part "$1" "$2" "$tests" --filter-not-trait Needs=emulator "${@:3}"; }
suite=FramePainter.Cuda.Tests
run conformance 240 --filter-class "$suite.BorderConformance" --filter-class "$suite.InnerConformance" --filter-class "$suite.LargeTileConformance" --filter-class "$suite.NaiveConformance"
run goldens 120 --filter-class "$suite.GoldenTests"
run precision 120 --filter-class "$suite.PrecisionTests"
run streaming 60 --filter-class "$suite.StreamingTests"
export FRAMEPAINTER_REPORT=$out
run kernels 120 --filter-method "$suite.GpuReport.Kernels"
run edits 300 --filter-method "$suite.GpuReport.Edits"

if command -v python3 > /dev/null; then
  part tables 120 python3 kernels/gpu_tables.py "$out"
  [ -f "$out/tables.md" ] && { echo; cat "$out/tables.md"; } >> "$report"
else
  skipped tables "python3 is not installed; the figures are in kernels.json and edits.json"
fi

echo
cat "$report"
exit "$failed"
