/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an OCI document of our own making: what is missing, or of another type, reads as nothing.
 *
 * Pure.  All that is returned is borrowed; @object and @array may be NULL.
 */
#pragma once

#include <json-glib/json-glib.h>

JsonObject *dn_document_object (JsonObject *object, const char *name);
JsonArray *dn_document_array (JsonObject *object, const char *name);
const char *dn_document_text (JsonObject *object, const char *name); /* "" */
gint64 dn_document_int (JsonObject *object, const char *name);       /* 0 */
gboolean dn_document_bool (JsonObject *object, const char *name);

guint dn_document_length (JsonArray *array);
const char *dn_document_nth (JsonArray *array, guint i); /* a text; @i must be below the length */
