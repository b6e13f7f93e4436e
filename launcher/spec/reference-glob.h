/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of image references, as [images] allow has them.
 *
 *     *     any characters but '/', also none
 *     **    any characters
 *     ?     one character but '/'
 *
 * A pattern is held against the whole reference in its stored form, with registry and tag or
 * digest.  As with references one whose first part is no registry is of this host: "nginx:*" is
 * "localhost/nginx:*".  There are no classes and no escapes: neither occurs in references.
 *
 * Pure; time grows with the product of both lengths, whatever the pattern.
 */
#pragma once

#include <glib.h>

#define DN_REFERENCE_GLOB_MAX_BYTES 255

/* What is wrong with a pattern, as the end of "'PATTERN' ...": or NULL. (transfer none) */
const char *dn_reference_glob_find_fault (const char *pattern);

/* @pattern: without fault; @reference: in its stored form */
gboolean dn_reference_glob_matches (const char *pattern, const char *reference);
