/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/pods/pod-doctor.c */
/* Where the owners of pods' files can be translated. */
#include <linux/magic.h>

#include "../../launcher/pods/pod-doctor.h"

static DnOwners
judge (long type, const char *release)
{
  const char *name = NULL;
  DnOwners owners = dn_pod_doctor_judge (type, release, &name);

  g_assert_nonnull (name);
  return owners;
}

static void
test_a_filesystem_is_known_from_its_kernel_on (void)
{
  g_assert_cmpint (judge (EXT4_SUPER_MAGIC, "6.1.0-37-amd64"), ==, DN_OWNERS_TRANSLATED);
  g_assert_cmpint (judge (EXT4_SUPER_MAGIC, "5.11.9"), ==, DN_OWNERS_AS_THEY_ARE);
  g_assert_cmpint (judge (EXT4_SUPER_MAGIC, "?"), ==, DN_OWNERS_AS_THEY_ARE);
  g_assert_cmpint (judge (0x58465342, "5.12.0"), ==, DN_OWNERS_TRANSLATED);
  g_assert_cmpint (judge (TMPFS_MAGIC, "6.1.0"), ==, DN_OWNERS_AS_THEY_ARE);
  g_assert_cmpint (judge (TMPFS_MAGIC, "6.12.1"), ==, DN_OWNERS_TRANSLATED);
  g_assert_cmpint (judge (OVERLAYFS_SUPER_MAGIC, "6.12.1"), ==, DN_OWNERS_AS_THEY_ARE);
  g_assert_cmpint (judge (0x1234, "6.12.1"), ==, DN_OWNERS_UNKNOWN);
}

static const char *
check (const char *kubelet, const char *member)
{
  g_autoptr (JsonArray) checks = json_array_new ();

  dn_pod_doctor_add_checks (kubelet, checks);
  for (guint i = 0; i < json_array_get_length (checks); i++)
    {
      JsonObject *one = json_array_get_object_element (checks, i);

      if (g_strrstr (json_object_get_string_member (one, "what"), kubelet) != NULL)
        return g_intern_string (json_object_get_string_member (one, member));
    }
  return NULL;
}

static void
test_a_directory_that_is_there_is_looked_at (void)
{
  g_assert_cmpstr (check ("/proc", "status"), ==, "warn");
  g_assert_cmpstr (check ("/proc", "what"), ==,
                   "pods whose files lie in '/proc' may not start: it is on a filesystem that "
                   "Danchi does not know, and owners may not be translated there");
  g_assert_null (check ("/proc/none", "status"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/pod-doctor/" path, test_##name)
  TEST ("a-filesystem-is-known-from-its-kernel-on", a_filesystem_is_known_from_its_kernel_on);
  TEST ("a-directory-that-is-there-is-looked-at", a_directory_that_is_there_is_looked_at);
#undef TEST
  return g_test_run ();
}
