/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay-options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mounts.h"

/* The end of a layer's path: a colon, unless a backslash is before it. */
static const char *
find_end (const char *at)
{
  while (*at != '\0' && *at != ':')
    at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
  return at;
}

/* A copy of @size bytes without overlayfs's backslashes; NULL: no memory */
static char *
copy_part (const char *from, size_t size)
{
  char *copy = malloc (size + 1), *to = copy;

  if (copy == NULL)
    return NULL;
  for (size_t i = 0; i < size; i++)
    {
      if (from[i] == '\\' && i + 1 < size)
        i++;
      *to++ = from[i];
    }
  *to = '\0';
  return copy;
}

static int
add_lower (DnOverlayOptions *options, const char *from, size_t size)
{
  if (size == 0)
    return -EINVAL; /* "::" is data alone, which no snapshotter makes */
  if (options->lower_count == DN_OVERLAY_LAYERS_MAX)
    return -E2BIG;
  options->lower[options->lower_count] = copy_part (from, size);
  return options->lower[options->lower_count++] == NULL ? -ENOMEM : 0;
}

static int
add_lowers (DnOverlayOptions *options, const char *value, const char *end)
{
  int r = 0;

  while (r == 0)
    {
      const char *stop = find_end (value);

      if (stop > end)
        stop = end;
      r = add_lower (options, value, (size_t) (stop - value));
      if (stop == end)
        break;
      value = stop + 1;
    }
  return r;
}

static int
set_part (char **part, const char *from, size_t size)
{
  free (*part);
  *part = size > 0 ? copy_part (from, size) : NULL;
  return *part == NULL ? (size > 0 ? -ENOMEM : -EINVAL) : 0;
}

static int
keep (DnOverlayOptions *options, const char *from, size_t size)
{
  size_t used = strlen (options->options);

  if (used + size + 2 > sizeof options->options)
    return -E2BIG;
  (void) snprintf (options->options + used, sizeof options->options - used, ",%.*s", (int) size,
                   from);
  return 0;
}

static bool
begins (const char *option, size_t size, const char *key)
{
  return size >= strlen (key) && strncmp (option, key, strlen (key)) == 0;
}

static int
read_option (DnOverlayOptions *options, const char *at, size_t size)
{
  static const char *const kept[] = { "redirect_dir=", "metacopy=", "userxattr" };

  if (begins (at, size, "lowerdir="))
    return add_lowers (options, at + strlen ("lowerdir="), at + size);
  if (begins (at, size, "lowerdir+="))
    return add_lower (options, at + strlen ("lowerdir+="), size - strlen ("lowerdir+="));
  if (begins (at, size, "upperdir="))
    return set_part (&options->upper, at + strlen ("upperdir="), size - strlen ("upperdir="));
  if (begins (at, size, "workdir="))
    return set_part (&options->work, at + strlen ("workdir="), size - strlen ("workdir="));
  /* As mounts are told by kernels of now, and by those that have fsync=. */
  if (begins (at, size, "volatile") || begins (at, size, "fsync=volatile"))
    options->is_volatile = true;
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
    if (begins (at, size, kept[i]))
      return keep (options, at, size);
  return 0;
}

/* Commas that part options are the only ones that are not written as \\054. */
static int
read_options (char *text, DnOverlayOptions *options)
{
  char *saved = NULL;
  int r = 0;

  for (char *option = strtok_r (text, ",", &saved); option != NULL && r == 0;
       option = strtok_r (NULL, ",", &saved))
    {
      dn_share_mounts_unescape (option);
      r = read_option (options, option, strlen (option));
    }
  if (r == 0 && (options->lower_count == 0 || (options->upper == NULL) != (options->work == NULL)))
    r = -EINVAL;
  return r;
}

/* Super options are the last of a line's words, the type the second after " - ". */
static int
read_line (char *line, DnOverlayOptions *options)
{
  char *at = strstr (line, " - ");
  char *last = strrchr (line, ' ');

  if (at == NULL || last == NULL || last <= at || strncmp (at + 3, "overlay ", 8) != 0)
    return -EINVAL;
  return read_options (last + 1, options);
}

int
dn_overlay_options_find (const char *mountinfo, unsigned long long id,
                         DnOverlayOptions *ret_options)
{
  const char *at = dn_share_mounts_find (mountinfo, id);
  char *line;
  int r;

  *ret_options = (DnOverlayOptions){ .lower_count = 0 };
  if (at == NULL)
    return -ENOENT;
  line = strndup (at, strcspn (at, "\n"));
  r = line == NULL ? -ENOMEM : read_line (line, ret_options);
  free (line);
  return r;
}

void
dn_overlay_options_clear (DnOverlayOptions *options)
{
  for (size_t i = 0; i < options->lower_count; i++)
    free (options->lower[i]);
  free (options->upper);
  free (options->work);
  *options = (DnOverlayOptions){ .lower_count = 0 };
}

bool
dn_overlay_options_base (const DnOverlayOptions *options, char ret_base[PATH_MAX])
{
  if (options->upper == NULL || options->upper[0] != '/'
      || snprintf (ret_base, PATH_MAX, "%s", options->upper) >= PATH_MAX)
    return false;
  for (int i = 0; i < 2; i++)
    {
      char *slash = strrchr (ret_base, '/');

      if (slash == NULL || slash == ret_base)
        return false;
      *slash = '\0';
    }
  return true;
}
