/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include "../cli/escape.h"
#include "wrap.h"

#define COLUMNS_MAX 10
#define GAP 2
#define LEAST 4 /* a column is not made narrower, whatever it costs */

struct DnColumns
{
  guint count;
  GPtrArray *cells;  /* owned; rows one after the other, the headings first */
  GPtrArray *styles; /* borrowed; one for each row */
};

static void
add_row (DnColumns *columns, const char *style, const char *first, va_list rest)
{
  const char *cell = first;

  g_ptr_array_add (columns->styles, (gpointer) style);
  for (guint i = 0; i < columns->count; i++)
    {
      g_ptr_array_add (columns->cells, g_strdup (cell == NULL || *cell == '\0' ? "-" : cell));
      if (cell != NULL)
        cell = va_arg (rest, const char *);
    }
}

DnColumns *
dn_columns_new (const char *heading, ...)
{
  DnColumns *columns = g_new0 (DnColumns, 1);
  va_list count, rest;

  va_start (rest, heading);
  va_copy (count, rest);
  columns->count = 1;
  while (columns->count < COLUMNS_MAX && va_arg (count, const char *) != NULL)
    columns->count++;
  va_end (count);
  columns->cells = g_ptr_array_new_with_free_func (g_free);
  columns->styles = g_ptr_array_new ();
  add_row (columns, NULL, heading, rest);
  va_end (rest);
  return columns;
}

void
dn_columns_free (DnColumns *columns)
{
  if (columns == NULL)
    return;
  g_ptr_array_unref (columns->cells);
  g_ptr_array_unref (columns->styles);
  g_free (columns);
}

void
dn_columns_add (DnColumns *columns, const char *style, const char *cell, ...)
{
  va_list rest;

  va_start (rest, cell);
  add_row (columns, style, cell, rest);
  va_end (rest);
}

guint
dn_columns_rows (const DnColumns *columns)
{
  return columns->styles->len - 1;
}

/* As wide as their widest cells; then the widest gives way until all fit. */
static void
choose_widths (const DnColumns *columns, guint room, guint widths[COLUMNS_MAX])
{
  guint total = (columns->count - 1) * GAP;

  for (guint i = 0; i < columns->cells->len; i++)
    widths[i % columns->count]
        = MAX (widths[i % columns->count], dn_escape_width (columns->cells->pdata[i]));
  for (guint i = 0; i < columns->count; i++)
    total += widths[i];
  while (total > room)
    {
      guint widest = 0;

      for (guint i = 1; i < columns->count; i++)
        if (widths[i] > widths[widest])
          widest = i;
      if (widths[widest] <= LEAST)
        return;
      widths[widest]--;
      total--;
    }
}

static void
append_blanks (GString *out, guint count)
{
  g_string_append_printf (out, "%*s", (int) count, "");
}

static void
append_row (const DnColumns *columns, guint row, guint indent, const guint widths[COLUMNS_MAX],
            GString *out)
{
  const char *style = columns->styles->pdata[row];
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  guint height = 1;

  for (guint i = 0; i < columns->count; i++)
    {
      GPtrArray *lines = dn_wrap_text (columns->cells->pdata[row * columns->count + i], widths[i]);

      g_ptr_array_add (cells, lines);
      height = MAX (height, lines->len);
    }
  for (guint line = 0; line < height; line++)
    {
      guint owed = indent;

      for (guint i = 0; i < columns->count; i++)
        {
          GPtrArray *lines = cells->pdata[i];
          const char *text = line < lines->len ? lines->pdata[line] : "";
          gboolean is_styled = i == 0 && style != NULL && *text != '\0';

          /* Blanks are written when something follows them: no line ends with one. */
          if (*text != '\0')
            {
              append_blanks (out, owed);
              owed = 0;
              g_string_append_printf (out, "%s%s%s", is_styled ? style : "", text,
                                      is_styled ? "\033[0m" : "");
            }
          owed += widths[i] - dn_escape_width (text) + GAP;
        }
      g_string_append_c (out, '\n');
    }
}

char *
dn_columns_to_text (const DnColumns *columns, guint indent, guint width)
{
  guint widths[COLUMNS_MAX] = { 0 };
  GString *out = g_string_new (NULL);

  choose_widths (columns, width > indent ? width - indent : 0, widths);
  for (guint row = 0; row < columns->styles->len; row++)
    append_row (columns, row, indent, widths, out);
  return g_string_free (out, FALSE);
}
