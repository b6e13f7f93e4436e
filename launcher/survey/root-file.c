/* SPDX-License-Identifier: Apache-2.0 */
#include "root-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"

char *
dn_root_file_path (const char *root, const char *path)
{
  return g_str_equal (root, "/") ? g_strdup (path) : g_strconcat (root, path, NULL);
}

char *
dn_root_file_read (const char *root, const char *path, gsize max_bytes)
{
  g_autofree char *full = dn_root_file_path (root, path);
  /* A pipe or a device under a name that should be a file's must not hold an audit up. */
  dn_autofd int fd = open (full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[16384];
  struct stat status;
  ssize_t n;

  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    return NULL;
  while (text->len < max_bytes
         && (n = read (fd, buffer, MIN (sizeof buffer, max_bytes - text->len))) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return NULL;
      g_string_append_len (text, buffer, n);
    }
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] == '\0')
      text->str[i] = '\n';
  if (text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
dn_root_file_read_line (const char *root, const char *path)
{
  char *text = dn_root_file_read (root, path, DN_ROOT_FILE_MAX_BYTES);

  if (text != NULL)
    {
      text[strcspn (text, "\n")] = '\0';
      g_strstrip (text);
    }
  return text;
}

char *
dn_root_file_read_link (const char *root, const char *path)
{
  g_autofree char *full = dn_root_file_path (root, path);

  return g_file_read_link (full, NULL);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
dn_root_file_list (const char *root, const char *path, guint max)
{
  g_autofree char *full = dn_root_file_path (root, path);
  g_autoptr (GDir) directory = g_dir_open (full, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && names->len < max && (name = g_dir_read_name (directory)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}
