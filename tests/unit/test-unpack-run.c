/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* The whole unpacker as a process, on the archives of tests/images: honest ones give the tree that
 * their layers mean, hostile ones end in one error that says what is wrong. */
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

int dn_unpack_main (int argc, char **argv);
#define main dn_unpack_main
#include "../../guest-agent/unpack/main.c"
#undef main

typedef struct
{
  char *directory; /* owned; scratch */
  int exit_status;
  GByteArray *output; /* owned */
  GPtrArray *fields;  /* owned "NUMBER VALUE" */
  DnMsgUnpackDone done;
  DnMsgReply reply;
  guint replies;
  guint dones;
  guint phases; /* bits */
} Run;

static char *archives; /* owned; a directory that main() makes */

static void
run_clear (Run *run)
{
  const char *const argv[] = { "rm", "-rf", run->directory, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
  g_free (run->directory);
  g_byte_array_unref (run->output);
  g_ptr_array_unref (run->fields);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
take_frame (Run *run, const DnFrameHeader *header, const guint8 *payload)
{
  DnMsgUnpackProgress progress;
  DnMsgUnpackField field;

  g_assert_cmpuint (header->stream, ==, 0);
  switch (header->type)
    {
    case DN_MSG_UNPACK_PROGRESS:
      g_assert_cmpint (dn_msg_unpack_progress_unpack (payload, header->length, &progress), ==, 0);
      g_assert_cmpuint (progress.done, <=, progress.total);
      run->phases |= 1u << progress.phase;
      break;
    case DN_MSG_UNPACK_FIELD:
      g_assert_cmpint (dn_msg_unpack_field_unpack (payload, header->length, &field), ==, 0);
      g_ptr_array_add (run->fields, g_strdup_printf ("%u %.*s", field.field,
                                                     (int) field.value_bytes, field.value));
      break;
    case DN_MSG_UNPACK_DONE:
      g_assert_cmpint (dn_msg_unpack_done_unpack (payload, header->length, &run->done), ==, 0);
      run->dones++;
      break;
    case DN_MSG_REPLY:
      g_assert_cmpint (dn_msg_reply_unpack (payload, header->length, &run->reply), ==, 0);
      run->replies++;
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
take_frames (Run *run)
{
  gsize at = 0;

  while (at < run->output->len)
    {
      DnFrameHeader header;

      g_assert_cmpuint (run->output->len - at, >=, DN_FRAME_HEADER_BYTES);
      g_assert_cmpint (
          dn_frame_decode_header (&dn_guest_wire, DN_SENDER_GUEST, run->output->data + at, &header),
          ==, 0);
      at += DN_FRAME_HEADER_BYTES;
      g_assert_cmpuint (run->output->len - at, >=, header.length);
      take_frame (run, &header, run->output->data + at);
      at += header.length;
    }
}

static void
run_child (const Run *run, const char *archive, const char *files_limit, const char *reference,
           int output)
{
  struct stat status;
  g_autofree char *image = g_build_filename (run->directory, "image.erofs", NULL);
  g_autofree char *size = NULL;

  if (stat (archive, &status) < 0 || dup2 (output, STDOUT_FILENO) < 0)
    _exit (99);
  size = g_strdup_printf ("%lld", (long long) status.st_size);
  const char *const argv[] = { "danchi-unpack",
                               "--archive",
                               archive,
                               "--archive-bytes",
                               size,
                               "--scratch",
                               run->directory,
                               "--output",
                               image,
                               "--files-limit",
                               files_limit,
                               "--unpacked-limit",
                               "8589934592",
                               "--reference",
                               reference,
                               NULL };
  _exit (dn_unpack_main ((int) G_N_ELEMENTS (argv) - 1, (char **) argv));
}

static void
unpack_archive (Run *run, const char *name, const char *files_limit, const char *reference)
{
  g_autofree char *archive = g_build_filename (archives, name, NULL);
  guint8 bytes[4096];
  int fds[2];
  int status;
  ssize_t n;
  pid_t pid;

  memset (run, 0, sizeof *run);
  run->directory = g_dir_make_tmp ("danchi-unpack-XXXXXX", NULL);
  run->output = g_byte_array_new ();
  run->fields = g_ptr_array_new_with_free_func (g_free);
  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    run_child (run, archive, files_limit, reference, fds[1]);
  close (fds[1]);
  while ((n = read (fds[0], bytes, sizeof bytes)) > 0)
    g_byte_array_append (run->output, bytes, (guint) n);
  close (fds[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  run->exit_status = WEXITSTATUS (status);
  take_frames (run);
}

static gboolean
look (const Run *run, const char *name, struct stat *ret_status)
{
  g_autofree char *path = g_build_filename (run->directory, TREE, name, NULL);

  return lstat (path, ret_status) == 0;
}

static gboolean
has (const Run *run, const char *name)
{
  struct stat status;

  return look (run, name, &status);
}

static void
assert_content (const Run *run, const char *name, const char *content)
{
  g_autofree char *path = g_build_filename (run->directory, TREE, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, content);
}

/* What tests/images/friendly.py means by its three layers. */
static void
assert_friendly_tree (const Run *run)
{
  g_autofree char *path = g_build_filename (run->directory, TREE, "bin/attributes", NULL);
  g_autofree char *filler = g_strnfill (120, 'x');
  g_autofree char *umlauts = g_strdup_printf ("bin/\u00fcml\u00e4ut %s", filler);
  struct stat status;
  struct stat other;
  char value[16];

  assert_content (run, "etc/kept", "kept");
  g_assert_false (has (run, "etc/removed"));
  g_assert_false (has (run, "gone"));
  g_assert_false (has (run, "no"));
  g_assert_false (has (run, "opaque/lower"));
  g_assert_false (has (run, "opaque/sub"));
  assert_content (run, "opaque/new", "new");
  assert_content (run, "opaque/newer", "newer");
  assert_content (run, "run/lock/file", "through the link");
  g_assert_true (has (run, "becomes-directory/inside"));
  assert_content (run, "becomes-file", "file");
  assert_content (run, umlauts, "name");

  g_assert_true (look (run, "bin/tool", &status) && look (run, "bin/same", &other));
  g_assert_cmpuint (status.st_ino, ==, other.st_ino);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0755);
  if (geteuid () == 0)
    g_assert_true (status.st_uid == 12 && status.st_gid == 34);
  g_assert_true (look (run, "bin/pipe", &status) && S_ISFIFO (status.st_mode));
  g_assert_true (look (run, "tmp", &status));
  g_assert_cmpuint (status.st_mode & 07777, ==, 01777);
  g_assert_true (look (run, "etc", &status));
  g_assert_cmpint (status.st_mtime, ==, 2000);
  g_assert_true (look (run, "", &status));
  g_assert_cmpint (status.st_mtime, ==, 1000);

  g_assert_cmpint (getxattr (path, "security.capability", value, sizeof value), <, 0);
  if (getxattr (path, "user.kept", value, sizeof value) != 5)
    g_test_message ("no user.* attributes in %s", g_get_tmp_dir ());
}

static void
assert_done (const Run *run)
{
  g_autofree char *image = g_build_filename (run->directory, "image.erofs", NULL);
  g_autofree char *bytes = NULL;
  gsize size;
  guint8 digest[32];
  gsize digest_size = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  if (run->replies > 0)
    g_test_message ("%s", run->reply.message);
  g_assert_cmpint (run->exit_status, ==, 0);
  g_assert_cmpuint (run->dones, ==, 1);
  g_assert_cmpuint (run->replies, ==, 0);
  g_assert_cmpuint (run->phases, ==, 0x1e);
  g_assert_true (g_file_get_contents (image, &bytes, &size, NULL));
  g_assert_cmpuint (size, ==, run->done.image_bytes);
  g_assert_cmpuint (size % 4096, ==, 0);
  g_checksum_update (checksum, (const guchar *) bytes, (gssize) size);
  g_checksum_get_digest (checksum, digest, &digest_size);
  g_assert_cmpmem (digest, sizeof digest, run->done.image_sha256, 32);
}

static void
test_dockers_layers_give_the_tree_they_mean (void)
{
  static const char *const expected[] = { "1 docker.io/friendly/image:1",
                                          "1 friendly:2",
                                          "2 amd64",
                                          "5 app:app",
                                          "6 /srv",
                                          "7 SIGINT",
                                          "8 PATH=/bin",
                                          "8 EMPTY=",
                                          "9 /bin/tool",
                                          "11 80/tcp",
                                          "12 /data",
                                          "13 a=b",
                                          "13 lines=one two",
                                          "17 CMD" };
  g_auto (Run) run;

  unpack_archive (&run, "docker.tar", "1000", "");
  assert_done (&run);
  assert_friendly_tree (&run);
  g_assert_cmpuint (run.done.layers, ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_true (g_ptr_array_find_with_equal_func (run.fields, expected[i], g_str_equal, NULL));
}

static void
test_an_oci_index_leads_to_the_image_for_this_machine (void)
{
  g_auto (Run) run;

  unpack_archive (&run, "oci.tar", "1000", "");
  assert_done (&run);
  assert_friendly_tree (&run);
  g_assert_cmpstr (run.fields->pdata[0], ==, "1 docker.io/friendly/oci:1");
}

static void
test_a_compressed_archive_and_links_in_it_give_the_same_image (void)
{
  g_auto (Run) plain;
  g_auto (Run) whole;
  g_auto (Run) links;

  unpack_archive (&plain, "docker.tar", "1000", "");
  unpack_archive (&whole, "whole.tar.gz", "1000", "");
  unpack_archive (&links, "links.tar", "1000", "");
  assert_done (&plain);
  assert_done (&whole);
  assert_done (&links);
  g_assert_cmpmem (plain.done.image_sha256, 32, whole.done.image_sha256, 32);
  g_assert_cmpmem (plain.done.image_sha256, 32, links.done.image_sha256, 32);
}

static void
test_one_of_several_images_must_be_named (void)
{
  g_auto (Run) unnamed;
  g_auto (Run) named;
  g_auto (Run) wrong;

  unpack_archive (&unnamed, "two.tar", "1000", "");
  g_assert_cmpint (unnamed.exit_status, ==, 1);
  g_assert_nonnull (strstr (unnamed.reply.message, "2 images: name one"));
  unpack_archive (&named, "two.tar", "1000", "one/image:1");
  assert_done (&named);
  g_assert_cmpuint (named.done.layers, ==, 1);
  unpack_archive (&wrong, "two.tar", "1000", "three/image:1");
  g_assert_cmpint (wrong.reply.status, ==, -ENOENT);
}

static void
test_files_over_the_limit_are_refused (void)
{
  g_auto (Run) run;

  unpack_archive (&run, "docker.tar", "5", "");
  g_assert_cmpint (run.exit_status, ==, 1);
  g_assert_cmpint (run.reply.status, ==, -EFBIG);
}

/* One test for each line of hostile.py's index. */
static void
test_hostile_archive (gconstpointer data)
{
  const char *const *words = data;
  g_auto (Run) run;

  unpack_archive (&run, words[0], "20000", "");
  g_test_message ("%s", run.reply.message);
  g_assert_cmpint (run.exit_status, ==, 1);
  g_assert_cmpuint (run.replies, ==, 1);
  g_assert_cmpuint (run.dones, ==, 0);
  g_assert_cmpuint (run.fields->len, ==, 0);
  g_assert_cmpint (run.reply.status, <, 0);
  g_assert_nonnull (strstr (run.reply.message, words[1]));
  for (const char *byte = run.reply.message; *byte != '\0'; byte++)
    g_assert_true (*byte >= 0x20 && *byte < 0x7f);
}

static void
make_archives (const char *script)
{
  g_autofree char *command = g_strdup_printf ("python3 -B tests/images/%s '%s'", script, archives);
  int status = 1;

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

static void
add_hostile_tests (void)
{
  g_autofree char *path = g_build_filename (archives, "index", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      char **words = g_strsplit (lines[i], " ", 2);
      g_autofree char *name = g_strdup_printf ("/unpack/run/refuses-%s", words[0]);

      g_test_add_data_func_full (name, words, test_hostile_archive, (GDestroyNotify) g_strfreev);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *remove = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  archives = g_dir_make_tmp ("danchi-archives-XXXXXX", NULL);
  make_archives ("friendly.py");
  make_archives ("hostile.py");
  g_test_add_func ("/unpack/run/dockers-layers-give-the-tree-they-mean",
                   test_dockers_layers_give_the_tree_they_mean);
  g_test_add_func ("/unpack/run/an-oci-index-leads-to-the-image-for-this-machine",
                   test_an_oci_index_leads_to_the_image_for_this_machine);
  g_test_add_func ("/unpack/run/a-compressed-archive-and-links-in-it-give-the-same-image",
                   test_a_compressed_archive_and_links_in_it_give_the_same_image);
  g_test_add_func ("/unpack/run/one-of-several-images-must-be-named",
                   test_one_of_several_images_must_be_named);
  g_test_add_func ("/unpack/run/files-over-the-limit-are-refused",
                   test_files_over_the_limit_are_refused);
  add_hostile_tests ();
  result = g_test_run ();
  remove = g_strdup_printf ("rm -rf '%s'", archives);
  (void) g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL);
  g_free (archives);
  return result;
}
