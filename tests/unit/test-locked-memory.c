/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/locked-memory.c */
/* Only: release, since AddressSanitizer makes nothing of mlock(2) */
/* Locked memory, as the kernel reports it. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/base/locked-memory.h"

/* The VmFlags of the mapping that begins at or before @at, from smaps. (transfer full) */
static char *
flags_of (const void *at)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean is_it = FALSE;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      unsigned long from, to;

      if (sscanf (*line, "%lx-%lx ", &from, &to) == 2)
        is_it = from <= (gulong) at && (gulong) at < to;
      else if (is_it && g_str_has_prefix (*line, "VmFlags:"))
        return g_strconcat (*line, " ", NULL);
    }
  return g_strdup ("");
}

static guint
locked_kib (void)
{
  g_autofree char *text = NULL;
  guint kib = 0;

  g_assert_true (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  g_assert_cmpint (sscanf (strstr (text, "VmLck:"), "VmLck: %u", &kib), ==, 1);
  return kib;
}

static void
test_it_is_locked_and_in_no_dump_and_in_no_child (void)
{
  guint before = locked_kib ();
  char *memory = dn_locked_new (100);
  g_autofree char *flags = NULL;
  int status;
  pid_t child;

  g_assert_nonnull (memory);
  g_assert_cmpuint (locked_kib (), ==, before + 4);
  flags = flags_of (memory);
  g_assert_nonnull (strstr (flags, " lo ")); /* locked */
  g_assert_nonnull (strstr (flags, " dd ")); /* not in a dump */
  g_assert_nonnull (strstr (flags, " wf ")); /* wiped on fork */
  strcpy (memory, "hunter2");
  child = fork ();
  if (child == 0)
    _exit (memory[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpstr (memory, ==, "hunter2");
  dn_locked_free (memory, 100);
  g_assert_cmpuint (locked_kib (), ==, before);
  dn_locked_free (NULL, 100);
}

static void
test_memory_of_somebody_elses_can_be_pinned (void)
{
  static char pages[3 * DN_LOCKED_PAGE_BYTES];
  g_autofree char *flags = NULL;
  guint before = locked_kib ();

  g_assert_cmpint (dn_locked_pin (pages + DN_LOCKED_PAGE_BYTES, 10), ==, 0);
  flags = flags_of (pages + DN_LOCKED_PAGE_BYTES);
  g_assert_nonnull (strstr (flags, " lo "));
  g_assert_nonnull (strstr (flags, " dd "));
  g_assert_cmpuint (locked_kib (), >, before);
}

static void
test_a_hidden_process_dumps_no_core (void)
{
  struct rlimit limit;

  dn_locked_hide_process ();
  g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
  g_assert_true (limit.rlim_cur == 0 && limit.rlim_max == 0);
  g_assert_cmpint (prctl (PR_GET_DUMPABLE), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/locked-memory/it is locked, in no dump, and in no child",
                   test_it_is_locked_and_in_no_dump_and_in_no_child);
  g_test_add_func ("/locked-memory/memory of somebody else's can be pinned",
                   test_memory_of_somebody_elses_can_be_pinned);
  g_test_add_func ("/locked-memory/a hidden process dumps no core",
                   test_a_hidden_process_dumps_no_core);
  return g_test_run ();
}
