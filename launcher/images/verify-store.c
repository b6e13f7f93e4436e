/* SPDX-License-Identifier: Apache-2.0 */
#include "verify-store.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../common/state-file.h"
#include "digest.h"
#include "disk.h"
#include "store-private.h"
#include "tree-check.h"

#define CHUNK_BYTES (1024 * 1024)
#define NICE 15
/* linux/ioprio.h, which Debian's headers of libc have not: this thread, class idle. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)
#define NAMES_MAX_BYTES 200

typedef struct
{
  DnStore *store;
  DnStoreReport *report;
  GPtrArray *images;  /* DnImage */
  GHashTable *layers; /* key → DnLayer */
  GHashTable *blobs;  /* digest → itself; owned */
  DnStoreVerifyTick tick;
  gpointer data;
  guint64 total;
  gboolean is_stopped;
} Verify;

static void
free_problem (DnStoreProblem *damage)
{
  g_free (damage->what);
  g_free (damage->problem);
  g_free (damage->remedy);
  g_free (damage);
}

DnStoreReport *
dn_store_report_new (void)
{
  DnStoreReport *report = g_new0 (DnStoreReport, 1);

  report->damaged = g_ptr_array_new_with_free_func ((GDestroyNotify) free_problem);
  return report;
}

void
dn_store_report_free (DnStoreReport *report)
{
  if (report == NULL)
    return;
  g_ptr_array_unref (report->damaged);
  g_free (report);
}

/* Takes all three. */
static void
add_damage (Verify *verify, char *what, char *problem, char *remedy)
{
  DnStoreProblem *damage = g_new0 (DnStoreProblem, 1);

  *damage = (DnStoreProblem){ what, problem, remedy };
  g_ptr_array_add (verify->report->damaged, damage);
}

static gboolean
pass (guint64 bytes, gpointer data)
{
  Verify *verify = data;

  verify->report->bytes += bytes;
  if (!verify->is_stopped && verify->tick != NULL
      && !verify->tick (MIN (verify->report->bytes, verify->total), verify->total, verify->data))
    verify->is_stopped = TRUE;
  return !verify->is_stopped;
}

/* A name that people know the image by. */
static const char *
name_of (const DnImage *image)
{
  return image->names[0] != NULL ? image->names[0] : image->id;
}

static gboolean
has_layer (const DnImage *image, const char *key)
{
  for (guint i = 0; i < image->layers->len; i++)
    if (g_str_equal (((DnLayer *) image->layers->pdata[i])->key, key))
      return TRUE;
  return FALSE;
}

static gboolean
has_blob (const DnImage *image, const char *sha256)
{
  if (g_str_equal (image->id, sha256) || g_strcmp0 (image->manifest_sha256, sha256) == 0)
    return TRUE;
  for (guint i = 0; i < image->layers->len; i++)
    if (g_str_equal (((DnLayer *) image->layers->pdata[i])->blob, sha256))
      return TRUE;
  return FALSE;
}

/* The names of the images, as they are now, that need the thing, or NULL: none does. */
static char *
who_needs (Verify *verify, gboolean (*needs) (const DnImage *, const char *), const char *digest)
{
  g_autoptr (GPtrArray) all = dn_store_list (verify->store);
  GString *names = NULL;

  for (guint i = 0; i < all->len; i++)
    {
      if (!needs (all->pdata[i], digest))
        continue;
      if (names == NULL)
        names = g_string_new (name_of (all->pdata[i]));
      else if (names->len < NAMES_MAX_BYTES)
        g_string_append_printf (names, " %s", name_of (all->pdata[i]));
      else if (!g_str_has_suffix (names->str, " ..."))
        g_string_append (names, " ...");
    }
  return names != NULL ? g_string_free (names, FALSE) : NULL;
}

/* What is not there any more and needed by nobody was removed meanwhile; else the damage is real.
 */
static void
add_needed (Verify *verify, const char *kind, const char *digest, const char *path,
            gboolean (*needs) (const DnImage *, const char *), char *problem)
{
  g_autofree char *names = who_needs (verify, needs, digest);

  if (names == NULL && access (path, F_OK) < 0)
    g_free (problem);
  else if (names == NULL)
    add_damage (verify, g_strdup_printf ("%s '%.12s'", kind, digest), problem,
                g_strdup ("no image needs it: danchi gc removes it"));
  else
    add_damage (
        verify, g_strdup_printf ("%s '%.12s'", kind, digest), problem,
        g_strdup_printf ("remove and load again what needs it: danchi image rm -f %s", names));
}

/* Opens a file of the store that nobody but root may have written.  -1 with @ret_problem. */
static int
open_file (const char *path, guint64 *ret_bytes, char **ret_problem)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0)
    {
      *ret_problem = errno == ENOENT ? g_strdup ("is missing") : g_strdup (g_strerror (errno));
      return -1;
    }
  if (!S_ISREG (status.st_mode))
    *ret_problem = g_strdup ("is no plain file");
  else if (status.st_uid != geteuid () || (status.st_mode & 0222) != 0)
    *ret_problem = g_strdup_printf ("could have been written by others: uid %u, mode %04o",
                                    status.st_uid, status.st_mode & 07777);
  if (*ret_problem != NULL)
    return -1;
  *ret_bytes = (guint64) status.st_size;
  return g_steal_fd (&fd);
}

/* Whether the first @bytes of @fd have the digest; TRUE too when it was stopped. */
static gboolean
has_digest (Verify *verify, int fd, const char *sha256, char **ret_problem)
{
  struct sha256_ctx context;
  guint8 digest[DN_DIGEST_BYTES];
  g_autofree char *found = NULL;
  g_autofree guint8 *chunk = g_malloc (CHUNK_BYTES);
  ssize_t n;

  sha256_init (&context);
  while ((n = read (fd, chunk, CHUNK_BYTES)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          *ret_problem = g_strdup_printf ("cannot be read: %s", g_strerror (errno));
          return FALSE;
        }
      sha256_update (&context, (size_t) n, chunk);
      if (!pass ((guint64) n, verify))
        return TRUE;
    }
  /* Nobody reads blobs often: they need not push out what guests read. */
  (void) posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  sha256_digest (&context, sizeof digest, digest);
  found = dn_digest_to_hex (digest);
  if (g_str_equal (found, sha256))
    return TRUE;
  *ret_problem = g_strdup ("its bytes are not those of its digest");
  return FALSE;
}

static void
check_blob (Verify *verify, const char *sha256)
{
  g_autofree char *path = dn_store_blob_path (verify->store, sha256);
  char *problem = NULL;
  guint64 bytes;
  dn_autofd int fd = open_file (path, &bytes, &problem);

  verify->report->blobs++;
  if (fd >= 0)
    (void) has_digest (verify, fd, sha256, &problem);
  if (problem != NULL)
    add_needed (verify, "blob", sha256, path, has_blob, problem);
}

static void
check_layer (Verify *verify, const DnLayer *layer)
{
  g_autofree char *path = dn_store_layer_path (verify->store, layer->key);
  DnHashTree tree = { .data_blocks = (guint64) layer->data_blocks,
                      .hash_blocks = (guint64) layer->hash_blocks };
  g_autoptr (DnLayer) known = dn_store_find_layer (verify->store, layer->key);
  char *problem = NULL;
  guint64 bytes;
  dn_autofd int fd = open_file (path, &bytes, &problem);

  verify->report->layers++;
  g_strlcpy (tree.root_hash, layer->root_hash, sizeof tree.root_hash);
  if (fd >= 0)
    (void) dn_tree_check_file (fd, &tree, pass, verify, &problem);
  if (problem == NULL && (known == NULL || !dn_layer_equal (known, layer)))
    problem = g_strdup ("its layer.json is not what its image says of it");
  if (problem != NULL)
    add_needed (verify, "layer", layer->key, path, has_layer, problem);
}

static char *
json_text (DnImage *image)
{
  g_autoptr (JsonNode) node = dn_image_to_json (image);

  return dn_json_to_text (node, FALSE);
}

/* Whether the image's file says what danchid knows.  A change of names may come in between the two
 * looks: they are taken anew then. */
static gboolean
is_as_known (Verify *verify, const char *id, const char *path, char **ret_problem)
{
  for (guint attempt = 0; attempt < 3; attempt++)
    {
      g_autoptr (DnImage) known = dn_store_find_id (verify->store, id);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (DnImage) there = NULL;
      g_autofree char *wanted = NULL, *found = NULL;

      if (known == NULL)
        return TRUE; /* it was removed */
      node = dn_state_file_read (path, &error);
      if (node != NULL)
        there = dn_image_from_json (json_node_get_object (node), "it", &error);
      wanted = json_text (known);
      found = there != NULL ? json_text (there) : NULL;
      if (g_strcmp0 (wanted, found) == 0)
        return TRUE;
      g_free (*ret_problem);
      *ret_problem = there != NULL ? g_strdup ("its file is not what danchid knows of it")
                                   : g_strdup (error->message);
    }
  return FALSE;
}

/* The description of the disk, where there is one. */
static gboolean
has_its_disk (Verify *verify, const DnImage *image)
{
  g_autoptr (DnGuestDisk) disk = dn_store_make_disk (verify->store, image);
  g_autoptr (DnImage) known = NULL;

  if (image->layers->len < 2
      || dn_disk_is_as_written (disk->path, image->layers, image->layers->len))
    return TRUE;
  known = dn_store_find_id (verify->store, image->id);
  return known == NULL; /* it was removed */
}

static void
check_image (Verify *verify, const DnImage *image)
{
  g_autofree char *path
      = g_build_filename (verify->store->images_path, image->id, "image.json", NULL);
  char *problem = NULL;

  verify->report->images++;
  if (is_as_known (verify, image->id, path, &problem))
    {
      g_clear_pointer (&problem, g_free);
      if (!has_its_disk (verify, image))
        problem = g_strdup ("its disk's description is not of its layers");
    }
  if (problem != NULL)
    add_damage (verify, g_strdup_printf ("image '%.12s' (%s)", image->id, name_of (image)), problem,
                g_strdup_printf ("danchi image rm -f %.12s, then load it again", image->id));
}

static void
check_names (Verify *verify)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < verify->images->len; i++)
    {
      const DnImage *image = verify->images->pdata[i];

      for (char **name = image->names; *name != NULL; name++)
        if (!g_hash_table_add (seen, *name))
          add_damage (verify, g_strdup_printf ("name '%s'", *name), g_strdup ("two images have it"),
                      g_strdup_printf ("danchi tag IMAGE-ID %s gives it to one of them", *name));
    }
}

/* Directories that danchid left out when it started. */
static void
check_directories (Verify *verify)
{
  g_autoptr (GDir) directory = g_dir_open (verify->store->images_path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autoptr (DnImage) known = dn_store_find_id (verify->store, name);
      g_autofree char *path = g_build_filename (verify->store->images_path, name, NULL);

      /* It may have come or gone since the directory was opened. */
      if (known == NULL && access (path, F_OK) == 0
          && (known = dn_store_find_id (verify->store, name)) == NULL)
        add_damage (verify, g_strdup_printf ("image '%.12s'", name),
                    g_strdup ("its image.json cannot be used: danchid's log says why"),
                    g_strdup_printf ("remove the directory '%s' and load the image again", path));
    }
}

static void
need_image (Verify *verify, const DnImage *image)
{
  g_hash_table_add (verify->blobs, g_strdup (image->id));
  if (image->manifest_sha256 != NULL
      && strspn (image->manifest_sha256, "0") != strlen (image->manifest_sha256))
    g_hash_table_add (verify->blobs, g_strdup (image->manifest_sha256));
  for (guint i = 0; i < image->layers->len; i++)
    {
      DnLayer *layer = image->layers->pdata[i];

      g_hash_table_add (verify->blobs, g_strdup (layer->blob));
      if (!g_hash_table_contains (verify->layers, layer->key))
        g_hash_table_insert (verify->layers, layer->key, dn_layer_ref (layer));
    }
}

/* Blobs that no image needs are checked as well: one that is needed next may be among them. */
static void
need_all_blobs (Verify *verify)
{
  g_autoptr (GDir) directory = g_dir_open (verify->store->blobs_path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (dn_id_is_hex (name, DN_DIGEST_DIGITS))
      g_hash_table_add (verify->blobs, g_strdup (name));
}

static void
measure (Verify *verify)
{
  GHashTableIter iter;
  const char *sha256;
  DnLayer *layer;

  g_hash_table_iter_init (&iter, verify->blobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
    {
      g_autofree char *path = dn_store_blob_path (verify->store, sha256);
      struct stat status;

      if (stat (path, &status) == 0)
        verify->total += (guint64) status.st_size;
    }
  g_hash_table_iter_init (&iter, verify->layers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &layer))
    verify->total += (guint64) layer->data_blocks * DN_HASH_TREE_BLOCK_BYTES;
}

static void
check_all (Verify *verify)
{
  GHashTableIter iter;
  const char *sha256;
  DnLayer *layer;

  for (guint i = 0; i < verify->images->len; i++)
    check_image (verify, verify->images->pdata[i]);
  check_names (verify);
  g_hash_table_iter_init (&iter, verify->layers);
  while (!verify->is_stopped && g_hash_table_iter_next (&iter, NULL, (gpointer *) &layer))
    check_layer (verify, layer);
  g_hash_table_iter_init (&iter, verify->blobs);
  while (!verify->is_stopped && g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
    check_blob (verify, sha256);
}

/* Whoever reads or runs at the same time goes first. */
static void
lower_priority (void)
{
  (void) syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
  (void) setpriority (PRIO_PROCESS, 0, NICE);
}

gboolean
dn_store_verify (DnStore *store, const GPtrArray *images, DnStoreVerifyTick tick, gpointer data,
                 DnStoreReport *report, GError **error)
{
  g_autoptr (GPtrArray) chosen = images == NULL ? dn_store_list (store) : NULL;
  g_autoptr (GHashTable) layers
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) dn_layer_unref);
  g_autoptr (GHashTable) blobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Verify verify = { .store = store,
                    .report = report,
                    .images = images != NULL ? (GPtrArray *) images : chosen,
                    .layers = layers,
                    .blobs = blobs,
                    .tick = tick,
                    .data = data };

  lower_priority ();
  for (guint i = 0; i < verify.images->len; i++)
    need_image (&verify, verify.images->pdata[i]);
  if (images == NULL)
    {
      need_all_blobs (&verify);
      check_directories (&verify);
    }
  measure (&verify);
  check_all (&verify);
  return !verify.is_stopped || dn_throw (error, DN_ERROR_FAILED, "the client has gone");
}
