/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-[ls]*.c launcher/limits/host-group.c launcher/guest/journal.c
 * launcher/common/state-file.c launcher/guest/domain-*.c launcher/guest/xml-writer.c
 * launcher/common/error.c launcher/common/json.c launcher/common/paths.c */
/* Packages: json-glib-1.0 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/guest/journal.h"

#define ID "0123456789abcdef0123456789abcdef"

static DnJournalEntry *
sample (void)
{
  DnJournalEntry *entry = dn_journal_entry_new (ID);

  entry->context = g_strdup ("acme-prod");
  entry->hostname = g_strdup ("web");
  entry->kind = DN_GUEST_KIND_CONTEXT;
  entry->transport = DN_TRANSPORT_VSOCK;
  entry->accelerator = DN_ACCELERATOR_TCG;
  entry->slot = 7;
  entry->uid = 200008;
  entry->gid = 200008;
  entry->vsock_cid = 1007;
  entry->relay_pid = 1234;
  entry->relay_start_ticks = 567890;
  entry->memory_bytes = 268435456;
  entry->vcpus = 2;
  entry->spare_disks = 4;
  entry->started_us = 1795324549000000;
  entry->freeze = DN_FREEZE_KEPT;
  entry->kernel_path = g_strdup ("/images/vmlinuz");
  entry->root_path = g_strdup ("/images/guest.erofs");
  g_strfreev (entry->grants);
  entry->grants = g_strsplit ("/dev/kvm /var/lib/libvirt/qemu", " ", 0);
  g_ptr_array_add (entry->disks, dn_journal_disk_new ("/images/1", "image1", 3));
  return entry;
}

static void
test_reads_back_what_it_wrote (void)
{
  g_autoptr (DnJournalEntry) wrote = sample ();
  g_autoptr (DnJournalEntry) read = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = dn_journal_path (ID);
  const DnJournalDisk *disk;
  struct stat status;

  g_assert_true (dn_journal_write (wrote, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  read = dn_journal_read (ID, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (read->context, ==, "acme-prod");
  g_assert_cmpstr (read->state, ==, "starting");
  g_assert_cmpstr (read->kernel_path, ==, "/images/vmlinuz");
  g_assert_null (read->initrd_path);
  g_assert_cmpstr (read->root_path, ==, "/images/guest.erofs");
  g_assert_cmpuint (read->uid, ==, 200008);
  g_assert_cmpuint (read->vsock_cid, ==, 1007);
  g_assert_cmpuint (read->relay_start_ticks, ==, 567890);
  g_assert_cmpint (read->transport, ==, DN_TRANSPORT_VSOCK);
  g_assert_cmpint (read->accelerator, ==, DN_ACCELERATOR_TCG);
  g_assert_cmpuint (g_strv_length (read->grants), ==, 2);
  g_assert_cmpuint (read->disks->len, ==, 1);
  disk = g_ptr_array_index (read->disks, 0);
  g_assert_cmpstr (disk->serial, ==, "image1");
  g_assert_cmpuint (disk->port, ==, 3);
  g_assert_true (dn_journal_entry_is_of_this_boot (read));
  g_assert_null (read->root_hash);
  g_assert_cmpint (read->freeze, ==, DN_FREEZE_KEPT);
}

static void
test_a_root_hash_is_kept_where_there_is_one (void)
{
  g_autoptr (DnJournalEntry) wrote = sample ();
  g_autoptr (DnJournalEntry) read = NULL;

  wrote->root_hash = g_strdup ("sha256 00ff");
  g_assert_true (dn_journal_write (wrote, NULL));
  read = dn_journal_read (ID, NULL);
  g_assert_nonnull (read);
  g_assert_cmpstr (read->root_hash, ==, "sha256 00ff");
  g_assert_true (dn_journal_remove (ID, NULL));
}

static void
test_lists_and_removes (void)
{
  g_autoptr (DnJournalEntry) entry = sample ();
  g_autoptr (GPtrArray) before = NULL;
  g_autoptr (GPtrArray) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_journal_write (entry, NULL));
  before = dn_journal_list ();
  g_assert_cmpuint (before->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (before, 0), ==, ID);
  g_assert_true (dn_journal_remove (ID, NULL));
  g_assert_true (dn_journal_remove (ID, NULL));
  after = dn_journal_list ();
  g_assert_cmpuint (after->len, ==, 0);
  g_assert_null (dn_journal_read (ID, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
}

/* Replaces @from by @to in a good entry, and expects it to be refused. */
static void
assert_refused (const char *from, const char *to)
{
  g_autoptr (DnJournalEntry) entry = sample ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = dn_journal_path (ID);
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *changed = NULL;

  g_assert_true (dn_journal_write (entry, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  parts = g_strsplit (text, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  changed = g_strjoinv (to, parts);
  g_assert_true (g_file_set_contents (path, changed, -1, NULL));
  g_assert_null (dn_journal_read (ID, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_true (dn_journal_remove (ID, NULL));
}

static void
test_refuses_entries_that_would_act_on_root (void)
{
  assert_refused ("200008", "0");
  assert_refused ("200008", "-1");
  assert_refused ("200008", "4294967296");
}

static void
test_refuses_entries_that_are_not_its_own (void)
{
  assert_refused (ID, "ffffffffffffffffffffffffffffffff");
  assert_refused ("\"uid\"", "\"uids\"");
  assert_refused ("\"slot\"", "\"uid\"");
  assert_refused ("{", "[");
}

int
main (int argc, char **argv)
{
  g_autofree char *directory = g_dir_make_tmp ("danchi-journal-XXXXXX", NULL);
  g_autofree char *journal = g_build_filename (directory, "journal", NULL);
  int result;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override (NULL, directory, directory);
  g_test_add_func ("/journal/reads back what it wrote", test_reads_back_what_it_wrote);
  g_test_add_func ("/journal/a root hash is kept where there is one",
                   test_a_root_hash_is_kept_where_there_is_one);
  g_test_add_func ("/journal/lists and removes", test_lists_and_removes);
  g_test_add_func ("/journal/refuses entries that would act on root",
                   test_refuses_entries_that_would_act_on_root);
  g_test_add_func ("/journal/refuses entries that are not its own",
                   test_refuses_entries_that_are_not_its_own);
  result = g_test_run ();
  (void) g_rmdir (journal);
  (void) g_rmdir (directory);
  return result;
}
