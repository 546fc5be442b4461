#!/usr/bin/env bash
# Assembles every PTX text, several at once, and condenses what ptxas says of the kernels:
#   kernels/ptxas.sh PTXAS FOLDER [ARCH...]   writes FOLDER/ptxas.md and FOLDER/ptxas.json; exit code 1 where a text is refused or a kernel spills
# ARCH: what texts for sm_80 are assembled for; sm_80, and sm_90 as Hopper's driver does, when left out.
set -uo pipefail
cd "$(dirname "$0")/ptx"
[ $# -ge 2 ] || { echo "usage: kernels/ptxas.sh PTXAS FOLDER [ARCH...]" >&2; exit 2; }
ptxas=$1 out=$2
shift 2
[ $# -gt 0 ] || set -- sm_80 sm_90
logs=$(mktemp -d)
trap 'rm -r "$logs"' EXIT

# The texts' names end with what they are for: NAME.sm_80.ptx.
assemble() {
  "$ptxas" -v -arch="$2" "$1" -o /dev/null > "$logs/$1.$2.log" 2>&1 || { echo "$1 for $2 is refused (exit code $?)" >> "$logs/$1.$2.log"; return 1; }
}
export -f assemble
export ptxas logs
for text in *.ptx; do
  arch=${text%.ptx} arch=${arch##*.}
  [ "$arch" = sm_80 ] && archs=("$@") || archs=("$arch")
  for arch in "${archs[@]}"; do echo "$text $arch"; done
done | xargs -P "$(nproc)" -L 1 bash -c 'assemble "$@"' assemble
code=$?

for log in "$logs"/*; do
  echo "-- $(basename "$log" .log)"
  cat "$log"
done

cat "$logs"/* | awk -v md="$out/ptxas.md" -v json="$out/ptxas.json" '
  /Compiling entry function/ { split($0, quoted, "\047"); kernel = quoted[2]; arch = quoted[4]; spill = 0 }
  /bytes spill stores/ { spill = $5 + $9 }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
    shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
    rows[++count] = sprintf("| %s | %s | %d | %d | %d |", kernel, arch, registers, spill, shared)
    objects[count] = sprintf("{\"kernel\": \"%s\", \"arch\": \"%s\", \"registers\": %d, \"spill_bytes\": %d, \"shared_bytes\": %d}", kernel, arch, registers, spill, shared)
    if (spill > 0) spilling = spilling " " kernel
  }
  /warning|Performance Loss|refused/ { gsub(/\r/, ""); notes = notes "\n* " $0 }
  END {
    print "## What ptxas says\n\n| kernel | for | registers | spilled bytes (stores and loads) | static shared bytes |\n|---|---|---|---|---|" > md
    for (i = 1; i <= count; i++) print rows[i] > md
    if (notes) print notes > md
    print "[" > json
    for (i = 1; i <= count; i++) print objects[i] (i < count ? "," : "") > json
    print "]" > json
    if (spilling) print "Registers are spilled by" spilling
    if (!count) print "ptxas named no kernel."
    exit spilling != "" || !count
  }' || code=1
exit $((code != 0))
