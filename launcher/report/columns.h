/* SPDX-License-Identifier: Apache-2.0 */
/* A table of text that fits a width: cells that are too wide are broken into lines, none is cut. */
#pragma once

#include <glib.h>

typedef struct DnColumns DnColumns;

/* A table with these headings, ended by NULL. */
DnColumns *dn_columns_new (const char *heading, ...) G_GNUC_NULL_TERMINATED;
void dn_columns_free (DnColumns *columns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnColumns, dn_columns_free)

/* One row of clean texts, ended by NULL (missing and empty ones are shown as "-").  @style, an SGR
 * sequence that must outlive this, or NULL, is for its first cell and takes no room. */
void dn_columns_add (DnColumns *columns, const char *style, const char *cell,
                     ...) G_GNUC_NULL_TERMINATED;
guint dn_columns_rows (const DnColumns *columns);

/* Lines of at most @width columns, the @indent blanks before each counted; a column keeps four
 * whatever @width is. (transfer full) */
char *dn_columns_to_text (const DnColumns *columns, guint indent, guint width);
