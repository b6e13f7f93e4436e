/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers to build answers and state files. */
#pragma once

#include <json-glib/json-glib.h>

/* Sets @name to @text; nothing is set for NULL. */
void dn_json_set_text (JsonObject *object, const char *name, const char *text);

/* Sets @name to @text, or to null for NULL. */
void dn_json_set_text_or_null (JsonObject *object, const char *name, const char *text);

/* Sets @name to a time of the day in UTC, "2026-11-29T22:40:00Z"; to null for 0. */
void dn_json_set_time_or_null (JsonObject *object, const char *name, gint64 time_us);

/* Sets @name to a list; nothing is set for NULL. */
void dn_json_set_strings (JsonObject *object, const char *name, char **strings);

/* A node that holds @object.  (transfer full), takes @object. */
JsonNode *dn_json_node_take (JsonObject *object);
