/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount of type secrets says of its files and of the links to them. */
#include <errno.h>
#include <string.h>

#include "config.h"

static bool
name_is_plain (const char *name)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  size_t length = strlen (name);

  return length > 0 && length <= DN_SECRET_NAME_BYTES && name[0] != '.'
         && strspn (name, letters) == length;
}

static bool
has_file (const DnConfigMount *mount, const char *name, size_t length)
{
  for (size_t i = 0; i < mount->files.count; i++)
    if (strlen (mount->files.items[i]) == length
        && memcmp (mount->files.items[i], name, length) == 0)
      return true;
  return false;
}

static int
check_files (const DnConfigMount *mount, DnFault *fault)
{
  if (mount->files.count == 0)
    return dn_fault_set (fault, -EINVAL, "mount '%s': 'files' must name some", mount->target);
  for (size_t i = 0; i < mount->files.count; i++)
    {
      const char *name = mount->files.items[i];

      if (!name_is_plain (name))
        return dn_fault_set (fault, -EINVAL, "mount '%s': '%s' is no name of a file", mount->target,
                             name);
      for (size_t k = 0; k < i; k++)
        if (strcmp (mount->files.items[k], name) == 0)
          return dn_fault_set (fault, -EINVAL, "mount '%s': '%s' is there twice", mount->target,
                               name);
    }
  return 0;
}

static int
check_links (const DnConfigMount *mount, DnFault *fault)
{
  for (size_t i = 0; i < mount->links.count; i++)
    {
      const char *link = mount->links.items[i];
      size_t length = strcspn (link, " ");

      if (!has_file (mount, link, length) || link[length] != ' ' || link[length + 1] != '/'
          || strlen (link + length + 1) > DN_PATH_BYTES)
        return dn_fault_set (fault, -EINVAL, "mount '%s': '%s' is no link to a file of it",
                             mount->target, link);
    }
  return 0;
}

int
dn_config_secrets (const json_t *object, DnConfigMount *mount, DnFault *fault)
{
  int r;

  if ((r = dn_json_texts (object, "files", DN_SECRETS_MAX, &mount->files, fault)) < 0
      || (r = dn_json_texts (object, "links", DN_SECRETS_MAX, &mount->links, fault)) < 0
      || (r = check_files (mount, fault)) < 0)
    return r;
  return check_links (mount, fault);
}
