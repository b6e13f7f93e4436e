/* SPDX-License-Identifier: Apache-2.0 */
/* From the fields that an unpack guest reports to a DnImage.
 *
 * The guest has read a stranger's archive, so its words are the stranger's: each is bounded, must
 * be UTF-8, and no control character of them ever reaches a terminal.  In free text (history,
 * labels, author, health check) control characters become '?'; anywhere else they are an error that
 * names the field, since there they would change what is run.
 *
 * Pure, and used by one thread at a time.
 */
#pragma once

#include "image.h"

typedef struct DnImageFields DnImageFields;

DnImageFields *dn_image_fields_new (void);
void dn_image_fields_free (DnImageFields *fields);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnImageFields, dn_image_fields_free)

/* Takes one UNPACK_FIELD.  The first thing wrong is kept for dn_image_fields_finish(). */
void dn_image_fields_add (DnImageFields *fields, guint16 field, const guint8 *value, guint32 size);

/**
 * dn_image_fields_finish:
 *
 * Names are normalised; `id`, `manifest_sha256`, the layers and all else that the host knows are
 * left to the caller.
 *
 * Returns: (transfer full): the image, or NULL with DN_ERROR_GUEST
 */
DnImage *dn_image_fields_finish (DnImageFields *fields, GError **error);
