/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../daemon/tree.h"

#define HEX_DIGITS 64
#define WAIT_US (200 * 1000)
#define CHUNK_BYTES (256 * 1024)

struct DnFetch
{
  DnStore *store;    /* borrowed */
  char *directory;   /* owned */
  GHashTable *blobs; /* owned; SHA-256 → size, guint64 * */
  GPtrArray *claims; /* owned; keys of `blobs` */
  gboolean is_done;
};

static GMutex lock;
static GCond released;
static GHashTable *claimed; /* SHA-256 → DnFetch that is about to fetch it */
static GHashTable *needed;  /* SHA-256 → how many pulls have it among theirs */

char *
dn_fetch_directory (void)
{
  return g_build_filename (dn_paths ()->state, "store", "fetch", NULL);
}

DnFetch *
dn_fetch_new (DnStore *store, GError **error)
{
  g_autofree char *directory = dn_fetch_directory ();
  DnFetch *fetch;

  if (!dn_tree_make (directory, 0700, error))
    return NULL;
  fetch = g_new0 (DnFetch, 1);
  fetch->store = store;
  fetch->directory = g_steal_pointer (&directory);
  fetch->blobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  fetch->claims = g_ptr_array_new ();
  g_mutex_lock (&lock);
  if (claimed == NULL)
    {
      claimed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      needed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    }
  g_mutex_unlock (&lock);
  return fetch;
}

static char *
blob_path (DnFetch *fetch, const char *sha256)
{
  return g_build_filename (fetch->directory, sha256, NULL);
}

/* Under the lock.  Returns how many need it now. */
static guint
need (const char *sha256, int change)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (needed, sha256)) + (guint) change;

  if (count == 0)
    (void) g_hash_table_remove (needed, sha256);
  else
    g_hash_table_insert (needed, g_strdup (sha256), GUINT_TO_POINTER (count));
  return count;
}

static void
let_go (DnFetch *fetch)
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < fetch->claims->len; i++)
    (void) g_hash_table_remove (claimed, fetch->claims->pdata[i]);
  g_ptr_array_set_size (fetch->claims, 0);
  g_cond_broadcast (&released);
  g_mutex_unlock (&lock);
}

void
dn_fetch_free (DnFetch *fetch)
{
  GHashTableIter iter;
  const char *sha256;

  if (fetch == NULL)
    return;
  let_go (fetch);
  g_mutex_lock (&lock);
  g_hash_table_iter_init (&iter, fetch->blobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
    if (need (sha256, -1) == 0 && fetch->is_done)
      {
        g_autofree char *path = blob_path (fetch, sha256);

        (void) g_unlink (path);
      }
  g_mutex_unlock (&lock);
  g_hash_table_unref (fetch->blobs);
  g_ptr_array_unref (fetch->claims);
  g_free (fetch->directory);
  g_free (fetch);
}

gboolean
dn_fetch_add (DnFetch *fetch, const char *sha256, guint64 size, GError **error)
{
  if (g_hash_table_contains (fetch->blobs, sha256))
    return TRUE;
  if (g_hash_table_size (fetch->blobs) >= DN_FETCH_BLOBS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "more than %d blobs", DN_FETCH_BLOBS_MAX);
  g_hash_table_insert (fetch->blobs, g_strdup (sha256), g_memdup2 (&size, sizeof size));
  g_mutex_lock (&lock);
  (void) need (sha256, 1);
  g_mutex_unlock (&lock);
  return TRUE;
}

gboolean
dn_fetch_has (DnFetch *fetch, const char *sha256)
{
  return g_hash_table_contains (fetch->blobs, sha256);
}

/* The file of a blob, here or in the store, or NULL. (transfer full) */
static char *
find_file (DnFetch *fetch, const char *sha256)
{
  g_autofree char *path = blob_path (fetch, sha256);

  if (access (path, F_OK) == 0)
    return g_steal_pointer (&path);
  g_free (path);
  path = dn_store_blob_path (fetch->store, sha256);
  return access (path, F_OK) == 0 ? g_steal_pointer (&path) : NULL;
}

gboolean
dn_fetch_claim (DnFetch *fetch)
{
  GHashTableIter iter;
  const char *sha256;
  gboolean is_free = TRUE;

  g_mutex_lock (&lock);
  g_hash_table_iter_init (&iter, fetch->blobs);
  while (is_free && g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
    is_free = !g_hash_table_contains (claimed, sha256);
  if (!is_free)
    (void) g_cond_wait_until (&released, &lock, g_get_monotonic_time () + WAIT_US);
  else
    {
      g_hash_table_iter_init (&iter, fetch->blobs);
      while (g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
        {
          g_autofree char *file = find_file (fetch, sha256);

          if (file != NULL)
            continue;
          g_hash_table_insert (claimed, g_strdup (sha256), fetch);
          g_ptr_array_add (fetch->claims, (gpointer) sha256);
        }
    }
  g_mutex_unlock (&lock);
  return is_free;
}

guint64
dn_fetch_give (DnFetch *fetch, int fd)
{
  GHashTableIter iter;
  const char *sha256;
  const guint64 *size;
  guint64 given = 0;

  g_hash_table_iter_init (&iter, fetch->blobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sha256, (gpointer *) &size))
    {
      g_autofree char *file = find_file (fetch, sha256);

      /* One that cannot be linked is fetched, which is only slower. */
      if (file != NULL && linkat (AT_FDCWD, file, fd, sha256, 0) == 0)
        given += *size;
    }
  return given;
}

/* Whether the file has that many bytes, with that digest. */
static gboolean
is_right (int fd, guint64 size, const char *sha256)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  guint64 done = 0;
  ssize_t n;

  while ((n = read (fd, buffer, CHUNK_BYTES)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      {
        g_checksum_update (checksum, buffer, n);
        done += (guint64) n;
      }
  return n == 0 && done == size && g_str_equal (g_checksum_get_string (checksum), sha256);
}

/* Follows no link: what lies at @path was made in a jail. */
static gboolean
take_one (DnFetch *fetch, int directory, const char *sha256, gboolean *ret_is_wrong)
{
  const guint64 *size = g_hash_table_lookup (fetch->blobs, sha256);
  dn_autofd int fd
      = openat (directory, sha256, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  g_autofree char *path = blob_path (fetch, sha256);
  struct stat status;

  *ret_is_wrong = FALSE;
  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode) || status.st_nlink != 1)
    return FALSE;
  if ((guint64) status.st_size != *size || !is_right (fd, *size, sha256))
    {
      *ret_is_wrong = TRUE;
      return FALSE;
    }
  return fchown (fd, 0, 0) == 0 && fchmod (fd, 0444) == 0 && fsync (fd) == 0
         && renameat (directory, sha256, AT_FDCWD, path) == 0;
}

void
dn_fetch_take (DnFetch *fetch, const char *path, char **ret_wrong)
{
  dn_autofd int directory = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (ret_wrong != NULL)
    *ret_wrong = NULL;
  for (guint i = 0; directory >= 0 && i < fetch->claims->len; i++)
    {
      const char *sha256 = fetch->claims->pdata[i];
      gboolean is_wrong;

      (void) take_one (fetch, directory, sha256, &is_wrong);
      if (is_wrong && ret_wrong != NULL && *ret_wrong == NULL)
        *ret_wrong = g_strdup (sha256);
    }
  let_go (fetch);
}

gboolean
dn_fetch_is_complete (DnFetch *fetch)
{
  GHashTableIter iter;
  const char *sha256;

  g_hash_table_iter_init (&iter, fetch->blobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sha256, NULL))
    {
      g_autofree char *path = blob_path (fetch, sha256);
      g_autofree char *stored = dn_store_blob_path (fetch->store, sha256);

      if (access (path, F_OK) < 0 && link (stored, path) < 0 && errno != EEXIST)
        return FALSE;
    }
  return TRUE;
}

void
dn_fetch_done (DnFetch *fetch)
{
  fetch->is_done = TRUE;
}

typedef struct
{
  char *name;
  guint64 bytes;
  gint64 changed_s;
} Found;

static void
free_found (Found *found)
{
  g_free (found->name);
  g_free (found);
}

static gint
by_age (gconstpointer a, gconstpointer b)
{
  const Found *one = *(const Found *const *) a, *other = *(const Found *const *) b;

  return one->changed_s < other->changed_s ? -1 : one->changed_s > other->changed_s;
}

/* (transfer full) (element-type Found): the oldest first. */
static GPtrArray *
list (const char *directory, guint64 *ret_bytes)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) free_found);
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  *ret_bytes = 0;
  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);
      struct stat status;
      Found *found;

      if (!dn_id_is_hex (name, HEX_DIGITS) || lstat (path, &status) < 0)
        continue;
      found = g_new0 (Found, 1);
      found->name = g_strdup (name);
      found->bytes = (guint64) status.st_size;
      /* Links made since count as use. */
      found->changed_s = status.st_ctime;
      *ret_bytes += found->bytes;
      g_ptr_array_add (all, found);
    }
  g_ptr_array_sort (all, by_age);
  return all;
}

void
dn_fetch_prune (guint64 limit_bytes, GPtrArray *removed)
{
  g_autofree char *directory = dn_fetch_directory ();
  guint64 bytes;
  g_autoptr (GPtrArray) all = list (directory, &bytes);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;

  for (guint i = 0; i < all->len; i++)
    {
      const Found *found = all->pdata[i];
      g_autofree char *path = g_build_filename (directory, found->name, NULL);
      gboolean is_gone = FALSE;

      if (limit_bytes > 0 && bytes <= limit_bytes && now_s - found->changed_s < DN_FETCH_AGE_S)
        continue;
      g_mutex_lock (&lock);
      if (needed == NULL || !g_hash_table_contains (needed, found->name))
        is_gone = g_unlink (path) == 0;
      g_mutex_unlock (&lock);
      if (!is_gone)
        continue;
      bytes -= found->bytes;
      if (removed != NULL)
        g_ptr_array_add (removed, g_strdup_printf ("fetched blob %s", found->name));
    }
}
