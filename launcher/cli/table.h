/* SPDX-License-Identifier: Apache-2.0 */
/* A table of text: headings, rows, columns as wide as their widest cell, two blanks between.
 *
 * Cells are escaped (escape.h) as they come in, so a table can hold any text.  Widths count columns
 * of a terminal: a wide character takes two.
 *
 *     DnTable *table = dn_table_new ("NAME", "STATUS", NULL);
 *     dn_table_add (table, name, status, NULL);
 *     g_autofree char *text = dn_table_to_text (table);
 */
#pragma once

#include <glib.h>

typedef struct DnTable DnTable;

/* The headings, ended by NULL; an empty first heading makes a table without a heading line. */
DnTable *dn_table_new (const char *heading, ...) G_GNUC_NULL_TERMINATED;
void dn_table_free (DnTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnTable, dn_table_free)

/* One row: as many cells as headings, ended by NULL (missing ones are empty). */
void dn_table_add (DnTable *table, const char *cell, ...) G_GNUC_NULL_TERMINATED;

/* The whole, each line with its newline and without blanks at its end. (transfer full) */
char *dn_table_to_text (const DnTable *table);

/* @text shortened to @columns_max columns with an ellipsis at its end; counts characters that a
 * terminal shows, so escape first. (transfer full) */
char *dn_table_shorten (const char *text, guint columns_max);
