/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"

#define CHUNK_BYTES (256 * 1024)
#define MANIFEST "manifest.json"
#define SIGNATURE "manifest.json.sig"
#define SUMS "SHA256SUMS"
#define TEMPORARY ".manifest.new"

typedef struct
{
  char *name;   /* owned */
  char *sha256; /* owned; hexadecimal */
  guint64 size_bytes;
} File;

struct DnEvidence
{
  int directory;
  char *path;    /* owned */
  char *context; /* owned */
  char *key;     /* owned, or NULL */
  gint64 started_us;
  GPtrArray *files; /* owned File * */
};

static void
file_free (gpointer data)
{
  File *file = data;

  g_free (file->name);
  g_free (file->sha256);
  g_free (file);
}

void
dn_evidence_free (DnEvidence *evidence)
{
  if (evidence == NULL)
    return;
  dn_fd_clear (&evidence->directory);
  g_free (evidence->path);
  g_free (evidence->context);
  g_free (evidence->key);
  g_ptr_array_unref (evidence->files);
  g_free (evidence);
}

gboolean
dn_evidence_name_is_valid (const char *name)
{
  gboolean is_first = TRUE;

  if (strlen (name) > 512)
    return FALSE;
  for (const char *p = name; *p != '\0'; p++)
    {
      if (is_first ? !g_ascii_isalnum (*p) : !g_ascii_isalnum (*p) && strchr ("_.-/", *p) == NULL)
        return FALSE;
      is_first = *p == '/';
    }
  return !is_first;
}

static gboolean
throw_file (const DnEvidence *evidence, const char *name, GError **error)
{
  return dn_throw_errno (error, "file '%s/%s'", evidence->path, name);
}

static gboolean
make_parents (const DnEvidence *evidence, const char *name, GError **error)
{
  for (const char *slash = strchr (name, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree char *parent = g_strndup (name, (gsize) (slash - name));

      if (mkdirat (evidence->directory, parent, 0700) < 0 && errno != EEXIST)
        return throw_file (evidence, parent, error);
    }
  return TRUE;
}

static gboolean
write_at (int fd, const guint8 *bytes, gsize size, guint64 offset)
{
  while (size > 0)
    {
      ssize_t n = pwrite (fd, bytes, size, (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      bytes += n;
      size -= (gsize) n;
      offset += (guint64) n;
    }
  return TRUE;
}

static gboolean
is_zero (const guint8 *bytes, gsize size)
{
  return bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0;
}

/* Returns: how many bytes there were, or -1.  Memory is mostly zeros: these become holes. */
static gint64
copy (int from, int to, guint64 size, GChecksum *sum)
{
  g_autofree guint8 *bytes = g_malloc (CHUNK_BYTES);
  guint64 done = 0;

  while (done < size)
    {
      ssize_t n = pread (from, bytes, (gsize) MIN (size - done, CHUNK_BYTES), (off_t) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      g_checksum_update (sum, bytes, n);
      if (!is_zero (bytes, (gsize) n) && !write_at (to, bytes, (gsize) n, done))
        return -1;
      done += (guint64) n;
    }
  return ftruncate (to, (off_t) done) < 0 || fsync (to) < 0 ? -1 : (gint64) done;
}

static int
create (const DnEvidence *evidence, const char *name)
{
  return openat (evidence->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600);
}

gboolean
dn_evidence_add (DnEvidence *evidence, const char *name, int fd, guint64 size, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  dn_autofd int to = -1;
  gint64 done;
  File *file;

  if (!dn_evidence_name_is_valid (name))
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: a file of an impossible name");
  if (!make_parents (evidence, name, error))
    return FALSE;
  to = create (evidence, name);
  done = to >= 0 ? copy (fd, to, size, sum) : -1;
  if (done < 0)
    {
      (void) throw_file (evidence, name, error);
      /* No half of a file that looks like the whole. */
      if (to >= 0)
        (void) unlinkat (evidence->directory, name, 0);
      return FALSE;
    }
  file = g_new0 (File, 1);
  file->name = g_strdup (name);
  file->sha256 = g_strdup (g_checksum_get_string (sum));
  file->size_bytes = (guint64) done;
  g_ptr_array_add (evidence->files, file);
  return TRUE;
}

static void
set_time (JsonObject *object, const char *name, gint64 time_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autofree char *text = seconds != NULL ? g_date_time_format_iso8601 (seconds) : NULL;

  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

/* The times of @facts once more for people. */
static void
add_readable_times (JsonObject *object, JsonObject *facts)
{
  static const char *const names[] = { "started", "frozen", "thawed", "finished" };

  for (gsize i = 0; facts != NULL && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *member = g_strconcat (names[i], "_us", NULL);

      if (json_object_has_member (facts, member))
        set_time (object, names[i], json_object_get_int_member (facts, member));
    }
}

static JsonArray *
list_files (const DnEvidence *evidence)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < evidence->files->len; i++)
    {
      const File *file = evidence->files->pdata[i];
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "path", file->name);
      json_object_set_int_member (object, "size_bytes", (gint64) file->size_bytes);
      json_object_set_string_member (object, "sha256", file->sha256);
      json_array_add_object_element (array, object);
    }
  return array;
}

JsonNode *
dn_evidence_manifest (const DnEvidence *evidence, JsonObject *facts, const char *problem)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_set_string_member (object, "format", DN_EVIDENCE_FORMAT);
  json_object_set_string_member (object, "status", problem == NULL ? "complete" : "incomplete");
  if (problem != NULL)
    json_object_set_string_member (object, "problem", problem);
  json_object_set_string_member (object, "context", evidence->context);
  json_object_set_string_member (object, "host", g_get_host_name ());
  json_object_set_string_member (object, "danchi", DN_VERSION);
  if (facts == NULL)
    json_object_set_int_member (object, "started_us", evidence->started_us);
  else
    json_object_iter_init (&iter, facts);
  while (facts != NULL && json_object_iter_next (&iter, &name, &value))
    if (!json_object_has_member (object, name) && !g_str_equal (name, "files"))
      json_object_set_member (object, name, json_node_copy (value));
  add_readable_times (object, facts);
  if (evidence->key != NULL)
    json_object_set_string_member (object, "signature", SIGNATURE);
  json_object_set_array_member (object, "files", list_files (evidence));
  json_node_take_object (node, object);
  return node;
}

/* The old one stays until the new one is whole: on a full disk that is the one that says so. */
static gboolean
replace (const DnEvidence *evidence, const char *name, const char *text, GError **error)
{
  dn_autofd int fd = -1;

  (void) unlinkat (evidence->directory, TEMPORARY, 0);
  fd = create (evidence, TEMPORARY);
  if (fd >= 0 && write_at (fd, (const guint8 *) text, strlen (text), 0) && fsync (fd) == 0
      && renameat (evidence->directory, TEMPORARY, evidence->directory, name) == 0
      && fsync (evidence->directory) == 0)
    return TRUE;
  (void) throw_file (evidence, name, error);
  (void) unlinkat (evidence->directory, TEMPORARY, 0);
  return FALSE;
}

/* By openssl's program, which only a host that signs needs; danchi itself links no cryptography. */
static gboolean
sign (const DnEvidence *evidence, GError **error)
{
  const char *const argv[] = { "openssl", "pkeyutl", "-sign", "-rawin",  "-inkey", evidence->key,
                               "-in",     MANIFEST,  "-out",  SIGNATURE, NULL };
  g_autoptr (GError) problem = NULL;
  g_autofree char *words = NULL;
  int status = 0;

  if (evidence->key == NULL)
    return TRUE;
  if (!g_spawn_sync (evidence->path, (char **) argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &words,
                     &status, &problem)
      || !g_spawn_check_wait_status (status, &problem))
    {
      g_autofree char *line
          = g_strndup (words != NULL ? words : "", words != NULL ? strcspn (words, "\n") : 0);

      return dn_throw (error, DN_ERROR_CONFIG,
                       "key '%s': openssl cannot sign with it: %s %s\n"
                       "apt install openssl; openssl genpkey -algorithm ed25519 makes a key",
                       evidence->key, problem->message, line);
    }
  return fchmodat (evidence->directory, SIGNATURE, 0600, 0) == 0
         || throw_file (evidence, SIGNATURE, error);
}

static gboolean
write_manifest (const DnEvidence *evidence, JsonObject *facts, const char *problem, GError **error)
{
  g_autoptr (JsonNode) node = dn_evidence_manifest (evidence, facts, problem);
  g_autofree char *pretty = dn_json_to_text (node, TRUE);
  g_autofree char *text = g_strconcat (pretty, "\n", NULL);

  return replace (evidence, MANIFEST, text, error) && sign (evidence, error);
}

static gboolean
write_sums (DnEvidence *evidence, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  File *file = g_new0 (File, 1);

  for (guint i = 0; i < evidence->files->len; i++)
    {
      const File *one = evidence->files->pdata[i];

      g_string_append_printf (text, "%s  %s\n", one->sha256, one->name);
    }
  file->name = g_strdup (SUMS);
  file->sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, -1);
  file->size_bytes = text->len;
  if (!replace (evidence, SUMS, text->str, error))
    {
      file_free (file);
      return FALSE;
    }
  g_ptr_array_add (evidence->files, file);
  return TRUE;
}

gboolean
dn_evidence_finish (DnEvidence *evidence, JsonObject *facts, const char *problem, GError **error)
{
  return write_sums (evidence, error) && write_manifest (evidence, facts, problem, error);
}

static gboolean
check_key (const char *key, GError **error)
{
  dn_autofd int fd = -1;
  struct stat status;

  if (key == NULL)
    return TRUE;
  fd = open (key, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "key '%s' of danchi.conf's [forensics]", key);
  if (!S_ISREG (status.st_mode) || (status.st_mode & 077) != 0
      || (status.st_uid != 0 && status.st_uid != geteuid ()))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "key '%s': must be a file that its owner alone can read\nchmod 600 '%s'", key,
                     key);
  return TRUE;
}

/* Returns: a descriptor of an empty directory of ours, or -1 */
static int
take_directory (const char *path, gboolean *ret_is_made, GError **error)
{
  g_autoptr (GDir) entries = NULL;
  dn_autofd int fd = -1;
  struct stat status;

  *ret_is_made = mkdir (path, 0700) == 0;
  if (!*ret_is_made && errno != EEXIST)
    {
      dn_throw_errno (error, "directory '%s'", path);
      return -1;
    }
  fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  entries = g_dir_open (path, 0, NULL);
  if (fd < 0 || entries == NULL || fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "directory '%s'", path);
      return -1;
    }
  if (status.st_uid != geteuid () || g_dir_read_name (entries) != NULL)
    {
      dn_throw (error, DN_ERROR_CONFLICT,
                "directory '%s': is not empty, or not yours\nname one that does not exist", path);
      return -1;
    }
  if (fchmod (fd, 0700) < 0)
    {
      dn_throw_errno (error, "directory '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

DnEvidence *
dn_evidence_open (const char *path, const char *context, const char *key, GError **error)
{
  g_autoptr (DnEvidence) evidence = g_new0 (DnEvidence, 1);
  gboolean is_made;

  evidence->directory = -1;
  evidence->path = g_strdup (path);
  evidence->context = g_strdup (context);
  evidence->key = g_strdup (key);
  evidence->started_us = g_get_real_time ();
  evidence->files = g_ptr_array_new_with_free_func (file_free);
  if (!check_key (key, error))
    return NULL;
  evidence->directory = take_directory (path, &is_made, error);
  if (evidence->directory < 0)
    return NULL;
  if (write_manifest (evidence, NULL, "it did not come to its end", error))
    return g_steal_pointer (&evidence);
  (void) unlinkat (evidence->directory, MANIFEST, 0);
  (void) unlinkat (evidence->directory, SIGNATURE, 0);
  if (is_made)
    (void) rmdir (path);
  return NULL;
}
