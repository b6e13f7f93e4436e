/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the document as people read them.  Pure. */
#pragma once

#include <json-glib/json-glib.h>

/* The first twelve digits of a digest, without its "sha256:"; "" stays. (transfer full) */
char *dn_value_short_digest (const char *digest);

/* "512MiB"; "" for less than zero. (transfer full) */
char *dn_value_size (gint64 bytes);

/* "2026-11-29 22:40 UTC" of RFC 3339, any other text as it is. (transfer full) */
char *dn_value_time (const char *time);

/* "127.0.0.1:80", "[::]:80", or a path alone. (transfer full) */
char *dn_value_address (const char *address, const char *port);

/* "28 days"; "age unknown" for less than zero. (transfer full) */
char *dn_value_age (gint64 days);

/* Parts that are not empty, with @separator between; ended by NULL. (transfer full) */
char *dn_value_join (const char *separator, ...) G_GNUC_NULL_TERMINATED;
