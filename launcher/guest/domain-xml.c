/* SPDX-License-Identifier: Apache-2.0 */
#include "domain-xml.h"

#include <string.h>

#include "../../protocol/link.h"
#include "../common/error.h"
#include "../limits/host-group.h"
#include "xml-writer.h"

/* Slots of the root bus.  0x00 is the host bridge, 0x1f the LPC bridge and SATA. */
#define SLOT_ROOT 0x02
#define SLOT_CHANNEL 0x03
#define SLOT_DISKS 0x04
#define SLOT_SHARE 0x0d
#define SLOT_CARD 0x0c
#define SLOT_BALLOON 0x0f
#define SLOT_PORTS 0x10
#define FUNCTIONS 8

/* Without the registers of virtio before 1.0, a second way into each device. */
#define VIRTIO_MODEL "virtio-non-transitional"

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"
/* What QEMU builds into every q35 and libvirt 9.0 has no words for: keyboard and mouse, the SATA
 * controller with its IDE code, the SMBus. */
#define WITHOUT_BUILTIN_DEVICES "i8042=off,sata=off,smbus=off"

#define MIB (1024 * 1024)

gboolean
dn_domain_name_is_valid (const char *text)
{
  if (text == NULL || !g_ascii_isalnum (text[0]) || strlen (text) > 63)
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("_.-", *p) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
dn_domain_path_is_valid (const char *path)
{
  if (path == NULL || path[0] != '/' || strlen (path) > 1024 || strstr (path, "/../") != NULL
      || g_str_has_suffix (path, "/.."))
    return FALSE;
  /* No comma: QEMU's own option syntax would need it doubled. */
  for (const char *p = path; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/_.-+@:", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
serial_is_valid (const char *serial)
{
  if (serial[0] == '\0' || strlen (serial) > DN_DISK_SERIAL_BYTES)
    return FALSE;
  for (const char *p = serial; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("_-", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
check_path (const char *what, const char *path, GError **error)
{
  if (dn_domain_path_is_valid (path))
    return TRUE;
  return dn_throw (error, DN_ERROR_CONFIG,
                   "%s '%s': not a plain absolute path\n"
                   "use letters, digits and /_.-+@: only",
                   what, path != NULL ? path : "");
}

static gboolean
check_disk (const DnGuestDisk *disk, GError **error)
{
  if (!serial_is_valid (disk->serial))
    return dn_throw (error, DN_ERROR_CONFIG, "disk '%s': the serial number '%s' is not valid",
                     disk->path, disk->serial);
  return check_path ("disk", disk->path, error);
}

static gboolean
check_numbers (const DnDomain *domain, GError **error)
{
  if (domain->uid == 0 || domain->gid == 0)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': QEMU never runs as root", domain->id);
  if (domain->vcpus < 1 || domain->vcpus > 64)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': %u processors are not in 1 .. 64",
                     domain->id, domain->vcpus);
  if (domain->memory_bytes < 64 * MIB || domain->memory_bytes > ((guint64) 1 << 42))
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': its memory is not in 64 MiB .. 4 TiB",
                     domain->id);
  if (domain->vsock_cid != 0 && domain->vsock_cid < 3)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': vsock CID %u is reserved", domain->id,
                     domain->vsock_cid);
  if (domain->spare_disks > DN_DOMAIN_SPARE_DISKS_MAX
      || (domain->disks != NULL && domain->disks->len > DN_DOMAIN_DISKS_MAX))
    return dn_throw (error, DN_ERROR_LIMIT, "guest '%s': more than %d disks or %d spare ports",
                     domain->id, DN_DOMAIN_DISKS_MAX, DN_DOMAIN_SPARE_DISKS_MAX);
  return TRUE;
}

static gboolean
check (const DnDomain *domain, GError **error)
{
  if (!dn_domain_name_is_valid (domain->id) || !dn_domain_name_is_valid (domain->context))
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s' of context '%s': not a valid name",
                     domain->id, domain->context);
  for (guint i = 0; domain->disks != NULL && i < domain->disks->len; i++)
    if (!check_disk (g_ptr_array_index (domain->disks, i), error))
      return FALSE;
  return check_numbers (domain, error) && check_path ("run directory", domain->owner, error)
         && check_path ("kernel", domain->kernel, error)
         && (domain->initrd == NULL || check_path ("initramfs", domain->initrd, error))
         && (domain->firmware == NULL || check_path ("firmware", domain->firmware, error))
         && check_path ("guest root", domain->root, error)
         && check_path ("secret", domain->secret, error)
         && (domain->share == NULL || check_path ("share's socket", domain->share, error))
         && check_path ("console socket", domain->console, error)
         && check_path ("agent socket", domain->agent, error);
}

static void
write_number_element (DnXml *xml, const char *name, const char *unit, guint64 value)
{
  char digits[24];

  g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, value);
  dn_xml_open (xml, name);
  if (unit != NULL)
    dn_xml_attribute (xml, "unit", unit);
  dn_xml_text (xml, digits);
  dn_xml_close (xml);
}

static void
write_address (DnXml *xml, guint bus, guint slot, guint function, gboolean is_multifunction)
{
  dn_xml_open (xml, "address");
  dn_xml_attribute (xml, "type", "pci");
  dn_xml_attribute (xml, "domain", "0x0000");
  dn_xml_attribute_hex (xml, "bus", bus);
  dn_xml_attribute_hex (xml, "slot", slot);
  dn_xml_attribute_hex (xml, "function", function);
  if (is_multifunction)
    dn_xml_attribute (xml, "multifunction", "on");
  dn_xml_close (xml);
}

static void
write_identity (DnXml *xml, const DnDomain *domain)
{
  g_autofree char *name = g_strconcat (DN_DOMAIN_NAME_PREFIX, domain->id, NULL);
  g_autofree char *title = g_strconcat ("danchi context ", domain->context, NULL);

  dn_xml_element (xml, "name", name);
  dn_xml_element (xml, "title", title);
  dn_xml_open (xml, "metadata");
  dn_xml_empty (xml, "danchi:guest", "xmlns:danchi", DN_DOMAIN_METADATA_URI, "context",
                domain->context, "owner", domain->owner, NULL);
  dn_xml_close (xml);
}

guint64
dn_domain_host_limit_bytes (const DnDomain *domain)
{
  DnGuestSize size;

  dn_guest_size (&(DnGuestShape){ .memory_bytes = (domain->memory_bytes + MIB - 1) / MIB * MIB,
                                  .vcpus = domain->vcpus,
                                  .disks = 1 + (domain->disks != NULL ? domain->disks->len : 0)
                                           + domain->spare_disks,
                                  .is_emulated = domain->accelerator == DN_ACCELERATOR_TCG,
                                  .has_network = domain->tap != NULL,
                                  .has_binds = domain->share != NULL },
                 &size);
  return size.limit_bytes;
}

static void
write_host_limits (DnXml *xml, const DnDomain *domain)
{
  guint64 quota_us = dn_guest_limits_quota_us (&domain->limits);

  dn_xml_open (xml, "cputune");
  /* A weight: those hosts have cgroups of version 2. */
  write_number_element (
      xml, "shares", NULL,
      dn_host_group_weight (dn_guest_limits_shares (&domain->limits, domain->vcpus), TRUE));
  /* Of the domain as a whole: processors, emulator and helper threads. */
  if (quota_us != 0)
    {
      write_number_element (xml, "global_period", NULL, DN_GUEST_CPU_PERIOD_US);
      write_number_element (xml, "global_quota", NULL, quota_us);
    }
  dn_xml_close (xml);
  dn_xml_open (xml, "memtune");
  write_number_element (xml, "hard_limit", "MiB", dn_domain_host_limit_bytes (domain) / MIB);
  dn_xml_close (xml);
}

static void
write_resources (DnXml *xml, const DnDomain *domain)
{
  guint64 memory_mib = (domain->memory_bytes + MIB - 1) / MIB;
  char digits[24];

  g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, memory_mib);
  dn_xml_open (xml, "memory");
  dn_xml_attribute (xml, "unit", "MiB");
  dn_xml_attribute (xml, "dumpCore", "off");
  dn_xml_text (xml, digits);
  dn_xml_close (xml);
  dn_xml_open (xml, "memoryBacking");
  if (domain->share != NULL)
    dn_xml_empty (xml, "source", "type", "memfd", NULL);
  if (domain->share != NULL)
    dn_xml_empty (xml, "access", "mode", "shared", NULL);
  dn_xml_empty (xml, "nosharepages", NULL);
  dn_xml_close (xml);
  dn_xml_open (xml, "vcpu");
  dn_xml_attribute (xml, "placement", "static");
  g_snprintf (digits, sizeof digits, "%u", domain->vcpus);
  dn_xml_text (xml, digits);
  dn_xml_close (xml);
  if (domain->has_host_cgroups)
    write_host_limits (xml, domain);
}

static void
write_boot (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "sysinfo");
  dn_xml_attribute (xml, "type", "fwcfg");
  /* By file, not by value: the value would be in libvirt's XML and in QEMU's command line. */
  dn_xml_empty (xml, "entry", "name", DN_LINK_FW_CFG, "file", domain->secret, NULL);
  dn_xml_close (xml);
  dn_xml_open (xml, "os");
  dn_xml_open (xml, "type");
  dn_xml_attribute (xml, "arch", "x86_64");
  dn_xml_attribute (xml, "machine", "q35");
  dn_xml_text (xml, "hvm");
  dn_xml_close (xml);
  if (domain->firmware != NULL)
    {
      dn_xml_open (xml, "loader");
      dn_xml_attribute (xml, "type", "rom");
      dn_xml_text (xml, domain->firmware);
      dn_xml_close (xml);
    }
  dn_xml_element (xml, "kernel", domain->kernel);
  if (domain->initrd != NULL)
    dn_xml_element (xml, "initrd", domain->initrd);
  dn_xml_element (xml, "cmdline", domain->cmdline);
  dn_xml_close (xml);
}

static void
write_machine (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "features");
  /* ACPI: power-off, and plugging of disks. */
  dn_xml_empty (xml, "acpi", NULL);
  dn_xml_empty (xml, "apic", NULL);
  dn_xml_empty (xml, "vmport", "state", "off", NULL);
  dn_xml_empty (xml, "smm", "state", "off", NULL);
  if (domain->accelerator == DN_ACCELERATOR_TCG)
    {
      dn_xml_open (xml, "tcg");
      write_number_element (xml, "tb-cache", "MiB", DN_GUEST_SIZE_TRANSLATED_MIB);
      dn_xml_close (xml);
    }
  dn_xml_close (xml);
  dn_xml_open (xml, "cpu");
  if (domain->accelerator == DN_ACCELERATOR_KVM)
    {
      dn_xml_attribute (xml, "mode", "host-passthrough");
      dn_xml_attribute (xml, "check", "none");
      dn_xml_attribute (xml, "migratable", "off");
    }
  else
    {
      dn_xml_attribute (xml, "mode", "maximum");
      dn_xml_attribute (xml, "check", "none");
    }
  dn_xml_close (xml);
  dn_xml_open (xml, "clock");
  dn_xml_attribute (xml, "offset", "utc");
  dn_xml_empty (xml, "timer", "name", "hpet", "present", "no", NULL);
  dn_xml_close (xml);
  dn_xml_element (xml, "on_poweroff", "destroy");
  dn_xml_element (xml, "on_reboot", "destroy");
  dn_xml_element (xml, "on_crash", "destroy");
  /* A guest that sleeps would be running to libvirt and dead to everybody else. */
  dn_xml_open (xml, "pm");
  dn_xml_empty (xml, "suspend-to-mem", "enabled", "no", NULL);
  dn_xml_empty (xml, "suspend-to-disk", "enabled", "no", NULL);
  dn_xml_close (xml);
}

/* QEMU's own buckets, in its process: they need nothing of the host. */
static void
write_io_limits (DnXml *xml, const DnGuestLimits *limits)
{
  const struct
  {
    const char *name;
    guint64 value;
  } all[] = { { "read_bytes_sec", limits->read_bytes_per_s },
              { "write_bytes_sec", limits->write_bytes_per_s },
              { "read_iops_sec", limits->reads_per_s },
              { "write_iops_sec", limits->writes_per_s } };

  if (!dn_guest_limits_have_io (limits))
    return;
  dn_xml_open (xml, "iotune");
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].value != 0)
      write_number_element (xml, all[i].name, NULL, all[i].value);
  dn_xml_element (xml, "group_name", DN_DOMAIN_THROTTLE_GROUP);
  dn_xml_close (xml);
}

/* @index: 0 is the root (vda).  @limits: NULL for none. */
static void
write_disk (DnXml *xml, const DnGuestDisk *disk, const DnGuestLimits *limits, guint index,
            guint bus, guint slot)
{
  const char *path = disk->path;
  char target[8];

  /* Only a unique name to libvirt: the guest finds disks by serial number.  26 letters are enough
   * for root, disks and spares together. */
  g_snprintf (target, sizeof target, "vd%c", 'a' + index);
  dn_xml_open (xml, "disk");
  dn_xml_attribute (xml, "type", disk->is_device ? "block" : "file");
  dn_xml_attribute (xml, "device", "disk");
  dn_xml_attribute (xml, "model", VIRTIO_MODEL);
  if (disk->is_kept)
    /* What a guest flushes is on the disk; what it frees is the host's again. */
    dn_xml_empty (xml, "driver", "name", "qemu", "type", "raw", "cache", "writeback",
                  "error_policy", "report", "io", "threads", "discard", "unmap", NULL);
  else if (disk->is_readonly)
    dn_xml_empty (xml, "driver", "name", "qemu", "type",
                  g_str_has_suffix (path, DN_GUEST_STACK_SUFFIX) ? "vmdk" : "raw", "cache",
                  "writeback", "io", "threads", NULL);
  else
    /* A full host is the guest's write error, and so the end of what it does; QEMU's default would
     * be to stop the guest and wait. */
    dn_xml_empty (xml, "driver", "name", "qemu", "type", "raw", "cache", "unsafe", "error_policy",
                  "report", "io", "threads", NULL);
  dn_xml_empty (xml, "source", disk->is_device ? "dev" : "file", path, NULL);
  dn_xml_empty (xml, "backingStore", NULL);
  dn_xml_empty (xml, "target", "dev", target, "bus", "virtio", NULL);
  if (limits != NULL)
    write_io_limits (xml, limits);
  if (disk->is_readonly)
    dn_xml_empty (xml, "readonly", NULL);
  dn_xml_element (xml, "serial", disk->serial);
  write_address (xml, bus, slot, 0, FALSE);
  dn_xml_close (xml);
}

static void
write_disks (DnXml *xml, const DnDomain *domain)
{
  const DnGuestDisk root = { .path = (char *) domain->root, .serial = "root", .is_readonly = TRUE };

  write_disk (xml, &root, NULL, 0, 0, SLOT_ROOT);
  for (guint i = 0; domain->disks != NULL && i < domain->disks->len; i++)
    {
      const DnGuestDisk *disk = g_ptr_array_index (domain->disks, i);

      write_disk (xml, disk, &domain->limits, i + 1, 0, SLOT_DISKS + i);
    }
}

/* The port of spare disk i is the PCI bus i + 1. */
static void
write_ports (DnXml *xml, const DnDomain *domain)
{
  dn_xml_empty (xml, "controller", "type", "pci", "index", "0", "model", "pcie-root", NULL);
  for (guint i = 0; i < domain->spare_disks; i++)
    {
      dn_xml_open (xml, "controller");
      dn_xml_attribute (xml, "type", "pci");
      dn_xml_attribute_number (xml, "index", i + 1);
      dn_xml_attribute (xml, "model", "pcie-root-port");
      write_address (xml, 0, SLOT_PORTS + i / FUNCTIONS, i % FUNCTIONS, i % FUNCTIONS == 0);
      dn_xml_close (xml);
    }
}

/* One queue, so that virtiofsd serves it with one thread. */
static void
write_share (DnXml *xml, const DnDomain *domain)
{
  if (domain->share == NULL)
    return;
  dn_xml_open (xml, "filesystem");
  dn_xml_attribute (xml, "type", "mount");
  dn_xml_attribute (xml, "accessmode", "passthrough");
  dn_xml_empty (xml, "driver", "type", "virtiofs", "queue", "1024", NULL);
  dn_xml_empty (xml, "source", "socket", domain->share, NULL);
  dn_xml_empty (xml, "target", "dir", DN_DOMAIN_SHARE_TAG, NULL);
  write_address (xml, 0, SLOT_SHARE, 0, FALSE);
  dn_xml_close (xml);
}

static void
write_channel (DnXml *xml, const DnDomain *domain)
{
  if (domain->vsock_cid != 0)
    {
      dn_xml_open (xml, "vsock");
      dn_xml_attribute (xml, "model", VIRTIO_MODEL);
      dn_xml_open (xml, "cid");
      dn_xml_attribute (xml, "auto", "no");
      dn_xml_attribute_number (xml, "address", domain->vsock_cid);
      dn_xml_close (xml);
      write_address (xml, 0, SLOT_CHANNEL, 0, FALSE);
      dn_xml_close (xml);
      return;
    }
  dn_xml_open (xml, "controller");
  dn_xml_attribute (xml, "type", "virtio-serial");
  dn_xml_attribute (xml, "index", "0");
  dn_xml_attribute (xml, "model", VIRTIO_MODEL);
  dn_xml_attribute (xml, "ports", "2");
  write_address (xml, 0, SLOT_CHANNEL, 0, FALSE);
  dn_xml_close (xml);
  dn_xml_open (xml, "channel");
  dn_xml_attribute (xml, "type", "unix");
  dn_xml_empty (xml, "source", "mode", "bind", "path", domain->agent, NULL);
  dn_xml_empty (xml, "target", "type", "virtio", "name", DN_AGENT_SERIAL_PORT, NULL);
  dn_xml_empty (xml, "address", "type", "virtio-serial", "controller", "0", "bus", "0", "port", "1",
                NULL);
  dn_xml_close (xml);
}

static void
write_console (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "serial");
  dn_xml_attribute (xml, "type", "unix");
  /* QEMU is the client and comes again: so the relay may be started anew under a running guest. */
  dn_xml_open (xml, "source");
  dn_xml_attribute (xml, "mode", "connect");
  dn_xml_attribute (xml, "path", domain->console);
  dn_xml_empty (xml, "reconnect", "enabled", "yes", "timeout", "1", NULL);
  dn_xml_close (xml);
  dn_xml_open (xml, "target");
  dn_xml_attribute (xml, "type", "isa-serial");
  dn_xml_attribute (xml, "port", "0");
  dn_xml_close (xml);
  dn_xml_close (xml);
}

/* Pages that the guest's kernel has free go back to the host by themselves (freePageReporting); and
 * a guest that runs short takes back what it was asked to give (autodeflate). */
static void
write_balloon (DnXml *xml, const DnDomain *domain)
{
  if (!domain->has_balloon)
    {
      dn_xml_empty (xml, "memballoon", "model", "none", NULL);
      return;
    }
  dn_xml_open (xml, "memballoon");
  dn_xml_attribute (xml, "model", VIRTIO_MODEL);
  dn_xml_attribute (xml, "autodeflate", "on");
  dn_xml_attribute (xml, "freePageReporting", "on");
  write_address (xml, 0, SLOT_BALLOON, 0, FALSE);
  dn_xml_close (xml);
}

/* The tap is there already, with its rules, and belongs to the guest's uid: libvirt only opens it.
 * QEMU itself moves the packets (driver qemu): with vhost-net the host's kernel would read the
 * guest's ring.  No option ROM: nothing boots from here. */
static void
write_card (DnXml *xml, const DnDomain *domain)
{
  if (domain->tap == NULL)
    return;
  dn_xml_open (xml, "interface");
  dn_xml_attribute (xml, "type", "ethernet");
  dn_xml_empty (xml, "mac", "address", domain->mac, NULL);
  dn_xml_empty (xml, "target", "dev", domain->tap, "managed", "no", NULL);
  dn_xml_empty (xml, "model", "type", VIRTIO_MODEL, NULL);
  dn_xml_empty (xml, "driver", "name", "qemu", NULL);
  dn_xml_empty (xml, "rom", "enabled", "no", NULL);
  write_address (xml, 0, SLOT_CARD, 0, FALSE);
  dn_xml_close (xml);
}

static void
write_devices (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "devices");
  dn_xml_element (xml, "emulator", "/usr/bin/qemu-system-x86_64");
  write_disks (xml, domain);
  dn_xml_empty (xml, "controller", "type", "usb", "index", "0", "model", "none", NULL);
  write_ports (xml, domain);
  write_share (xml, domain);
  write_channel (xml, domain);
  write_card (xml, domain);
  write_console (xml, domain);
  dn_xml_open (xml, "video");
  dn_xml_empty (xml, "model", "type", "none", NULL);
  dn_xml_close (xml);
  write_balloon (xml, domain);
  dn_xml_close (xml);
}

static void
write_label (DnXml *xml, const DnDomain *domain)
{
  char label[32];

  g_snprintf (label, sizeof label, "+%u:+%u", domain->uid, domain->gid);
  dn_xml_open (xml, "seclabel");
  dn_xml_attribute (xml, "type", "static");
  dn_xml_attribute (xml, "model", "dac");
  dn_xml_attribute (xml, "relabel", "no");
  dn_xml_element (xml, "label", label);
  dn_xml_close (xml);
}

/* sVirt: what keeps a QEMU that its guest has taken over from all files that are not its own, uid
 * or not.  Emulation has a type of its own, which may make memory executable. */
static void
write_svirt_label (DnXml *xml, const DnDomain *domain)
{
  const char *model = domain->security_model;
  gboolean is_selinux = g_strcmp0 (model, "selinux") == 0;
  gboolean is_static = is_selinux && domain->mcs != NULL;
  g_autofree char *label = NULL;

  if (!is_selinux && g_strcmp0 (model, "apparmor") != 0)
    return;
  dn_xml_open (xml, "seclabel");
  dn_xml_attribute (xml, "type", is_static ? "static" : "dynamic");
  dn_xml_attribute (xml, "model", model);
  dn_xml_attribute (xml, "relabel", "yes");
  if (is_static)
    {
      label = g_strdup_printf (
          "system_u:system_r:%s:s0:%s",
          domain->accelerator == DN_ACCELERATOR_KVM ? "svirt_t" : "svirt_tcg_t", domain->mcs);
      dn_xml_element (xml, "label", label);
    }
  dn_xml_close (xml);
}

/* Merged by QEMU into the -machine that libvirt writes.  Words that QEMU does not know end it, so a
 * device that should not be there is never there in silence. */
static void
write_builtin_devices (DnXml *xml)
{
  dn_xml_open (xml, "qemu:commandline");
  dn_xml_empty (xml, "qemu:arg", "value", "-machine", NULL);
  dn_xml_empty (xml, "qemu:arg", "value", WITHOUT_BUILTIN_DEVICES, NULL);
  dn_xml_close (xml);
}

char *
dn_domain_xml_build (const DnDomain *domain, GError **error)
{
  DnXml xml;

  if (!check (domain, error))
    return NULL;
  dn_xml_init (&xml);
  dn_xml_open (&xml, "domain");
  dn_xml_attribute (&xml, "type", domain->accelerator == DN_ACCELERATOR_KVM ? "kvm" : "qemu");
  dn_xml_attribute (&xml, "xmlns:qemu", QEMU_NAMESPACE);
  write_identity (&xml, domain);
  write_resources (&xml, domain);
  write_boot (&xml, domain);
  write_machine (&xml, domain);
  write_devices (&xml, domain);
  write_label (&xml, domain);
  write_svirt_label (&xml, domain);
  write_builtin_devices (&xml);
  dn_xml_close (&xml);
  return dn_xml_finish (&xml, error);
}

char *
dn_domain_xml_build_spare_disk (const DnGuestDisk *disk, const DnGuestLimits *limits, guint port,
                                GError **error)
{
  DnXml xml;

  if (port >= DN_DOMAIN_SPARE_DISKS_MAX || !check_disk (disk, error))
    {
      if (error == NULL || *error == NULL)
        dn_throw (error, DN_ERROR_LIMIT, "disk '%s': there is no port %u", disk->serial, port);
      return NULL;
    }
  dn_xml_init (&xml);
  write_disk (&xml, disk, limits, 1 + DN_DOMAIN_DISKS_MAX + port, port + 1, 0);
  return dn_xml_finish (&xml, error);
}
