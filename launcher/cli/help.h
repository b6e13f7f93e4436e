/* SPDX-License-Identifier: Apache-2.0 */
/* Help pages, made from the tables that also parse: they cannot disagree. */
#pragma once

#include "command.h"

/* The page of `danchi --help`. (transfer full) */
char *dn_help_overview (const DnCommand *commands);

/* The page of a command that holds others. (transfer full) */
char *dn_help_group (const DnCommand *command);

/* The page of one command: usage, summary, flags, examples.  @words: how it is called.
 * (transfer full) */
char *dn_help_page (const DnCommand *command, const char *words, const GOptionEntry *entries);

/* The name of a command's @index-th word in its usage, without brackets: "CONTAINER". */
const char *dn_help_word (const DnCommand *command, guint index);
