/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../common/paths.h"
#include "../guest/access.h"
#include "../guest/boot-files.h"
#include "../guest/hypervisor.h"
#include "../guest/kvm-probe.h"
#include "../guest/transport.h"
#include "../limits/host-group.h"

#define LIBVIRT_QEMU_DIRECTORY "/var/lib/libvirt/qemu"
#define STATE_FREE_WARN_BYTES ((guint64) 1024 * 1024 * 1024)
#define LIBVIRT_OLDEST 8010000 /* 8.1: schema and fw_cfg by file are certain */

typedef enum
{
  STATUS_OK,
  STATUS_WARN,
  STATUS_FAIL,
} Status;

typedef struct
{
  Status status;
  char *what;         /* owned */
  const char *remedy; /* a literal */
} Finding;

/* (transfer full) in `what`. */
typedef Finding (*CheckFunc) (void);

static Finding
finding (Status status, char *what, const char *remedy)
{
  return (Finding){ status, what, remedy };
}

static Finding
check_kvm (void)
{
  g_autoptr (GError) error = NULL;

  /* The cached answer: asking QEMU anew takes long where it fails. danchid --probe-kvm asks. */
  if (dn_kvm_probe (DN_KVM_PROBE_QUICKLY, &error))
    return finding (STATUS_OK, g_strdup ("KVM runs guests"), "");
  return finding (STATUS_FAIL, g_strdup (error->message),
                  "switch on virtualisation in the firmware, or nested virtualisation on the host "
                  "above; to try Danchi out: --allow-emulation, which is no security boundary");
}

static Finding
check_libvirt (void)
{
  g_autoptr (GError) error = NULL;
  gulong libvirt, qemu;
  const char *hint;

  if (!dn_hypervisor_get_versions (DN_HYPERVISOR_TIMEOUT_MS, &libvirt, &qemu, &error))
    {
      hint = strchr (error->message, '\n');
      return finding (STATUS_FAIL,
                      hint != NULL ? g_strndup (error->message, (gsize) (hint - error->message))
                                   : g_strdup (error->message),
                      "start libvirtd or virtqemud; in a build tree: make host");
    }
  return finding (
      libvirt < LIBVIRT_OLDEST ? STATUS_WARN : STATUS_OK,
      g_strdup_printf ("libvirt %lu.%lu.%lu with QEMU %lu.%lu.%lu answers at %s", libvirt / 1000000,
                       libvirt / 1000 % 1000, libvirt % 1000, qemu / 1000000, qemu / 1000 % 1000,
                       qemu % 1000, dn_hypervisor_uri ()),
      libvirt < LIBVIRT_OLDEST ? "libvirt is older than what Danchi is tested with" : "");
}

static Finding
check_vsock (void)
{
  if (dn_paths ()->is_session)
    return finding (STATUS_OK, g_strdup ("session: guests are reached by virtio-serial"), "");
  if (dn_transport_host_has_vsock ())
    return finding (STATUS_OK, g_strdup ("vsock to guests is there"), "");
  return finding (STATUS_WARN,
                  g_strdup ("no /dev/vhost-vsock: guests are reached by virtio-serial"),
                  "modprobe vhost_vsock");
}

static Finding
check_directories (void)
{
  if (dn_access_is_open (LIBVIRT_QEMU_DIRECTORY, DN_ACCESS_SEARCH))
    return finding (STATUS_OK, g_strdup ("guests' uids reach libvirt's directories"), "");
  return finding (STATUS_OK,
                  g_strdup (LIBVIRT_QEMU_DIRECTORY
                            " is closed to others: each guest's uid gets an ACL entry while it "
                            "runs"),
                  "");
}

static Finding
check_images (void)
{
  static const char *const names[]
      = { "vmlinuz", "guest.erofs", "guest.verity", "unpack.erofs", "unpack.verity", "cmdline" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dn_paths ()->images, names[i], NULL);

      if (access (path, R_OK) != 0)
        return finding (STATUS_FAIL, g_strdup_printf ("guest image '%s' is missing", path),
                        "install the guest images; in a build tree: make images");
    }
  for (DnGuestKind kind = DN_GUEST_KIND_CONTEXT; kind <= DN_GUEST_KIND_UNPACK; kind++)
    {
      g_autofree char *damage = dn_boot_files_find_damage_of (kind);

      if (damage != NULL)
        {
          damage[strcspn (damage, "\n")] = '\0';
          return finding (STATUS_FAIL, g_steal_pointer (&damage),
                          "install the guest images anew; in a build tree: remove it and make "
                          "images");
        }
    }
  return finding (
      STATUS_OK,
      g_strdup_printf ("guest images are in %s and as they were made", dn_paths ()->images), "");
}

static Finding
check_run_directory (void)
{
  const char *run = dn_paths ()->run;
  struct stat status;

  if (stat (run, &status) < 0)
    return finding (STATUS_OK, g_strdup_printf ("%s is made at the first start", run), "");
  if ((status.st_mode & S_IXOTH) == 0)
    return finding (STATUS_FAIL,
                    g_strdup_printf ("%s: guests' own uids cannot pass through it", run),
                    "chmod o+x it");
  if ((status.st_mode & S_IWOTH) != 0 || status.st_uid != geteuid ())
    return finding (STATUS_FAIL, g_strdup_printf ("%s can be written to by others", run),
                    "chown it to root and chmod it 0755");
  return finding (STATUS_OK, g_strdup_printf ("%s has the right owner and mode", run), "");
}

static Finding
check_skopeo (void)
{
  g_autofree char *intake = g_build_filename (dn_paths ()->helpers, "danchi-intake", NULL);

  if (access (intake, X_OK) != 0)
    return finding (STATUS_FAIL, g_strdup_printf ("'%s' is missing: nothing can be pulled", intake),
                    "install Danchi anew, and restart danchid");
  if (access ("/usr/bin/skopeo", X_OK) != 0)
    return finding (STATUS_WARN, g_strdup ("there is no skopeo: nothing can be pulled"),
                    "apt-get install skopeo");
  return finding (STATUS_OK, g_strdup ("skopeo is there, for images of registries"), "");
}

static Finding
check_space (void)
{
  const char *state = dn_paths ()->state;
  struct statvfs space;
  guint64 free_bytes;

  if (statvfs (state, &space) < 0)
    return finding (STATUS_OK, g_strdup_printf ("%s is made at the first start", state), "");
  free_bytes = (guint64) space.f_bavail * space.f_frsize;
  return finding (
      free_bytes < STATE_FREE_WARN_BYTES ? STATUS_WARN : STATUS_OK,
      g_strdup_printf ("%s has %" G_GUINT64_FORMAT " MiB free", state, free_bytes / (1024 * 1024)),
      free_bytes < STATE_FREE_WARN_BYTES
          ? "images and logs need room: remove images, or move the directory"
          : "");
}

/* The first character of a small kernel file, or 0. */
static char
read_first (const char *path)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text[0] : '\0';
}

static Finding
check_ksm (void)
{
  if (read_first ("/sys/kernel/mm/ksm/run") != '1')
    return finding (STATUS_OK, g_strdup ("the kernel merges no memory pages (KSM)"), "");
  return finding (STATUS_WARN,
                  g_strdup ("the kernel merges memory pages (KSM): guests of Danchi opt out, other "
                            "processes do not"),
                  "echo 2 > /sys/kernel/mm/ksm/run");
}

static Finding
check_smt (void)
{
  if (read_first ("/sys/devices/system/cpu/smt/active") != '1')
    return finding (STATUS_OK, g_strdup ("processor cores are not shared by two threads (SMT)"),
                    "");
  return finding (STATUS_WARN, g_strdup ("two guests may run on one core at the same time (SMT)"),
                  "kernel parameter nosmt, where tenants do not trust each other");
}

/* (transfer full): names, each with a blank before it */
static char *
list_open_flaws (void)
{
  static const char directory_path[] = "/sys/devices/system/cpu/vulnerabilities";
  g_autoptr (GDir) directory = g_dir_open (directory_path, 0, NULL);
  GString *flaws = g_string_new (NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory_path, name, NULL);
      g_autofree char *text = NULL;

      if (g_file_get_contents (path, &text, NULL, NULL) && g_str_has_prefix (text, "Vulnerable"))
        g_string_append_printf (flaws, " %s", name);
    }
  return g_string_free (flaws, FALSE);
}

static Finding
check_mitigations (void)
{
  g_autofree char *flaws = list_open_flaws ();

  if (flaws[0] == '\0')
    return finding (STATUS_OK, g_strdup ("no processor flaw is left open, says the kernel"), "");
  return finding (STATUS_WARN, g_strdup_printf ("processor flaws are open:%s", flaws),
                  "update kernel and microcode");
}

static Finding
check_swap (void)
{
  g_autofree char *text = NULL;
  const char *second;

  if (!g_file_get_contents ("/proc/swaps", &text, NULL, NULL)
      || (second = strchr (text, '\n')) == NULL || second[1] == '\0')
    return finding (STATUS_OK, g_strdup ("no swap: guests' memory stays in memory"), "");
  return finding (STATUS_WARN, g_strdup ("guests' memory may be written to swap"),
                  "swapoff -a, or encrypt the swap");
}

/* Where there are groups libvirt uses them; whether it did for a guest, inspect reads back. */
static Finding
check_host_limits (void)
{
  guint version = dn_host_group_version ("");

  if (dn_paths ()->is_session)
    return finding (
        STATUS_WARN,
        g_strdup ("session: no control groups of guests: of a guest only its own memory, "
                  "its number of processors and its disks are limited, cpu_shares and "
                  "cpu_quota_percent do nothing"),
        "where guests have to leave each other their share, use the host's danchid");
  if (version != 0)
    return finding (STATUS_OK,
                    g_strdup_printf ("processors and memory of guests, with the virtiofsd of "
                                     "each, are limited by the host's control groups (version "
                                     "%u), their disks by QEMU",
                                     version),
                    "");
  return finding (STATUS_WARN,
                  g_strdup ("this host has no control groups for processors and memory: of a guest "
                            "only its own memory, its number of processors and its disks are "
                            "limited, cpu_shares and cpu_quota_percent do nothing, and a "
                            "guest's virtiofsd takes what processors it can"),
                  "mount cgroup2 with its controllers at /sys/fs/cgroup, as systemd does");
}

static Finding
check_mode (void)
{
  if (!dn_paths ()->is_session)
    return finding (STATUS_OK, g_strdup ("this is the host's danchid"), "");
  return finding (
      STATUS_WARN,
      g_strdup ("session: a user's own danchid. Absent are sVirt labels, mount namespaces "
                "and control groups of QEMU, the mark of published ports' sockets, vsock, "
                "host directories; and whoever is the user is root of all of it"),
      "where tenants do not trust each other, use the host's danchid: "
      "docs/session-mode.md");
}

static const struct
{
  const char *id;
  CheckFunc check;
} checks[] = {
  { "mode", check_mode },
  { "kvm", check_kvm },
  { "libvirt", check_libvirt },
  { "vsock", check_vsock },
  { "libvirt-directories", check_directories },
  { "guest-images", check_images },
  { "run-directory", check_run_directory },
  { "state-space", check_space },
  { "skopeo", check_skopeo },
  { "ksm", check_ksm },
  { "smt", check_smt },
  { "cpu-flaws", check_mitigations },
  { "swap", check_swap },
  { "host-limits", check_host_limits },
};

static const char *
status_name (Status status)
{
  switch (status)
    {
    case STATUS_OK:
      return "ok";
    case STATUS_WARN:
      return "warn";
    case STATUS_FAIL:
      return "fail";
    }
  return "fail";
}

JsonNode *
dn_doctor_run (void)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "checks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    {
      Finding found = checks[i].check ();

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "id");
      json_builder_add_string_value (builder, checks[i].id);
      json_builder_set_member_name (builder, "status");
      json_builder_add_string_value (builder, status_name (found.status));
      json_builder_set_member_name (builder, "what");
      json_builder_add_string_value (builder, found.what);
      json_builder_set_member_name (builder, "remedy");
      json_builder_add_string_value (builder, found.remedy);
      json_builder_end_object (builder);
      g_free (found.what);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
