/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files as we accept them: GKeyFile's format, read strictly by a table.
 *
 * GKeyFile takes a key twice (the last wins), converts what it can and knows no unknown key.  Here
 * every group and key has to be in the table, may stand there once, and has to be of its type and
 * within its limits; an error names file, group and key.
 *
 * Pure, except for dn_key_file_read().
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_KEY_INTEGER, /* guint64 *: decimal, from min to max; stored times `scale` */
  DN_KEY_BOOLEAN, /* gboolean *: yes, no, true, false */
  DN_KEY_WORD,    /* char **: owned; letters, digits, '_', '.', '-', at most 63 */
  DN_KEY_CHOICE,  /* int *: the index of the word in `choices` */
  DN_KEY_WORDS,   /* char ***: owned; words as above, ';' between them, none twice; may be empty */
  DN_KEY_PATH,    /* char **: owned; absolute, without control characters, at most 1024 bytes;
                     empty is NULL */
  DN_KEY_TABLE,   /* GPtrArray *: of free-form keys ("*" in the table): key, value, key, value */
} DnKeyType;

typedef struct
{
  const char *group;
  const char *key; /* "*": every key of the group */
  DnKeyType type;
  gpointer ret_value; /* left as it is when the key is missing */
  guint64 min;
  guint64 max;
  guint64 scale;              /* 0 counts as 1 */
  const char *const *choices; /* NULL-terminated */
} DnKey;

#define DN_KEY_FILE_MAX_BYTES (256 * 1024)

/**
 * dn_key_file_parse:
 * @text: @size bytes; need not end with a NUL
 * @what: the file's name, for errors
 * @keys: ends with a key whose group is NULL
 *
 * On failure some outputs may have been set already.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG
 */
gboolean dn_key_file_parse (const char *text, gsize size, const char *what, const DnKey *keys,
                            GError **error);

/* Reads @path.  DN_ERROR_NOT_FOUND when there is no such file. */
gboolean dn_key_file_read (const char *path, const DnKey *keys, GError **error);
