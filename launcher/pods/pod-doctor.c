/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-doctor.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define XFS_MAGIC 0x58465342
#define F2FS_MAGIC 0xf2f52010

static const struct
{
  long type;
  const char *name;
  guint major; /* from this kernel on; 0: never */
  guint minor;
} filesystems[] = {
  { EXT4_SUPER_MAGIC, "ext4", 5, 12 },   { XFS_MAGIC, "xfs", 5, 12 },
  { BTRFS_SUPER_MAGIC, "btrfs", 5, 15 }, { F2FS_MAGIC, "f2fs", 5, 18 },
  { TMPFS_MAGIC, "tmpfs", 6, 3 },        { OVERLAYFS_SUPER_MAGIC, "overlayfs", 0, 0 },
  { NFS_SUPER_MAGIC, "nfs", 0, 0 },
};

DnOwners
dn_pod_doctor_judge (long type, const char *release, const char **ret_name)
{
  guint major = 0, minor = 0;

  (void) sscanf (release, "%u.%u", &major, &minor);
  for (gsize i = 0; i < G_N_ELEMENTS (filesystems); i++)
    if (filesystems[i].type == type)
      {
        *ret_name = filesystems[i].name;
        if (filesystems[i].major == 0 || major < filesystems[i].major
            || (major == filesystems[i].major && minor < filesystems[i].minor))
          return DN_OWNERS_AS_THEY_ARE;
        return DN_OWNERS_TRANSLATED;
      }
  *ret_name = "a filesystem that Danchi does not know";
  return DN_OWNERS_UNKNOWN;
}

static void
add (JsonArray *checks, const char *status, const char *what, const char *remedy)
{
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "id", "pods-owners");
  json_object_set_string_member (check, "status", status);
  json_object_set_string_member (check, "what", what);
  json_object_set_string_member (check, "remedy", remedy);
  json_array_add_object_element (checks, check);
}

void
dn_pod_doctor_add_checks (const char *kubelet, JsonArray *checks)
{
  const char *const directories[]
      = { "/var/lib/containerd", "/var/lib/containers/storage", kubelet };
  gboolean is_fine = TRUE;
  struct utsname name;

  if (uname (&name) < 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (directories); i++)
    {
      g_autofree char *what = NULL;
      const char *filesystem;
      struct statfs status;
      DnOwners owners;

      if (statfs (directories[i], &status) < 0)
        continue;
      owners = dn_pod_doctor_judge ((long) status.f_type, name.release, &filesystem);
      if (owners == DN_OWNERS_TRANSLATED)
        continue;
      is_fine = FALSE;
      what = g_strdup_printf ("pods whose files lie in '%s' %s: it is on %s, and owners "
                              "%s translated there",
                              directories[i],
                              owners == DN_OWNERS_UNKNOWN ? "may not start" : "do not start",
                              filesystem, owners == DN_OWNERS_UNKNOWN ? "may not be" : "cannot be");
      add (checks, "warn", what, "put that directory on ext4 or xfs: docs/pods.md");
    }
  if (is_fine)
    add (checks, "ok", "where pods' files lie, their owners can be translated", "");
}
