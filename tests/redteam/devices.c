/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes: those that are there, and those that one could make.  Opened, never used. */
#include <errno.h>
#include <fcntl.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

#define NODE DN_SCRATCH "/redteam-node"
#define CLOSED "ENOENT EACCES EPERM ENXIO"

/* aim.a: the file type, aim.b and c: the numbers.  A node that can be made is opened too: one in a
 * mount without devices is as good as none. */
static int
make_node (const DnAim *aim)
{
  int seen = dn_seen (
      mknod (NODE, (mode_t) aim->a | 0600, makedev ((unsigned int) aim->b, (unsigned int) aim->c)));
  int fd;

  if (seen != 0)
    return seen;
  fd = open (NODE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  seen = dn_seen (fd);
  if (fd >= 0)
    (void) close (fd);
  (void) unlink (NODE);
  return seen;
}

static int
raise_io_privilege (const DnAim *aim)
{
  return dn_seen (aim->a == 0 ? iopl (3) : ioperm (0x510, 2, 1));
}

/* 10: the size of the log's buffer; it shows nothing and needs the same right as reading. */
static int
ask_log (const DnAim *aim)
{
  return dn_seen (klogctl ((int) aim->a, NULL, 0));
}

#define OPEN(id, technique, file, flags)                                                           \
  {                                                                                                \
    "devices." id, technique, "R2.2", CLOSED, NULL, dn_attempt_open, { .path = file, .a = flags }  \
  }

static const DnProbe probes[] = {
  OPEN ("mem", "physical memory", "/dev/mem", O_RDWR),
  OPEN ("port", "the processor's ports", "/dev/port", O_RDWR),
  OPEN ("kmsg", "the kernel's log", "/dev/kmsg", O_RDONLY),
  OPEN ("disk", "the disk with the guest's root", "/dev/vda", O_RDONLY),
  OPEN ("image-disk", "the disk with the image, below the file system", "/dev/vdb", O_RDONLY),
  OPEN ("kvm", "making virtual machines", "/dev/kvm", O_RDWR),
  OPEN ("fuse", "a file system of one's own", "/dev/fuse", O_RDWR),
  OPEN ("tun", "a network device of one's own", "/dev/net/tun", O_RDWR),
  OPEN ("loop", "a file as a disk", "/dev/loop-control", O_RDWR),
  OPEN ("mapper", "the device mapper", "/dev/mapper/control", O_RDWR),
  OPEN ("vsock", "the channel's address", "/dev/vsock", O_RDONLY),
  OPEN ("vhost-vsock", "the host's end of vsock", "/dev/vhost-vsock", O_RDWR),
  OPEN ("virtio-port", "the agent's channel to the host", "/dev/vport1p1", O_RDWR),
  OPEN ("virtio-port-2", "the agent's channel to the host", "/dev/vport2p1", O_RDWR),
  OPEN ("serial", "the console of the machine", "/dev/ttyS0", O_RDWR),
  OPEN ("msr", "model-specific registers", "/dev/cpu/0/msr", O_RDWR),
  OPEN ("userfaultfd", "faults handled by the attacker", "/dev/userfaultfd", O_RDWR),
  OPEN ("uinput", "a keyboard of one's own", "/dev/uinput", O_RDWR),
  OPEN ("snapshot", "an image of the memory", "/dev/snapshot", O_RDONLY),
  { "devices.mknod-mem",
    "a node for physical memory",
    "R2.2",
    "EPERM EACCES",
    NULL,
    make_node,
    { .a = S_IFCHR, .b = 1, .c = 1 } },
  { "devices.mknod-kmsg",
    "a node for the kernel's log",
    "R2.2",
    "EPERM EACCES",
    NULL,
    make_node,
    { .a = S_IFCHR, .b = 1, .c = 11 } },
  { "devices.mknod-disk",
    "a node for a virtio disk",
    "R2.2",
    "EPERM EACCES",
    NULL,
    make_node,
    { .a = S_IFBLK, .b = 254, .c = 0 } },
  { "devices.mknod-fuse",
    "a node for FUSE",
    "R2.2",
    "EPERM EACCES",
    NULL,
    make_node,
    { .a = S_IFCHR, .b = 10, .c = 229 } },
  { "devices.iopl",
    "iopl: all ports of the machine",
    "R3.6",
    "EPERM",
    NULL,
    raise_io_privilege,
    { .a = 0 } },
  { "devices.ioperm",
    "ioperm: fw_cfg's port",
    "R3.6",
    "EPERM",
    NULL,
    raise_io_privilege,
    { .a = 1 } },
  { "devices.syslog", "syslog: the kernel's log", "R3.6", "EPERM", NULL, ask_log, { .a = 10 } },
};

DN_FAMILY (dn_devices, probes);
