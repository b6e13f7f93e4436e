/* SPDX-License-Identifier: Apache-2.0 */
#include "copy-in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CHUNK_BYTES (256 * 1024)

typedef struct
{
  int out;       /* borrowed */
  guint entries; /* so far */
  guint depth;
  GString *shown; /* the path on this host, for errors */
} Walk;

static gboolean send_any (Walk *walk, int directory, const char *base, const char *name,
                          GError **error);

static gboolean
throw_here (const Walk *walk, GError **error)
{
  return dn_throw_errno (error, "copy: '%s'", walk->shown->str);
}

static gboolean
count_entry (Walk *walk, GError **error)
{
  if (++walk->entries > DN_COPY_ENTRIES_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "copy: more than %d files", DN_COPY_ENTRIES_MAX);
  return TRUE;
}

static gboolean
send_file (Walk *walk, int fd, const struct stat *status, const char *name, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_BYTES);
  guint64 left = (guint64) status->st_size;

  if (!dn_copy_write_item (walk->out, DN_COPY_FILE, status->st_mode, left, status->st_mtim.tv_sec,
                           name, "", error))
    return FALSE;
  while (left > 0)
    {
      ssize_t n = read (fd, chunk, (gsize) MIN (left, (guint64) CHUNK_BYTES));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return throw_here (walk, error);
      /* Its length was promised; what a growing file gains is left out. */
      if (n == 0)
        return dn_throw (error, DN_ERROR_FAILED, "copy: '%s': became shorter while it was copied",
                         walk->shown->str);
      if (!dn_copy_write (walk->out, chunk, (gsize) n, error))
        return FALSE;
      left -= (guint64) n;
    }
  return TRUE;
}

static gboolean
send_link (Walk *walk, int directory, const char *base, const struct stat *status, const char *name,
           GError **error)
{
  char link[DN_COPY_NAME_BYTES + 1];
  ssize_t n = readlinkat (directory, base, link, sizeof link);

  if (n < 0)
    return throw_here (walk, error);
  if (n == 0 || (gsize) n >= sizeof link)
    return dn_throw (error, DN_ERROR_FAILED, "copy: '%s': a link to a name that is too long",
                     walk->shown->str);
  link[n] = '\0';
  return dn_copy_write_item (walk->out, DN_COPY_LINK, 0777, 0, status->st_mtim.tv_sec, name, link,
                             error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The names in a directory, sorted: the same tree gives the same stream. (transfer full) */
static GPtrArray *
read_names (Walk *walk, int fd, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = copy >= 0 ? fdopendir (copy) : NULL;
  const struct dirent *entry;

  if (stream == NULL)
    {
      throw_here (walk, error);
      dn_fd_clear (&copy);
      return NULL;
    }
  while ((errno = 0, entry = readdir (stream)) != NULL)
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, ".."))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  if (errno != 0)
    {
      throw_here (walk, error);
      (void) closedir (stream);
      return NULL;
    }
  (void) closedir (stream);
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

static gboolean
send_directory (Walk *walk, int fd, const struct stat *status, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = NULL;
  gboolean is_fine = TRUE;

  if (walk->depth == DN_COPY_IN_DEPTH_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "copy: '%s': deeper than %d directories",
                     walk->shown->str, DN_COPY_IN_DEPTH_MAX);
  if (*name != '\0'
      && !dn_copy_write_item (walk->out, DN_COPY_DIRECTORY, status->st_mode, 0,
                              status->st_mtim.tv_sec, name, "", error))
    return FALSE;
  names = read_names (walk, fd, error);
  walk->depth++;
  for (guint i = 0; names != NULL && is_fine && i < names->len; i++)
    {
      const char *base = names->pdata[i];
      g_autofree char *full = *name != '\0' ? g_strconcat (name, "/", base, NULL) : g_strdup (base);
      gsize size = walk->shown->len;

      g_string_append_printf (walk->shown, "/%s", base);
      is_fine = send_any (walk, fd, base, full, error);
      g_string_truncate (walk->shown, size);
    }
  walk->depth--;
  return names != NULL && is_fine;
}

/* An open file or directory. */
static gboolean
send_opened (Walk *walk, int fd, const char *name, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) < 0)
    return throw_here (walk, error);
  if (S_ISDIR (status.st_mode))
    return send_directory (walk, fd, &status, name, error);
  if (S_ISREG (status.st_mode))
    return send_file (walk, fd, &status, name, error);
  return dn_throw (error, DN_ERROR_USAGE,
                   "copy: '%s': is no file, directory or link; nothing else is copied",
                   walk->shown->str);
}

static gboolean
send_any (Walk *walk, int directory, const char *base, const char *name, GError **error)
{
  struct stat status;
  dn_autofd int fd = -1;

  if (!count_entry (walk, error))
    return FALSE;
  if (fstatat (directory, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return throw_here (walk, error);
  if (S_ISLNK (status.st_mode))
    return send_link (walk, directory, base, &status, name, error);
  if (!S_ISDIR (status.st_mode) && !S_ISREG (status.st_mode))
    return dn_throw (error, DN_ERROR_USAGE,
                     "copy: '%s': is no file, directory or link; nothing else is copied",
                     walk->shown->str);
  /* O_NONBLOCK: should it have become a pipe since, opening it must not wait for a writer. */
  fd = openat (directory, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return fd >= 0 ? send_opened (walk, fd, name, error) : throw_here (walk, error);
}

gboolean
dn_copy_in_send (int fd, const char *path, const char *name, GError **error)
{
  g_autoptr (GString) shown = g_string_new (path);
  Walk walk = { .out = fd, .entries = 1, .shown = shown };
  dn_autofd int top = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  if (top < 0)
    return throw_here (&walk, error);
  return send_opened (&walk, top, name, error)
         && dn_copy_write_item (fd, DN_COPY_END, 0, 0, 0, "", "", error);
}
