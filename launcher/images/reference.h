/* SPDX-License-Identifier: Apache-2.0 */
/* References to images: what an image may be called.
 *
 *     [REGISTRY/]PATH[:TAG][@sha256:DIGEST]
 *
 * One form is stored: with a registry and with a tag or digest.  A name whose first part is no
 * registry (no '.', no ':', not "localhost") is of this host: "nginx:demo" is stored as
 * "localhost/nginx:demo" and found by both.  Never is it taken for a name of some public registry
 * (R5.4).  Source: the OCI distribution-spec's grammar of names.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#define DN_REFERENCE_MAX_BYTES 255

/**
 * dn_reference_normalise:
 * @text: as a user or an archive wrote it
 *
 * Returns: (transfer full): the stored form, or NULL with DN_ERROR_USAGE
 */
char *dn_reference_normalise (const char *text, GError **error);

/* The form for people: without "localhost/". (transfer none) */
const char *dn_reference_short (const char *reference);
