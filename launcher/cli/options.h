/* SPDX-License-Identifier: Apache-2.0 */
/* A command's flags: a GOptionEntry table in, docker's habits on top.
 *
 * GOption does not know -itd (with a value at the end: -itm512m), -m512m, -m=512m or --tty=false;
 * words are brought into the form it knows first.  Global options are taken among a command's own
 * too, and --help prints a page made from the table.
 *
 * Tables use G_OPTION_ARG_FILENAME for text: G_OPTION_ARG_STRING converts from the locale's
 * character set, which fails in the C locale.  Text for danchid must be UTF-8; dn_options_parse()
 * checks every word.
 */
#pragma once

#include "cli.h"

typedef enum
{
  DN_OPTIONS_ANYWHERE,        /* flags among the names: rm web -f */
  DN_OPTIONS_UP_TO_THE_WORDS, /* the first word ends the flags: run -it IMAGE ls -l */
} DnOptionsStyle;

/* Rows for flags that a later version brings: using one is an error that says so. */
#define DN_OPTION_UNBUILT(long_name, short_name)                                                   \
  {                                                                                                \
    long_name, short_name, G_OPTION_FLAG_OPTIONAL_ARG | G_OPTION_FLAG_HIDDEN,                      \
        G_OPTION_ARG_CALLBACK, (gpointer) dn_options_refuse_unbuilt, NULL, NULL                    \
  }
#define DN_OPTION_END                                                                              \
  {                                                                                                \
    NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL                                                \
  }

/* For a row's flags: the value may be left out ("--name", "--name=VALUE"), and is then empty; the
 * word after it is never taken for one. */
#define DN_OPTION_VALUE_IS_OPTIONAL G_OPTION_FLAG_NOALIAS

gboolean dn_options_refuse_unbuilt (const char *name, const char *value, gpointer data,
                                    GError **error);

/**
 * dn_options_parse:
 * @words: what followed the command's name
 * @least: words that must be left after the flags; at most @most
 * @ret_words: (out) (transfer full): those
 * @ret_status: (out): set when this returns FALSE: the error, or --help, was printed
 *
 * Returns: TRUE when the command is to go on
 */
gboolean dn_options_parse (DnCli *cli, const GOptionEntry *entries, DnOptionsStyle style,
                           char **words, guint least, guint most, char ***ret_words,
                           int *ret_status);

/* The part of it that needs no command: what is given to GOption, and the words after the flags.
 * Returns: FALSE with DN_ERROR_USAGE or a code of GOption's */
gboolean dn_options_parse_plain (const GOptionEntry *entries, DnOptionsStyle style, char **words,
                                 char ***ret_rest, GError **error);

/* Words in GOption's form: pure, for tests.  @entries ends with an empty row. (transfer full) */
char **dn_options_normalise (const GOptionEntry *entries, DnOptionsStyle style, char **words,
                             GError **error);

/* The global options' table, for main() and help; borrowed pointers into @cli. */
#define DN_OPTIONS_GLOBAL_ROWS 6
void dn_options_fill_global (DnCli *cli, GOptionEntry *ret_entries);

/* Checks what the global options said: --format. */
gboolean dn_options_check_global (DnCli *cli, GError **error);
