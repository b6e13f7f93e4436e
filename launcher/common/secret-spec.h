/* SPDX-License-Identifier: Apache-2.0 */
/* What a secret or a configuration file of a container is called, where it is found and whose it
 * is; never what is in it.
 *
 *     NAME[,target=PATH][,uid=N][,gid=N][,mode=OCTAL]
 *
 * NAME has letters, digits, '_', '.' and '-', and begins with none of the last two.  `target` is a
 * name in /run/secrets (by default NAME), or an absolute path.  A secret belongs to the container's
 * user and has mode 0400; a configuration file to its root, 0444.
 *
 * All of a container's lie in one directory in memory that is mounted at /run/secrets, read-only;
 * one with a target elsewhere is a symbolic link there to its file, called NAME.
 *
 * Refused: targets that are no plain absolute path (".", "..", doubled slashes), that lie in /proc,
 * /sys or /dev, that hide /run or what Danchi itself puts into /etc; two that are one or in one
 * another; modes beyond 0777.
 *
 * Pure.  Source: docker-service-create(1), podman-run(1), --secret.
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"

#define DN_SECRETS_DIRECTORY "/run/secrets"

typedef struct
{
  char *name;         /* owned, as are all of these */
  char *target;       /* absolute */
  char *file;         /* its name in /run/secrets */
  gboolean is_linked; /* @target is elsewhere */
  gboolean is_config;
  guint32 uid; /* of the container; DN_SECRET_OF_USER: its user's */
  guint32 gid;
  guint mode;
} DnSecretSpec;

/* One text.  DN_ERROR_USAGE, naming flag and secret.  (transfer full) */
DnSecretSpec *dn_secret_spec_parse (const char *text, gboolean is_config, GError **error);
void dn_secret_spec_free (DnSecretSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSecretSpec, dn_secret_spec_free)

/* Whether it can be the name of one; DN_ERROR_USAGE. */
gboolean dn_secret_name_check (const char *name, const char *flag, GError **error);

/* All of a container's; both lists may be NULL.  DN_ERROR_USAGE also for names and targets that are
 * there twice, and for more than %DN_SECRETS_MAX.
 * (transfer full) (element-type DnSecretSpec): in their order */
GPtrArray *dn_secret_specs_parse (char **secrets, char **configs, GError **error);

/* The one called @name, borrowed, or NULL. */
const DnSecretSpec *dn_secret_specs_find (const GPtrArray *specs, const char *name);
