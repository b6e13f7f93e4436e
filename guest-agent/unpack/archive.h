/* SPDX-License-Identifier: Apache-2.0 */
/* The image archive: a tar file of blobs, found by name and read in place.
 *
 * The first pass walks the headers and remembers where each file's bytes are; nothing is copied.
 * Symbolic and hard links between the archive's own names are followed in that list only: `docker
 * save` writes a layer that two images share as a link.  A compressed archive is decompressed to
 * the output disk first, and then it is that which is read.
 *
 * A name that occurs twice cannot be looked up: which one is meant would depend on the reader.
 */
#pragma once

#include "stream.h"

#define DN_ARCHIVE_ENTRIES_MAX 100000
#define DN_ARCHIVE_LINKS_MAX 8

typedef struct
{
  uint64_t offset;
  uint64_t size;
} DnBlob;

typedef struct DnArchive DnArchive;

/* Told how many bytes of a compressed archive have been read. */
typedef void (*DnArchiveProgress) (uint64_t bytes, uint64_t total);

/**
 * dn_archive_open:
 * @path: a file or block device; @size: how many bytes of it are the archive
 * @output: a block device, or a file that is made, for the decompressed archive
 * @limit_bytes: what a compressed archive may grow to
 *
 * (transfer full), or NULL with @failure.
 */
DnArchive *dn_archive_open (const char *path, uint64_t size, const char *output,
                            uint64_t limit_bytes, DnArchiveProgress progress, DnFailure *failure);
void dn_archive_free (DnArchive *archive); /* accepts NULL */

/* How many bytes at the start of the output are the archive's plain form; 0 when it was plain. */
uint64_t dn_archive_expanded (const DnArchive *archive);

bool dn_archive_has (const DnArchive *archive, const char *name);

/* Fails with -ENOENT when there is no such file, -EINVAL when it is there twice or a link leads
 * nowhere. */
bool dn_archive_find (const DnArchive *archive, const char *name, DnBlob *ret_blob,
                      DnFailure *failure);

/**
 * dn_archive_read:
 * @what: the document, for messages
 * @ret_text: (out) (transfer full): @blob's bytes and a NUL; free() it
 * @ret_digest: (out)
 *
 * Reads a small blob, at most DN_DOCUMENT_BYTES.
 */
bool dn_archive_read (const DnArchive *archive, const DnBlob *blob, const char *what,
                      char **ret_text, DnDigest *ret_digest, DnFailure *failure);

/**
 * dn_archive_normalise:
 * @name: as the archive writes it, NUL-terminated
 * @ret_name: (out): at least strlen (@name) + 1 bytes
 *
 * "./a//b/../c" becomes "a/c".  Pure.  Returns: whether the name stays inside; an absolute one and
 * one that climbs out do not.
 */
bool dn_archive_normalise (const char *name, char *ret_name);
