/* SPDX-License-Identifier: Apache-2.0 */
/* The words of -v and --mount, taken apart and not yet judged as a whole: for mount-spec.h alone.
 * Pure. */
#pragma once

#include "mount-spec.h"

typedef struct
{
  DnMountKind kind;
  char *source; /* owned; or NULL, as is the next */
  char *target; /* owned */
  gboolean is_readonly;
  gboolean is_writable;   /* said so */
  gboolean is_executable; /* said so */
  gboolean is_noexec;
  gboolean has_nocopy;
  gint64 size_bytes;
  char id[DN_ID_BYTES + 1];
  GPtrArray *tmpfs_options; /* owned; "size=64m", as --tmpfs has them */
} DnMountWords;

void dn_mount_words_init (DnMountWords *words);
void dn_mount_words_clear (DnMountWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnMountWords, dn_mount_words_clear)

/* -v: [SOURCE:]TARGET[:OPTION,...].  @what: names the text in errors, here and below.
 * DN_ERROR_USAGE */
gboolean dn_mount_words_read_colons (DnMountWords *words, const char *text, const char *what,
                                     GError **error);

/* --mount: KEY[=VALUE],...  DN_ERROR_USAGE */
gboolean dn_mount_words_read_keys (DnMountWords *words, const char *text, const char *what,
                                   GError **error);
