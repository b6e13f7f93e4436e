/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on stdout, safe for a terminal (escape.h). */
#pragma once

#include <json-glib/json-glib.h>

#include "table.h"

/* One indented document.  The first two borrow. */
void dn_print_object (JsonObject *object);
void dn_print_array (JsonArray *array);

/* One object on one line: for streams of them; flushed at once. */
void dn_print_object_line (JsonObject *object);

/* "name: value" lines, objects and lists indented below their name. */
void dn_print_facts (JsonObject *object);

void dn_print_table (const DnTable *table);

/* One escaped line. */
void dn_print_line (const char *text);
