/* SPDX-License-Identifier: Apache-2.0 */
/* The signature that came along with an archive: verified in a jail, by the keys of [images]
 * load_keys, before anything else is done with the archive.
 *
 * danchid moves bytes: signature, checksum file and keys go into the jail as they are, the archive
 * by a hard link.  What the jail says is a choice of a closed list, a number of one of our keys,
 * and a fingerprint that is shown.
 */
#pragma once

#include "../daemon/request.h"
#include "../daemon/settings.h"

#define DN_LOAD_SIGNATURE_MAX_BYTES (64 * 1024)
#define DN_LOAD_CHECKSUM_MAX_BYTES (1024 * 1024)

typedef struct
{
  int fd;          /* the signature; -1: none */
  int checksum_fd; /* the file that was signed in place of the archive; -1: none */
} DnLoadSignature;

/* Whether the host's settings can take an archive that comes with @signature, before it is taken
 * in: DN_ERROR_DENIED without one where load_signature wants one, DN_ERROR_CONFIG where there are
 * no keys. */
gboolean dn_load_signature_check (const DnSettings *settings, const DnLoadSignature *signature,
                                  GError **error);

/**
 * dn_load_signature_decide:
 * @staging: has the archive as DN_STORE_ARCHIVE, root's and 0444
 * @archive: its digest
 *
 * Returns: (transfer full): the decision (signature.h): signed, or that there was no signature.
 *   NULL with DN_ERROR_DENIED for a signature that does not hold, whose message says why.
 */
JsonObject *dn_load_signature_decide (DnRequest *request, const DnSettings *settings,
                                      const DnLoadSignature *signature, const char *staging,
                                      const char *archive, GError **error);
