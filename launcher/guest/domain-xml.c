/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../protocol/link.h"
#include "../common/error.h"
#include "../limits/host-group.h"
#include "domain-parts.h"

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"
/* What QEMU builds into every q35 and libvirt 9.0 has no words for: keyboard and mouse, the SATA
 * controller with its IDE code, the SMBus. */
#define WITHOUT_BUILTIN_DEVICES "i8042=off,sata=off,smbus=off"

void
dn_domain_write_number (DnXml *xml, const char *name, const char *unit, guint64 value)
{
  char digits[24];

  g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, value);
  dn_xml_open (xml, name);
  if (unit != NULL)
    dn_xml_attribute (xml, "unit", unit);
  dn_xml_text (xml, digits);
  dn_xml_close (xml);
}

void
dn_domain_write_address (DnXml *xml, guint bus, guint slot, guint function,
                         gboolean is_multifunction)
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
  dn_domain_write_number (
      xml, "shares", NULL,
      dn_host_group_weight (dn_guest_limits_shares (&domain->limits, domain->vcpus), TRUE));
  /* Of the domain as a whole: processors, emulator and helper threads. */
  if (quota_us != 0)
    {
      dn_domain_write_number (xml, "global_period", NULL, DN_GUEST_CPU_PERIOD_US);
      dn_domain_write_number (xml, "global_quota", NULL, quota_us);
    }
  dn_xml_close (xml);
  dn_xml_open (xml, "memtune");
  dn_domain_write_number (xml, "hard_limit", "MiB", dn_domain_host_limit_bytes (domain) / MIB);
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
      dn_domain_write_number (xml, "tb-cache", "MiB", DN_GUEST_SIZE_TRANSLATED_MIB);
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

  if (!dn_domain_check (domain, error))
    return NULL;
  dn_xml_init (&xml);
  dn_xml_open (&xml, "domain");
  dn_xml_attribute (&xml, "type", domain->accelerator == DN_ACCELERATOR_KVM ? "kvm" : "qemu");
  dn_xml_attribute (&xml, "xmlns:qemu", QEMU_NAMESPACE);
  write_identity (&xml, domain);
  write_resources (&xml, domain);
  write_boot (&xml, domain);
  write_machine (&xml, domain);
  dn_domain_write_devices (&xml, domain);
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

  if (port >= DN_DOMAIN_SPARE_DISKS_MAX || !dn_domain_check_disk (disk, error))
    {
      if (error == NULL || *error == NULL)
        dn_throw (error, DN_ERROR_LIMIT, "disk '%s': there is no port %u", disk->serial, port);
      return NULL;
    }
  dn_xml_init (&xml);
  dn_domain_write_disk (&xml, disk, limits, 1 + DN_DOMAIN_DISKS_MAX + port, port + 1, 0);
  return dn_xml_finish (&xml, error);
}
