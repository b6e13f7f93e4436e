/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of encrypted volumes.
 *
 * A user's key is a file of random bytes, of %DN_VOLUME_KEY_FILE_MIN_BYTES to
 * %DN_VOLUME_KEY_FILE_MAX_BYTES; it is given anew whenever a container starts that has the volume,
 * as a descriptor, and kept nowhere.  From it and the volume's salt come, by HMAC-SHA-512 with the
 * file's bytes as its key,
 *
 *   the key       512 bits for dm-crypt in the guest (AES-256 in XTS mode)
 *   the check     256 bits in volume.json, by which a wrong file is told from the right one before
 *                 anything is started.  It says nothing of a file that cannot be guessed; so the
 *                 file must be random, and is no passphrase: nothing here makes guessing slow.
 *
 * Whoever calls wipes what it gets: dn_volume_key_clear().
 *
 * Source: RFC 2104; RFC 5869, whose expansion this is with one block.
 */
#pragma once

#include <glib.h>

#define DN_VOLUME_KEY_FILE_MIN_BYTES 32
#define DN_VOLUME_KEY_FILE_MAX_BYTES 4096
#define DN_VOLUME_KEY_BYTES 64

typedef struct
{
  guint8 bytes[DN_VOLUME_KEY_FILE_MAX_BYTES];
  gsize size; /* 0: none */
} DnVolumeKeyFile;

/* Reads all of it, from its start.  @what names it in errors.  DN_ERROR_USAGE for too few or too
 * many bytes, and for what is no file; DN_ERROR_FAILED. */
gboolean dn_volume_key_read (int fd, const char *what, DnVolumeKeyFile *ret_file, GError **error);

/* Wipes it. */
void dn_volume_key_clear (DnVolumeKeyFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnVolumeKeyFile, dn_volume_key_clear)

/* A fresh one, hexadecimal. (transfer full) */
char *dn_volume_key_new_salt (void);

/* Pure; hexadecimal. (transfer full) */
char *dn_volume_key_check (const DnVolumeKeyFile *file, const char *volume_id, const char *salt);

/* Pure. */
void dn_volume_key_derive (const DnVolumeKeyFile *file, const char *volume_id, const char *salt,
                           guint8 ret_key[DN_VOLUME_KEY_BYTES]);
