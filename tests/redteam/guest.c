/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of a guest's kernel can ask of the machine below it.  hook.c runs these as guest
 * root; a disk is only ever given the bytes that it has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define SECTOR 4096

/* The flag that a writer may set is set first.  What the driver learnt of the disk is beyond it; a
 * kernel that lies to itself about that would meet QEMU's descriptor, which guest_root.py looks at.
 */
static int
write_disk (const DnAim *aim)
{
  static unsigned char sector[SECTOR] __attribute__ ((aligned (SECTOR)));
  int writable = 0;
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return errno;
  (void) ioctl (fd, BLKROSET, &writable);
  (void) close (fd);
  fd = open (aim->path, O_RDWR | O_DIRECT | O_SYNC | O_CLOEXEC);
  if (fd < 0)
    return errno;
  if (pread (fd, sector, SECTOR, 0) != SECTOR)
    return DN_SEEN_UNKNOWN;
  return dn_seen (pwrite (fd, sector, SECTOR, 0) == SECTOR ? fsync (fd) : -1);
}

/* Discarding is another request than writing: a page at the end, which is put back. */
static int
discard_disk (const DnAim *aim)
{
  static unsigned char sector[SECTOR];
  unsigned long long range[2] = { 0, SECTOR };
  int seen;
  int writable = 0;
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return errno;
  (void) ioctl (fd, BLKROSET, &writable);
  (void) close (fd);
  fd = open (aim->path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || ioctl (fd, BLKGETSIZE64, &range[0]) < 0 || range[0] < SECTOR)
    return errno;
  range[0] = (range[0] - SECTOR) / SECTOR * SECTOR;
  if (pread (fd, sector, SECTOR, (off_t) range[0]) != SECTOR)
    return DN_SEEN_UNKNOWN;
  seen = dn_seen (ioctl (fd, BLKDISCARD, range));
  if (seen == 0)
    (void) !pwrite (fd, sector, SECTOR, (off_t) range[0]);
  return seen;
}

/* aim.a: the CID; the ports: all low ones, the channel's, and libvirt's and QEMU's usual ones. */
static int
dial_vsock (const DnAim *aim)
{
  static const unsigned int more[] = { 1234, 2375, 5555, 8080, 10000, 16509, 16514, 49152 };
  int last = ENODEV;

  for (unsigned int i = 1; i <= 1024 + sizeof more / sizeof *more; i++)
    {
      struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = (unsigned int) aim->a };
      struct timeval patience = { 0, 50000 };
      int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

      if (fd < 0)
        return errno;
      address.svm_port = i <= 1024 ? i : more[i - 1025];
      (void) setsockopt (fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &patience, sizeof patience);
      if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
        return 0;
      last = errno;
      (void) close (fd);
      /* Where nobody routes there, no port will make a difference. */
      if (last == ENODEV || last == ENETUNREACH || last == ETIMEDOUT)
        break;
    }
  return last;
}

/* Whether every name in the directory aim.path is in the list aim.a, which has blanks around each;
 * a name's attribute is read from the file of that name below it where aim.b is one. */
static int
compare_names (const DnAim *aim)
{
  const char *known = (const char *) aim->a;
  const char *attribute = (const char *) aim->b;
  DIR *directory = opendir (aim->path);
  struct dirent *entry;
  int seen = DN_SEEN_ABSENT;

  if (directory == NULL)
    return errno == ENOENT ? DN_SEEN_ABSENT : errno;
  while ((entry = readdir (directory)) != NULL)
    {
      char path[512], value[256] = "", word[260];
      int fd;

      if (entry->d_name[0] == '.')
        continue;
      (void) snprintf (value, sizeof value, "%s", entry->d_name);
      if (attribute != NULL)
        {
          (void) snprintf (path, sizeof path, "%s/%s/%s", aim->path, entry->d_name, attribute);
          fd = open (path, O_RDONLY | O_CLOEXEC);
          (void) memset (value, 0, sizeof value);
          if (fd < 0 || read (fd, value, sizeof value - 1) < 0)
            return DN_SEEN_UNKNOWN;
          (void) close (fd);
          value[strcspn (value, "\n")] = '\0';
        }
      (void) snprintf (word, sizeof word, " %s ", value);
      if (strstr (known, word) == NULL)
        seen = 0;
    }
  (void) closedir (directory);
  return seen;
}

/* Writes the byte that is there to the first device's configuration. */
static int
write_configuration (const DnAim *aim)
{
  char path[512], byte;
  DIR *directory = opendir ("/sys/bus/pci/devices");
  struct dirent *entry;
  int fd = -1;

  (void) aim;
  while (directory != NULL && fd < 0 && (entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.')
      {
        (void) snprintf (path, sizeof path, "/sys/bus/pci/devices/%s/config", entry->d_name);
        fd = open (path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
          return errno;
      }
  if (fd < 0)
    return DN_SEEN_ABSENT;
  if (pread (fd, &byte, 1, 0x3c) != 1)
    return DN_SEEN_UNKNOWN;
  return dn_seen (pwrite (fd, &byte, 1, 0x3c));
}

static int
map_resource (const DnAim *aim)
{
  DIR *directory = opendir ("/sys/bus/pci/devices");
  struct dirent *entry;
  int seen = DN_SEEN_ABSENT;

  (void) aim;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    for (int i = 0; i < 6 && entry->d_name[0] != '.'; i++)
      {
        char path[512];
        int fd;

        (void) snprintf (path, sizeof path, "/sys/bus/pci/devices/%s/resource%d", entry->d_name, i);
        fd = open (path, O_RDWR | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
          continue;
        if (fd < 0)
          seen = errno;
        else
          {
            void *bytes = mmap (NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

            (void) close (fd);
            if (bytes != MAP_FAILED)
              return 0;
            seen = errno;
          }
      }
  return seen;
}

static int
write_fw_cfg (const DnAim *aim)
{
  int fd = open (aim->path, O_WRONLY | O_CLOEXEC);

  return fd < 0 ? errno : dn_seen (write (fd, "x", 1));
}

static int
raise_io_privilege (const DnAim *aim)
{
  return dn_seen (aim->a == 0 ? iopl (3) : ioperm (0x510, 2, 1));
}

static int
read_debugfs (const DnAim *aim)
{
  int fd;
  char byte;

  if (mount ("none", aim->path, "debugfs", 0, NULL) < 0 && errno != EBUSY)
    return errno;
  fd = open ("/sys/kernel/debug/sched/features", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? errno : dn_seen (read (fd, &byte, 1));
}

#define OPEN(id, technique, file)                                                                  \
  {                                                                                                \
    "guest." id, technique, "R1.6", "EPERM EACCES ENOENT ENXIO EROFS", NULL, dn_attempt_open,      \
    {                                                                                              \
      .path = file, .a = O_RDWR                                                                    \
    }                                                                                              \
  }
#define CALL(id, technique, number, argument)                                                      \
  {                                                                                                \
    "guest." id, technique, "R1.6", "EPERM", NULL, dn_attempt_call, { .a = number, .b = argument } \
  }
#define DISK(id, technique, function, file)                                                        \
  {                                                                                                \
    "guest." id, technique, "R4.3", "EIO EACCES EPERM EROFS EOPNOTSUPP", NULL, function,           \
    {                                                                                              \
      .path = file                                                                                 \
    }                                                                                              \
  }
#define VSOCK(id, technique, cid)                                                                  \
  {                                                                                                \
    "guest." id, technique, "R2.1", "EAFNOSUPPORT ENODEV ECONNRESET ETIMEDOUT ENETUNREACH", NULL,  \
        dial_vsock,                                                                                \
    {                                                                                              \
      .a = cid                                                                                     \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  DISK ("boot-disk", "writing the disk that all guests boot from", write_disk, "/dev/vda"),
  DISK ("image-disk", "writing the disk of an image that others use", write_disk, "/dev/vdb"),
  DISK ("boot-discard", "discarding from the boot disk", discard_disk, "/dev/vda"),
  DISK ("image-discard", "discarding from an image's disk", discard_disk, "/dev/vdb"),
  VSOCK ("vsock-hypervisor", "vsock to CID 0", VMADDR_CID_HYPERVISOR),
  VSOCK ("vsock-host", "vsock to CID 2, the host, on 1032 ports", VMADDR_CID_HOST),
  VSOCK ("vsock-guest-3", "vsock to CID 3, a guest", 3),
  VSOCK ("vsock-guest-4", "vsock to CID 4, a guest", 4),
  VSOCK ("vsock-guest-5", "vsock to CID 5, a guest", 5),
  OPEN ("mem", "physical memory, past lockdown", "/dev/mem"),
  OPEN ("port", "ports of the machine, past lockdown", "/dev/port"),
  OPEN ("kcore", "the kernel's memory, past lockdown", "/proc/kcore"),
  OPEN ("msr", "model-specific registers", "/dev/cpu/0/msr"),
  OPEN ("kvm", "a machine within the machine", "/dev/kvm"),
  OPEN ("snapshot", "an image of the memory", "/dev/snapshot"),
  OPEN ("acpi-method", "ACPI methods of one's own", "/sys/kernel/debug/acpi/custom_method"),
  { "guest.iopl", "iopl, past lockdown", "R1.6", "EPERM", NULL, raise_io_privilege, { .a = 0 } },
  { "guest.ioperm",
    "ioperm: fw_cfg's port, past lockdown",
    "R1.6",
    "EPERM",
    NULL,
    raise_io_privilege,
    { .a = 1 } },
  CALL ("kexec", "another kernel", SYS_kexec_load, 0),
  CALL ("init-module", "code into the kernel, after the seal", SYS_init_module, 0),
  { "guest.debugfs",
    "debugfs, past lockdown",
    "R1.6",
    "EPERM ENOENT ENODEV",
    NULL,
    read_debugfs,
    { .path = "/sys/kernel/debug" } },
  { "guest.pci-configuration",
    "a device's PCI configuration",
    "R1.6",
    "EPERM absent",
    NULL,
    write_configuration,
    { 0 } },
  { "guest.pci-resource",
    "a device's memory, mapped",
    "R1.6",
    "EPERM absent",
    NULL,
    map_resource,
    { 0 } },
  { "guest.fw-cfg-write",
    "the secret in fw_cfg, written",
    "R2.1",
    "EIO EPERM EACCES EROFS EINVAL",
    NULL,
    write_fw_cfg,
    { .path = "/sys/firmware/qemu_fw_cfg/by_name/opt/org.danchi/secret/raw" } },
  { "guest.fw-cfg-names",
    "anything of the host's in fw_cfg but the secret",
    "R1.6",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/firmware/qemu_fw_cfg/by_name/opt", .a = (long) " org.danchi " } },
  { "guest.fw-cfg-ours",
    "anything of ours in fw_cfg but the secret",
    "R1.6",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/firmware/qemu_fw_cfg/by_name/opt/org.danchi", .a = (long) " secret " } },
  { "guest.virtio-devices",
    "devices other than disk, console, entropy, balloon and vsock",
    "R4.1",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/bus/virtio/devices",
      .a = (long) " 0x0002 0x0003 0x0004 0x0005 0x0013 ",
      .b = (long) "device" } },
  { "guest.virtio-ports",
    "ports to the host other than the agent's",
    "R2.1",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/class/virtio-ports", .a = (long) " org.danchi.agent ", .b = (long) "name" } },
  { "guest.network",
    "network devices other than loopback",
    "R5.13",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/class/net", .a = (long) " lo " } },
  { "guest.usb",
    "USB devices",
    "R4.1",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/bus/usb/devices", .a = (long) " " } },
  { "guest.sound",
    "sound devices",
    "R4.1",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/class/sound", .a = (long) " " } },
  { "guest.graphics",
    "graphics devices",
    "R4.1",
    "absent",
    NULL,
    compare_names,
    { .path = "/sys/class/drm", .a = (long) " version " } },
};

DN_FAMILY (dn_guest, probes);
