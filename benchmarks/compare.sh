#!/usr/bin/env bash
# Times our kernels against ONNX Runtime in turns and writes the table to benchmarks/results.
# usage: benchmarks/compare.sh [quick|full] [options of `compare`, such as --threads 1 or --filter attention]
set -eu
cd "$(dirname "$0")/.."
set_name=${1:-quick}
[ $# -gt 0 ] && shift
dotnet build benchmarks/FramePainter.Benchmarks -c Release
# The compiler's helpers are still busy for some seconds, and would take a core from the first case.
sleep 15
dotnet run --no-build --project benchmarks/FramePainter.Benchmarks -c Release -- compare "$set_name" --out benchmarks/results "$@"
