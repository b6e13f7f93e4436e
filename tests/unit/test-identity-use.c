/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/identity-use.c launcher/guest/identity.c launcher/common/error.c
 * launcher/common/paths.c */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/guest/identity-use.h"
#include "../../launcher/guest/identity.h"

#define UID DN_IDENTITY_UID_FIRST

/* A /proc of the test's own. */
typedef struct
{
  char *top;         /* owned */
  char *proc;        /* owned */
  char *directories; /* owned; an empty tree */
} Fixture;

static void
put (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  (void) data;
  f->top = g_dir_make_tmp ("danchi-use-XXXXXX", NULL);
  f->proc = g_build_filename (f->top, "proc", NULL);
  f->directories = g_build_filename (f->top, "tree", NULL);
  g_assert_cmpint (g_mkdir (f->directories, 0700), ==, 0);
  put (f->proc, "1/status", "Name:\tinit\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  (void) g_remove (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  (void) data;
  remove_tree (f->top);
  g_free (f->top);
  g_free (f->proc);
  g_free (f->directories);
}

static void
assert_use (Fixture *f, guint uid, const char *wanted)
{
  static const char *const none[] = { NULL };
  const char *const directories[] = { f->directories, NULL };
  const DnIdentityPlaces places = { .proc = f->proc, .directories = directories, .acls = none };
  g_autoptr (GHashTable) uses = dn_identity_use_find (&places);

  g_assert_cmpstr (g_hash_table_lookup (uses, GUINT_TO_POINTER (uid)), ==, wanted);
  g_assert_cmpuint (g_hash_table_size (uses), ==, wanted != NULL);
}

static void
test_a_host_without_guests_has_no_uses (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f->directories, "a/file", "");
  put (f->proc, "1/net/tcp", "  sl  local_address rem_address st tx rx retrnsmt uid\n\n");
  assert_use (f, UID, NULL);
}

/* Each file of /proc, its text, and who is found by it. */
static void
test_each_kind_of_thing_keeps_an_identity_back (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *file;
    const char *text;
    guint uid;
    const char *use;
  } cases[] = {
    { "77/status", "Name:\tx\nUid:\t200001\t0\t0\t0\nGid:\t0\t0\t0\t0\n", UID, "process 77" },
    { "77/status", "Name:\tx\nUid:\t0\t200002\t0\t0\nGid:\t0\t0\t0\t0\n", UID + 1, "process 77" },
    { "77/status", "Name:\tx\nUid:\t0\t0\t200001\t0\nGid:\t0\t0\t0\t0\n", UID, "process 77" },
    { "77/status", "Name:\tx\nUid:\t0\t0\t0\t200001\nGid:\t0\t0\t0\t0\n", UID, "process 77" },
    { "77/status", "Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t200009\t0\t0\n", UID + 8, "process 77" },
    { "sysvipc/shm",
      "       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid\n"
      "         0          5  1600       4096     1     1      0 200001    0     0     0\n",
      UID, "System V shm 5" },
    { "sysvipc/shm",
      "       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid\n"
      "         0          6  1600       4096     1     1      0      0    0 200003     0\n",
      UID + 2, "System V shm 6" },
    { "sysvipc/sem",
      "       key      semid perms      nsems   uid   gid  cuid  cgid\n"
      "         0          7   600          1 200001 200001 200001 200001\n",
      UID, "System V sem 7" },
    { "sysvipc/msg",
      "       key      msqid perms cbytes qnum lspid lrpid   uid   gid  cuid  cgid\n"
      "         0          8   600      0    0     0     0     0     0     0 200001\n",
      UID, "System V msg 8" },
    { "1/net/tcp",
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 200001 0 1\n",
      UID, "tcp socket 0100007F:1F90" },
    { "1/net/udp6",
      "  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   9: 0:35 0:0 07 00000000:00000000 00:00000000 00000000 210000 0 1\n",
      UID + 9999, "udp6 socket 0:35" },
  };

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_build_filename (f->proc, cases[i].file, NULL);

      put (f->proc, cases[i].file, cases[i].text);
      assert_use (f, cases[i].uid, cases[i].use);
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
}

static void
test_ids_outside_the_range_are_nobodys_of_ours (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f->proc, "77/status", "Name:\tx\nUid:\t200000\t210001\t4294967295\t99999999999\n");
  assert_use (f, UID, NULL);
}

static void
test_what_makes_no_sense_is_passed_over (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f->proc, "77/status", "Uid:");
  put (f->proc, "78/status", "Name:\tx\nUid:\tx\n");
  put (f->proc, "sysvipc/shm", "uid");
  put (f->proc, "sysvipc/sem", "");
  put (f->proc, "1/net/tcp", "\n\n1 2\n");
  put (f->proc, "1/net/unix", "Num\nx: /nowhere/at/all\n");
  assert_use (f, UID, NULL);
}

static void
collect (guint uid, gpointer data)
{
  GArray *uids = data;

  g_array_append_val (uids, uid);
}

static void
test_acl_entries_of_users_are_read (void)
{
  static const guint8 acl[]
      = { 2,    0, 0, 0,                                                          /* version */
          1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 6, 0, 0x41, 0x0d, 0x03, 0, /* user 200001 */
          8,    0, 6, 0, 0x42, 0x0d, 0x03, 0,                                     /* group 200002 */
          0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
  g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (guint));

  dn_identity_use_read_acl (acl, sizeof acl, collect, uids);
  g_assert_cmpuint (uids->len, ==, 1);
  g_assert_cmpuint (g_array_index (uids, guint, 0), ==, UID);
  for (gsize size = 0; size < 20; size++)
    {
      g_array_set_size (uids, 0);
      dn_identity_use_read_acl (acl, size, collect, uids);
      g_assert_cmpuint (uids->len, ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/identity-use/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("a host without guests has no uses", test_a_host_without_guests_has_no_uses);
  ADD ("each kind of thing keeps an identity back", test_each_kind_of_thing_keeps_an_identity_back);
  ADD ("ids outside the range are nobody's of ours",
       test_ids_outside_the_range_are_nobodys_of_ours);
  ADD ("what makes no sense is passed over", test_what_makes_no_sense_is_passed_over);
  g_test_add_func ("/identity-use/acl entries of users are read",
                   test_acl_entries_of_users_are_read);
  return g_test_run ();
}
