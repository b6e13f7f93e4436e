/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/process.c launcher/guest/identity*.c launcher/common/error.c
 * launcher/common/paths.c */
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/guest/process.h"

/* A name of this run's own: other tests run beside it. */
static char *
make_name (void)
{
  return g_strdup_printf ("tp-%x-", (guint) getpid ());
}

/* A process called @name, once this returns. */
static pid_t
start_named (const char *name)
{
  int ready[2];
  pid_t pid;
  char byte;

  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
      if (prctl (PR_SET_NAME, name) < 0 || write (ready[1], "", 1) != 1)
        _exit (1);
      for (;;)
        (void) pause ();
    }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  (void) close (ready[0]);
  (void) close (ready[1]);
  return pid;
}

static void
end (pid_t pid)
{
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
test_finds_the_same_in_one_pass (void)
{
  g_autofree char *prefix = make_name ();
  g_autofree char *name = g_strconcat (prefix, "qemu", NULL);
  g_autofree char *other = g_strconcat ("x", prefix, NULL);
  pid_t pid = start_named (name), stranger = start_named (other);
  g_autoptr (GHashTable) found = dn_process_find_all (prefix);

  g_assert_cmpuint (g_hash_table_size (found), ==, 1);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (found, GUINT_TO_POINTER (getuid ()))), ==,
                   pid);
  g_assert_cmpint (dn_process_find (getuid (), prefix), ==, pid);
  end (pid);
  end (stranger);
}

static void
test_finds_nothing_that_has_ended (void)
{
  g_autofree char *prefix = make_name ();
  g_autoptr (GHashTable) found = NULL;
  pid_t pid = start_named (prefix);

  end (pid);
  found = dn_process_find_all (prefix);
  g_assert_cmpuint (g_hash_table_size (found), ==, 0);
  g_assert_cmpint (dn_process_find (getuid (), prefix), ==, 0);
}

/* A pid alone names nobody: another start time, another process. */
static void
test_kills_only_the_recorded_process (void)
{
  g_autofree char *name = make_name ();
  pid_t pid = start_named (name);
  guint64 ticks = dn_process_start_ticks (pid);

  g_assert_true (dn_process_is_alive (pid, ticks));
  g_assert_false (dn_process_is_alive (pid, ticks + 1));
  g_assert_true (dn_process_kill (pid, ticks + 1, 1000));
  g_assert_true (dn_process_is_alive (pid, ticks));
  g_assert_true (dn_process_kill (pid, ticks, 10000));
  g_assert_false (dn_process_is_alive (pid, ticks));
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process/finds-the-same-in-one-pass", test_finds_the_same_in_one_pass);
  g_test_add_func ("/process/finds-nothing-that-has-ended", test_finds_nothing_that_has_ended);
  g_test_add_func ("/process/kills-only-the-recorded-process",
                   test_kills_only_the_recorded_process);
  return g_test_run ();
}
