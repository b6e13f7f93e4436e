/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack-image.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../guest-agent/unpack/reading.h"
#include "../../guest-agent/unpack/unpacking.h"

#define main dn_unpack_main
#include "../../guest-agent/unpack/main.c"
#undef main

static char *archives; /* owned */

static void
take_frame (Run *run, const DnFrameHeader *header, const guint8 *payload)
{
  DnMsgUnpackProgress progress;
  DnMsgUnpackField field;
  DnMsgUnpackEntry entry;

  g_assert_cmpuint (header->stream, ==, 0);
  /* Nothing follows the end. */
  g_assert_cmpuint (run->read_dones + run->layer_dones + run->replies, ==, 0);
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
    case DN_MSG_UNPACK_ENTRY:
      g_assert_cmpint (dn_msg_unpack_entry_unpack (payload, header->length, &entry), ==, 0);
      g_array_append_val (run->entries, entry);
      break;
    case DN_MSG_UNPACK_READ_DONE:
      g_assert_cmpint (dn_msg_unpack_read_done_unpack (payload, header->length, &run->read_done),
                       ==, 0);
      run->read_dones++;
      break;
    case DN_MSG_UNPACK_LAYER_DONE:
      g_assert_cmpint (dn_msg_unpack_layer_done_unpack (payload, header->length, &run->layer_done),
                       ==, 0);
      run->layer_dones++;
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
take_frames (Run *run, const GByteArray *output)
{
  gsize at = 0;

  while (at < output->len)
    {
      DnFrameHeader header;

      g_assert_cmpuint (output->len - at, >=, DN_FRAME_HEADER_BYTES);
      g_assert_cmpint (
          dn_frame_decode_header (&dn_guest_wire, DN_SENDER_GUEST, output->data + at, &header), ==,
          0);
      at += DN_FRAME_HEADER_BYTES;
      g_assert_cmpuint (output->len - at, >=, header.length);
      take_frame (run, &header, output->data + at);
      at += header.length;
    }
}

void
run_begin (Run *run, const char *const *argv)
{
  g_autoptr (GByteArray) output = g_byte_array_new ();
  guint8 bytes[4096];
  int fds[2];
  int status;
  ssize_t n;
  pid_t pid;

  memset (run, 0, sizeof *run);
  run->fields = g_ptr_array_new_with_free_func (g_free);
  run->entries = g_array_new (FALSE, TRUE, sizeof (DnMsgUnpackEntry));
  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (dup2 (fds[1], STDOUT_FILENO) < 0
               ? 99
               : dn_unpack_main ((int) g_strv_length ((char **) argv), (char **) argv));
  close (fds[1]);
  while ((n = read (fds[0], bytes, sizeof bytes)) > 0)
    g_byte_array_append (output, bytes, (guint) n);
  close (fds[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  run->exit_status = WEXITSTATUS (status);
  take_frames (run, output);
  if (run->replies > 0)
    g_test_message ("%s", run->reply.message);
  g_assert_cmpuint (run->read_dones + run->layer_dones + run->replies, ==, 1);
  g_assert_cmpint (run->exit_status, ==, run->replies > 0 ? 1 : 0);
}

void
run_clear (Run *run)
{
  g_ptr_array_unref (run->fields);
  g_array_unref (run->entries);
}

static void
make_archives (const char *script)
{
  g_autofree char *command = g_strdup_printf ("python3 -B tests/images/%s '%s'", script, archives);
  int status = 1;

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

const char *
image_archives (void)
{
  if (archives == NULL)
    {
      archives = g_dir_make_tmp ("danchi-archives-XXXXXX", NULL);
      make_archives ("friendly.py");
      make_archives ("hostile.py");
      make_archives ("stacked.py");
    }
  return archives;
}

static void
remove_tree (const char *path)
{
  const char *const argv[] = { "rm", "-rf", path, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
}

void
image_archives_remove (void)
{
  if (archives != NULL)
    remove_tree (archives);
  g_clear_pointer (&archives, g_free);
}

char *
image_path (const Image *image, const char *name)
{
  return g_build_filename (image->directory, name, NULL);
}

void
image_read (Image *image, const char *name, const char *reference, Run *run)
{
  g_autofree char *archive = g_build_filename (image_archives (), name, NULL);
  g_autofree char *output = NULL;
  g_autofree char *scratch = NULL;
  g_autofree char *size = NULL;
  struct stat status;

  memset (image, 0, sizeof *image);
  image->directory = g_dir_make_tmp ("danchi-unpack-XXXXXX", NULL);
  output = image_path (image, "expanded");
  scratch = image_path (image, "scratch");
  g_assert_cmpint (mkdir (scratch, 0755), ==, 0);
  g_assert_cmpint (stat (archive, &status), ==, 0);
  size = g_strdup_printf ("%lld", (long long) status.st_size);
  const char *const argv[] = { "danchi-unpack",
                               "read",
                               "--archive",
                               archive,
                               "--archive-bytes",
                               size,
                               "--output",
                               output,
                               "--expanded-limit",
                               "67108864",
                               "--reference",
                               reference,
                               NULL };
  run_begin (run, argv);
  image->entries = g_array_ref (run->entries);
  image->archive = g_strdup (run->read_done.expanded_bytes > 0 ? output : archive);
}

static char *
digest_text (const guint8 *bytes)
{
  GString *text = g_string_new ("sha256:");

  for (guint i = 0; i < 32; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

/* Cuts the blob out; its digest, where the archive does not say, is the one that it has. */
static char *
cut_blob (const Image *image, const DnMsgUnpackEntry *entry, const char *path)
{
  static const guint8 none[32];
  g_autofree char *bytes = NULL;
  g_autofree char *sum = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (image->archive, &bytes, &size, NULL));
  g_assert_cmpuint (entry->offset, <=, size);
  g_assert_cmpuint (entry->bytes, <=, size - entry->offset);
  g_assert_true (g_file_set_contents (path, bytes + entry->offset, (gssize) entry->bytes, NULL));
  if (memcmp (entry->sha256, none, 32) != 0)
    return digest_text (entry->sha256);
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) bytes + entry->offset,
                                     entry->bytes);
  return g_strconcat ("sha256:", sum, NULL);
}

void
image_unpack_layer (Image *image, const char *files_limit, const char *const *bases, Run *run)
{
  const DnMsgUnpackEntry *entry;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autofree char *blob = image_path (image, "blob");
  g_autofree char *scratch = image_path (image, "scratch");
  g_autofree char *output = NULL;
  g_autofree char *name = NULL;
  g_autofree char *digest = NULL;
  g_autofree char *diff_id = NULL;
  g_autofree char *sum = NULL;
  g_autofree char *size = NULL;
  g_autofree char *below = NULL;

  g_assert_cmpuint (image->layers, <, image->entries->len);
  entry = &g_array_index (image->entries, DnMsgUnpackEntry, image->layers++);
  name = g_strdup_printf ("%u.erofs", image->layers);
  output = image_path (image, name);
  digest = cut_blob (image, entry, blob);
  diff_id = digest_text (entry->diff_id);
  size = g_strdup_printf ("%" G_GUINT64_FORMAT, entry->bytes);
  below = g_strconcat (image->chain != NULL ? image->chain : "", digest, NULL);
  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, below, -1);
  g_free (image->chain);
  image->chain = g_strconcat ("sha256:", sum, NULL);
  const char *const words[]
      = { "danchi-unpack",    "layer",     "--blob",    blob,    "--blob-bytes",  size,
          "--digest",         digest,      "--diff-id", diff_id, "--chain",       image->chain,
          "--scratch",        scratch,     "--output",  output,  "--files-limit", files_limit,
          "--unpacked-limit", "8589934592" };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (argv, (gpointer) words[i]);
  for (gsize i = 0; bases != NULL && bases[i] != NULL; i++)
    {
      g_ptr_array_add (argv, (gpointer) "--base");
      g_ptr_array_add (argv, (gpointer) bases[i]);
    }
  g_ptr_array_add (argv, NULL);
  run_begin (run, (const char *const *) argv->pdata);
}

void
image_clear (Image *image)
{
  remove_tree (image->directory);
  g_free (image->directory);
  g_free (image->archive);
  g_free (image->chain);
  g_array_unref (image->entries);
}
