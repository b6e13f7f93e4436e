#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes DIR/{vmlinuz,initramfs}: the lab's outer kernel (Debian's cloud kernel, untouched) and a
# small root that mounts the host's / and runs a job in it.  See README.md beside this file.
#
#   build.sh DIR
#
# Rebuilt when this script, `init` or `run-job` changes, or Debian has a newer kernel package in the lists.
set -euo pipefail

self=$(realpath "$0")
here=$(dirname "$self")
dir=$(realpath -m "${1:?usage: build.sh DIR}")
mkdir -p "$dir"
cd "$dir"

# What the outer machine needs: its own root, then what the machine under test needs as a host.
outer_modules=(virtio_pci virtio_console virtiofs overlay virtio-rng)
host_modules=(kvm-amd vhost_vsock vsock_loopback tun loop)
# danchi-gateway's rules, and the tests' internet.
host_modules+=(veth nf_tables nft_ct nft_chain_nat nft_nat nft_masq nft_fib_inet nft_reject_inet nft_limit nft_connlimit
  nf_conntrack_netlink)
# A pod's network, and CNI's bridge.
host_modules+=(nft_fwd_netdev bridge)

package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null \
            | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
if [ -z "$package" ]; then
  apt-get update -q
  package=$(apt-cache depends linux-image-cloud-amd64 \
              | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
fi

stamp="$package $(cat "$self" "$here/init" "$here/run-job" /bin/busybox | sha256sum | cut -d' ' -f1)"
if [ -e stamp ] && [ "$(cat stamp)" = "$stamp" ]; then
  exit 0
fi

# The images of the guests use the same package: take theirs when it is there.
deb=$(find "$dir" "$dir/.." -maxdepth 3 -name "${package}_*.deb" -print -quit 2>/dev/null || true)
if [ -z "$deb" ]; then
  # As root apt downloads as the user _apt, which may not write here: that is only a warning.
  apt-get download -q "$package" 2> >(grep -v 'unsandboxed as root' >&2)
  deb=$(find "$dir" -maxdepth 1 -name "${package}_*.deb" -print -quit)
fi
rm -rf unpacked root
dpkg-deb -x "$deb" unpacked
cp unpacked/boot/vmlinuz-* vmlinuz
version=$(ls unpacked/lib/modules)
mkdir -p unpacked/usr
depmod -b unpacked "$version"

mkdir -p root/{bin,modules,proc,sys,dev,newroot,lower,rw}
cp /bin/busybox root/bin/
install -m 755 "$here/init" "$here/run-job" root/
load_order()
{
  for module in "$@"; do
    modprobe -d unpacked -S "$version" --show-depends "$module" | awk '/^insmod/ { print $2 }'
  done | awk '!seen[$0]++'
}
load_order "${outer_modules[@]}" "${host_modules[@]}" | while read -r file; do
  cp "$file" root/modules/
  basename "$file"
done > root/modules/order

(cd root && find . | cpio -o -H newc --quiet | zstd -q -1) > initramfs.new
mv initramfs.new initramfs
rm -rf root unpacked
echo "$stamp" > stamp
