/* SPDX-License-Identifier: Apache-2.0 */
/* Facts on their way into the audit's document: texts of one line, clean and not too long; null
 * where there is nothing to say. */
#pragma once

#include <json-glib/json-glib.h>

/* The longest text that a collector takes over. */
#define DN_FACT_MAX_BYTES 512

/* @value: NULL for null */
void dn_fact_set_text (JsonObject *object, const char *name, const char *value);

/* @value: below 0 for null */
void dn_fact_set_number (JsonObject *object, const char *name, gint64 value);
