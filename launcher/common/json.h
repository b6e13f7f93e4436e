/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as we accept it: strictly.
 *
 * json-glib takes duplicate keys (the last wins), comments, several documents in a row, converts
 * types in silence, makes -1 of integers that are too large and crashes on deep nesting.  So a
 * document is scanned for size, depth, duplicate keys, numbers and NULs first, and then read by a
 * table that names every member with its type: an unknown member, a missing mandatory one or a
 * wrong type is an error that names it.
 *
 * Callers: danchid (requests, its own state files, seccomp profiles), danchi (answers, profiles).
 * Never bytes that a guest wrote.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_JSON_DEPTH_MAX 24

/**
 * dn_json_parse:
 * @text: @size bytes, need not end with a NUL
 * @what: names the document in errors
 *
 * One document of at most @size_max bytes and %DN_JSON_DEPTH_MAX levels, without duplicate keys,
 * comments or anything after it.
 *
 * Returns: (transfer full): the root node, or NULL with DN_ERROR_CONFIG
 */
JsonNode *dn_json_parse (const char *text, gsize size, gsize size_max, const char *what,
                         GError **error);

/* Likewise for OCI documents, whose limits are unsigned 64-bit integers (RLIM_INFINITY is
 * 18446744073709551615): integers above G_MAXINT64 that fit those are read as G_MAXINT64. */
JsonNode *dn_json_parse_unsigned (const char *text, gsize size, gsize size_max, const char *what,
                                  GError **error);

typedef enum
{
  DN_JSON_STRING,  /* char **: copied, to be freed */
  DN_JSON_INT,     /* gint64 * */
  DN_JSON_BOOL,    /* gboolean * */
  DN_JSON_DOUBLE,  /* double *; an integer in the text will do */
  DN_JSON_STRINGS, /* char ***: a NULL-terminated copy of an array of strings */
  DN_JSON_OBJECT,  /* JsonObject **: referenced */
  DN_JSON_ARRAY,   /* JsonArray **: referenced */
} DnJsonType;

typedef struct
{
  const char *name;
  DnJsonType type;
  gboolean is_mandatory;
  gpointer ret_value; /* left as it is when the member is missing or null */
} DnJsonField;

/**
 * dn_json_read:
 * @fields: ends with a field whose name is NULL
 * @what: names the object in errors
 *
 * On failure some outputs may have been set already: give them cleanup attributes.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG
 */
gboolean dn_json_read (JsonObject *object, const DnJsonField *fields, const char *what,
                       GError **error);

/* The node as text, @pretty or on one line. (transfer full) */
char *dn_json_to_text (JsonNode *node, gboolean pretty);
