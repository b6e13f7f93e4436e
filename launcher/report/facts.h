/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a document by paths: "host.kernel.release".
 *
 * What is missing, null or of another type reads as empty; so does everything of a NULL object.
 */
#pragma once

#include <json-glib/json-glib.h>

/* A string, or ""; borrowed. */
const char *dn_facts_text (JsonObject *object, const char *path);
gint64 dn_facts_int (JsonObject *object, const char *path, gint64 otherwise);
gboolean dn_facts_is (JsonObject *object, const char *path);
/* Borrowed; NULL when there is none. */
JsonObject *dn_facts_object (JsonObject *object, const char *path);
JsonArray *dn_facts_array (JsonObject *object, const char *path);

/* Digits, or "". (transfer full) */
char *dn_facts_number (JsonObject *object, const char *path);

/* "yes", "no", or "unknown" where it does not say. */
const char *dn_facts_yes_no (JsonObject *object, const char *path);

/* The strings of a list with ", " between, or "". (transfer full) */
char *dn_facts_list (JsonObject *object, const char *path);

/* The @index-th element if it is an object, else NULL; @array may be NULL. */
JsonObject *dn_facts_nth (JsonArray *array, guint index);
guint dn_facts_length (JsonArray *array);
