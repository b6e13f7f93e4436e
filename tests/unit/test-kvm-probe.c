/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/kvm-probe.c launcher/common/paths.c launcher/common/error.c */
/* Packages: glib-2.0 */
#include <glib/gstdio.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/guest/kvm-probe-ask.h"
#include "../../launcher/guest/kvm-probe.h"

/* In place of kernel and QEMU: the answer that each test chooses. */
static DnKvmOutcome kernel, qemu;
static gint kernel_asked, qemu_asked;
static GMutex gate; /* held by a test: the kernel does not answer yet */
static char *path;

DnKvmOutcome
dn_kvm_probe_kernel (char **ret_reason)
{
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
  if (kernel != DN_KVM_WORKS)
    *ret_reason = g_strdup ("the kernel's reason");
  g_atomic_int_inc (&kernel_asked);
  return kernel;
}

DnKvmOutcome
dn_kvm_probe_qemu (char **ret_reason)
{
  g_atomic_int_inc (&qemu_asked);
  if (qemu != DN_KVM_WORKS)
    *ret_reason = g_strdup ("QEMU's reason");
  return qemu;
}

static void
begin (DnKvmOutcome kernels, DnKvmOutcome qemus)
{
  (void) g_unlink (path);
  kernel = kernels;
  qemu = qemus;
  kernel_asked = qemu_asked = 0;
}

/* Makes the answer that is kept older by the time that it holds. */
static void
let_it_age (void)
{
  g_autofree char *text = NULL, *older = NULL;
  g_auto (GStrv) lines = NULL;
  gint64 time_s;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_true (g_ascii_string_to_signed (lines[2], 10, 0, G_MAXINT64, &time_s, NULL));
  /* A machine that booted less than a minute ago: another end of the same rule. */
  time_s = time_s >= DN_KVM_PROBE_AGAIN_S ? time_s - DN_KVM_PROBE_AGAIN_S : time_s + 1000;
  older = g_strdup_printf ("%s\n%s\n%" G_GINT64_FORMAT "\n", lines[0], lines[1], time_s);
  g_assert_true (g_file_set_contents (path, older, -1, NULL));
}

static gboolean
works (DnKvmProbeHow how, const char *reason)
{
  g_autoptr (GError) error = NULL;

  if (dn_kvm_probe (how, &error))
    return TRUE;
  g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
  if (reason != NULL)
    g_assert_nonnull (strstr (error->message, reason));
  return FALSE;
}

static void
test_what_works_is_asked_once (void)
{
  begin (DN_KVM_WORKS, DN_KVM_WORKS);
  for (int i = 0; i < 3; i++)
    g_assert_true (works (i == 1 ? DN_KVM_PROBE_QUICKLY : DN_KVM_PROBE_WAIT, NULL));
  g_assert_cmpint (kernel_asked, ==, 1);
  g_assert_cmpint (qemu_asked, ==, 1);
  g_assert_true (works (DN_KVM_PROBE_ANEW, NULL));
  g_assert_cmpint (kernel_asked, ==, 2);
}

static void
test_a_clear_cannot_stays (void)
{
  begin (DN_KVM_CANNOT, DN_KVM_WORKS);
  g_assert_false (works (DN_KVM_PROBE_WAIT, "the kernel's reason"));
  begin (DN_KVM_WORKS, DN_KVM_CANNOT);
  g_assert_false (works (DN_KVM_PROBE_WAIT, "QEMU's reason"));
  qemu = DN_KVM_WORKS;
  g_assert_false (works (DN_KVM_PROBE_WAIT, "QEMU's reason"));
  g_assert_false (works (DN_KVM_PROBE_QUICKLY, "QEMU's reason"));
  g_assert_cmpint (kernel_asked, ==, 1);
  g_assert_cmpint (qemu_asked, ==, 1);
}

static void
test_no_answer_holds_for_a_while_only (void)
{
  const struct
  {
    DnKvmOutcome kernel;
    DnKvmOutcome qemu;
  } lost[] = { { DN_KVM_NO_ANSWER, DN_KVM_WORKS }, { DN_KVM_WORKS, DN_KVM_NO_ANSWER } };

  for (gsize i = 0; i < G_N_ELEMENTS (lost); i++)
    {
      begin (lost[i].kernel, lost[i].qemu);
      for (int k = 0; k < 5; k++)
        g_assert_false (works (DN_KVM_PROBE_WAIT, "reason"));
      g_assert_cmpint (kernel_asked, ==, 1);
      let_it_age ();
      /* No better: and again it holds for a while. */
      for (int k = 0; k < 5; k++)
        g_assert_false (works (DN_KVM_PROBE_WAIT, "reason"));
      g_assert_cmpint (kernel_asked, ==, 2);
      let_it_age ();
      kernel = qemu = DN_KVM_WORKS;
      g_assert_true (works (DN_KVM_PROBE_WAIT, NULL));
      g_assert_cmpint (kernel_asked, ==, 3);
      g_assert_true (works (DN_KVM_PROBE_WAIT, NULL));
      g_assert_cmpint (kernel_asked, ==, 3);
    }
}

static void
test_who_has_another_way_does_not_wait_for_it (void)
{
  begin (DN_KVM_NO_ANSWER, DN_KVM_WORKS);
  g_assert_false (works (DN_KVM_PROBE_QUICKLY, "reason"));
  let_it_age ();
  kernel = DN_KVM_WORKS;
  /* The kernel says nothing as long as this is held: who waited for it would never come back. */
  g_mutex_lock (&gate);
  for (int i = 0; i < 5; i++)
    g_assert_false (works (DN_KVM_PROBE_QUICKLY, "reason"));
  g_assert_cmpint (kernel_asked, ==, 1);
  g_mutex_unlock (&gate);
  /* It was asked beside them, once for all of them. */
  g_assert_true (works (DN_KVM_PROBE_WAIT, NULL));
  g_assert_true (works (DN_KVM_PROBE_QUICKLY, NULL));
  while (dn_kvm_probe_is_asking ())
    g_usleep (1000);
  g_assert_cmpint (kernel_asked, ==, 2);
}

static void
test_a_damaged_answer_is_none (void)
{
  static const char *const junk[] = { "", "x", "\n\n\n", "a\nb\nc\n" };

  begin (DN_KVM_WORKS, DN_KVM_WORKS);
  for (gsize i = 0; i < G_N_ELEMENTS (junk); i++)
    {
      g_assert_true (g_file_set_contents (path, junk[i], -1, NULL));
      g_assert_true (works (DN_KVM_PROBE_WAIT, NULL));
      g_assert_cmpint (kernel_asked, ==, (gint) i + 1);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *directory = g_dir_make_tmp ("danchi-kvm-probe-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override (NULL, directory, directory);
  path = g_build_filename (directory, "kvm-probe", NULL);
  g_test_add_func ("/kvm-probe/works", test_what_works_is_asked_once);
  g_test_add_func ("/kvm-probe/cannot", test_a_clear_cannot_stays);
  g_test_add_func ("/kvm-probe/no-answer", test_no_answer_holds_for_a_while_only);
  g_test_add_func ("/kvm-probe/another-way", test_who_has_another_way_does_not_wait_for_it);
  g_test_add_func ("/kvm-probe/damaged", test_a_damaged_answer_is_none);
  status = g_test_run ();
  (void) g_unlink (path);
  (void) g_rmdir (directory);
  g_free (path);
  return status;
}
