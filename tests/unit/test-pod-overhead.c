/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/pods/pod-overhead.c launcher/limits/guest-size.c */
/* What a pod costs its node, and that the shipped RuntimeClass says so (R5.16). */
#include "../../launcher/pods/pod-overhead.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)

static DnPodOverhead
of (guint64 memory_mib, guint64 vcpus, gboolean is_emulated)
{
  DnPodSettings settings = { .memory_bytes = memory_mib * MIB, .vcpus = vcpus };
  DnPodOverhead overhead;

  dn_pod_overhead (&settings, is_emulated, &overhead);
  g_assert_cmpuint (overhead.memory_bytes % (16 * MIB), ==, 0);
  return overhead;
}

static void
test_it_is_what_is_not_the_containers (void)
{
  DnPodOverhead usual = of (512, 1, FALSE);

  /* 100 of the guest, 2 of page tables, 58 of QEMU, 4 and 16 and 8 beside it, upwards to a step. */
  g_assert_cmpuint (usual.memory_bytes / MIB, ==, 192);
  g_assert_cmpuint (usual.cpu_millis, ==, 100);
  g_assert_cmpuint (of (4096, 1, FALSE).memory_bytes, >, usual.memory_bytes);
  g_assert_cmpuint (of (512, 16, FALSE).memory_bytes, >, usual.memory_bytes);
  g_assert_cmpuint (of (512, 1, TRUE).memory_bytes, >=, usual.memory_bytes + 256 * MIB);
}

static void
test_the_shipped_runtime_class_says_so (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", "config",
                                            "kubernetes", "runtimeclass.yaml", NULL);
  DnPodOverhead usual = of (512, 1, FALSE);
  g_autofree char *memory
      = g_strdup_printf ("memory: \"%" G_GUINT64_FORMAT "Mi\"", usual.memory_bytes / MIB);
  g_autofree char *cpu = g_strdup_printf ("cpu: \"%um\"", usual.cpu_millis);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, memory));
  g_assert_nonnull (strstr (text, cpu));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pod-overhead/it-is-what-is-not-the-containers",
                   test_it_is_what_is_not_the_containers);
  g_test_add_func ("/pod-overhead/the-shipped-runtime-class-says-so",
                   test_the_shipped_runtime_class_says_so);
  return g_test_run ();
}
