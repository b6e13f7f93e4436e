/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of `danchi cp`: entries of protocol/copy.h, read and written whole.
 *
 * What is read was written by a guest.  Lengths are bounded by the format, names are checked before
 * anybody opens anything by them, and counts and bytes have limits of their own.
 */
#pragma once

#include <glib.h>

#include "../../protocol/copy.h"

typedef struct
{
  DnCopyEntry entry;
  char name[DN_COPY_NAME_BYTES + 1]; /* relative and safe; "" only for the first entry */
  char link[DN_COPY_NAME_BYTES + 1];
} DnCopyItem;

typedef struct
{
  int fd;             /* borrowed; a socket or pipe */
  guint64 bytes_left; /* of all files together; what is over it is refused */
  guint64 entries;    /* so far */
  gboolean has_ended; /* the END entry was read */
  gboolean is_cut;    /* the stream ended without one */
} DnCopyReader;

/* The next header with its name.  A file's bytes must be read before the next call.
 * Returns: 1 with an item; 0 after END, or at the end of a stream without one (is_cut);
 * -1 with DN_ERROR_PROTOCOL (the guest's fault), DN_ERROR_LIMIT or DN_ERROR_FAILED */
int dn_copy_reader_next (DnCopyReader *reader, DnCopyItem *ret_item, GError **error);

/* Exactly @size bytes of a file's.  DN_ERROR_PROTOCOL when the stream ends before. */
gboolean dn_copy_reader_read (DnCopyReader *reader, void *ret_bytes, gsize size, GError **error);

/* Writes one item's header, name and link; @name is at most %DN_COPY_NAME_BYTES. */
gboolean dn_copy_write_item (int fd, DnCopyKind kind, guint mode, guint64 size_bytes,
                             gint64 mtime_s, const char *name, const char *link, GError **error);

/* All of it, without SIGPIPE.  DN_ERROR_GUEST: the other side is gone. */
gboolean dn_copy_write (int fd, const void *bytes, gsize size, GError **error);
