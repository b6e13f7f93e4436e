/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/refusal.c launcher/common/*.c !launcher/common/api.c protocol/*.c */
/* Packages: libseccomp */

/* What danchid makes of the refusals that a guest tells (R3.6). */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/daemon/refusal.h"

static DnMsgRefused
refused_mount (guint64 count)
{
  DnMsgRefused refused = { .call = SYS_mount,
                           .arch = AUDIT_ARCH_X86_64,
                           .action = SECCOMP_RET_ERRNO,
                           .error = EPERM,
                           .count = count };

  strcpy (refused.program, "sh");
  return refused;
}

static void
test_an_event_is_due_at_the_first_and_at_each_tenfold (void)
{
  g_autoptr (GArray) refusals = NULL;
  DnRefusal refusal;
  guint events = 0;

  for (guint64 count = 1; count <= 5000; count++)
    {
      DnMsgRefused refused = refused_mount (count);

      events += dn_refusals_take (&refusals, &refused, (gint64) count, &refusal);
    }
  g_assert_cmpuint (events, ==, 4); /* 1, 10, 100, 1000 */
  g_assert_cmpuint (refusals->len, ==, 1);
  g_assert_cmpuint (refusal.count, ==, 1000);
  g_assert_cmpint (g_array_index (refusals, DnRefusal, 0).first_us, ==, 1);
  g_assert_cmpint (g_array_index (refusals, DnRefusal, 0).last_us, ==, 5000);
}

static void
test_what_is_said_again_changes_nothing (void)
{
  g_autoptr (GArray) refusals = NULL;
  DnMsgRefused refused = refused_mount (7);
  DnMsgRefused less = refused_mount (3);
  DnRefusal refusal;

  g_assert_true (dn_refusals_take (&refusals, &refused, 1, &refusal));
  g_assert_false (dn_refusals_take (&refusals, &refused, 2, &refusal));
  g_assert_false (dn_refusals_take (&refusals, &less, 3, &refusal));
  g_assert_cmpuint (g_array_index (refusals, DnRefusal, 0).count, ==, 7);
  g_assert_cmpint (g_array_index (refusals, DnRefusal, 0).last_us, ==, 1);
}

static void
test_a_guest_that_lies_gets_no_more_room (void)
{
  g_autoptr (GArray) refusals = NULL;
  DnMsgRefused refused = refused_mount (1);
  DnRefusal refusal;
  guint events = 0;

  for (refused.call = 0; refused.call < 100000; refused.call++)
    events += dn_refusals_take (&refusals, &refused, 1, &refusal);
  g_assert_cmpuint (refusals->len, ==, DN_REFUSALS_MAX);
  g_assert_cmpuint (events, ==, DN_REFUSALS_MAX);
  refused = refused_mount (1);
  refused.call = 0;
  for (guint i = 0; i < 64; i++)
    {
      refused.count = G_GUINT64_CONSTANT (1) << i;
      events += dn_refusals_take (&refusals, &refused, 1, &refusal);
    }
  refused.count = G_MAXUINT64;
  events += dn_refusals_take (&refusals, &refused, 1, &refusal);
  g_assert_cmpuint (events, <=, DN_REFUSALS_MAX + 20);
}

static void
check_words (guint32 call, guint32 arch, guint32 action, guint32 number, const char *words)
{
  const DnRefusal refusal = { .call = call, .arch = arch, .action = action, .error = number };
  g_autofree char *name = dn_refusal_call_name (&refusal);
  g_autofree char *answer = dn_refusal_action_name (&refusal);
  g_autofree char *both = g_strdup_printf ("%s %s", name, answer);

  g_assert_cmpstr (both, ==, words);
}

static void
test_numbers_get_names (void)
{
  const guint32 native = AUDIT_ARCH_X86_64;

  check_words (SYS_mount, native, SECCOMP_RET_ERRNO, EPERM, "mount EPERM");
  check_words (SYS_clone, native, SECCOMP_RET_ERRNO, 0, "clone error");
  check_words (SYS_bpf, native, SECCOMP_RET_ERRNO, 4095, "bpf error");
  check_words (SYS_bpf, native, SECCOMP_RET_KILL_PROCESS, 0, "bpf SIGSYS");
  check_words (SYS_bpf, native, SECCOMP_RET_TRAP, 0, "bpf SIGSYS");
  check_words (SYS_getpid, native, SECCOMP_RET_LOG, 0, "getpid logged");
  check_words (SYS_bpf, native, 0x12340000, 0, "bpf action 0x12340000");
  /* 21 is mount for a 32-bit program. */
  check_words (21, AUDIT_ARCH_I386, SECCOMP_RET_KILL_PROCESS, 0, "mount SIGSYS");
  check_words (77777, native, SECCOMP_RET_ERRNO, EPERM, "call 77777 EPERM");
  check_words (1, 0xdeadbeef, SECCOMP_RET_ERRNO, EPERM, "call 1 EPERM");
  check_words (DN_REFUSED_OTHERS, 0, SECCOMP_RET_ERRNO, EPERM, "(others) EPERM");
}

static void
test_survives_the_state_file (void)
{
  g_autoptr (GArray) refusals = NULL, again = NULL;
  g_autoptr (JsonArray) array = NULL, second = NULL;
  g_autoptr (GError) error = NULL;
  DnMsgRefused refused = refused_mount (12);
  DnRefusal refusal;
  JsonObject *object;

  strcpy (refused.program, "\x1b[2J\xff sh");
  g_assert_true (dn_refusals_take (&refusals, &refused, 5, &refusal));
  array = dn_refusals_to_json (refusals);
  object = json_array_get_object_element (array, 0);
  g_assert_cmpstr (json_object_get_string_member (object, "call"), ==, "mount");
  g_assert_cmpstr (json_object_get_string_member (object, "action"), ==, "EPERM");
  g_assert_cmpint (json_object_get_int_member (object, "count"), ==, 12);
  /* Nothing that a terminal would obey. */
  g_assert_null (strchr (json_object_get_string_member (object, "program"), '\x1b'));
  again = dn_refusals_read (array, "state", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->len, ==, 1);
  g_assert_cmpuint (g_array_index (again, DnRefusal, 0).count, ==, 12);
  /* No second event for what was told before. */
  g_assert_false (dn_refusals_take (&again, &refused, 6, &refusal));
  json_object_set_string_member (object, "count", "many");
  g_assert_null (dn_refusals_read (array, "state", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/refusal/" #name, test_##name)
  TEST (an_event_is_due_at_the_first_and_at_each_tenfold);
  TEST (what_is_said_again_changes_nothing);
  TEST (a_guest_that_lies_gets_no_more_room);
  TEST (numbers_get_names);
  TEST (survives_the_state_file);
  return g_test_run ();
}
