/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/bind-policy.c launcher/spec/tmpfs.c launcher/spec/quantity.c
   launcher/common/error.c launcher/common/names.c */
#include "../../launcher/spec/bind-policy.h"

#include <string.h>

static void
test_entries_are_plain_paths (void)
{
  static const char *const fine[]
      = { "/srv/data", "/srv/data:ro", "/srv/data:rw", "~", "~:rw", "~/src:rw", "/srv/a b" };
  static const char *const wrong[]
      = { "/",        "/:rw",  "srv",    "",          ":rw",     "/srv/../x", "/srv//x", "/srv/.",
          "/srv/:rw", "~x:ro", "~/../x", "/srv:exec", "/a:b:ro", "/srv:",     "~/" };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autofree char *fault = dn_bind_root_find_fault (fine[i]);

      g_assert_cmpstr (fault, ==, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *fault = dn_bind_root_find_fault (wrong[i]);

      g_test_message ("%s", wrong[i]);
      g_assert_nonnull (fault);
    }
}

/* "ROOT ro|rw REST", or "no". */
static char *
find (const char *source, const char *home)
{
  static const char *const entries[]
      = { "/srv:ro", "/srv/data/rw:rw", "/srv/data", "~/src:rw", NULL };
  g_auto (DnBindRoot) root = { NULL };
  const char *rest = NULL;

  if (!dn_bind_policy_find ((char **) entries, home, source, &root, &rest))
    return g_strdup ("no");
  return g_strdup_printf ("%s %s '%s'", root.path, root.is_writable ? "rw" : "ro", rest);
}

static void
test_the_longest_root_counts (void)
{
  static const struct
  {
    const char *source;
    const char *home;
    const char *found;
  } rows[] = {
    { "/srv", NULL, "/srv ro ''" },
    { "/srv/x/y", NULL, "/srv ro 'x/y'" },
    { "/srv/data", NULL, "/srv/data ro ''" },
    { "/srv/data/rw", NULL, "/srv/data/rw rw ''" },
    { "/srv/data/rw/deep/er", NULL, "/srv/data/rw rw 'deep/er'" },
    /* Names that begin alike are others. */
    { "/srv/data/rwx", NULL, "/srv/data ro 'rwx'" },
    { "/srvx", NULL, "no" },
    { "/", NULL, "no" },
    { "/home/alice/src/a", "/home/alice", "/home/alice/src rw 'a'" },
    { "/home/alice/src", "/home/alice", "/home/alice/src rw ''" },
    { "/home/alice", "/home/alice", "no" },
    { "/home/bob/src", "/home/alice", "no" },
    /* Who has no home has none to give; "/" and what is not plain is none. */
    { "/src/a", NULL, "no" },
    { "/src/a", "", "no" },
    { "/src/a", "/", "no" },
    { "/home/../src/a", "/home/..", "no" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *found = find (rows[i].source, rows[i].home);

      g_test_message ("%s of %s", rows[i].source, rows[i].home);
      g_assert_cmpstr (found, ==, rows[i].found);
    }
}

static void
test_what_is_the_hosts_own_is_given_to_nobody (void)
{
  static const char *const own[] = { "/opt/danchi/state", NULL };
  static const char *const reserved[] = { "/proc/1",
                                          "/sys",
                                          "/dev/shm",
                                          "/run/danchi/guests",
                                          "/run",
                                          "/var/lib",
                                          "/var",
                                          "/",
                                          "/var/lib/danchi",
                                          "/etc/danchi",
                                          "/etc",
                                          "/var/lib/libvirt/qemu",
                                          "/run/libvirt",
                                          "/opt/danchi",
                                          "/opt",
                                          "/opt/danchi/state/x",
                                          "/boot",
                                          "/run/systemd",
                                          "/run/dbus/system_bus_socket" };
  static const char *const fine[] = { "/srv",         "/home/alice", "/var/lib/danchix", "/procx",
                                      "/opt/danchi2", "/etc/hosts",  "/var/log",         "/mnt" };

  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    {
      g_test_message ("%s", reserved[i]);
      g_assert_nonnull (dn_bind_policy_find_reserved (reserved[i], own));
    }
  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    g_assert_cmpstr (dn_bind_policy_find_reserved (fine[i], own), ==, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bind-policy/entries are plain paths", test_entries_are_plain_paths);
  g_test_add_func ("/bind-policy/the longest root counts", test_the_longest_root_counts);
  g_test_add_func ("/bind-policy/what is the host's own is given to nobody",
                   test_what_is_the_hosts_own_is_given_to_nobody);
  return g_test_run ();
}
