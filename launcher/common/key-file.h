/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files as we accept them: GKeyFile's format, read strictly by a table.
 *
 * GKeyFile takes a key twice (the last wins), converts what it can, knows no unknown key and no
 * lines.  Here every group and key has to be in the table, may stand there once, and has to be of
 * its type and within its limits; every error names file, line, group and key:
 *
 *     file 'acme.conf:7': [guest] vcpus = x: must be a whole number from 1 to 64
 *
 * Pure, except for dn_key_file_read().
 * Source: the Desktop Entry specification's basic format, without locales and escapes.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_KEY_INTEGER, /* guint64 *: decimal, from min to max; stored times `scale` */
  DN_KEY_BOOLEAN, /* gboolean *: yes, no, true, false */
  DN_KEY_WORD,    /* char **: owned; letters, digits, '_', '.', '-', at most 63 */
  DN_KEY_PATH,    /* char **: owned; absolute, at most 4095 bytes */
  DN_KEY_CHOICE,  /* int *: the index of the word in `choices` */
  DN_KEY_WORDS,   /* char ***: owned; words as above, ';' between them, none twice; may be empty */
  DN_KEY_LIST,    /* char ***: owned; likewise, of visible ASCII but ';', at most 255 bytes each */
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
#define DN_KEY_LIST_ITEM_MAX_BYTES 255

/* Where each key of a file stands. */
typedef struct DnKeyPlaces DnKeyPlaces;

DnKeyPlaces *dn_key_places_new (void);
DnKeyPlaces *dn_key_places_copy (const DnKeyPlaces *places); /* (transfer full); NULL of NULL */
void dn_key_places_free (DnKeyPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnKeyPlaces, dn_key_places_free)

/* The line, from 1; 0 where the file does not say it, or @places is NULL. */
guint dn_key_places_find (const DnKeyPlaces *places, const char *group, const char *key);

/**
 * dn_key_file_parse:
 * @text: @size bytes; need not end with a NUL
 * @what: the file's name, for errors
 * @keys: ends with a key whose group is NULL
 * @places: (nullable): takes up where each key stands
 *
 * On failure some outputs may have been set already.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG
 */
gboolean dn_key_file_parse_places (const char *text, gsize size, const char *what,
                                   const DnKey *keys, DnKeyPlaces *places, GError **error);
gboolean dn_key_file_parse (const char *text, gsize size, const char *what, const DnKey *keys,
                            GError **error);

/* Reads @path.  DN_ERROR_NOT_FOUND when there is no such file. */
gboolean dn_key_file_read (const char *path, const DnKey *keys, GError **error);

/* For what a table cannot say: "file 'WHAT:LINE': [GROUP] KEY: ...", DN_ERROR_CONFIG.  The line is
 * left out where @places do not know the key.  Returns FALSE. */
gboolean dn_key_file_throw (GError **error, const char *what, const DnKeyPlaces *places,
                            const char *group, const char *key, const char *format, ...)
    G_GNUC_PRINTF (6, 7);

/* The value as the file would have it, read from where the key is stored; NULL for a table.
 * (transfer full) */
char *dn_key_print (const DnKey *key);

/* Whether it may stand in a DN_KEY_LIST. */
gboolean dn_key_list_item_is_valid (const char *text);
