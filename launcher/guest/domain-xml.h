/* SPDX-License-Identifier: Apache-2.0 */
/* The libvirt domain of a guest: which machine it gets, and nothing more.
 *
 * What is in it and why:
 *   - q35 with direct kernel boot; no USB, video, sound, watchdog, TPM, graphics or RNG
 *     device: the CPU's RDRAND seeds the guest's kernel, and each device is code that a guest can
 *     attack.  Left are virtio-blk disks, one vsock or virtio-serial device, one ISA serial port
 *     for the console, a balloon for guests that stay, and the PCIe ports into which disks can be
 *     plugged later; virtio 1.0 only.
 *     What q35 brings unasked (keyboard controller, SATA, SMBus) is taken away by QEMU's own
 *     options; libvirt marks the domain "custom-argv" for that.  docs/devices.md has what remains.
 *   - Devices known at the start sit on the root bus at fixed addresses: a root port for each costs
 *     boot time.  The root disk has the lowest address, so it is /dev/vda.
 *   - The DAC label is the context's own uid and gid, with relabel='no': libvirt must change the
 *     owner of nothing.  With relabelling it would give the shared kernel and images to the guest
 *     whose QEMU was started last.  danchid gives each file its owner itself; shared ones are
 *     root's and world-readable.  The SELinux or AppArmor label is asked for by
 *     name, so that it cannot be missing in silence: libvirt's dynamic one, or on SELinux with the
 *     context's own categories.
 *   - All disks are of a declared format, never probed: a guest that writes a qcow2 header to its
 *     disk gains nothing.  That is raw, but for read-only stacks of layers: of those danchid itself
 *     writes the description, and what it names is raw again.  Read-only disks are cached by the
 * host (one copy in memory for all guests) and are not <shareable/>: several readers may open them
 * without it, and QEMU's image lock then refuses any writer.  Writable disks that do not
 * outlive the guest, or are read back by danchid itself, need no flushes: cache='unsafe'.  Volumes
 * do: cache='writeback', by which the guest's flushes are the host's; and what the guest frees is
 * freed on the host.
 *     A block device of the host's is like a volume; libvirt makes its node in QEMU's own /dev, and
 *     permits it to QEMU's device group, when it is attached, and takes both back.
 *   - A share (virtiofs) only where the guest may have binds.  Then its memory is a memfd that QEMU
 *     maps shared, since virtiofsd reads requests in it and writes answers: its descriptor goes to
 *     that process over the socket, and nobody else gets it.
 *   - nosharepages (no KSM), dumpCore='off'; all ends (power off, reboot, crash) destroy.
 *
 * Pure: no I/O.
 * Source: libvirt's formatdomain.html; docs/architecture.md, "The guest's machine".
 */
#pragma once

#include "../limits/guest-size.h"
#include "guest.h"

#define DN_DOMAIN_SPARE_DISKS_MAX DN_GUEST_SPARE_DISKS_MAX
#define DN_DOMAIN_DISKS_MAX 8
#define DN_DOMAIN_METADATA_URI "urn:danchi:guest:1"
#define DN_DOMAIN_NAME_PREFIX "danchi-"
#define DN_DOMAIN_SHARE_TAG "danchi" /* guest-agent/agent/share.h */
/* QEMU's bucket for all disks but the root together. */
#define DN_DOMAIN_THROTTLE_GROUP "guest"

typedef struct
{
  const char *id;      /* all strings are borrowed */
  const char *context; /* a context's name: [A-Za-z0-9][A-Za-z0-9_.-]{0,62} */
  const char *owner;   /* danchid's run directory: whose guest this is, for gc */
  DnAccelerator accelerator;
  guint64 memory_bytes; /* rounded up to a MiB */
  guint vcpus;
  guint uid;
  guint gid;
  const char *security_model; /* of the host, besides DAC: "selinux", "apparmor", another or NULL */
  const char *mcs;            /* on SELinux: the categories "cA,cB", or NULL: libvirt chooses */
  guint vsock_cid;            /* 0: virtio-serial */
  const char *firmware;       /* a ROM, or NULL for the machine's default */
  const char *kernel;
  const char *initrd; /* NULL: none */
  const char *cmdline;
  const char *secret;  /* path of the file that becomes DN_LINK_FW_CFG */
  const char *console; /* path of the unix socket to which QEMU connects */
  const char *agent;   /* path of the unix socket that QEMU binds, on serial */
  const char *share;   /* path of the unix socket where virtiofsd waits, or NULL: no share */
  const char *root;    /* path of the guest's root: the first disk */
  const char *tap;     /* of the host, as dn_network_tap_name() has it; NULL: no card */
  const char *mac;     /* of the card */
  GPtrArray *disks;    /* DnGuestDisk *, more disks from the start; may be NULL */
  guint spare_disks;
  DnGuestLimits limits;
  gboolean has_balloon;
  gboolean has_host_cgroups; /* libvirt surely can limit CPU and memory of QEMU here */
} DnDomain;

/* Whether @text is a name that may stand in a domain's name, title or metadata. */
gboolean dn_domain_name_is_valid (const char *text);

/* Whether @path may stand in a domain: absolute, plain characters, no "..". */
gboolean dn_domain_path_is_valid (const char *path);

/* Returns: (transfer full): the document, or NULL with DN_ERROR_CONFIG that names what is wrong */
char *dn_domain_xml_build (const DnDomain *domain, GError **error);

/**
 * dn_domain_xml_build_spare_disk:
 * @limits: the guest's, which all its disks share
 * @port: 0 .. spare_disks - 1: the PCIe port to plug it into
 *
 * Returns: (transfer full): a <disk> for attaching and detaching, or NULL with DN_ERROR_CONFIG
 */
char *dn_domain_xml_build_spare_disk (const DnGuestDisk *disk, const DnGuestLimits *limits,
                                      guint port, GError **error);

/* What QEMU may use of the host's memory: ../limits/guest-size.h. */
guint64 dn_domain_host_limit_bytes (const DnDomain *domain);
