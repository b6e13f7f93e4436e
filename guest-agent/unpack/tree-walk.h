/* SPDX-License-Identifier: Apache-2.0 */
/* Going through directories without leaving a root: for tree.c. */
#pragma once

#include "failure.h"

/**
 * dn_tree_walk:
 * @name: checked by dn_tree_check_name(); symbolic links in it are followed as tree.h says
 *
 * Returns: an O_RDONLY descriptor of the directory @name, the caller's; or -1 with @failure
 */
int dn_tree_walk (int root, const char *name, bool is_made, DnFailure *failure);

/* The names in a directory, read at once so that it can be changed afterwards. */
typedef struct DnNames DnNames;

/* @fd: stays the caller's.  (transfer full); NULL with errno. */
DnNames *dn_names_read (int fd);
void dn_names_free (DnNames *names);          /* accepts NULL */
size_t dn_names_count (const DnNames *names); /* 0 for NULL */
const char *dn_names_at (const DnNames *names, size_t index);

/* DT_DIR and the like, as readdir(3) has them; never DT_UNKNOWN. */
unsigned char dn_names_type (const DnNames *names, size_t index);
