#!/usr/bin/env bash
# Times our kernels against ONNX Runtime in turns and writes the table to benchmarks/results:
#   benchmarks/compare.sh [quick|full] [options of `compare`, such as --threads 1, --filter attention or --out FOLDER]
#   benchmarks/compare.sh pack   on a machine with the .NET SDK: puts the program with a .NET runtime into artifacts/compare.tar.xz, to be taken along with
#                                the repository to a machine that has no SDK, which runs it from there
# Exit code: that of `compare`; 3 where there is neither the SDK nor the archive.
set -euo pipefail
cd "$(dirname "$0")/.."
. kernels/bundle.sh
project=benchmarks/FramePainter.Benchmarks

if [ "${1:-}" = pack ]; then
  # Left out: BenchmarkDotNet's compiler, disassembler and readers of traces, ONNX Runtime for Windows, and what the runtime has for nets, data and XML.
  # `compare` loads none of it.
  pack_bundle compare "$project" 26000000 '*.pdb' '*.xml' 'onnxruntime*.dll' \
    'Microsoft.CodeAnalysis*' 'Microsoft.Diagnostics.*' 'Microsoft.Extensions.*' '*[Cc]apstone*' amd64 \
    'System.Private.Xml*' 'System.Private.DataContract*' 'System.Xml*' 'System.Data*' 'System.Net*' 'System.Security*' System.Text.Json.dll \
    System.Linq.Expressions.dll System.Linq.AsyncEnumerable.dll System.Linq.Parallel.dll libclrgc.so 'libSystem.Security*' 'libSystem.Net*' 'libSystem.IO.Compression*'
  exit
fi

set_name=${1:-quick}
[ $# -gt 0 ] && shift
[[ " $* " == *" --out"* ]] || set -- "$@" --out benchmarks/results
if has_sdk; then
  dotnet build "$project" -c Release
  # The compiler's helpers are still busy for some seconds, and would take a core from the first case.
  sleep 15
  dotnet run --no-build --project "$project" -c Release -- compare "$set_name" "$@"
elif [ -f artifacts/compare.tar.xz ]; then
  unpack_bundle compare
  artifacts/compare/FramePainter.Benchmarks compare "$set_name" "$@"
else
  echo "There is no .NET SDK and no artifacts/compare.tar.xz; run 'benchmarks/compare.sh pack' on a machine with the SDK and bring it along." >&2
  exit 3
fi
