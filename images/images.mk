# What a guest boots: kernel, initramfs and roots.  images/README.md explains each.
#
#   make images   build/images/{vmlinuz,cmdline,initramfs{,-network}.cpio,{guest,unpack}.{erofs,verity}}
#   make kernel   build/images/tuned/{vmlinuz,cmdline}: the kernel without modules and initramfs

I := $(B)/images
# Downloads and kernel trees do not depend on MODE.
KERNEL_CACHE := build/cache
KERNEL_DEBIAN := build/kernel/debian
KERNEL_TUNED := build/kernel/tuned

# Those that are the same whatever the agent: tests have trees with another guest root beside them.
COMMON_IMAGES := $(I)/vmlinuz $(I)/cmdline $(I)/initramfs.cpio $(I)/initramfs-network.cpio \
  $(I)/unpack.erofs $(I)/unpack.verity
IMAGES := $(COMMON_IMAGES) $(I)/guest.erofs $(I)/guest.verity
GUEST_ROOT := images/guest-root.sh images/scratch.sh images/verity.sh $(B)/guest/bin/danchi-keeper

.PHONY: images
images: deps $(IMAGES)  ## guest kernel (Debian's), initramfs and roots

.PHONY: kernel
kernel: deps $(I)/tuned/cmdline  ## the tuned guest kernel, from Debian's sources (about 10 minutes)
	images/tuned-kernel.sh $(KERNEL_CACHE) $(KERNEL_TUNED)
	cmp -s $(KERNEL_TUNED)/vmlinuz $(I)/tuned/vmlinuz || cp $(KERNEL_TUNED)/vmlinuz $(I)/tuned/vmlinuz

$(I) $(I)/tuned:
	mkdir -p $@

# Written last by the script, so it stands for all that the script makes.
$(KERNEL_DEBIAN)/version: images/debian-kernel.sh images/fetch-deb.sh | deps
	images/debian-kernel.sh $(KERNEL_CACHE) $(KERNEL_DEBIAN)

$(I)/vmlinuz: $(KERNEL_DEBIAN)/version | $(I)
	cp $(KERNEL_DEBIAN)/vmlinuz $@

$(I)/cmdline: images/kernel-cmdline.txt images/cmdline.sh | $(I)
	images/cmdline.sh $< > $@

$(I)/tuned/cmdline: images/kernel-cmdline.txt images/kernel-cmdline-tuned.txt images/cmdline.sh | $(I)/tuned
	images/cmdline.sh images/kernel-cmdline.txt images/kernel-cmdline-tuned.txt > $@

$(I)/initramfs.cpio: images/initramfs.sh images/modules.list $(KERNEL_DEBIAN)/version $(B)/guest/bin/init | $(I)
	images/initramfs.sh $(KERNEL_DEBIAN) $(B)/guest/bin/init $@

$(I)/initramfs-network.cpio: images/initramfs.sh images/modules.list $(KERNEL_DEBIAN)/version $(B)/guest/bin/init | $(I)
	images/initramfs.sh $(KERNEL_DEBIAN) $(B)/guest/bin/init $@ network

$(I)/guest.erofs $(I)/guest.verity &: $(GUEST_ROOT) $(B)/guest/bin/init $(B)/guest/bin/danchi-agent | $(I)
	images/guest-root.sh guest $(B)/guest/bin/init $(B)/guest/bin/danchi-agent - $(I)/guest.erofs

$(I)/unpack.erofs $(I)/unpack.verity &: $(GUEST_ROOT) $(GUEST_PROGRAMS) | $(I)
	images/guest-root.sh unpack $(B)/guest/bin/init $(B)/guest/bin/danchi-agent \
	  $(B)/guest/bin/danchi-unpack $(I)/unpack.erofs
