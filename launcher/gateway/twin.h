/* SPDX-License-Identifier: Apache-2.0 */
/* Rules beside their twins.
 *
 * What the kernel has is not compared with our own text, which it prints otherwise: the same rules
 * are made a second time, in a table that is hooked to nothing, and the kernel prints both.
 *
 * Privilege: CAP_NET_ADMIN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest-network.h"

typedef struct
{
  const char *kind;   /* "chain", "set" */
  const char *family; /* "inet", "netdev" */
  const char *table;
  const char *twin; /* the other table */
  const char *name;
  const char *hook; /* the line, as the kernel prints it, that the twin has not; or NULL */
} DnTwin;

/* Returns: whether both are the same, else in @why the first line that differs */
bool dn_twin_compare (DnNetwork *network, const DnTwin *twin, char *why, size_t size);

/* The lines that lie inside of an object. Returns: the caller's to free(), or NULL */
char *dn_twin_list (DnNetwork *network, const char *kind, const char *family, const char *table,
                    const char *name);
