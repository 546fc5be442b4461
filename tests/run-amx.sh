#!/usr/bin/env bash
# Runs tests as programs of a processor with AMX and AVX512-BF16 (a Sapphire Rapids) that Bochs emulates, under a Linux that grants its tile registers: real instructions, the kernel's
# saving and restoring of them between threads, and no word about speed. The default classes take ten minutes once Bochs is built.
# Wants BOCHS_SOURCE, the unpacked source of Bochs 3.0, which is mended and built once; LINUX_IMAGE, a kernel for x64 with a serial console built in (Debian: linux-image-cloud-amd64);
# xorriso, cpio, a static busybox, isolinux, Bochs's BIOS and a VGA BIOS (Debian: xorriso, cpio, busybox-static, isolinux, syslinux-common, bochsbios, vgabios).
# Usage: tests/run-amx.sh [[project, such as Goldens.Tests; Core.Tests by default] options instead of the default classes]
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/artifacts/amx
bios=${BOCHS_BIOS:-/usr/share/bochs/BIOS-bochs-latest}
vga=${VGA_BIOS:-/usr/share/vgabios/vgabios.bin}
isolinux=${ISOLINUX:-/usr/lib/ISOLINUX/isolinux.bin}
loader=${LDLINUX:-/usr/lib/syslinux/modules/bios/ldlinux.c32}
for file in "${LINUX_IMAGE:?names the kernel}" "$bios" "$vga" "$isolinux" "$loader"; do
  [ -e "$file" ] || { echo "There is no $file; the head of $0 says what is wanted." >&2; exit 1; }
done

# What Bochs 3.0 lacks or has wrong, each in place: extended feature disable (Linux grants tile registers by it), rows and bytes of a saved tile shape the wrong way round, half of each
# tile saved, tiles saved when they are unused instead of when they are used, the upper half of VCVTNE2PS2BF16 read behind its source, code decoded before it was
# overwritten running on where AMX is enabled (a bit of the mode moves what was decoded by 128 bytes in a table whose search ends before that: .NET's write barriers end in
# access violations), and ACPI switched on through a handler that Debian's BIOS has not.
mend() {
  local tiles='BX_CPU_THIS_PTR msr.ia32_xfd \& BX_XCR0_XTILEDATA_MASK'
  sed -i 's/^  Bit64u ia32_xss;/&\n  Bit64u ia32_xfd, ia32_xfd_err;/' cpu/cpu.h
  sed -i 's/^  BX_CPU_THIS_PTR msr.ia32_xss = 0;/&\n  BX_CPU_THIS_PTR msr.ia32_xfd = BX_CPU_THIS_PTR msr.ia32_xfd_err = 0;/' cpu/init.cc
  sed -i -e 's/^  msr_desc\[BX_MSR_XSS\]/  msr_desc[BX_MSR_IA32_XFD] = new MSR_Descriptor("XFD", BX_ISA_XSAVES);\n  msr_desc[BX_MSR_IA32_XFD_ERROR] = new MSR_Descriptor("XFD_ERR", BX_ISA_XSAVES);\n&/' \
    -e '/^    case BX_MSR_XSS:/{N
s/.*if.*/    case BX_MSR_IA32_XFD: val64 = BX_CPU_THIS_PTR msr.ia32_xfd; break;\n    case BX_MSR_IA32_XFD_ERROR: val64 = BX_CPU_THIS_PTR msr.ia32_xfd_err; break;\n&/
t
s/.*{$/    case BX_MSR_IA32_XFD: BX_CPU_THIS_PTR msr.ia32_xfd = val_64; handleAvxModeChange(); break;\n    case BX_MSR_IA32_XFD_ERROR: BX_CPU_THIS_PTR msr.ia32_xfd_err = val_64; break;\n&/
}' cpu/msr.cc
  sed -i -e "/BX_XCR0_XTILEDATA_MASK)) != 0)\$/s/)\$/ || ($tiles))/" \
    -e "/xcr0.val32 & (BX_XCR0_XTILECFG_MASK | BX_XCR0_XTILEDATA_MASK))\$/{n
s/\$/\n  if ($tiles) { BX_CPU_THIS_PTR msr.ia32_xfd_err = BX_XCR0_XTILEDATA_MASK; exception(BX_NM_EXCEPTION, 0); }/
}" cpu/proc_ctrl.cc
  sed -i -e 's/leaf->eax |= (1<<3);/leaf->eax |= (1<<3) | (1<<4);/' -e 's/^      leaf->ecx = (cpu->ia32_xss_suppmask.*/&\n      if (subfunction == 18) leaf->ecx |= 4;/' cpu/cpuid.cc
  sed -i -e '/tilecfg.vmm16u(8+n)/s/\.rows;/.bytes_per_row;/' -e '/tilecfg.vmmubyte(48+n)/s/\.bytes_per_row;/.rows;/' -e 's/row < BX_TILE_REGISTERS/row < BX_TILE_MAX_ROWS/' \
    -e 's/tile_use_tracker == 0/tile_use_tracker != 0/' cpu/xsave.cc
  sed -i '/other half of the elements/,/op1/s/op1.vmm32u(n)/op1.vmm32u(n - DWORD_ELEMENTS(len))/' cpu/avx/avx512_bf16.cc
  sed -i '/if (line_mask > mask) break;/d' cpu/icache.h
  sed -i 's/^    apic_bus_deliver_smi();/    if ((value \& 0xFE) != 0xF0) apic_bus_deliver_smi();/' iodev/acpi.cc
}

if [ ! -x "$out/bochs/bochs" ]; then
  rm -rf "$out/bochs"
  mkdir -p "$out"
  cp -r "${BOCHS_SOURCE:?names the source of Bochs 3.0}" "$out/bochs"
  (
    cd "$out/bochs"
    mend
    ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx --enable-pci --enable-repeat-speedups --enable-fast-function-calls \
      --enable-handlers-chaining --disable-show-ips --disable-docbook --with-nogui CXXFLAGS="-O3 -w"
    make -j "$(nproc)"
  ) > "$out/bochs.log" 2>&1 || { tail -20 "$out/bochs.log" >&2; exit 1; }
fi

project=Core.Tests
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  project=$1
  shift
fi
[ $# -gt 0 ] || set -- --filter-class '*BrainInstructionTests' --filter-class '*BrainSupportTests' --filter-class '*BrainAttentionTests'
root=$out/root
rm -rf "$root" "$out/iso"
mkdir -p "$root"/{bin,proc,sys,dev,tmp,etc,lib64,lib} "$out/iso/isolinux"
dotnet publish "tests/FramePainter.$project" -r linux-x64 --self-contained -c Release -p:PublishReadyToRun=true -o "$root/app" --artifacts-path "$out/artifacts" -v q
find "$root/app" -name '*.pdb' -delete
cp -r tests/goldens "$root/"
cp "$(command -v busybox)" "$root/bin/"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for library in libc.so.6 libdl.so.2 libgcc_s.so.1 libm.so.6 libpthread.so.0 librt.so.1 libstdc++.so.6 libssl.so.3 libcrypto.so.3 libz.so.1; do
  cp -L "$(ldconfig -p | awk -v l="$library" '$1 == l && /x86-64/ { print $NF; exit }')" "$root/lib/"
done
echo 'root:x:0:0:root:/tmp:/bin/sh' > "$root/etc/passwd"
cat > "$root/init" << EOF
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
exec > /dev/ttyS0 2>&1
export LD_LIBRARY_PATH=/lib DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 FRAMEPAINTER_GOLDENS=/goldens HOME=/tmp
cd /app
echo "== tests"
./FramePainter.$project --progress off --no-ansi $(printf "%q " "$@")
echo "== exit code \$?"
/bin/busybox sleep 2
/bin/busybox poweroff -f
EOF
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$out/iso/initrd.gz"
cp "$LINUX_IMAGE" "$out/iso/vmlinuz"
cp "$isolinux" "$loader" "$out/iso/isolinux/"
# Fast string moves, INVPCID, PCID and branch tracking are left out: with them Linux 6.1 does not come up on Bochs 3.0.
cat > "$out/iso/isolinux/isolinux.cfg" << 'EOF'
DEFAULT linux
LABEL linux
  KERNEL /vmlinuz
  INITRD /initrd.gz
  APPEND console=ttyS0 earlyprintk=serial,ttyS0,115200 rdinit=/init mitigations=off nokaslr tsc=reliable clearcpuid=fsrm,erms,invpcid,pcid ibt=off
EOF
xorriso -as mkisofs -quiet -o "$out/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$out/iso" 2> /dev/null
cat > "$out/bochsrc" << EOF
cpu: model=sapphire_rapids, count=1, ips=200000000, ignore_bad_msrs=1
memory: guest=2048, host=2048
romimage: file=$bios
vgaromimage: file=$vga
boot: cdrom
ata0-master: type=cdrom, path=$out/boot.iso, status=inserted
com1: enabled=1, mode=file, dev=$out/serial.txt
clock: sync=none
log: $out/emulator.log
panic: action=fatal
display_library: nogui
EOF
rm -f "$out/serial.txt"
"$out/bochs/bochs" -q -f "$out/bochsrc" > /dev/null 2>&1 || true
sed -n '/^== tests/,$p' "$out/serial.txt"
grep -q '^== exit code 0' "$out/serial.txt"
