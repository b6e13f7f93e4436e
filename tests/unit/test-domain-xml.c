/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-[ls]*.c launcher/limits/host-group.c launcher/guest/domain-*.c
 * launcher/guest/xml-writer.c launcher/common/error.c */
/* Golden documents: tests/golden/domain/; DN_TEST_REGENERATE=1 rewrites them. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/guest/domain-xml.h"
#include "golden.h"

/* Only guest.c needs the rest of a guest: here a disk is enough. */
static DnGuestDisk *
disk_new (const char *path, const char *serial, gboolean is_readonly)
{
  DnGuestDisk *disk = g_new0 (DnGuestDisk, 1);

  disk->path = g_strdup (path);
  g_strlcpy (disk->serial, serial, sizeof disk->serial);
  disk->is_readonly = is_readonly;
  return disk;
}

static void
disk_free (gpointer data)
{
  DnGuestDisk *disk = data;

  g_free (disk->path);
  g_free (disk);
}

static DnDomain
sample (void)
{
  return (DnDomain){ .id = "0123456789abcdef0123456789abcdef",
                     .context = "acme-prod",
                     .owner = "/run/danchi",
                     .accelerator = DN_ACCELERATOR_KVM,
                     .memory_bytes = 256 * 1024 * 1024,
                     .vcpus = 2,
                     .uid = 200001,
                     .gid = 200001,
                     .vsock_cid = 1000,
                     .firmware = "/var/lib/danchi/boot/qboot.rom.1",
                     .kernel = "/var/lib/danchi/boot/vmlinuz.1",
                     .initrd = "/var/lib/danchi/boot/initramfs.cpio.1",
                     .cmdline = "console=ttyS0 quiet",
                     .secret = "/run/danchi/guests/01/secret",
                     .console = "/run/danchi/guests/01/console.sock",
                     .agent = "/run/danchi/guests/01/agent.sock",
                     .root = "/var/lib/danchi/boot/guest.erofs.1",
                     .spare_disks = 2 };
}

static void
assert_golden (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename ("tests/golden/domain", name, NULL);

  golden_compare (path, text);
}

static void
check (const char *name, const DnDomain *domain)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = dn_domain_xml_build (domain, &error);

  g_assert_no_error (error);
  assert_golden (name, xml);
}

static void
test_writes_a_kvm_guest_with_vsock (void)
{
  DnDomain domain = sample ();

  check ("kvm-vsock.xml", &domain);
}

static void
test_writes_an_emulated_guest_with_a_serial_channel (void)
{
  DnDomain domain = sample ();

  domain.accelerator = DN_ACCELERATOR_TCG;
  domain.vsock_cid = 0;
  domain.firmware = NULL;
  domain.initrd = NULL;
  domain.spare_disks = 0;
  check ("tcg-serial.xml", &domain);
}

static void
test_writes_a_share_with_memory_that_is_shared_with_one_process (void)
{
  DnDomain domain = sample ();

  guint64 without = dn_domain_host_limit_bytes (&domain);

  domain.share = "/run/danchi/guests/01/share.sock";
  check ("share.xml", &domain);
  /* Its virtiofsd is in QEMU's group, and counted to it. */
  g_assert_cmpuint (dn_domain_host_limit_bytes (&domain) - without, ==, 264 << 20);
}

static void
test_writes_disks_ports_and_limits (void)
{
  g_autoptr (GPtrArray) disks = g_ptr_array_new_with_free_func (disk_free);
  DnDomain domain = sample ();

  g_ptr_array_add (disks, disk_new ("/var/lib/danchi/store/layers/1/layer.erofs", "image1", TRUE));
  g_ptr_array_add (disks, disk_new ("/var/lib/danchi/store/images/2/disk.vmdk", "image2", TRUE));
  /* What can be written is never more than the bytes in it. */
  g_ptr_array_add (disks, disk_new ("/var/lib/danchi/guests/1/a.vmdk", "image3", FALSE));
  g_ptr_array_add (disks, disk_new ("/var/lib/danchi/guests/1/scratch", "scratch", FALSE));
  domain.disks = disks;
  domain.spare_disks = 9;
  domain.limits = (DnGuestLimits){ .cpu_shares = 2048,
                                   .cpu_quota_percent = 150,
                                   .read_bytes_per_s = 20 << 20,
                                   .write_bytes_per_s = 10 << 20,
                                   .writes_per_s = 500 };
  domain.has_balloon = TRUE;
  domain.has_host_cgroups = TRUE;
  check ("disks-limits.xml", &domain);
}

static void
test_writes_a_card_behind_a_tap_that_is_there (void)
{
  DnDomain domain = sample ();

  domain.tap = "dn200001";
  domain.mac = "02:64:6e:00:00:00";
  check ("card.xml", &domain);
}

static void
test_asks_for_the_hosts_label_by_name (void)
{
  static const struct
  {
    const char *model;
    const char *mcs;
    DnAccelerator accelerator;
    const char *wanted; /* NULL: none but the DAC one */
  } cases[] = {
    { NULL, "c1,c2", DN_ACCELERATOR_KVM, NULL },
    { "none", NULL, DN_ACCELERATOR_KVM, NULL },
    { "dac", "c1,c2", DN_ACCELERATOR_KVM, NULL },
    { "apparmor", "c1,c2", DN_ACCELERATOR_KVM,
      "<seclabel type='dynamic' model='apparmor' relabel='yes'/>" },
    { "selinux", NULL, DN_ACCELERATOR_KVM,
      "<seclabel type='dynamic' model='selinux' relabel='yes'/>" },
    { "selinux", "c1,c2", DN_ACCELERATOR_KVM, "<label>system_u:system_r:svirt_t:s0:c1,c2</label>" },
    { "selinux", "c1,c2", DN_ACCELERATOR_TCG,
      "<label>system_u:system_r:svirt_tcg_t:s0:c1,c2</label>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnDomain domain = sample ();
      g_autoptr (GError) error = NULL;
      g_autofree char *xml = NULL;
      const char *second;

      domain.security_model = cases[i].model;
      domain.mcs = cases[i].mcs;
      domain.accelerator = cases[i].accelerator;
      xml = dn_domain_xml_build (&domain, &error);
      g_assert_no_error (error);
      second = strstr (strstr (xml, "</seclabel>"), "<seclabel");
      g_assert_cmpint (second != NULL, ==, cases[i].wanted != NULL);
      g_test_message ("%s", second != NULL ? second : "none");
      if (cases[i].wanted != NULL)
        g_assert_nonnull (strstr (second, cases[i].wanted));
    }
}

static void
test_writes_a_disk_for_a_port (void)
{
  DnGuestDisk *disk = disk_new ("/var/lib/danchi/store/images/2/disk.vmdk", "image2", TRUE);
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = dn_domain_xml_build_spare_disk (
      disk, &(const DnGuestLimits){ .reads_per_s = 100 }, 1, &error);

  g_assert_no_error (error);
  assert_golden ("spare-disk.xml", xml);
  g_assert_null (dn_domain_xml_build_spare_disk (disk, NULL, DN_DOMAIN_SPARE_DISKS_MAX, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
  disk_free (disk);
}

/* A volume's file is raw and of the host's: what a program flushes is on its disk, a full host is a
 * write error, and what is freed is given back.  Like all disks it has no label of its own: libvirt
 * gives it the guest's while it is attached, test-volume-labels.py. */
static void
test_writes_a_volumes_disk_to_be_attached (void)
{
  static const char path[] = "/var/lib/danchi/volumes/00112233445566778899aabbccddeeff/disk.raw";
  static const struct
  {
    const char *file;
    const char *serial; /* as dn_volume_serial() has it */
    gboolean is_readonly;
  } cases[] = { { "volume-disk.xml", "v0011223344556677889", FALSE },
                { "volume-disk-read-only.xml", "w0011223344556677889", TRUE } };
  const DnGuestLimits limits = { .write_bytes_per_s = 10 << 20 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnGuestDisk *disk = disk_new (path, cases[i].serial, cases[i].is_readonly);
      g_autoptr (GError) error = NULL;
      g_autofree char *xml = NULL;

      disk->is_kept = TRUE;
      xml = dn_domain_xml_build_spare_disk (disk, &limits, 2, &error);
      g_assert_no_error (error);
      assert_golden (cases[i].file, xml);
      disk_free (disk);
    }
}

/* A block device is named as one: QEMU's driver for files would take no notice of what it is, and
 * libvirt make no node of it for QEMU. */
static void
test_writes_a_device_to_be_attached (void)
{
  static const struct
  {
    const char *file;
    const char *serial;
    gboolean is_readonly;
  } cases[] = { { "device-disk.xml", "x0011223344556677889", FALSE },
                { "device-disk-read-only.xml", "y0011223344556677889", TRUE } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnGuestDisk *disk = disk_new ("/dev/dm-7", cases[i].serial, cases[i].is_readonly);
      g_autoptr (GError) error = NULL;
      g_autofree char *xml = NULL;

      disk->is_kept = disk->is_device = TRUE;
      xml = dn_domain_xml_build_spare_disk (disk, NULL, 2, &error);
      g_assert_no_error (error);
      assert_golden (cases[i].file, xml);
      disk_free (disk);
    }
}

static void
assert_refused (const DnDomain *domain)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_domain_xml_build (domain, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == DN_ERROR);
}

static void
test_refuses_names_that_could_break_out (void)
{
  static const char *const bad[]
      = { "",         "-a",
          "a'b",      "a\"b",
          "a<b",      "a>b",
          "a&b",      "a b",
          "a\nb",     "a/b",
          "..",       "a\x7f",
          "\xc3\xa4", "0123456789012345678901234567890123456789012345678901234567890123" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      DnDomain domain = sample ();

      domain.context = bad[i];
      assert_refused (&domain);
      domain = sample ();
      domain.id = bad[i];
      assert_refused (&domain);
    }
}

static void
test_refuses_paths_that_could_break_out (void)
{
  static const char *const bad[] = { "relative", "/a/../b", "/a/..", "/a'b", "/a<b", "/a&b",
                                     "/a b",     "/a,b",    "/a\nb", "",     "/a\"b" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      DnDomain domain = sample ();

      domain.root = bad[i];
      assert_refused (&domain);
      domain = sample ();
      domain.secret = bad[i];
      assert_refused (&domain);
      domain = sample ();
      domain.owner = bad[i];
      assert_refused (&domain);
    }
}

static void
test_refuses_root_and_reserved_numbers (void)
{
  DnDomain domain = sample ();

  domain.uid = 0;
  assert_refused (&domain);
  domain = sample ();
  domain.gid = 0;
  assert_refused (&domain);
  domain = sample ();
  domain.vsock_cid = 2;
  assert_refused (&domain);
  domain = sample ();
  domain.vcpus = 0;
  assert_refused (&domain);
  domain = sample ();
  domain.memory_bytes = 1024;
  assert_refused (&domain);
  domain = sample ();
  domain.spare_disks = DN_DOMAIN_SPARE_DISKS_MAX + 1;
  assert_refused (&domain);
}

static void
test_refuses_serial_numbers_that_are_none (void)
{
  static const char *const bad[] = { "", "a b", "a<b", "a/b" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      DnGuestDisk *disk = disk_new ("/disk", bad[i], TRUE);

      g_assert_null (dn_domain_xml_build_spare_disk (disk, NULL, 0, NULL));
      disk_free (disk);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/domain-xml/writes a KVM guest with vsock", test_writes_a_kvm_guest_with_vsock);
  g_test_add_func ("/domain-xml/writes an emulated guest with a serial channel",
                   test_writes_an_emulated_guest_with_a_serial_channel);
  g_test_add_func ("/domain-xml/writes a share, with memory that is shared with one process",
                   test_writes_a_share_with_memory_that_is_shared_with_one_process);
  g_test_add_func ("/domain-xml/writes disks, ports and limits",
                   test_writes_disks_ports_and_limits);
  g_test_add_func ("/domain-xml/writes a card behind a tap that is there",
                   test_writes_a_card_behind_a_tap_that_is_there);
  g_test_add_func ("/domain-xml/asks for the host's label by name",
                   test_asks_for_the_hosts_label_by_name);
  g_test_add_func ("/domain-xml/writes a disk for a port", test_writes_a_disk_for_a_port);
  g_test_add_func ("/domain-xml/writes a volume's disk, to be attached",
                   test_writes_a_volumes_disk_to_be_attached);
  g_test_add_func ("/domain-xml/writes a device to be attached",
                   test_writes_a_device_to_be_attached);
  g_test_add_func ("/domain-xml/refuses names that could break out",
                   test_refuses_names_that_could_break_out);
  g_test_add_func ("/domain-xml/refuses paths that could break out",
                   test_refuses_paths_that_could_break_out);
  g_test_add_func ("/domain-xml/refuses root and reserved numbers",
                   test_refuses_root_and_reserved_numbers);
  g_test_add_func ("/domain-xml/refuses serial numbers that are none",
                   test_refuses_serial_numbers_that_are_none);
  return g_test_run ();
}
