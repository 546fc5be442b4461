#!/usr/bin/env bash
# Branch coverage of the safetensors reader and of the C ABI, by coverlet: tests/coverage.sh. Lists every branch that was not taken.
set -eu
cd "$(dirname "$0")/.."
out=artifacts/coverage
rm -rf "$out"
cover() { # project, classes of tests, what is measured
  dotnet test --project "tests/$1" -c Release -- --filter-class "$2" --coverlet --coverlet-include "$3" --coverlet-output-format json --results-directory "$out/$1" > /dev/null
  python3 - "$out/$1"/coverage.*.json "$4" << 'PYTHON'
import json, sys
taken = every = 0
for files in json.load(open(sys.argv[1])).values():
    for file, classes in files.items():
        name = file.replace("\\", "/").rsplit("/", 1)[-1]
        if name == "SafetensorsWriter.cs":
            continue
        for methods in classes.values():
            for method, figures in methods.items():
                for branch in figures["Branches"]:
                    every += 1
                    taken += branch["Hits"] > 0
                    if branch["Hits"] == 0:
                        print(f"not taken: {name}:{branch['Line']}, path {branch['Path']}")
print(f"{sys.argv[2]}: {taken} of {every} branches")
PYTHON
}
cover FramePainter.Core.Tests '*Safetensors*' '[FramePainter.Core]FramePainter.Weights.Safetensors.*' "safetensors reader"
cover FramePainter.Native.Tests '*ExportTests' '[framepainter*]FramePainter.Native.*' "C ABI"
