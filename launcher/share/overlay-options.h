/* SPDX-License-Identifier: Apache-2.0 */
/* What an overlay is made of, read from the words of its mount as the kernel tells them
 * (mountinfo(5)): they are its mounter's, root's.
 *
 * Pure.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define DN_OVERLAY_LAYERS_MAX 256

typedef struct
{
  char *lower[DN_OVERLAY_LAYERS_MAX]; /* owned; topmost first */
  size_t lower_count;
  char *upper;       /* owned; NULL: it is read-only */
  char *work;        /* owned */
  bool is_volatile;  /* its work directory is used up: no other mount can have it */
  char options[256]; /* those that are to stay: redirect_dir=..., metacopy=..., userxattr */
} DnOverlayOptions;

/* Finds the line of mount @id in the text of a mountinfo file, and reads its options.  Returns: 0,
 * -ENOENT, -EINVAL, -E2BIG or -ENOMEM; clear it in any case. */
int dn_overlay_options_find (const char *mountinfo, unsigned long long id,
                             DnOverlayOptions *ret_options);

void dn_overlay_options_clear (DnOverlayOptions *options);

/* The directory that the names of layers without a leading '/' begin in: containerd and CRI-O
 * change to the one that all snapshots lie in, so two above the upper directory.  False: there is
 * no telling.
 */
bool dn_overlay_options_base (const DnOverlayOptions *options, char ret_base[PATH_MAX]);
