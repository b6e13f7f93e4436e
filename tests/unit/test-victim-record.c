/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/victim-record.c */
/* Whom the kernel ended, from its log.  The lines are those of Linux 6.1. */
#include <glib.h>
#include <string.h>

#include "../../guest-agent/agent/victim-record.h"

static gboolean
read_text (const char *text, DnVictimRecord *record)
{
  return dn_victim_record_read (text, strlen (text), record);
}

static void
test_reads_program_owner_and_size (void)
{
  DnVictimRecord record;

  g_assert_true (read_text (
      "3,812,99000111,-;Memory cgroup out of memory: Killed process 77 (tail) total-vm:33900kB, "
      "anon-rss:30000kB, file-rss:700kB, shmem-rss:4kB, UID:100000 pgtables:104kB "
      "oom_score_adj:0\n SUBSYSTEM=x\n",
      &record));
  g_assert_cmpuint (record.pid, ==, 77);
  g_assert_cmpuint (record.uid, ==, 100000);
  g_assert_cmpuint (record.memory_bytes, ==, 30704 * 1024);
  g_assert_cmpstr (record.program, ==, "tail");
  g_assert_true (read_text ("3,1,1,-;Out of memory: Killed process 5 (x) total-vm:1kB, "
                            "anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:65536 pgtables:1kB",
                            &record));
  g_assert_cmpuint (record.uid, ==, 65536);
}

/* A program calls itself what it likes. */
static void
test_a_programs_name_does_not_lead_astray (void)
{
  DnVictimRecord record;

  g_assert_true (read_text ("3,1,1,-;Memory cgroup out of memory: Killed process 5 () total-vm:) "
                            "total-vm:1kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, "
                            "UID:100001 pgtables:1kB",
                            &record));
  g_assert_cmpstr (record.program, ==, ") total-vm:");
  g_assert_cmpuint (record.uid, ==, 100001);
  g_assert_true (read_text ("3,1,1,-;Memory cgroup out of memory: Killed process 5 (, UID:0 (9) ) "
                            "total-vm:1kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, "
                            "UID:100002 pgtables:1kB",
                            &record));
  g_assert_cmpuint (record.uid, ==, 100002);
  g_assert_cmpstr (record.program, ==, ", UID:0 (9) ");
}

static void
test_passes_over_all_else (void)
{
  static const char *const others[] = {
    "",
    "nonsense",
    "6,1,1,-;",
    "6,1,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,task=x,pid=5,uid=100000",
    "6,1,1,-;x[5]: segfault; Memory cgroup out of memory: Killed process 5 (x) total-vm:1kB",
    "3,1,1,-;Memory cgroup out of memory: Killed process",
    "3,1,1,-;Memory cgroup out of memory: Killed process x (y) total-vm:1kB, UID:5",
    "3,1,1,-;Memory cgroup out of memory: Killed process 5 (y) total-vm:1kB",
    "3,1,1,-;Memory cgroup out of memory: Killed process 5 (y) total-vm:1kB, UID:99999999999",
    "3,1,1,-;Memory cgroup out of memory: OOM victim 5 (y) is already exiting. Skip killing",
  };
  DnVictimRecord record;
  g_autofree char *long_text = g_strnfill (9000, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (read_text (others[i], &record));
  memcpy (long_text, "3,1,1,-;Out of memory: Killed process 5 (", 41);
  g_assert_false (read_text (long_text, &record));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/victim-record/reads-program-owner-and-size",
                   test_reads_program_owner_and_size);
  g_test_add_func ("/victim-record/a-programs-name-does-not-lead-astray",
                   test_a_programs_name_does_not_lead_astray);
  g_test_add_func ("/victim-record/passes-over-all-else", test_passes_over_all_else);
  return g_test_run ();
}
