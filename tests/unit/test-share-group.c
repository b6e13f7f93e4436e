/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/share/group.c launcher/share/process-facts.c launcher/share/answer.c */
#include "../../launcher/share/group.h"
#include "../../launcher/share/process-facts.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#define TOP "/sys/fs/cgroup/"
#define SCOPE "/machine.slice/machine-qemu\\x2d1\\x2ddanchi.scope/libvirt/emulator"
#define GROUP "/machine/qemu-1-danchi-ab.libvirt-qemu/emulator"

static void
test_only_a_machines_own_groups_are_joined (void)
{
  static const struct
  {
    const char *line;
    gboolean is_unified;
    int result;
    const char *path;
  } cases[] = {
    { "0::" SCOPE, TRUE, 0,
      TOP "machine.slice/machine-qemu\\x2d1\\x2ddanchi.scope/libvirt/emulator" },
    { "4:cpu,cpuacct:" GROUP, FALSE, 0, TOP "cpu,cpuacct" GROUP },
    { "9:memory:" GROUP, FALSE, 0, TOP "memory" GROUP },
    /* Of version 2 beside version 1; of nobody; of others. */
    { "0::" GROUP, FALSE, -ENOENT, NULL },
    { "9:memory:" GROUP, TRUE, -ENOENT, NULL },
    { "1:name=systemd:" GROUP, FALSE, -ENOENT, NULL },
    { "0::/", TRUE, -ENOENT, NULL },
    { "0::/system.slice/danchid.service", TRUE, -ENOENT, NULL },
    /* What the kernel does not say. */
    { "0::/../qemu-1/x", TRUE, -EINVAL, NULL },
    { "4:a/../b:" GROUP, FALSE, -EINVAL, NULL },
    { "4:cpu:qemu-1", FALSE, -EINVAL, NULL },
    { "4:cpu", FALSE, -EINVAL, NULL },
    { "", TRUE, -EINVAL, NULL },
  };
  char path[256];

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int r = dn_share_group_path (cases[i].line, cases[i].is_unified, path, sizeof path);

      if (r != cases[i].result)
        g_error ("case %u, '%s': %d", (guint) i, cases[i].line, r);
      if (r == 0)
        {
          g_autofree char *wanted = g_strconcat (cases[i].path, "/cgroup.procs", NULL);

          g_assert_cmpstr (path, ==, wanted);
        }
    }
  g_assert_cmpint (dn_share_group_path ("9:memory:" GROUP, false, path, 32), ==, -EINVAL);
}

static void
test_a_qemu_without_groups_is_said (void)
{
  DnShareProcess self = { .pid = getpid (), .ticks = dn_share_process_ticks (getpid ()) };
  DnShareOrder *order = g_new0 (DnShareOrder, 1);
  DnShareAnswer answer = { 0 };

  order->process = order->qemu = self;
  dn_share_group_join (order, &answer);
  g_assert_cmpint (answer.code, ==, ENOENT);
  g_assert_nonnull (strstr (answer.text, "no control group of its own"));
  /* Another process of that number. */
  order->qemu.ticks++;
  dn_share_group_join (order, &answer);
  g_assert_cmpint (answer.code, ==, ESRCH);
  g_free (order);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/share-group/only a machine's own groups are joined",
                   test_only_a_machines_own_groups_are_joined);
  g_test_add_func ("/share-group/a QEMU without groups is said",
                   test_a_qemu_without_groups_is_said);
  return g_test_run ();
}
