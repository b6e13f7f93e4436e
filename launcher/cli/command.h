/* SPDX-License-Identifier: Apache-2.0 */
/* A command of `danchi`: a row of the dispatch table.
 *
 * A command's file is cmd-NAME.c: a struct that its GOptionEntry table fills, and one function that
 * parses, asks danchid and prints.  Commands that hold others (context, image) have @children; one
 * that does something by itself as well (audit) has both: its function runs where no word follows,
 * or a flag.
 */
#pragma once

#include <glib.h>

typedef struct DnCli DnCli;
typedef struct DnCommand DnCommand;

struct DnCommand
{
  const char *name;
  const char *usage;    /* what follows the name: "[FLAGS] CONTAINER..." */
  const char *summary;  /* one line */
  const char *examples; /* lines of "danchi ...", or NULL */
  /* @words: what follows the command's name, NULL-terminated.  Returns: the exit status */
  int (*run) (DnCli *cli, char **words); /* NULL: only its children do something */
  const DnCommand *children;             /* ends with a row whose name is NULL */
  gboolean has_process_status;           /* see cli.h */
};

/* All commands, in the order of help; ends with a row whose name is NULL. */
extern const DnCommand dn_commands[];

/* The row called @name, or NULL. */
const DnCommand *dn_command_find (const DnCommand *commands, const char *name);
