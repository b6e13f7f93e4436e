/* SPDX-License-Identifier: Apache-2.0 */
/* GLib's markup escaping turns control characters into references that XML forbids, and passes
 * invalid UTF-8 through: why names are checked against a pattern before they reach an XML writer.
 */
#include <glib.h>
#include <string.h>

#include "assume.h"

int
main (void)
{
  g_autofree char *control = g_markup_escape_text ("\x01", -1);
  g_autofree char *invalid = g_markup_printf_escaped ("%s", "\xff");

  ASSUME (strcmp (control, "&#x1;") == 0, "a control character becomes a reference");
  ASSUME (strcmp (invalid, "\xff") == 0, "invalid UTF-8 passes through");
  ASSUME (GLIB_CHECK_VERSION (2, 70, 0), "g_steal_fd() is there");
  return 0;
}
