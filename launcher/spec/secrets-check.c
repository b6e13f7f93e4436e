/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets-check.h"

#include <string.h>

#include "../common/error.h"
#include "../common/secret-spec.h"
#include "mount-spec.h"

static gboolean
is_in (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static gboolean
check_beside (const DnSecretSpec *secret, const DnMountSpec *mount, GError **error)
{
  const char *flag = secret->is_config ? "--config" : "--secret";

  if (is_in (mount->target, DN_SECRETS_DIRECTORY))
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': a mount at '%s' is in the place of secrets",
                     flag, secret->name, mount->target);
  return mount->kind == DN_MOUNT_TMPFS || !is_in (secret->target, mount->target)
         || dn_throw (error, DN_ERROR_USAGE,
                      "%s: '%s': its target '%s' lies in what is mounted at '%s' and outlives the "
                      "container\nlet the program read " DN_SECRETS_DIRECTORY "/%s",
                      flag, secret->name, secret->target, mount->target, secret->name);
}

gboolean
dn_secrets_check (const DnContainerOptions *options, GError **error)
{
  g_autoptr (GPtrArray) secrets = dn_secret_specs_parse (options->secrets, options->configs, error);
  g_autoptr (GPtrArray) mounts = NULL;

  if (secrets == NULL || secrets->len == 0)
    return secrets != NULL;
  mounts = dn_mount_specs_parse (options->volumes, options->tmpfs, error);
  for (guint i = 0; mounts != NULL && i < secrets->len; i++)
    for (guint k = 0; k < mounts->len; k++)
      if (!check_beside (secrets->pdata[i], mounts->pdata[k], error))
        return FALSE;
  return mounts != NULL;
}
