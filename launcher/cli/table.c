/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "escape.h"

#define COLUMNS_MAX 16
#define GAP 2

struct DnTable
{
  guint columns;
  gboolean has_heading;
  GPtrArray *cells; /* owned; rows one after the other */
};

static void
add_row (DnTable *table, const char *first, va_list rest)
{
  const char *cell = first;

  for (guint i = 0; i < table->columns; i++)
    {
      g_ptr_array_add (table->cells, dn_escape_text (cell != NULL ? cell : "", -1));
      if (cell != NULL)
        cell = va_arg (rest, const char *);
    }
}

DnTable *
dn_table_new (const char *heading, ...)
{
  DnTable *table = g_new0 (DnTable, 1);
  va_list count, rest;

  va_start (rest, heading);
  va_copy (count, rest);
  table->columns = 1;
  while (table->columns < COLUMNS_MAX && va_arg (count, const char *) != NULL)
    table->columns++;
  va_end (count);
  table->cells = g_ptr_array_new_with_free_func (g_free);
  table->has_heading = *heading != '\0';
  if (table->has_heading)
    add_row (table, heading, rest);
  va_end (rest);
  return table;
}

void
dn_table_free (DnTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->cells);
  g_free (table);
}

void
dn_table_add (DnTable *table, const char *cell, ...)
{
  va_list rest;

  va_start (rest, cell);
  add_row (table, cell, rest);
  va_end (rest);
}

char *
dn_table_to_text (const DnTable *table)
{
  GString *out = g_string_new (NULL);
  guint widths[COLUMNS_MAX] = { 0 };
  guint rows = table->cells->len / table->columns;

  for (guint i = 0; i < table->cells->len; i++)
    widths[i % table->columns]
        = MAX (widths[i % table->columns], dn_escape_width (table->cells->pdata[i]));
  for (guint row = 0; row < rows; row++)
    {
      gsize end;

      for (guint column = 0; column < table->columns; column++)
        {
          const char *cell = table->cells->pdata[row * table->columns + column];

          g_string_append (out, cell);
          for (guint n = dn_escape_width (cell); n < widths[column] + GAP; n++)
            g_string_append_c (out, ' ');
        }
      for (end = out->len; end > 0 && out->str[end - 1] == ' ';)
        end--;
      g_string_truncate (out, end);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}

char *
dn_table_shorten (const char *text, guint columns_max)
{
  const char *at = text;
  guint width = 0;

  if (dn_escape_width (text) <= columns_max)
    return g_strdup (text);
  while (*at != '\0')
    {
      gunichar c = g_utf8_get_char (at);
      guint more = g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;

      if (width + more + 1 > columns_max)
        break;
      width += more;
      at = g_utf8_next_char (at);
    }
  return g_strdup_printf ("%.*s…", (int) (at - text), text);
}
