/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/escape.c launcher/cli/table.c launcher/cli/console-tail.c
   launcher/cli/detach-keys.c launcher/cli/units.c launcher/cli/copy-spec.c
   launcher/base/console-ring.c protocol/pack.c launcher/common/error.c */
/* Packages: glib-2.0 */

/* Whatever a guest calls itself, nothing a terminal obeys comes out; and the parsers of words. */
#include <stdint.h>
#include <string.h>

#include "../../launcher/cli/console-tail.h"
#include "../../launcher/cli/copy-spec.h"
#include "../../launcher/cli/detach-keys.h"
#include "../../launcher/cli/escape.h"
#include "../../launcher/cli/table.h"
#include "../../launcher/cli/units.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_safe (const char *text, gboolean may_have_lines)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if ((c < 0x20 && !(may_have_lines && c == '\n')) || (c >= 0x7f && c < 0xa0)
          || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        g_error ("U+%04x came through", c);
    }
  if (!g_utf8_validate (text, -1, NULL))
    g_error ("no UTF-8 came out");
}

static void
check_keys (const uint8_t *data, size_t size)
{
  DnDetachKeys keys;
  gsize used;
  g_autofree guint8 *out = g_malloc (size + DN_DETACH_KEYS_MAX);

  if (!dn_detach_keys_parse ("a,b,a,c", &keys, NULL))
    g_error ("keys");
  if (dn_detach_keys_filter (&keys, data, size, out, &used) ? used + keys.count > size
                                                            : used + keys.held != size)
    g_error ("bytes were lost or made");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *word = g_strndup ((const char *) data, size);
  g_autofree char *escaped = dn_escape_text ((const char *) data, (gssize) size);
  g_autofree char *tail = dn_console_tail_format ((const char *) data, size, 5);
  g_autofree char *cut = dn_table_shorten (escaped, 20);
  DnCopySpec spec;
  gint64 number;
  double cpus;

  check_safe (escaped, FALSE);
  check_safe (tail, TRUE);
  check_safe (cut, FALSE);
  if (dn_escape_width (cut) > 20)
    g_error ("too wide");
  check_keys (data, size);
  (void) dn_units_parse_size (word, &number, NULL);
  (void) dn_units_parse_cpus (word, &cpus, NULL);
  (void) dn_units_parse_duration (word, &number, NULL);
  (void) dn_units_parse_time (word, 0, &number, NULL);
  if (dn_copy_spec_parse (word, &spec, NULL))
    dn_copy_spec_clear (&spec);
  return 0;
}
