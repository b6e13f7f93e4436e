/* SPDX-License-Identifier: Apache-2.0 */
/* What users other than root may do on this host as a whole: the groups [access] and [limits] of
 * danchi.conf.
 *
 *     [access]
 *     socket_group = danchi       members may connect at all; root: only root itself may
 *     ephemeral_users = alice     may make containers without a context: each gets one that is
 *     ephemeral_groups = devs     its maker's alone
 *     load_users = ci             may load images, and see all there are
 *     load_groups = builders
 *     [limits]                    of each user but root; 0: none
 *     contexts_per_user = 0       contexts made for its containers
 *     containers_per_user = 0     containers it made, in whatever context
 *     memory_mib_per_user = 0     of the guests of contexts made for its containers
 *     volumes_per_user = 0        volumes it made, in whatever scope
 *     volume_mib_per_user = 0     the sizes of those together
 *
 * Users and groups as in ../spec/access.h.  Pure.
 */
#pragma once

#include "../spec/access.h"

#define DN_HOST_ACCESS_KEYS 10

typedef struct
{
  char *socket_group; /* owned, as are all */
  char **ephemeral_users;
  char **ephemeral_groups;
  char **load_users;
  char **load_groups;
  guint64 contexts_per_user;
  guint64 containers_per_user;
  guint64 memory_bytes_per_user;
  guint64 volumes_per_user;
  guint64 volume_bytes_per_user;
} DnHostAccess;

/* Nobody but root. */
void dn_host_access_init (DnHostAccess *access);
void dn_host_access_clear (DnHostAccess *access);

/* The %DN_HOST_ACCESS_KEYS keys that read @access, for a table of dn_key_file_parse(). */
void dn_host_access_fill_keys (DnHostAccess *access, DnKey *ret_keys);

/* Whether somebody may make containers without a context, and load images. */
gboolean dn_host_access_makes (const DnHostAccess *access, const DnPrincipal *principal);
gboolean dn_host_access_loads (const DnHostAccess *access, const DnPrincipal *principal);

/* What one user has. */
typedef struct
{
  guint64 contexts;
  guint64 containers;
  guint64 memory_bytes;
} DnUse;

/* Whether @use, with what is about to be made, is within the limits of one user.  @file: that of
 * the limits.  DN_ERROR_LIMIT, naming limit, value, file and key. */
gboolean dn_host_access_check_use (const DnHostAccess *access, const DnUse *use, guint uid,
                                   const char *file, GError **error);
