/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/identity.c launcher/guest/identity-use.c launcher/guest/process.c
 * launcher/common/error.c launcher/common/paths.c */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/guest/identity.h"
#include "../../launcher/guest/process.h"

static char *directory;

static char *
journal_path (const char *id)
{
  g_autofree char *name = g_strconcat (id, ".json", NULL);

  return g_build_filename (directory, "journal", name, NULL);
}

static void
age_claim (guint slot)
{
  g_autofree char *name = g_strdup_printf ("%u", slot);
  g_autofree char *path = g_build_filename (directory, "slots", name, NULL);
  const struct utimbuf old = { .actime = 1000, .modtime = 1000 };

  g_assert_cmpint (utime (path, &old), ==, 0);
}

static void
test_gives_each_slot_ids_of_its_own (void)
{
  DnIdentity first = dn_identity_of_slot (0);
  DnIdentity second = dn_identity_of_slot (1);

  g_assert_cmpuint (first.uid, ==, DN_IDENTITY_UID_FIRST);
  g_assert_cmpuint (first.gid, ==, first.uid);
  g_assert_cmpuint (first.vsock_cid, ==, DN_IDENTITY_CID_FIRST);
  g_assert_cmpuint (second.uid, ==, first.uid + 1);
  g_assert_cmpuint (second.vsock_cid, ==, first.vsock_cid + 1);
  g_assert_true (dn_identity_owns_uid (first.uid));
  g_assert_false (dn_identity_owns_uid (0));
  g_assert_false (dn_identity_owns_uid (DN_IDENTITY_UID_FIRST - 1));
  g_assert_false (dn_identity_owns_uid (DN_IDENTITY_UID_FIRST + DN_IDENTITY_SLOTS));
}

static void
test_never_gives_a_slot_twice (void)
{
  g_autofree char *a = journal_path ("a");
  g_autofree char *b = journal_path ("b");
  DnIdentity first, second, third;

  g_assert_true (dn_identity_take (a, &first, NULL));
  g_assert_true (dn_identity_take (b, &second, NULL));
  g_assert_cmpuint (first.slot, !=, second.slot);
  /* Only the holder gives it back. */
  dn_identity_release (first.slot, b);
  g_assert_true (dn_identity_take (b, &third, NULL));
  g_assert_cmpuint (third.slot, !=, first.slot);
  dn_identity_release (first.slot, a);
  dn_identity_release (second.slot, b);
  dn_identity_release (third.slot, b);
  g_assert_true (dn_identity_take (a, &third, NULL));
  g_assert_cmpuint (third.slot, ==, first.slot);
  dn_identity_release (third.slot, a);
}

static void
test_gives_no_slot_beyond_those_that_have_addresses (void)
{
  g_autofree char *a = journal_path ("a");
  g_autoptr (GError) error = NULL;
  DnIdentity low, high, other;
  guint count = 0;

  g_assert_true (dn_identity_take_below (DN_IDENTITY_SLOTS, a, &low, NULL));
  for (guint slots = 0; slots <= low.slot; slots++)
    count += dn_identity_take_below (slots, a, &high, NULL);
  g_assert_cmpuint (count, ==, 0);
  g_assert_false (dn_identity_take_below (low.slot + 1, a, &high, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
  g_assert_nonnull (strstr (error->message, "widen [network] ipv4_pool"));
  g_assert_true (dn_identity_take (a, &other, NULL));
  g_assert_cmpuint (other.slot, >, low.slot);
  dn_identity_release (low.slot, a);
  dn_identity_release (other.slot, a);
}

static gboolean
keep_slot (guint slot, gpointer data)
{
  g_array_append_val ((GArray *) data, slot);
  return TRUE;
}

static void
test_tells_slots_that_nobody_claims (void)
{
  g_autoptr (GArray) asked = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree char *a = journal_path ("a");
  DnIdentity claimed;
  guint free_slot = DN_IDENTITY_SLOTS - 1;

  g_assert_true (dn_identity_take (a, &claimed, NULL));
  g_array_append_val (asked, claimed.slot);
  g_array_append_val (asked, free_slot);
  dn_identity_each_unclaimed (asked, keep_slot, found);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpuint (g_array_index (found, guint, 0), ==, free_slot);
  dn_identity_release (claimed.slot, a);
}

static void
test_sweeps_old_claims_without_a_journal_entry (void)
{
  g_autofree char *kept = journal_path ("kept");
  g_autofree char *lost = journal_path ("lost");
  g_autofree char *journal = g_build_filename (directory, "journal", NULL);
  g_autoptr (GPtrArray) young = NULL;
  g_autoptr (GPtrArray) old = NULL;
  DnIdentity first, second;

  g_assert_cmpint (g_mkdir_with_parents (journal, 0700), ==, 0);
  g_assert_true (g_file_set_contents (kept, "", 0, NULL));
  g_assert_true (dn_identity_take (kept, &first, NULL));
  g_assert_true (dn_identity_take (lost, &second, NULL));
  /* A start takes the slot before it writes the entry. */
  young = dn_identity_sweep (journal);
  g_assert_cmpuint (young->len, ==, 0);
  age_claim (first.slot);
  age_claim (second.slot);
  old = dn_identity_sweep (journal);
  g_assert_cmpuint (old->len, ==, 1);
  dn_identity_release (first.slot, kept);
  g_assert_cmpint (g_unlink (kept), ==, 0);
  g_assert_cmpint (g_rmdir (journal), ==, 0);
}

static void
test_tells_processes_apart_by_their_start (void)
{
  guint64 start = dn_process_start_ticks (getpid ());

  g_assert_cmpuint (start, >, 0);
  g_assert_true (dn_process_is_alive (getpid (), start));
  g_assert_false (dn_process_is_alive (getpid (), start + 1));
  g_assert_false (dn_process_is_alive (getpid (), 0));
  g_assert_false (dn_process_is_alive (0, 0));
  /* Somebody else's by now: left alone, and counted as gone. */
  g_assert_true (dn_process_kill (getpid (), start + 1, 0));
}

int
main (int argc, char **argv)
{
  g_autofree char *slots = NULL;
  g_autofree char *lock = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("danchi-identity-XXXXXX", NULL);
  slots = g_build_filename (directory, "slots", NULL);
  lock = g_build_filename (slots, "lock", NULL);
  dn_paths_override (NULL, directory, directory);
  dn_identity_override_directory (slots);
  g_test_add_func ("/identity/gives each slot ids of its own", test_gives_each_slot_ids_of_its_own);
  g_test_add_func ("/identity/never gives a slot twice", test_never_gives_a_slot_twice);
  g_test_add_func ("/identity/gives no slot beyond those that have addresses",
                   test_gives_no_slot_beyond_those_that_have_addresses);
  g_test_add_func ("/identity/tells slots that nobody claims", test_tells_slots_that_nobody_claims);
  g_test_add_func ("/identity/sweeps old claims without a journal entry",
                   test_sweeps_old_claims_without_a_journal_entry);
  g_test_add_func ("/identity/tells processes apart by their start",
                   test_tells_processes_apart_by_their_start);
  result = g_test_run ();
  (void) g_unlink (lock);
  (void) g_rmdir (slots);
  (void) g_rmdir (directory);
  g_free (directory);
  return result;
}
