/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/volumes/volume.c launcher/volumes/volume-file.c launcher/volumes/volume-holders.c
   launcher/volumes/volumes.c launcher/daemon/tree.c launcher/common/[ej]*.c
   launcher/common/names.c launcher/common/state-file.c launcher/common/paths.c */
/* The store of volumes: made whole or not at all, and one context's at a time. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/names.h"
#include "../../launcher/daemon/tree.h"
#include "../../launcher/guest/guest.h"
#include "../../launcher/volumes/volumes.h"

#define MIB (1024 * 1024)

/* What the guests' side does with ACLs is test-access's and the end-to-end tests'. */
guint
dn_guest_sweep_access (const char *path)
{
  (void) path;
  return 0;
}

typedef struct
{
  char *directory; /* owned */
  DnVolumes *volumes;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *top = g_dir_make_tmp ("danchi-volumes-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;

  (void) data;
  fixture->directory = g_build_filename (top, "volumes", NULL);
  fixture->volumes = dn_volumes_open (fixture->directory, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *top = g_path_get_dirname (fixture->directory);

  (void) data;
  dn_volumes_free (fixture->volumes);
  g_assert_true (dn_tree_remove (top, NULL));
  g_free (fixture->directory);
}

static void
open_again (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  dn_volumes_free (fixture->volumes);
  fixture->volumes = dn_volumes_open (fixture->directory, &error);
  g_assert_no_error (error);
}

static DnVolume *
new_volume (Fixture *fixture, const char *name, const char *tenant, guint uid, guint64 mib)
{
  char id[DN_ID_BYTES + 1];
  DnVolume *volume;

  dn_id_new (id);
  volume = dn_volume_new (fixture->directory, id);
  volume->name = g_strdup (name);
  volume->scope = (DnVolumeScope){ .kind = tenant != NULL ? DN_VOLUME_OF_TENANT : DN_VOLUME_OF_USER,
                                   .tenant = g_strdup (tenant != NULL ? tenant : "none"),
                                   .uid = uid };
  volume->owner_uid = uid;
  volume->created_us = 12345;
  volume->size_bytes = mib * MIB;
  g_hash_table_replace (volume->labels, g_strdup ("a"), g_strdup ("b \"c\""));
  return volume;
}

static DnVolume *
make (Fixture *fixture, const char *name, const char *tenant)
{
  DnVolume *volume = new_volume (fixture, name, tenant, 1000, 32);
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_volumes_create (fixture->volumes, volume, NULL, &error));
  g_assert_no_error (error);
  return volume;
}

static void
test_comes_back_as_it_was_made (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DnVolume) volume = make (fixture, "data", "acme");
  g_autofree char *disk = dn_volume_disk_path (volume);
  g_autoptr (DnVolume) again = NULL;
  g_autoptr (GError) error = NULL;
  struct stat status;

  (void) data;
  g_assert_cmpint (stat (disk, &status), ==, 0);
  g_assert_cmpuint (status.st_size, ==, 32 * MIB);
  g_assert_cmpuint (status.st_blocks, ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  volume->is_formatted = TRUE;
  g_assert_true (dn_volumes_save (fixture->volumes, volume, &error));
  open_again (fixture);
  again = dn_volumes_find_name (fixture->volumes, &volume->scope, "data");
  g_assert_nonnull (again);
  g_assert_cmpstr (again->id, ==, volume->id);
  g_assert_cmpuint (again->size_bytes, ==, 32 * MIB);
  g_assert_cmpuint (again->owner_uid, ==, 1000);
  g_assert_cmpstr (g_hash_table_lookup (again->labels, "a"), ==, "b \"c\"");
  g_assert_true (again->is_formatted);
  g_assert_false (again->is_encrypted);
}

static void
test_names_are_unique_in_a_scope_alone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DnVolume) one = make (fixture, "data", "acme");
  g_autoptr (DnVolume) other = make (fixture, "data", "zeta");
  g_autoptr (DnVolume) own = make (fixture, "data", NULL);
  g_autoptr (DnVolume) twice = new_volume (fixture, "data", "acme", 1001, 32);
  g_autoptr (DnVolume) found = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_false (dn_volumes_create (fixture->volumes, twice, NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, "tenant 'acme'"));
  found = dn_volumes_find_name (fixture->volumes, &other->scope, "data");
  g_assert_true (found == other);
  g_assert_null (dn_volumes_find_name (fixture->volumes, &other->scope, "other"));
}

/* What a kill at any moment of making and removing leaves. */
static void
test_what_a_crash_left_is_no_volume_and_is_swept (Fixture *fixture, gconstpointer data)
{
  static const char *const left[] = { ".making", ".removing" };
  g_autoptr (DnVolume) volume = make (fixture, "kept", "acme");
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) all = NULL;
  char id[DN_ID_BYTES + 1];

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (left); i++)
    {
      g_autofree char *name = NULL, *path = NULL, *file = NULL;

      dn_id_new (id);
      name = g_strconcat (id, left[i], NULL);
      path = g_build_filename (fixture->directory, name, NULL);
      file = g_build_filename (path, "disk.raw", NULL);
      g_assert_cmpint (g_mkdir (path, 0711), ==, 0);
      g_assert_true (g_file_set_contents (file, "half", -1, NULL));
    }
  open_again (fixture);
  all = dn_volumes_list (fixture->volumes);
  g_assert_cmpuint (all->len, ==, 1);
  dn_volumes_sweep (fixture->volumes, removed);
  g_assert_cmpuint (removed->len, ==, 2);
  g_ptr_array_set_size (removed, 0);
  dn_volumes_sweep (fixture->volumes, removed);
  g_assert_cmpuint (removed->len, ==, 0);
  g_assert_true (g_file_test (volume->directory, G_FILE_TEST_IS_DIR));
}

static void
test_what_cannot_be_read_stays_where_it_is (Fixture *fixture, gconstpointer data)
{
  static const char *const broken[] = { "", "{}", "{\"id\": 7}", "not json" };
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autoptr (DnVolume) volume = make (fixture, "damaged", "acme");
      g_autofree char *file = g_build_filename (volume->directory, "volume.json", NULL);

      g_assert_true (g_file_set_contents (file, broken[i], -1, NULL));
      g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*is left out*");
      open_again (fixture);
      g_test_assert_expected_messages ();
      g_assert_null (dn_volumes_find_id (fixture->volumes, volume->id));
      dn_volumes_sweep (fixture->volumes, removed);
      g_assert_true (g_file_test (volume->directory, G_FILE_TEST_IS_DIR));
      g_assert_true (dn_tree_remove (volume->directory, NULL));
    }
  g_assert_cmpuint (removed->len, ==, 0);
}

static void
test_limits_hold_for_one_for_a_user_and_for_the_host (Fixture *fixture, gconstpointer data)
{
  const DnVolumeLimits limits = { .largest_bytes = 64 * MIB,
                                  .total_bytes = 128 * MIB,
                                  .user_bytes = 80 * MIB,
                                  .user_count = 2,
                                  .file = "/etc/danchi/danchi.conf" };
  const struct
  {
    guint uid;
    guint64 mib;
    const char *key; /* NULL: it is made */
  } wishes[] = {
    { 1, 65, "[volumes] largest_mib = 64" },
    { 1, 64, NULL },
    { 1, 32, "[limits] volume_mib_per_user = 80" },
    { 1, 8, NULL },
    { 1, 8, "[limits] volumes_per_user = 2" },
    { 2, 64, "[volumes] total_mib = 128" },
    { 2, 40, NULL },
  };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    {
      g_autofree char *name = g_strdup_printf ("v%u", i);
      g_autoptr (DnVolume) volume = new_volume (fixture, name, NULL, wishes[i].uid, wishes[i].mib);
      g_autoptr (GError) error = NULL;
      gboolean is_made = dn_volumes_create (fixture->volumes, volume, &limits, &error);

      g_assert_cmpint (is_made, ==, wishes[i].key == NULL);
      if (is_made)
        continue;
      g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
      g_assert_nonnull (strstr (error->message, wishes[i].key));
      g_assert_false (g_file_test (volume->directory, G_FILE_TEST_EXISTS));
    }
}

static gboolean
claim (Fixture *fixture, DnVolume *volume, const char *context, const char *container,
       gboolean is_writing, GError **error)
{
  const DnVolumeClaim wish
      = { .context = context, .container = container, .name = container, .is_writing = is_writing };

  return dn_volumes_claim (fixture->volumes, volume, &wish, error);
}

static void
assert_refused (Fixture *fixture, DnVolume *volume, const char *context, gboolean is_writing,
                const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (claim (fixture, volume, context, "x", is_writing, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  if (strstr (error->message, words) == NULL)
    g_test_fail_printf ("'%s' is not in: %s", words, error->message);
}

static void
test_one_context_writes_or_many_read (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DnVolume) volume = make (fixture, "data", "acme");

  (void) data;
  /* Never written to: its first guest formats it, and so has it alone. */
  g_assert_true (claim (fixture, volume, "a", "a1", FALSE, NULL));
  assert_refused (fixture, volume, "b", FALSE, "context 'a' has it writable (container 'a1')");
  g_assert_false (dn_volumes_unclaim (fixture->volumes, volume, "a", "a1"));
  g_assert_cmpuint (volume->holders->len, ==, 0);
  volume->is_formatted = TRUE;
  g_assert_true (claim (fixture, volume, "a", "a1", TRUE, NULL));
  g_assert_true (claim (fixture, volume, "a", "a2", TRUE, NULL));
  g_assert_true (claim (fixture, volume, "a", "a3", FALSE, NULL));
  assert_refused (fixture, volume, "b", TRUE, "containers 'a1', 'a2', 'a3'");
  assert_refused (fixture, volume, "b", FALSE, "context 'a'");
  for (guint i = 1; i <= 3; i++)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);

      (void) dn_volumes_unclaim (fixture->volumes, volume, "a", name);
    }
  g_assert_true (claim (fixture, volume, "a", "a1", FALSE, NULL));
  g_assert_true (claim (fixture, volume, "b", "b1", FALSE, NULL));
  assert_refused (fixture, volume, "c", TRUE, "read-only");
  /* Nor may one of the readers begin to write. */
  assert_refused (fixture, volume, "a", TRUE, "context 'b'");
  (void) dn_volumes_unclaim (fixture->volumes, volume, "b", "b1");
  g_assert_true (claim (fixture, volume, "a", "a2", TRUE, NULL));
}

static void
test_a_guest_that_has_the_disk_keeps_it_for_its_context (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DnVolume) volume = make (fixture, "data", "acme");
  g_autoptr (GError) error = NULL;

  (void) data;
  volume->is_formatted = TRUE;
  g_assert_true (claim (fixture, volume, "a", "a1", FALSE, NULL));
  g_mutex_lock (&fixture->volumes->lock);
  (void) dn_volume_add_holder (volume, "a", FALSE);
  g_mutex_unlock (&fixture->volumes->lock);
  /* It is attached read-only. */
  assert_refused (fixture, volume, "a", TRUE, "stop what has it read-only");
  /* No container needs it: the guest is to let go of it. */
  g_assert_true (dn_volumes_unclaim (fixture->volumes, volume, "a", "a1"));
  assert_refused (fixture, volume, "b", TRUE, "its guest, which has not let go of it");
  g_assert_false (dn_volumes_remove (fixture->volumes, volume, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  g_clear_error (&error);
  dn_volumes_guest_gone (fixture->volumes, "a");
  g_assert_cmpuint (volume->holders->len, ==, 0);
  g_assert_true (claim (fixture, volume, "b", "b1", TRUE, NULL));
  /* One that is on its way into a guest keeps its place when the guest before that ends. */
  dn_volumes_guest_gone (fixture->volumes, "b");
  assert_refused (fixture, volume, "a", TRUE, "container 'b1'");
  (void) dn_volumes_unclaim (fixture->volumes, volume, "b", "b1");
  g_assert_true (dn_volumes_remove (fixture->volumes, volume, &error));
  g_assert_false (g_file_test (volume->directory, G_FILE_TEST_EXISTS));
  g_assert_false (claim (fixture, volume, "a", "a1", TRUE, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
}

static void
test_serials_say_whose_and_how (Fixture *fixture, gconstpointer data)
{
  const char *id = "0123456789abcdef0123456789abcdef";
  char serial[DN_DISK_SERIAL_BYTES + 1];

  (void) fixture;
  (void) data;
  dn_volume_serial (id, TRUE, serial);
  g_assert_cmpstr (serial, ==, "v0123456789abcdef012");
  g_assert_true (dn_volume_has_serial (id, serial));
  dn_volume_serial (id, FALSE, serial);
  g_assert_cmpstr (serial, ==, "w0123456789abcdef012");
  g_assert_true (dn_volume_has_serial (id, serial));
  g_assert_false (dn_volume_has_serial (id, "v0123456789abcdef013"));
  g_assert_false (dn_volume_has_serial (id, "00123456789abcdef012"));
  g_assert_false (dn_volume_has_serial (id, "v0123"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/volumes/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("comes back as it was made", test_comes_back_as_it_was_made);
  ADD ("names are unique in a scope alone", test_names_are_unique_in_a_scope_alone);
  ADD ("what a crash left is no volume and is swept",
       test_what_a_crash_left_is_no_volume_and_is_swept);
  ADD ("what cannot be read stays where it is", test_what_cannot_be_read_stays_where_it_is);
  ADD ("limits hold for one for a user and for the host",
       test_limits_hold_for_one_for_a_user_and_for_the_host);
  ADD ("one context writes or many read", test_one_context_writes_or_many_read);
  ADD ("a guest that has the disk keeps it for its context",
       test_a_guest_that_has_the_disk_keeps_it_for_its_context);
  ADD ("serials say whose and how", test_serials_say_whose_and_how);
  return g_test_run ();
}
