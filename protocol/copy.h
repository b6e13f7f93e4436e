/* SPDX-License-Identifier: Apache-2.0 */
/* Files on their way in or out of a container (`danchi cp`): a flat list of entries on a stream.
 *
 * Not tar: whoever reads this on the host reads what a guest wrote, and tar is a family of formats
 * with long names, sparse maps and numbers in three notations.  An entry is a fixed header, a
 * name, for a symbolic link its target, and for a file its bytes; directories come before what is
 * in them; an END entry closes the list.
 *
 *      0      1      2       4       8              16              24     26     28
 *     +------+------+-------+-------+--------------+---------------+------+------+- - -
 *     | kind | zero | mode  | zero  | size         | mtime (s)     | name | link | name, link,
 * bytes
 *     +------+------+-------+-------+--------------+---------------+------+------+- - -
 *
 * Names are relative, of components that are neither empty, "." nor "..": the reader refuses any
 * other before it opens anything.
 *
 * Pure: no I/O, no allocation, no logging.
 * Source: docs/protocol.md, "Copying files".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_COPY_HEADER_BYTES 28
#define DN_COPY_NAME_BYTES 4095
#define DN_COPY_ENTRIES_MAX 1000000

typedef enum
{
  DN_COPY_END = 0,
  DN_COPY_FILE = 1,
  DN_COPY_DIRECTORY = 2,
  DN_COPY_LINK = 3, /* symbolic */
} DnCopyKind;

typedef struct
{
  DnCopyKind kind;
  uint16_t mode; /* permission bits, at most 0777: no set-id bit ever crosses */
  uint64_t size_bytes;
  int64_t mtime_s;
  uint16_t name_bytes;
  uint16_t link_bytes;
} DnCopyEntry;

/* Writes %DN_COPY_HEADER_BYTES. */
void dn_copy_encode (uint8_t *ret_bytes, const DnCopyEntry *entry);

/* Returns: 0, or -EPROTO: an unknown kind, mode bits over 0777, lengths over the limits or that do
 * not fit the kind, a reserved field that is not zero. */
int dn_copy_decode (const uint8_t *bytes, DnCopyEntry *ret_entry);

/* Whether @name (with @size bytes, no NUL at its end needed) can be created below a directory
 * without leaving it: relative, no empty, "." or ".." component, no NUL.  The empty name is the
 * top itself and is refused too, except where @allow_top. */
bool dn_copy_name_is_safe (const char *name, size_t size, bool allow_top);
