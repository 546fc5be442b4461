# Sourced by check-on-gpu.sh: times the processor's kernels against ONNX Runtime, and ours in bfloat16 against float32 where the processor has AVX512-BF16,
# on two threads each, while the GPU's tests run. Each of the two has two cores of its own where the machine has enough, and all else keeps off them.
# `compare` is the program, which may be missing; results are processor.md, processor.json and the same of processor_bf16.

cpuinfo=${CHECK_CPUINFO:-/proc/cpuinfo}
comparisons=()
cores=()
taken=()
declare -A core_of=() place=()

joined() { local IFS=,; echo "$*"; }

# Processors that this script may use, one a line; none where there is no taskset.
allowed() {
  local range
  for range in $(taskset -cp $$ 2> /dev/null | sed 's/.*: //; s/,/ /g'); do seq "${range%-*}" "${range#*-}"; done
}

# find_cores: core_of tells every processor's core; cores has one processor of each, since those of one core share its multipliers.
find_cores() {
  local cpu core
  for cpu in $(allowed); do
    core=$(cat "/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list" 2> /dev/null || echo "$cpu")
    [[ " ${core_of[*]-} " == *" $core "* ]] || cores+=("$cpu")
    core_of[$cpu]=$core
  done
}

# begin_comparison NAME [OPTIONS]: takes the last two cores, as long as two are left for everything else.
begin_comparison() {
  local name=$1 own
  shift
  set -- "$compare" compare quick --threads 2 --out "$scratch/$name" "$@"
  place[$name]="no cores of their own, beside other work"
  if [ ${#cores[@]} -ge 4 ]; then
    own=("${cores[@]: -2}")
    taken+=("${core_of[${own[0]}]}" "${core_of[${own[1]}]}")
    cores=("${cores[@]:0:${#cores[@]}-2}")
    place[$name]="processors ${own[0]} and ${own[1]}, on cores of their own"
    set -- taskset -c "$(joined "${own[@]}")" "$@"
  fi
  begin "$name" 180 "$@"
  comparisons+=("$name")
}

begin_processor() {
  if [ ! -x "$compare" ]; then
    skipped processor "there is no .NET SDK and no artifacts/compare.tar.xz, which 'benchmarks/compare.sh pack' makes"
    return
  fi
  find_cores
  begin_comparison processor
  if grep -qw avx512_bf16 "$cpuinfo"; then begin_comparison processor_bf16 --precision BFloat16
  else skipped processor_bf16 "the processor has no AVX512-BF16"; fi
  keep_off
}

# keep_off: this script, and what it begins from now on, runs on no processor of a taken core.
keep_off() {
  local cpu other=()
  [ ${#taken[@]} -gt 0 ] || return 0
  for cpu in "${!core_of[@]}"; do
    [[ " ${taken[*]} " == *" ${core_of[$cpu]} "* ]] || other+=("$cpu")
  done
  taskset -cp "$(joined "${other[@]}")" $$ > /dev/null
}

# end_processor: waits for both, writes their tables and figures (of those rows that a stopped one came to), and gives their cores back.
end_processor() {
  local name model tables
  model=$(sed -n 's/^model name[^:]*: *//p' "$cpuinfo" | head -n 1)
  for name in ${comparisons[@]+"${comparisons[@]}"}; do
    end "$name"
    tables=("$scratch/$name"/*.md)
    [ -s "${tables[0]}" ] || continue
    { sed -n '1s/^#/##/p' "${tables[0]}"; echo; echo "${model:-Unknown processor}; ${place[$name]}."; sed 1d "${tables[0]}"; } > "$out/$name.md"
    {
      echo "{\"processor\": \"$(text <<< "$model")\", \"place\": \"${place[$name]}\", \"rows\": ["
      rows_of "${tables[0]%.md}.csv"
      echo ']}'
    } > "$out/$name.json"
  done
  [ ${#taken[@]} = 0 ] || taskset -cp "$(joined "${!core_of[@]}")" $$ > /dev/null
}

# rows_of FILE: a CSV's lines as JSON's; the first column is text, which may hold commas, the others numbers.
rows_of() {
  awk -F, '
    NR == 1 { for (i = 2; i <= NF; i++) names[i] = $i; columns = NF; next }
    NF >= columns {
      more = NF - columns
      name = $1
      for (i = 2; i <= 1 + more; i++) name = name "," $i
      gsub(/"/, "", name)
      line = "{\"case\": \"" name "\""
      for (i = 2; i <= columns; i++) line = line ", \"" names[i] "\": " $(i + more)
      print (NR > 2 ? ", " : "") line "}"
    }' "$1"
}
