/* SPDX-License-Identifier: Apache-2.0 */
#include "domain-parts.h"

#define SLOT_ROOT 0x02
#define SLOT_DISKS 0x04
#define SLOT_PORTS 0x10
#define FUNCTIONS 8

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
      dn_domain_write_number (xml, all[i].name, NULL, all[i].value);
  dn_xml_element (xml, "group_name", DN_DOMAIN_THROTTLE_GROUP);
  dn_xml_close (xml);
}

void
dn_domain_write_disk (DnXml *xml, const DnGuestDisk *disk, const DnGuestLimits *limits, guint index,
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
  dn_xml_attribute (xml, "model", DN_DOMAIN_VIRTIO_MODEL);
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
  dn_domain_write_address (xml, bus, slot, 0, FALSE);
  dn_xml_close (xml);
}

void
dn_domain_write_disks (DnXml *xml, const DnDomain *domain)
{
  const DnGuestDisk root = { .path = (char *) domain->root, .serial = "root", .is_readonly = TRUE };

  dn_domain_write_disk (xml, &root, NULL, 0, 0, SLOT_ROOT);
  for (guint i = 0; domain->disks != NULL && i < domain->disks->len; i++)
    {
      const DnGuestDisk *disk = g_ptr_array_index (domain->disks, i);

      dn_domain_write_disk (xml, disk, &domain->limits, i + 1, 0, SLOT_DISKS + i);
    }
}

/* The port of spare disk i is the PCI bus i + 1. */
void
dn_domain_write_ports (DnXml *xml, const DnDomain *domain)
{
  dn_xml_empty (xml, "controller", "type", "pci", "index", "0", "model", "pcie-root", NULL);
  for (guint i = 0; i < domain->spare_disks; i++)
    {
      dn_xml_open (xml, "controller");
      dn_xml_attribute (xml, "type", "pci");
      dn_xml_attribute_number (xml, "index", i + 1);
      dn_xml_attribute (xml, "model", "pcie-root-port");
      dn_domain_write_address (xml, 0, SLOT_PORTS + i / FUNCTIONS, i % FUNCTIONS,
                               i % FUNCTIONS == 0);
      dn_xml_close (xml);
    }
}
