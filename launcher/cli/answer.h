/* SPDX-License-Identifier: Apache-2.0 */
/* Reading danchid's answers.
 *
 * danchid may be newer than danchi and say more, so unlike launcher/common/json.h unknown members
 * are passed over, and a missing one, or one of another type, reads as empty.  json-glib's own
 * getters would convert in silence and complain on stderr.
 */
#pragma once

#include <json-glib/json-glib.h>

/* A string, or ""; borrowed. */
const char *dn_answer_text (JsonObject *object, const char *name);
gint64 dn_answer_int (JsonObject *object, const char *name, gint64 otherwise);
double dn_answer_number (JsonObject *object, const char *name, double otherwise);
gboolean dn_answer_is (JsonObject *object, const char *name);
/* Borrowed; NULL when there is none. */
JsonObject *dn_answer_object (JsonObject *object, const char *name);
JsonArray *dn_answer_array (JsonObject *object, const char *name);

/* A string as it is, or a list of strings as a shell would write it. (transfer full) */
char *dn_answer_words (JsonObject *object, const char *name);

/* The @index-th element of @array if it is an object, else NULL; @array may be NULL. */
JsonObject *dn_answer_nth (JsonArray *array, guint index);
guint dn_answer_length (JsonArray *array);

/* Arguments in the making: nothing is set where there is nothing to say. */
void dn_args_set_text (JsonObject *args, const char *name, const char *value);
void dn_args_set_list (JsonObject *args, const char *name, char **values);

/* The common case {"container": NAME}. (transfer full) */
JsonObject *dn_args_new (const char *name, const char *value);
