# Sourced, in the repository's root with pipefail, by scripts that take a program of ours to a machine without the .NET SDK (Linux on x86-64):
# artifacts/NAME.tar.xz holds the folder NAME, with the program and a .NET runtime.

has_sdk() { command -v dotnet > /dev/null && [ "$(dotnet --list-sdks 2> /dev/null | wc -l)" -gt 0 ]; }

# pack_bundle NAME PROJECTS BYTES [PATTERN...]: publishes PROJECTS (parted by blanks) into one folder and packs it without files of these patterns; fails where the archive
# is not smaller than BYTES.
# Debuggers, tracers and Visual Basic are always left out. The list of files is too, since a host that has one wants all that it names;
# without it the program starts from any folder but its own.
pack_bundle() {
  local name=$1 projects=$2 most=$3 project bytes
  shift 3
  rm -rf "artifacts/$name" "artifacts/$name.tar.xz"
  for project in $projects; do dotnet publish "$project" -c Release -r linux-x64 --self-contained -o "artifacts/$name" || return 1; done
  tar -C artifacts -cf - --exclude=libmscordaccore.so --exclude=libmscordbi.so --exclude=libclrgcexp.so --exclude=libcoreclrtraceptprovider.so \
    --exclude='Microsoft.VisualBasic*.dll' --exclude='FramePainter.*.deps.json' "${@/#/--exclude=}" "$name" | xz -9 > "artifacts/$name.tar.xz" || return 1
  rm -rf "artifacts/$name"
  bytes=$(stat -c %s "artifacts/$name.tar.xz")
  echo "artifacts/$name.tar.xz: $bytes bytes"
  [ "$bytes" -lt "$most" ] || { echo "That is not below $most." >&2; return 1; }
}

# unpack_bundle NAME: what pack_bundle made; without xz, by Python.
unpack_bundle() {
  rm -rf "artifacts/$1"
  tar -C artifacts -xJf "artifacts/$1.tar.xz" || python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall("artifacts")' "artifacts/$1.tar.xz"
}
