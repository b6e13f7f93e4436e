/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include "facts.h"
#include "view.h"

const char *const dn_window_classes[] = { "pub", "open", "shut", "what" };

static void
window_free (gpointer data)
{
  DnWindow *window = data;

  g_free (window->label);
  g_free (window);
}

/* Takes @label. */
static void
add_window (GPtrArray *windows, DnWindowKind kind, char *label)
{
  DnWindow *window;

  for (guint i = 0; i < windows->len; i++)
    if (g_str_equal (((DnWindow *) windows->pdata[i])->label, label))
      {
        g_free (label);
        return;
      }
  window = g_new0 (DnWindow, 1);
  window->kind = kind;
  window->label = label;
  g_ptr_array_add (windows, window);
}

GPtrArray *
dn_window_list (JsonObject *container)
{
  GPtrArray *windows = g_ptr_array_new_with_free_func (window_free);
  JsonArray *ports = dn_facts_array (container, "ports");
  JsonArray *listeners = dn_facts_array (container, "listeners");

  for (guint i = 0; i < dn_facts_length (ports); i++)
    add_window (windows, DN_WINDOW_PUBLISHED,
                dn_view_published (json_array_get_element (ports, i)));
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < dn_facts_length (listeners); i++)
      {
        JsonObject *listener = dn_facts_nth (listeners, i);

        if (listener != NULL && dn_view_is_open (listener) == (round == 0))
          add_window (windows, round == 0 ? DN_WINDOW_OPEN : DN_WINDOW_SHUT,
                      dn_view_port (listener));
      }
  if (listeners == NULL)
    add_window (windows, DN_WINDOW_UNKNOWN, g_strdup ("?"));
  return windows;
}
