#!/usr/bin/env bash
# Brings NVIDIA's assembler for PTX to artifacts/ptxas, on Debian and without installing anything: ptxas and nvdisasm out of the package
# nvidia-cuda-toolkit (non-free, 87 MB), from the mirror that this machine's own sources name. The kernels are built without it; it tells
# what their text does not: whether it is accepted, registers, spills, and the instructions themselves (nvdisasm).
# Exit code: 0 where artifacts/ptxas/ptxas is there, else 1.
set -euo pipefail
cd "$(dirname "$0")/.."
out=artifacts/ptxas
[ ! -x "$out/ptxas" ] || exit 0
command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || { echo "kernels/fetch-ptxas.sh wants Debian's apt-get and dpkg-deb" >&2; exit 1; }

# CUDA 12.4, which knows sm_90a; the toolkit of the release before does not.
release=trixie
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -m 1 '/debian/$') || { echo "No source of this machine is a Debian mirror" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release non-free" > "$work/sources"
options=(-o "Dir::Etc::sourcelist=$work/sources" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" -qq update
(cd "$work" && apt-get "${options[@]}" -qq download nvidia-cuda-toolkit)
dpkg-deb --fsys-tarfile "$work"/nvidia-cuda-toolkit_*.deb | tar -x -C "$work" ./usr/bin/ptxas ./usr/bin/nvdisasm
mkdir -p "$out"
mv "$work/usr/bin/nvdisasm" "$work/usr/bin/ptxas" "$out"
