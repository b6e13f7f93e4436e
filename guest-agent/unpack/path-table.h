/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer has said of names so far: that it wrote one, a directory's time, that a directory
 * hides what is below.
 *
 * By path and not by inode: on a stack of layers (overlay.h) numbers of inodes are neither unique
 * nor stable, and a number that is free again would bring an old file's time to a new one.
 *
 * A hash table keyed by 64 bits of a path's hash; 32 bytes an entry at most half of which are used,
 * so a million names take 128 MB at most and 300,000 take 32 MB.  That two names of an honest image
 * of a million names share a key is less likely than one in ten million; who makes two collide
 * spoils his own image alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct
{
  bool is_written; /* by an entry of the layer */
  bool is_opaque;
  struct timespec mtime; /* of a directory that is written */
} DnPathNote;

typedef struct DnPathTable DnPathTable;

DnPathTable *dn_path_table_new (void);        /* (transfer full); out of memory ends the process */
void dn_path_table_free (DnPathTable *table); /* accepts NULL */

/* The key of @base in @directory, a canonical path from the root: "" or "/a/b".  @base "" is the
 * directory itself.  Pure. */
uint64_t dn_path_key (const char *directory, const char *base);

void dn_path_table_set (DnPathTable *table, uint64_t key, DnPathNote note);

/* All false where nothing was said. */
DnPathNote dn_path_table_get (const DnPathTable *table, uint64_t key);

/* Forgets what was said. */
void dn_path_table_clear (DnPathTable *table, uint64_t key);
