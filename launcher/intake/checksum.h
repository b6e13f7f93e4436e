/* SPDX-License-Identifier: Apache-2.0 */
/* Files of checksums as people distribute them: sha256sum(1)'s lines, those of BSD's sha256(1), or
 * a digest alone.
 *
 *     9f86d0...  image.tar
 *     9f86d0... *image.tar
 *     SHA256 (image.tar) = 9f86d0...
 *     9f86d0...
 *
 * What is signed is that the file has the digest; names in it are not compared, since an archive is
 * given by its bytes.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

/* Whether one line of @text has @sha256, 64 lower-case hexadecimal digits. */
gboolean dn_checksum_has (const char *text, gsize size, const char *sha256);
