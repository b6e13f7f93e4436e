/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the host's ids a session's namespace has, and under which numbers.
 *
 *   inside                        outside
 *   0                             the user
 *   200000 ... 210000             subordinate ids: danchi-gateway, and one for each guest
 *   1 ...                         the rest of them
 *
 * So each guest's QEMU, relay and helpers have an id of their own in a session, too: one that may
 * touch neither the user's files nor another guest's.
 *
 * Pure.
 * Source: subuid(5), newuidmap(1), user_namespaces(7).
 */
#pragma once

#include <glib.h>

/* One for the gateway, and for each guest: identity.h. */
#define DN_SUBIDS_OWN_FIRST 200000
#define DN_SUBIDS_OWN_COUNT 10001
/* What useradd(8) gives is 65,536; less than this is of no use. */
#define DN_SUBIDS_LEAST 20000

typedef struct
{
  guint first;
  guint count;
} DnSubids;

/**
 * dn_subids_parse:
 * @text: of /etc/subuid or /etc/subgid
 * @user: the user's name; lines may have the number of @uid instead
 * @ret_ids: (out): the largest range that is the user's
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG when there is none of %DN_SUBIDS_LEAST ids.  @path
 * is for the message.
 */
gboolean dn_subids_parse (const char *text, const char *path, const char *user, guint uid,
                          DnSubids *ret_ids, GError **error);

/* The words for newuidmap or newgidmap: @pid, then triples.  @id: the user's own.
 * (transfer full) */
char **dn_subids_map_words (const char *program, gint pid, guint id, const DnSubids *ids);
